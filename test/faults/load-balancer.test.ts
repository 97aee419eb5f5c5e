import { beforeAll, describe } from "vitest";
import { document } from "../../render/document.ts";
import { bootable } from "../bootable.ts";
import {
  apply,
  applyStep,
  type Change,
  configuration,
  file,
  installRecovery,
  lb1,
  observe,
  portal,
  run,
  undoStep,
} from "../host/haproxy/customer.ts";
import { leftOver } from "./left-over.ts";
import { killAfter, killAtEntry, powerCut, without } from "./moments.ts";
import { type Chance, type Fault, faults } from "./trials.ts";

/** How long an apply takes, in milliseconds, so that a random moment falls into it. */
const usual = 2500;

/** What the portal answers a visitor who has not logged in. */
const redirected = 302;

const changed = ({ number }: Chance): Change => ({ options: { maxconn: 1000 + number } });

const locks = ["/var/lib/dpkg/lock-frontend", "/var/lib/apt/lists/lock", "/var/cache/apt/archives/lock"];

/** What the portal's visitors see meanwhile: every answer that is none. */
const visited = async (work: Promise<unknown>): Promise<string | undefined> => {
  let done = false;
  void work.finally(() => {
    done = true;
  });
  let failed = 0;
  while (!done) if ((await portal().catch(() => 0)) !== redirected) failed++;
  await work;
  return failed ? `the portal failed ${failed} of its visitors` : undefined;
};

/** What has to be true after a fault, whatever it was. */
const promise = async (before: string, change: Change): Promise<string | undefined> => {
  const left = await leftOver(lb1());
  if (left) return left;
  const between = await configuration();
  const { exitCode, output } = await apply(change);
  if (exitCode) return `the next up fails: ${output}`;
  if (between !== before && between !== (await configuration())) return `a mixture of old and new lines:\n${between}`;
  const { drifted, reason } = await observe(change);
  if (drifted) return `the next up leaves drift: ${reason}`;
  return (await portal()) === redirected ? leftOver(lb1()) : "the portal does not answer";
};

/** A row whose fault happens while HAProxy's step is applied. */
const during = (
  fault: string,
  how: string,
  happen: (chance: Chance) => Promise<unknown>,
  { down = false } = {},
): Fault => ({
  ...{ fault, how },
  trial: async (chance) => {
    const before = await configuration();
    const work = Promise.allSettled([apply(changed(chance)), happen(chance)]);
    const unseen = down ? (await work) && undefined : await visited(work);
    return (await promise(before, changed(chance))) ?? unseen;
  },
});

describe.skipIf(!(await bootable("faults of a load balancer")))("a load balancer", () => {
  beforeAll(() => installRecovery());

  faults("load balancer", [
    during("the run is killed", "SIGKILL when its journal has its 1st, 2nd, … entry", ({ number }) =>
      killAtEntry(lb1(), "haproxy", 1 + (number % 4)),
    ),
    during("the run is killed", "SIGKILL at a random moment", ({ below }) => killAfter(lb1(), "haproxy", below(usual))),
    during(
      "the power fails",
      "hard stop of the host at a random moment, then a boot",
      ({ below }) => powerCut(lb1(), below(usual)),
      { down: true },
    ),
    {
      fault: "a disk is full",
      how: "/etc/haproxy, /var/lib/jtel-chat, /run/jtel-chat, /tmp",
      trial: async (chance) => {
        const places = ["/etc/haproxy", "/var/lib/jtel-chat", "/run/jtel-chat", "/tmp"];
        const place = places[chance.number % places.length] as string;
        await apply();
        const before = await configuration();
        const { exitCode, output } = await without(lb1(), place, () => apply(changed(chance)));
        if (exitCode && !/ free/.test(output)) return `${place}: not said: ${output}`;
        const lost = await promise(before, changed(chance));
        return lost && `${place}: ${lost}`;
      },
    },
    {
      fault: "the customer's file is broken already",
      how: "a line that HAProxy refuses, outside our blocks",
      trial: async (chance) => {
        await apply();
        await run(`echo 'frontend x\n\tnonsense ${chance.number}' >>${file}`);
        const before = await configuration();
        const { exitCode, output } = await apply(changed(chance));
        if (!exitCode) return "it was taken";
        if (!output.includes(`nonsense ${chance.number}`)) return `the line is not named: ${output}`;
        if ((await configuration()) !== before) return "the file was changed";
        await run(`head -n -2 ${file} >/root/whole && cat /root/whole >${file}`);
        return (await portal()) === redirected ? leftOver(lb1()) : "the portal does not answer";
      },
    },
    {
      fault: "apt is busy",
      how: `another program holds for 15 s: ${locks.join(", ")}`,
      trial: async ({ number }) => {
        const lock = locks[number % locks.length] as string;
        const holder = `import fcntl, time
file = open("${lock}", "w")
fcntl.lockf(file, fcntl.LOCK_EX)
open("/run/held-${number}", "w")
time.sleep(15)`;
        await run(`rm -rf /var/lib/apt/lists/*_* /var/cache/apt/archives/*.deb
          systemd-run --quiet --collect --unit=holder-${number} python3 -c '${holder}'
          until [ -e /run/held-${number} ]; do sleep 0.1; done`);
        const tree = document({ kind: "packages", name: "tree", fields: { undo: "remove" } });
        const { exitCode, output } = await applyStep("tree", tree);
        if (exitCode) return `${lock}: ${output}`;
        const undone = await undoStep("tree");
        return undone.exitCode ? `${lock}: ${undone.output}` : leftOver(lb1());
      },
    },
    {
      fault: "chat's port is taken",
      how: "by another program, after the look",
      trial: async (chance) => {
        const port = 4000 + chance.number;
        const before = await configuration();
        await run(`ufw allow ${port}/tcp >/dev/null; systemd-run --quiet --unit=taker-${port} python3 -m http.server ${port}
          until ss -Hltn | grep -q :${port}; do sleep 0.1; done`);
        const { exitCode, output } = await apply({ port });
        await run(`systemctl stop taker-${port}`);
        if (!exitCode) return "the apply has succeeded";
        if (!output.includes(`${port}`)) return `the port is not named: ${output}`;
        return promise(before, { port });
      },
    },
  ]);
});
