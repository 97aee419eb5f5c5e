import type { LabHost } from "../../lab/lab.ts";
import { killAfter, killAtEntry, powerCut, setClock, withoutMemoryAfter, withoutSsh } from "./moments.ts";
import type { Chance, Fault } from "./trials.ts";

/** The run that a fault happens to. */
export interface Run {
  host: () => LabHost;
  step: string;
  /** How many entries its journal has. */
  entries: number;
  /** How long it takes, in milliseconds, so that a random moment falls into it. */
  usual: number;
}

/** A fault that can happen to a run of any step. */
export interface Interruption extends Pick<Fault, "fault" | "how"> {
  /** Makes it happen while the run goes on. Resolves to what was lost meanwhile. */
  happen: (chance: Chance) => Promise<string | undefined>;
  /** Whether the host is off for a while. */
  down?: true;
}

const day = 24 * 60 * 60;

/** The whole of ssh on a host, so that also who logs in now gets no answer. */
const [stopped, continued] = ["STOP", "CONT"].map((signal) => `pkill -${signal} -x sshd`) as [string, string];

export const interruptions = ({ host, step, entries, usual }: Run): Interruption[] => {
  const nothing = async (work: Promise<unknown>): Promise<undefined> => void (await work);
  const dropped = (what: "-I" | "-D") => `iptables ${what} INPUT -i eth0 -p tcp --dport 22 -j DROP`;
  const moment = ({ below }: Chance) => below(usual);
  return [
    {
      fault: "the run is killed",
      how: "SIGKILL when its journal has its 1st, 2nd, … entry",
      happen: ({ number }) => nothing(killAtEntry(host(), step, 1 + (number % entries))),
    },
    {
      fault: "the run is killed",
      how: "SIGKILL at a random moment",
      happen: (chance) => nothing(killAfter(host(), step, moment(chance))),
    },
    {
      fault: "the power fails",
      how: "hard stop of the host at a random moment, then a boot",
      happen: (chance) => nothing(powerCut(host(), moment(chance))),
      down: true,
    },
    {
      fault: "no memory is left",
      how: "the kernel's out-of-memory killer ends the run at a random moment",
      happen: (chance) => nothing(withoutMemoryAfter(host(), step, moment(chance))),
    },
    {
      fault: "ssh is lost",
      how: "the deploy user's sshd is killed at a random moment",
      happen: (chance) => nothing(host().exec(`sleep ${moment(chance) / 1000}; pkill -KILL -u deploy -x sshd`)),
    },
    {
      fault: "ssh is lost",
      how: "its packets are dropped from a random moment until the run is over",
      happen: (chance) => withoutSsh(host(), moment(chance), dropped("-I"), dropped("-D")),
    },
    {
      fault: "ssh is lost",
      how: "every sshd is stopped (SIGSTOP) from a random moment until the run is over",
      happen: (chance) => withoutSsh(host(), moment(chance), stopped, continued),
    },
    {
      fault: "the clock is set",
      how: "the tool's: a day forward or back at a random moment; the next run is a day from the controller",
      happen: (chance) => nothing(setClock(host(), moment(chance), chance.number % 2 ? day : -day)),
    },
  ];
};
