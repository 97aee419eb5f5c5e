import { readFileSync } from "node:fs";
import { afterEach, expect, test, vi } from "vitest";
import { check } from "../../config/check.ts";
import { isWithin } from "../../config/maintenance.ts";
import { stackFileValues } from "../../config/offline.ts";
import type { Maintenance } from "../../config/schema.ts";
import type { StepAnswer } from "../../hosts/look/answer.ts";
import { restarts, restartsClosed } from "../../hosts/look/restart-policy.ts";

/** The committed example, with its secrets. */
const values = stackFileValues(
  readFileSync(new URL("../../Pulumi.prod.yaml", import.meta.url), "utf8")
    .replace("user: root,", "user: root, password: { secure: x },")
    .replace("tyntec: {", "tyntec: { apiKey: { secure: x },"),
);

const nights: Maintenance = { days: ["fri"], from: "22:00", to: "04:00", timezone: "Europe/Berlin" };

afterEach(() => {
  vi.unstubAllEnvs();
});

test.each([
  ["2026-11-27T21:00:00Z", true, "Friday 22:00 in Berlin, when it opens"],
  ["2026-11-27T20:59:00Z", false, "a minute before"],
  ["2026-11-28T02:59:00Z", true, "Saturday 03:59: it began on Friday"],
  ["2026-11-28T03:00:00Z", false, "when it closes"],
  ["2026-11-27T02:00:00Z", false, "Friday 03:00: that night began on Thursday"],
  ["2026-11-28T22:00:00Z", false, "Saturday 23:00"],
  ["2026-07-03T20:00:00Z", true, "Friday 22:00 in summer"],
])("a window over midnight belongs to the day on which it begins: %s is %s, %s", (moment, within) => {
  expect(isWithin(nights, new Date(moment))).toBe(within);
});

test("a window of one day ends on it, and Sunday is before Monday", () => {
  const noon: Maintenance = { ...nights, from: "12:00", to: "13:30" };
  const minutes = ["11:59", "12:00", "13:29", "13:30"];
  expect(minutes.map((time) => isWithin(noon, new Date(`2026-11-27T${time}:00+01:00`)))).toEqual([
    ...[false, true, true, false],
  ]);
  expect(isWithin({ ...nights, days: ["sun"] }, new Date("2026-11-30T01:00:00+01:00"))).toBe(true);
});

const stack = (maintenance: Maintenance | undefined, restart: "roll" | "hold" = "roll") => ({
  maintenance,
  clientMessenger: { release: "hold", restart, unit: { accept: [], limits: [] } },
});
const noon = new Date("2026-11-27T11:00:00Z");

test("outside the window chat is not restarted, and it is said when and how it can be", () => {
  expect(restartsClosed(stack(nights), noon)).toMatch(
    /outside the maintenance window, fri from 22:00 to 04:00 \(Europe\/Berlin\).*restart: hold.*JTEL_CHAT_RESTART_REASON/,
  );
  expect(restartsClosed(stack(nights), new Date("2026-11-27T21:30:00Z"))).toBeUndefined();
  expect(restartsClosed(stack(undefined), noon)).toBeUndefined();
  expect(restartsClosed(stack(nights, "hold"), noon)).toBeUndefined();
});

test("a reason opens it; an empty one is none", () => {
  vi.stubEnv("JTEL_CHAT_RESTART_REASON", "ticket 4711");
  expect(restartsClosed(stack(nights), noon)).toBeUndefined();
  vi.stubEnv("JTEL_CHAT_RESTART_REASON", " ");
  expect(restartsClosed(stack(nights), noon)).toContain("outside");
});

test("what a host says that it would restart is a line", () => {
  const answer = { facts: { "restarts:x.service": "java changes", "owed:x.service": "changed" } };
  expect(restarts({ java: answer as unknown as StepAnswer }, "not now")).toEqual([
    "x.service may be restarted (java changes): not now",
  ]);
});

test.each([
  [{ from: "22:00", to: "22:00" }, "maintenance.to", "never opens"],
  [{ from: "24:00", to: "04:00" }, "maintenance.from", "no time of day"],
  [{ from: "22:00", to: "04:00", timezone: "Europe/Colonia" }, "maintenance.timezone", "no time zone"],
  [{ from: "22:00", to: "04:00", days: [] }, "maintenance.days", "names no day"],
  [{ from: "22:00", to: "04:00", days: ["Fri"] }, "maintenance.days[0]", "Known: mon"],
])("a window that cannot be is refused: %o", (maintenance, key, why) => {
  const checked = check({ ...values, maintenance });
  expect("problems" in checked && checked.problems).toMatchObject([{ key, text: expect.stringContaining(why) }]);
});
