import { z } from "zod";

const text = z.string();

const verdict = z.enum(["nothing", "changes", "unseen", "failed"]);

/** One step on the hosts where it looks the same. */
const onHosts = {
  /** E.g. `["chatserver1", "chatserver2"]`; empty for what is on no host, e.g. the webhooks at TynTec. */
  hosts: z.array(text),
  /** E.g. `haproxy`. */
  step: text,
};

/** What hosts say of themselves. */
const said = {
  /** All hosts of the stack with their steps, e.g. `haproxy`. */
  hosts: z.array(z.strictObject({ name: text, steps: z.array(text) })),
  unseen: z.array(z.strictObject({ host: text, why: text })),
  /** What stops nothing and wants to be read. */
  warnings: z.array(z.strictObject({ ...onHosts, text })),
  /** What somebody has changed on hosts by hand. An `up` takes it back. */
  drift: z.array(
    z.strictObject({
      ...onHosts,
      reason: text,
      /** Unified, from what was applied to what is there. */
      diff: text,
      /** Times of the files, by path: a hint only. */
      written: z.record(text, text),
    }),
  ),
};

/**
 * What one preview and the hosts said, as JSON: everything that a person or a program is shown is made from it.
 *
 * Texts of hosts hold printable characters only.
 */
export const reportSchema = z.strictObject({
  /** Version of this form: another one is refused. */
  format: z.literal(1),
  project: text,
  stack: text,
  /** When it was made, e.g. `2026-11-26T07:08:20Z`. */
  made: z.iso.datetime(),
  /** Commit and URL of the CI run; empty outside CI. */
  run: text,
  /** `failed`: `problems` say why. `unseen`: a host was not seen, so nothing can be approved. */
  verdict,
  /** The account that has looked, where it may only observe: what would be applied was not checked on the hosts. */
  observer: text.optional(),
  /** How far an `up` would reach. */
  reach: z.strictObject({
    /** Hosts on which something would be written. */
    hosts: z.array(text),
    /** Chat servers whose ClientMessenger would be restarted, in that order. */
    restarts: z.array(text),
    /** Load balancers whose HAProxy would be reloaded, in that order. */
    reloads: z.array(text),
    /** Connections of clients by chat server, at the time of the look. */
    sessions: z.record(text, z.int().min(0)),
    /** Steps that would be taken back, e.g. `lb1-haproxy`. */
    removed: z.array(text),
  }),
  /** Why nothing can be applied. */
  problems: z.array(text),
  ...said,
  /** What the stack file and the program change. */
  changes: z.array(
    z.strictObject({
      ...onHosts,
      operation: z.enum(["create", "update", "delete", "replace"]),
      /** Why the step has to run although its document is as before, e.g. that the host lost it; else empty. */
      cause: text,
      /** Unified, from the document in the state to the new one; empty for a secret one. */
      diff: text,
      secret: z.boolean(),
    }),
  ),
  /** What may be approved, or why nothing. */
  approval: z.union([
    z.strictObject({ digest: z.string().regex(/^[0-9a-f]{64}$/), lines: z.array(text) }),
    z.strictObject({ refused: text }),
  ]),
});

export type Report = z.output<typeof reportSchema>;

/** What the hosts of one stack say, compared with what was applied: without an engine, so without what a commit changes. */
export const driftReportSchema = z.strictObject({
  format: z.literal(1),
  stack: text,
  made: z.iso.datetime(),
  /** `changes`: something has drifted. `failed`: the stack file cannot be used, `problem` says why. */
  verdict,
  problem: text.optional(),
  ...said,
  /** Days that certificates are still valid, by host and path. */
  certificates: z.array(z.strictObject({ host: text, path: text, days: z.int() })),
  /**
   * By chat server: connections of clients; why a restart is owed, else empty; how many of the stack's members of Hazelcast's
   * cluster it is connected to, itself among them, where it runs.
   */
  servers: z.array(
    z.strictObject({
      ...{ host: text, sessions: z.int().min(0), owed: text },
      members: z.strictObject({ there: z.int().min(1), wanted: z.int().min(1) }).optional(),
    }),
  ),
});

export type DriftReport = z.output<typeof driftReportSchema>;

/** Exit code of a command that looks: the same for `report` and `drift`. */
export const exitCodes = { nothing: 0, failed: 1, changes: 2, unseen: 3 } as const satisfies Record<
  Report["verdict"],
  number
>;
