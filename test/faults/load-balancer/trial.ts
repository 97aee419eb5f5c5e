import { applyCommand } from "../../../hosts/launcher.ts";
import { ssh } from "../../../hosts/ssh/ssh.ts";
import { apply, type Change, configuration, frontend, lb1, observe, portal } from "../../host/haproxy/customer.ts";
import { leftOver } from "../left-over.ts";
import { rightClock } from "../moments.ts";
import type { Chance, Fault } from "../trials.ts";
import { answersAPerson, saysAllIsWell } from "../truth.ts";

/** What the portal answers a visitor who has not logged in. */
export const redirected = 302;

export const changed = ({ number }: Chance): Change => ({ options: { maxconn: 1000 + number } });

/** Applies HAProxy's step by ssh, as the engine does it. */
export const appliedOverSsh = (change: Change) => {
  const target = { address: lb1().address, port: 22, user: "deploy", hostKey: lb1().hostKey };
  return ssh(target, applyCommand("haproxy", { generation: 1, reason: "trial" }), frontend(change));
};

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
export const promise = async (before: string, change: Change): Promise<string | undefined> => {
  const lost = (await leftOver(lb1())) ?? (await answersAPerson(lb1()));
  if (lost) return lost;
  const between = await configuration();
  const { exitCode, output } = await apply(change);
  if (exitCode) return `the next up fails: ${output}`;
  if (between !== before && between !== (await configuration())) return `a mixture of old and new lines:\n${between}`;
  const { drifted, reason, problems } = await observe(change);
  if (drifted || problems.length) return `the next up leaves: ${[reason, ...problems].join("; ")}`;
  if ((await portal()) !== redirected) return "the portal does not answer";
  return (await saysAllIsWell(lb1())) ?? leftOver(lb1());
};

/** A row whose fault happens while HAProxy's step is applied. */
export const during = (
  fault: string,
  how: string,
  happen: (chance: Chance) => Promise<string | undefined>,
  { down = false, work = apply as (change: Change) => Promise<unknown> } = {},
): Fault => ({
  ...{ fault, how },
  trial: async (chance) => {
    const before = await configuration();
    const happening = Promise.all([happen(chance), work(changed(chance))]);
    const unseen = down ? undefined : await visited(happening);
    const [happened] = await happening;
    const lost = await promise(before, changed(chance));
    await rightClock(lb1());
    return happened ?? lost ?? unseen;
  },
});
