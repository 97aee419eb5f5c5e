import { beforeAll, describe } from "vitest";
import { applyCommand } from "../../hosts/launcher.ts";
import { ssh } from "../../hosts/ssh/ssh.ts";
import { minutes } from "../../lab/deadline.ts";
import { bootable } from "../bootable.ts";
import { vendor } from "../host/chat-server-steps.ts";
import {
  apply,
  type Change,
  documents,
  drift,
  host,
  installRecovery,
  offer,
  ownedByCustomer,
  said,
  status,
  up,
} from "../host/client-messenger/server.ts";
import { leftOver } from "./left-over.ts";
import { killAfter, killAtEntry, powerCut, without } from "./moments.ts";
import { type Chance, type Fault, faults } from "./trials.ts";

/** How long an apply of the step takes, in milliseconds, so that a random moment falls into it. */
const usual = 2500;

const units: Change["unit"][] = [
  { accept: [], limits: ["tmp"] },
  { accept: [], limits: [] },
];
let changes = 0;

/** Each wants another release and another unit than the one before: files of root's and of the service's user are changed. */
const changed = async ({ number }: Chance): Promise<Change> => {
  await offer(`trial-${number}-${Date.now()}`);
  const unit = units[changes++ % 2];
  return { release: "follow", ...(unit && { unit }) };
};

const applied = (change: Change) => apply("messenger", documents(change).messenger ?? "");

/** What has to be true after a fault, whatever it was. */
const promise = async (before: string, change: Change): Promise<string | undefined> => {
  const left = await leftOver(host());
  if (left) return left;
  const between = await ownedByCustomer();
  await up(change);
  const after = await ownedByCustomer();
  if (between !== before && between !== after) return `a mixture of old and new files:\n${between}`;
  const drifted = await drift();
  if (drifted.length) return `the next up leaves drift: ${drifted.join("; ")}`;
  const { database } = await status();
  return database === "ok" ? leftOver(host()) : `chat's database is ${database}`;
};

/** A row whose fault happens while the step of the program is applied. */
const during = (fault: string, how: string, happen: (chance: Chance, change: Change) => Promise<unknown>): Fault => ({
  ...{ fault, how },
  trial: async (chance) => {
    const change = await changed(chance);
    const before = await ownedByCustomer();
    await happen(chance, change);
    return promise(before, change);
  },
});

const together = (...works: Promise<unknown>[]) => Promise.allSettled(works);

const places = ["/etc/jtel-chat", "/home/jtel/ClientMessenger", "/var/lib/jtel-chat", "/run/jtel-chat", "/tmp"];

describe.skipIf(!(await bootable("faults of a chat server")))("a chat server", () => {
  beforeAll(async () => {
    await installRecovery();
    await up();
  }, 5 * minutes);

  faults("chat server", [
    during("the run is killed", "SIGKILL when its journal has its 1st, 2nd, … entry", ({ number }, change) =>
      together(applied(change), killAtEntry(host(), "messenger", 1 + (number % 12))),
    ),
    during("the run is killed", "SIGKILL at a random moment", ({ below }, change) =>
      together(applied(change), killAfter(host(), "messenger", below(usual))),
    ),
    during("the power fails", "hard stop of the host at a random moment, then a boot", ({ below }, change) =>
      together(applied(change), powerCut(host(), below(usual))),
    ),
    during("ssh is lost", "the deploy user's sshd is killed at a random moment", async ({ below }, change) => {
      const target = { address: host().address, port: 22, user: "deploy", hostKey: host().hostKey };
      const cut = `(sleep ${below(usual) / 1000}; pkill -KILL -u deploy sshd) >/dev/null 2>&1 &`;
      const launcher = applyCommand("messenger", { generation: 1, reason: "trial" });
      await ssh(target, `${cut} ${launcher}`, documents(change).messenger ?? "");
    }),
    during("the share is gone", "unmounted lazily at a random moment of the copy", async ({ below }, change) => {
      await together(
        applied(change),
        said(`sleep ${below(usual) / 1000}; umount --lazy /home/jtel/shared; sleep 2; mount /home/jtel/shared`),
      );
    }),
    during("two controllers", "both apply at once, each something else", async (_, change) => {
      const unit = units[changes % 2];
      const other: Change = { ...change, ...(unit && { unit }) };
      for (const { exitCode, output } of await Promise.all([applied(change), applied(other)]))
        if (exitCode) throw new Error(output);
      await applied(change);
    }),
    {
      fault: "a folder is read-only",
      how: "/etc/systemd/system is bound over itself, read-only",
      trial: async (chance) => {
        const change = await changed(chance);
        const before = await ownedByCustomer();
        await said("cd /etc/systemd/system; mount --bind . . && mount -o remount,ro,bind /etc/systemd/system");
        const { exitCode, output } = await applied(change);
        await said("umount /etc/systemd/system");
        if (!exitCode || !output.includes("/etc/systemd/system")) return `not said: ${output}`;
        return promise(before, change);
      },
    },
    {
      fault: "a disk is full",
      how: places.join(", "),
      trial: async (chance) => {
        const change = await changed(chance);
        const before = await ownedByCustomer();
        const place = places[chance.number % places.length] as string;
        const { exitCode, output } = await without(host(), place, () => applied(change));
        if (exitCode && !/ free/.test(output)) return `${place}: not said: ${output}`;
        const lost = await promise(before, change);
        return lost && `${place}: ${lost}`;
      },
    },
    {
      fault: "the program does not start",
      how: "the share's release has a broken program",
      trial: async (chance) => {
        await up(await changed(chance));
        const before = await ownedByCustomer();
        await said(`cd ${vendor}/bin && mv clientmessenger.jar kept && echo broken >clientmessenger.jar`);
        const { messenger = "", "messenger-running": running = "" } = documents({ release: "follow" });
        const outcomes = [await apply("messenger", messenger), await apply("messenger-running", running)];
        await said(`cd ${vendor}/bin && mv kept clientmessenger.jar`);
        if (outcomes.every(({ exitCode }) => !exitCode)) return "the broken program was taken for a healthy one";
        const { database } = await status();
        if (database !== "ok") return `chat's database is ${database}`;
        return promise(before, await changed(chance));
      },
    },
  ]);
});
