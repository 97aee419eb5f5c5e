import type { Report } from "../../report/report.ts";

/** A report on a stack with nothing to do, but for what is given. */
export const anyReport = (given: Partial<Report>): Report => ({
  format: 1,
  project: "jtel-chat",
  stack: "acme",
  made: "2026-11-26T07:08:20Z",
  run: "",
  verdict: "nothing",
  hosts: [],
  problems: [],
  unseen: [],
  warnings: [],
  drift: [],
  changes: [],
  approval: { digest: "0123456789abcdef".repeat(4), lines: [] },
  ...given,
  reach: { hosts: [], restarts: [], reloads: [], sessions: {}, removed: [], ...given.reach },
});
