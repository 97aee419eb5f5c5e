import { describe, expect, test } from "vitest";
import { minutes, until } from "../../../lab/deadline.ts";
import { apply, count, foreign, run, seen, tuples, undo } from "./customer.ts";

/** Other calls of ufw while ours run. */
export const bearsOtherCalls = (): void => {
  describe("20 other ufw calls at the same time", () => {
    const rounds = [1, 2, 3];
    const wanted = ["allow 3000/tcp from 10.1.0.11", "allow 5701:5801/tcp from 10.1.0.0/24", "allow 3003/tcp"];
    const before = ["deny 25/tcp", "limit 2222/tcp comment 'admins'", "allow from fd00:66::/64"];

    /** Resolves when all have ended. `serialised`: among themselves, as a careful customer's own scripts do it. */
    const others = (round: number, serialised: boolean) => {
      const lock = serialised ? "flock /run/customer.lock " : "";
      return run(
        `for i in $(seq 20); do ${lock}ufw allow proto tcp from 10.99.${round}.$i to any port 9000 & done; wait`,
      );
    };

    /** The network is wide at first and then tightened, all while others call. */
    const oursMeanwhile = async () => {
      expect(await apply([...wanted, "allow 3000/tcp"])).toMatchObject({ exitCode: 0 });
      expect(await apply(wanted)).toMatchObject({ exitCode: 0 });
    };

    test("that are serialised among themselves: neither they nor we lose a rule", {
      timeout: 5 * minutes,
    }, async () => {
      for (const rule of before) await run(`ufw ${rule}`);
      for (const round of rounds) {
        const kept = await foreign();
        await Promise.all([others(round, true), oursMeanwhile()]);
        const found = await foreign();
        const theirs = found.filter((tuple) => tuple.includes(` 10.99.${round}.`));
        expect(theirs.length, `round ${round}`).toBe(20);
        expect(found.filter((tuple) => !theirs.includes(tuple))).toEqual(kept);
        expect(await count(/./), (await tuples()).join("\n")).toBe(4);
        await undo();
        expect(await count(/./)).toBe(0);
        expect((await foreign()).toSorted()).toEqual(found.toSorted());
      }
    });

    test("that lose each other's: not ours", { timeout: 5 * minutes }, async () => {
      for (const rule of before) await run(`ufw ${rule}`);
      for (const round of rounds) {
        await Promise.all([others(round, false), oursMeanwhile()]);
        expect(await count(/./), (await tuples()).join("\n")).toBe(4);
      }
    });

    test("that take away a rule of others: its name is printed", { timeout: 5 * minutes }, async () => {
      for (const rule of before) await run(`ufw ${rule}`);
      const once = "until grep -q 3000 /etc/ufw/user.rules; do sleep 0.01; done; ufw delete limit 2222/tcp";
      await run(`systemd-run --quiet --collect --unit=trial-taking sh -c '${once}'`);
      const { stdout } = await apply(wanted);
      expect(stdout).toContain("'limit tcp 2222 0.0.0.0/0 any 0.0.0.0/0 in comment=61646d696e73'");
    });
  });

  test("a ufw call that has read before ours and writes after them takes nothing away", async () => {
    const python =
      "import fcntl, time; lock = open('/run/ufw.lock', 'w'); fcntl.lockf(lock, fcntl.LOCK_EX); time.sleep(600)";
    await run(`systemd-run --quiet --collect --unit=trial-holder python3 -c "${python}"`);
    await until("the lock to be held", 20, () => seen("grep -q 'POSIX .*WRITE' /proc/locks"));
    await run("systemd-run --quiet --collect --unit=trial-late ufw allow 9999/tcp");
    await until("ufw to wait for its lock", 20, () => seen("grep -q -- '-> POSIX' /proc/locks"));
    await run("systemctl kill --signal=STOP trial-late && systemctl stop trial-holder");
    const applied = apply(["allow 3003/tcp", "allow 3000/tcp from 10.1.0.11"]);
    await until("our rules", 20, async () => ((await count(/./)) === 3 ? true : undefined));
    await until("our calls to end", 20, () => seen("! pgrep --exact --runstates R,S,D ufw"));
    await run("systemctl kill --signal=CONT trial-late");
    await until("the late call to end", 20, () => seen("! systemctl is-active trial-late"));
    expect(await applied).toMatchObject({ exitCode: 0 });
    expect(await count(/./)).toBe(3);
    expect((await foreign()).filter((tuple) => tuple.includes(" 9999 ")).length).toBe(2);
  });
};
