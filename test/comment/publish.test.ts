import { describe, expect, test, vi } from "vitest";
import { isNewer, type Marker, markerLine, markerOf } from "../../report/comment/marker.ts";
import { publish } from "../../report/comment/publish.ts";
import { type Comments, type Posted, ServiceError, secondsOf } from "../../report/comment/service.ts";

const pauses = vi.hoisted(() => [] as number[]);
vi.mock("node:timers/promises", () => ({ setTimeout: async (time: number) => void pauses.push(time) }));

const marker = (given: Partial<Marker> = {}): Marker => ({
  ...{ project: "jtel-chat", stacks: ["acme"], made: "2026-11-26T07:00:00Z", commit: "1a2b3c4", run: 7 },
  ...given,
});
const body = (given: Partial<Marker> = {}): string => `${markerLine(marker(given))}\n\n- acme: nothing to do\n`;

/** A service that keeps comments in a list, and fails as often as there are errors. */
const service = (posted: Posted[], errors: Error[] = []): Comments => {
  const mayFail = (): void => {
    const error = errors.shift();
    if (error) throw error;
  };
  return {
    ...{ name: "acme/chat#7", limit: 65_536 },
    own: async () => {
      mayFail();
      return [...posted];
    },
    create: async (text) => {
      const comment = { id: posted.length, body: text };
      posted.push(comment);
      mayFail();
      return comment;
    },
    update: async (id, text) => Object.assign(posted.find((each) => each.id === id) as Posted, { body: text }),
    remove: async (id) =>
      void posted.splice(
        posted.findIndex((each) => each.id === id),
        1,
      ),
  };
};

describe("a marker", () => {
  test("comes back from a comment's first line", () => {
    const odd = marker({ stacks: ["a-->b", "@all <b>", 'c"d'] });
    expect(markerLine(odd)).not.toMatch(/-->.*-->|@/);
    expect(markerOf(`${markerLine(odd)}\n\ntext`)).toEqual(odd);
  });

  test.each(["looks good", "<!-- jtel-chat {broken} -->", '<!-- jtel-chat {"run":"7"} -->', `> ${body()}`])(
    "is not in %s",
    (text) => expect(markerOf(text)).toBeUndefined(),
  );

  test.each<[string, Partial<Marker>, Partial<Marker>, boolean]>([
    ["a later run", { run: 8 }, { run: 7 }, true],
    ["an old run that was started again", { run: 7, made: "2026-11-26T09:00:00Z" }, { run: 8 }, false],
    ["a second attempt of the same run", { made: "2026-11-26T09:00:00Z" }, {}, true],
    ["the same", {}, {}, false],
    ["one by hand, later", { run: 0, made: "2026-11-26T09:00:00Z" }, { run: 7 }, true],
  ])("says which is newer: %s", (_, one, other, newer) => expect(isNewer(marker(one), marker(other))).toBe(newer));
});

describe("a comment", () => {
  test("of another project stays", async () => {
    const posted = [{ id: 0, body: body({ project: "other" }) }];
    expect(await publish(service(posted), body(), true)).toMatchObject({ outcome: "created" });
    expect(posted.map((each) => each.body)).toEqual([body({ project: "other" }), body()]);
  });

  test("is not made where there is nothing to say, but a former one is written over", async () => {
    const posted: Posted[] = [];
    expect(await publish(service(posted), body(), false)).toMatchObject({ outcome: "nothing to say" });
    expect(posted).toEqual([]);
    posted.push({ id: 0, body: body({ run: 6 }) });
    expect(await publish(service(posted), body(), false)).toMatchObject({ outcome: "updated" });
    expect(posted).toEqual([{ id: 0, body: body() }]);
  });

  test("that was written before the error came is not written twice", async () => {
    const posted: Posted[] = [];
    const create = new ServiceError("Bad Gateway", 502, undefined);
    const errors: Error[] = [];
    const failing = service(posted, errors);
    const own = failing.own;
    failing.own = async () => {
      const found = await own();
      if (!found.length) errors.push(create);
      return found;
    };
    expect(await publish(failing, body(), true)).toMatchObject({ outcome: "updated" });
    expect(posted).toHaveLength(1);
  });

  test("is tried four times, with growing pauses", async () => {
    pauses.length = 0;
    const errors = Array.from({ length: 9 }, () => new ServiceError("Bad Gateway", 502, undefined));
    await expect(publish(service([], errors), body(), true)).rejects.toThrow("Bad Gateway");
    expect(pauses).toEqual([1000, 2000, 4000]);
  });

  test("waits as long as it is asked to, but not for an hour", async () => {
    pauses.length = 0;
    expect(await publish(service([], [new ServiceError("slow down", 429, 60)]), body(), true)).toMatchObject({
      outcome: "created",
    });
    expect(pauses).toEqual([60_000]);
    const hour = service([], [new ServiceError("slow down", 403, 3600)]);
    await expect(publish(hour, body(), true)).rejects.toThrow("slow down");
    expect(pauses).toEqual([60_000]);
  });

  test.each([400, 401, 403, 404, 422])("is not tried again after %i", async (status) => {
    pauses.length = 0;
    await expect(publish(service([], [new ServiceError("no", status, undefined)]), body(), true)).rejects.toThrow("no");
    expect(pauses).toEqual([]);
  });
});

test("a Retry-After is seconds or a date", () => {
  expect(secondsOf("12")).toBe(12);
  expect(secondsOf(new Date(Date.now() + 60_000).toUTCString())).toBeGreaterThan(50);
  expect(secondsOf("Thu, 01 Jan 1970 00:00:00 GMT")).toBe(0);
  expect(secondsOf("soon")).toBeUndefined();
  expect(secondsOf(null)).toBeUndefined();
});
