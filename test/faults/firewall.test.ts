import { describe } from "vitest";
import { answers } from "../../lab/hosts/network.ts";
import { bootable } from "../bootable.ts";
import {
  apply,
  count,
  firewall,
  foreign,
  host,
  launch,
  look,
  overSsh,
  run,
  status,
  tuples,
} from "../host/firewall/customer.ts";
import { leftOver } from "./left-over.ts";
import { killAfter, powerCut } from "./moments.ts";
import { type Chance, type Fault, faults } from "./trials.ts";
import { answersAPerson, saysAllIsWell } from "./truth.ts";

/** How long an apply takes, in milliseconds, so that a random moment falls into it. */
const usual = 2500;

const wanted = ["allow 3000/tcp from 10.1.0.11", "allow 5701:5801/tcp from 10.1.0.0/24", "allow 3003/tcp"];

/** ufw's lines for these rules: the last one is for both families. */
const lines = 4;

/** With those for ssh, which stay once ufw was switched on. */
const linesWithSsh = 6;

/** Has ufw drop what is new to ssh before any of its rules: no look at rules foresees it. */
const cutsSsh =
  "sed -i '/^# End required lines/a -A ufw-before-input -p tcp --dport 22 -m conntrack --ctstate NEW -j DROP' /etc/ufw/before.rules";

/** ufw as the customer has it, with rules of his own, and nothing of ours. */
const fresh = (state: string) =>
  run(`systemctl stop jtel-chat-firewall-trial.timer 2>/dev/null; rm -rf /var/lib/jtel-chat /etc/ufw
    tar -C / -xf /root/ufw.tar; ufw reload >/dev/null; ufw deny 25/tcp >/dev/null; ufw limit 2222/tcp comment admins >/dev/null
    ${state}`);

/** What has to be true after a fault, whatever it was. */
const promise = async (theirs: string[], expected = lines): Promise<string | undefined> => {
  const lost = (await leftOver(host())) ?? (await answersAPerson(host()));
  if (lost) return lost;
  const { exitCode, output } = await apply(wanted);
  if (exitCode) return `the next up fails: ${output}`;
  if ((await count(/./)) !== expected) return `rules of ours: ${(await tuples()).join("; ")}`;
  const found = await foreign();
  if (found.join() !== theirs.join()) return `rules of others: ${found.join("; ")} instead of ${theirs.join("; ")}`;
  const { drifted, reason } = await look(wanted);
  if (drifted) return `the next up leaves drift: ${reason}`;
  return (await saysAllIsWell(host())) ?? leftOver(host());
};

/** A row of an apply that is killed at a random moment, with ufw in some state. */
const killed = (how: string, state: string, active: string): Fault => ({
  fault: `ufw ${how}`,
  how: "SIGKILL at a random moment of the apply",
  trial: async ({ below }) => {
    await fresh(state);
    const theirs = await foreign();
    await Promise.all([apply(wanted), killAfter(host(), "firewall", below(usual))]);
    const lost = await promise(theirs);
    const now = await status();
    if (!now.endsWith(active)) return `ufw is not ${active}: ${now}`;
    return lost;
  },
});

/** Has 20 calls of ufw run while ours do; with `lock` one after the other, as a careful customer's scripts do it. */
const others = ({ number }: Chance, lock: string) =>
  run(
    `for i in $(seq 20); do ${lock}ufw allow proto tcp from 10.99.${number % 250}.$i to any port 9000 & done >/dev/null; wait`,
  );

describe.skipIf(!(await bootable("faults of the firewall")))("a firewall", () => {
  faults("firewall", [
    killed("is inactive", "ufw disable >/dev/null", "inactive"),
    killed(
      "refuses by default",
      "ufw default deny incoming >/dev/null; ufw default reject outgoing >/dev/null",
      " active",
    ),
    {
      fault: "ufw's new rules cut ssh",
      how: "once they are switched on, nobody gets in to confirm; the host is rebooted meanwhile, or not",
      trial: async ({ number, below }) => {
        await fresh(`ufw disable >/dev/null; ufw delete allow 22/tcp >/dev/null; ${cutsSsh}`);
        const theirs = await foreign();
        const enabled = await overSsh(launch, firewall(wanted, { enable: "6s" }));
        if (enabled.exitCode) return enabled.stderr;
        if (await answers(host().address, 22).catch(() => false)) return "the rules do not cut ssh";
        if (number % 2) await powerCut(host(), below(2000));
        await run("for i in $(seq 200); do ufw status | grep -q inactive && exit; sleep 0.1; done; exit 1");
        const { exitCode } = await overSsh("true");
        return exitCode ? "nobody gets in any more" : promise(theirs, linesWithSsh);
      },
    },
    {
      fault: "20 calls of ufw by others",
      how: "while ours run, all at once: none of our rules is lost",
      trial: async (chance) => {
        await fresh("true");
        const [{ exitCode, output }] = await Promise.all([apply(wanted), others(chance, "")]);
        if (exitCode) return output;
        return promise(await foreign());
      },
    },
    {
      fault: "20 calls of ufw by others",
      how: "while ours run, one after the other: none of theirs is lost either",
      trial: async (chance) => {
        await fresh("true");
        const before = await foreign();
        const [{ exitCode, output }] = await Promise.all([apply(wanted), others(chance, "flock /run/customer.lock ")]);
        if (exitCode) return output;
        const theirs = await foreign();
        if (theirs.length !== before.length + 20) return `${theirs.length - before.length} of their 20 rules are left`;
        return promise(theirs);
      },
    },
  ]);
});
