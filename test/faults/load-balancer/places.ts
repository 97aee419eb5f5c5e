import { apply, configuration, file, lb1, observe, portal, run } from "../../host/haproxy/customer.ts";
import { leftOver } from "../left-over.ts";
import { rootIsReadOnly, without } from "../moments.ts";
import type { Fault } from "../trials.ts";
import { changed, during, promise, redirected } from "./trial.ts";

const full = ["/etc/haproxy", "/var/lib/jtel-chat", "/run/jtel-chat", "/tmp"];

/** Ways to keep the customer's file from being written: how, how that is taken back, and what the error names. */
const closed = [
  {
    fault: "a file is immutable",
    how: "chattr +i on haproxy.cfg",
    close: `chattr +i ${file}`,
    open: `chattr -i ${file}`,
  },
  {
    fault: "a file is a mount of its own",
    how: "haproxy.cfg is bound over itself",
    close: `mount --bind ${file} ${file}`,
    open: `umount ${file}`,
  },
  {
    fault: "the root is read-only",
    how: "/etc, /usr and /var are, as after an error of the drive",
    ...rootIsReadOnly,
  },
];

/** Faults of the places that an apply writes to, and of what stands there. */
export const places: Fault[] = [
  ...closed.map(
    ({ fault, how, close, open }): Fault => ({
      ...{ fault, how },
      trial: async (chance) => {
        const before = await configuration();
        await run(close);
        const met = async () => ({ seen: await observe(changed(chance)), ...(await apply(changed(chance))) });
        const { seen, exitCode, output } = await met().finally(() => run(open));
        if (!exitCode || !/haproxy\.cfg|ead-only/.test(output)) return `not said: ${output}`;
        if (!/haproxy\.cfg|ead-only/.test(seen.problems.join()))
          return `not seen in a preview: ${seen.problems.join()}`;
        if ((await configuration()) !== before) return "something was written all the same";
        return promise(before, changed(chance));
      },
    }),
  ),
  during("a file is immutable", "chattr +i on haproxy.cfg at a random moment of the apply", async ({ below }) => {
    await run(`sleep ${below(2500) / 1000}; chattr +i ${file}; sleep 4; chattr -i ${file}`);
    return undefined;
  }),
  {
    fault: "a disk is full",
    how: full.join(", "),
    trial: async (chance) => {
      const place = full[chance.number % full.length] as string;
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
];
