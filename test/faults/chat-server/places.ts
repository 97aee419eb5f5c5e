import { host, ownedByCustomer, problems, said, system } from "../../host/client-messenger/server.ts";
import { rootIsReadOnly, without } from "../moments.ts";
import type { Fault } from "../trials.ts";
import { applied, changed, promise } from "./trial.ts";

const full = ["/etc/jtel-chat", "/home/jtel/ClientMessenger", "/var/lib/jtel-chat", "/run/jtel-chat", "/tmp"];

/** Places that cannot be written: how, how that is taken back, and what the error names. */
const closed = [
  {
    fault: "a folder is read-only",
    how: "/etc/systemd/system is bound over itself, read-only",
    close: "cd /etc/systemd/system; mount --bind . . && mount -o remount,ro,bind /etc/systemd/system",
    open: "umount /etc/systemd/system",
    named: "/etc/systemd/system",
  },
  {
    fault: "the root is read-only",
    how: "/etc, /usr and /var are, as after an error of the drive",
    ...rootIsReadOnly,
    named: "ead-only",
  },
  {
    fault: "a file is immutable",
    how: "chattr +i on our unit",
    close: `chattr +i ${system}`,
    open: `chattr -i ${system}`,
    named: system,
  },
  {
    fault: "a file is a mount of its own",
    how: "our unit is bound over itself",
    close: `mount --bind ${system} ${system}`,
    open: `umount ${system}`,
    named: system,
  },
];

/** Faults of the places that an apply writes to. */
export const places: Fault[] = [
  ...closed.map(
    ({ fault, how, close, open, named }) =>
      ({
        ...{ fault, how },
        trial: async (chance) => {
          const change = await changed(chance);
          const before = await ownedByCustomer();
          await said(close);
          const seen = await problems(change);
          const { exitCode, output } = await applied(change);
          await said(open);
          if (!exitCode || !output.includes(named)) return `not said: ${output}`;
          if (!seen.join().includes(named)) return `not seen in a preview: ${seen.join()}`;
          if ((await ownedByCustomer()) !== before) return "something was written all the same";
          return promise(before, change);
        },
      }) satisfies Fault,
  ),
  {
    fault: "a disk is full",
    how: full.join(", "),
    trial: async (chance) => {
      const change = await changed(chance);
      const before = await ownedByCustomer();
      const place = full[chance.number % full.length] as string;
      const { exitCode, output } = await without(host(), place, () => applied(change));
      if (exitCode && !/ free/.test(output)) return `${place}: not said: ${output}`;
      const lost = await promise(before, change);
      return lost && `${place}: ${lost}`;
    },
  },
];
