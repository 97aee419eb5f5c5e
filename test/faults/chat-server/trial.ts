import { applyCommand } from "../../../hosts/launcher.ts";
import { ssh } from "../../../hosts/ssh/ssh.ts";
import {
  apply,
  type Change,
  documents,
  drift,
  host,
  offer,
  ownedByCustomer,
  status,
  up,
} from "../../host/client-messenger/server.ts";
import { leftOver } from "../left-over.ts";
import { rightClock } from "../moments.ts";
import type { Chance, Fault } from "../trials.ts";
import { answersAPerson, saysAllIsWell } from "../truth.ts";

const units: Change["unit"][] = [
  { accept: [], limits: ["tmp"] },
  { accept: [], limits: [] },
];
let changes = 0;

/** The unit that the next change brings. */
export const nextUnit = (): Pick<Change, "unit"> => {
  const unit = units[changes % 2];
  return unit ? { unit } : {};
};

/** Each wants another release and another unit than the one before: files of root's and of the service's user are changed. */
export const changed = async ({ number }: Chance): Promise<Change> => {
  await offer(`trial-${number}-${Date.now()}`);
  const unit = nextUnit();
  changes++;
  return { release: "follow", ...unit };
};

/** Applies the step of the program. */
export const applied = (change: Change) => apply("messenger", documents(change).messenger ?? "");

/** As {@link applied}, by ssh as the engine does it. */
export const appliedOverSsh = (change: Change) => {
  const target = { address: host().address, port: 22, user: "deploy", hostKey: host().hostKey };
  const launcher = applyCommand("messenger", { generation: 1, reason: "trial" });
  return ssh(target, launcher, documents(change).messenger ?? "");
};

/** What has to be true after a fault, whatever it was. */
export const promise = async (before: string, change: Change): Promise<string | undefined> => {
  const lost = (await leftOver(host())) ?? (await answersAPerson(host()));
  if (lost) return lost;
  const between = await ownedByCustomer();
  await up(change);
  const after = await ownedByCustomer();
  if (between !== before && between !== after) return `a mixture of old and new files:\n${between}`;
  const drifted = await drift();
  if (drifted.length) return `the next up leaves drift: ${drifted.join("; ")}`;
  const { database } = await status();
  if (database !== "ok") return `chat's database is ${database}`;
  return (await saysAllIsWell(host())) ?? leftOver(host());
};

/** A row whose fault happens while the step of the program is applied. */
export const during = (
  fault: string,
  how: string,
  happen: (chance: Chance, change: Change) => Promise<string | undefined>,
  work: (change: Change) => Promise<unknown> = applied,
): Fault => ({
  ...{ fault, how },
  trial: async (chance) => {
    const change = await changed(chance);
    const before = await ownedByCustomer();
    const [happened] = await Promise.all([happen(chance, change), work(change)]);
    const lost = await promise(before, change);
    await rightClock(host());
    return happened ?? lost;
  },
});
