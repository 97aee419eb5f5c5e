import { isWithin, windowText } from "../../config/maintenance.ts";
import type { Deployment } from "../../config/schema.ts";
import { printable } from "../printable.ts";
import type { StepAnswer } from "./answer.ts";

/** Why a person lets a run restart chat outside its window; the hosts' logs have it. */
export const restartReason = (): string => printable(process.env.JTEL_CHAT_RESTART_REASON?.trim() ?? "");

/**
 * Says why a run must not restart a running chat now, and what to do instead; undefined where it may.
 *
 * With `restart: hold` no healthy chat is restarted anyway.
 */
export const restartsClosed = (
  { maintenance, clientMessenger: { restart } }: Pick<Deployment, "maintenance" | "clientMessenger">,
  now = new Date(),
): string | undefined => {
  if (!maintenance || restart === "hold" || restartReason() || isWithin(maintenance, now)) return undefined;
  return `now is outside the maintenance window, ${windowText(maintenance)}. Run it then, or leave the restart owed (clientMessenger.restart: hold), or say why it cannot wait: JTEL_CHAT_RESTART_REASON="…"`;
};

/** What an apply would restart, as a host says it: a line for each unit that runs. */
export const restarts = (answers: Record<string, StepAnswer>, closed: string): string[] =>
  Object.values(answers).flatMap(({ facts }) =>
    Object.entries(facts).flatMap(([key, why]) =>
      key.startsWith("restarts:") ? [`${key.slice("restarts:".length)} may be restarted (${why}): ${closed}`] : [],
    ),
  );
