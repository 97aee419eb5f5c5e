import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { comment } from "../../cli/comment.ts";
import { gitLabComments } from "../../report/comment/gitlab.ts";
import { markerLine } from "../../report/comment/marker.ts";
import { placeOf } from "../../report/comment/place.ts";
import { publish } from "../../report/comment/publish.ts";
import { type Answer, type Request, startStandIn } from "./stand-in.ts";

interface Note {
  id: number;
  body: string;
  author: { id: number };
}

let instead: (request: Request) => Answer | undefined;
let notes: Note[];
let standIn: Awaited<ReturnType<typeof startStandIn>>;

const listed = "/api/v4/projects/acme%2Fchat/merge_requests/7/notes";

const gitLab = (request: Request): Answer => {
  const { method, path, query, body } = request;
  const told = instead(request);
  if (told) return told;
  const { body: text = "" } = (body ?? {}) as { body?: string };
  if (path === "/api/v4/user") return { status: 200, answer: { id: 5, username: "project_1_bot" } };
  if (path === listed && method === "GET") {
    const [page, size] = [Number(query.get("page") ?? 1), Number(query.get("per_page"))];
    const more = notes.length > page * size;
    const next = `<${standIn.base}${listed}?page=${page + 1}&per_page=${size}>; rel="next"`;
    return {
      status: 200,
      answer: notes.slice((page - 1) * size, page * size),
      ...(more && { headers: { link: next } }),
    };
  }
  if (path === listed) {
    notes.push({ id: 1000 + notes.length, body: text, author: { id: 5 } });
    return { status: 201, answer: notes.at(-1) };
  }
  const found = notes.find(({ id }) => path === `${listed}/${id}`) as Note;
  if (method === "DELETE") {
    notes.splice(notes.indexOf(found), 1);
    return { status: 204 };
  }
  found.body = text;
  return { status: 200, answer: found };
};

beforeAll(async () => {
  standIn = await startStandIn(gitLab);
});

beforeEach(() => {
  standIn.exchanges.length = 0;
  instead = () => undefined;
  notes = [];
});

afterAll(() => standIn.stop());

const body = (run: number): string =>
  `${markerLine({ project: "jtel-chat", stacks: ["acme"], made: "2026-11-26T07:00:00Z", commit: "", run })}\n\n- acme: nothing to do\n`;

const comments = () =>
  gitLabComments({ server: standIn.base, project: "acme/chat", number: 7, token: "t0ken-that-must-not-be-seen" });

describe("the comment on a merge request at GitLab", () => {
  test("is created, found again on a later page, and updated", async () => {
    notes = Array.from({ length: 150 }, (_, id) => ({ id, body: "looks good", author: { id: 9 } }));
    expect(await publish(comments(), body(7), true)).toMatchObject({ outcome: "created" });
    expect(await publish(comments(), body(8), true)).toMatchObject({ outcome: "updated" });
    expect(notes).toHaveLength(151);
    expect(notes.at(-1)?.body).toBe(body(8));
    const written = standIn.exchanges.filter(({ method }) => method !== "GET");
    expect(written.map(({ method, path, body: sent }) => ({ method, path, sent }))).toEqual([
      { method: "POST", path: listed, sent: { body: body(7) } },
      { method: "PUT", path: `${listed}/1150`, sent: { body: body(8) } },
    ]);
    expect(standIn.exchanges.every(({ token }) => token === "t0ken-that-must-not-be-seen")).toBe(true);
  });

  test("is not taken from what others write, and one left beside it is removed", async () => {
    notes = [9, 5, 5].map((author, id) => ({ id, body: body(6), author: { id: author } }));
    expect(await publish(comments(), body(7), true)).toMatchObject({ outcome: "updated" });
    expect(notes.map(({ id, body: text }) => [id, text])).toEqual([
      [0, body(6)],
      [1, body(7)],
    ]);
  });

  test("waits as long as it is asked to", async () => {
    let refusals = 2;
    instead = () =>
      refusals-- > 0 ? { status: 429, answer: { message: "429" }, headers: { "retry-after": "0" } } : undefined;
    expect(await publish(comments(), body(7), true)).toMatchObject({ outcome: "created" });
    expect(notes).toHaveLength(1);
  });

  const refused: [string, Answer, object][] = [
    [
      "without rights",
      { status: 403, answer: { error: "insufficient_scope" } },
      { status: 403, message: "insufficient_scope" },
    ],
    ["of another project", { status: 404, answer: { message: "404 Project Not Found" } }, { status: 404 }],
    ["too often", { status: 429, answer: {}, headers: { "retry-after": "3600" } }, { status: 429, retryAfter: 3600 }],
    ["with a proxy's page", { status: 200, answer: "<h1>Log in</h1>" }, { status: 200 }],
    ["with another answer", { status: 200, answer: { hello: "world" } }, { status: 200 }],
  ];

  test.each(refused)("ends %s with the service's words", async (_, answer, error) => {
    instead = () => answer;
    await expect(publish(comments(), body(7), true)).rejects.toMatchObject(error);
    expect(notes).toEqual([]);
  });

  test("says that nobody answers", async () => {
    const closed = await startStandIn(gitLab);
    await closed.stop();
    const place = { server: closed.base, project: "acme/chat", number: 7, token: "t" };
    await expect(gitLabComments(place).own()).rejects.toMatchObject({ status: 0 });
  });

  test("does not wait for ever", async () => {
    const clock = vi.spyOn(AbortSignal, "timeout").mockReturnValue(AbortSignal.abort());
    await expect(comments().own()).rejects.toMatchObject({ status: 0 });
    clock.mockRestore();
  });

  test("is what the command writes in a pipeline", async () => {
    const environment = {
      ...{ GITLAB_CI: "true", GITLAB_TOKEN: "t", CI_SERVER_URL: standIn.base, CI_PIPELINE_ID: "99" },
      CI_PIPELINE_URL: "https://gitlab.example/acme/chat/-/pipelines/99",
    };
    const argv = ["--repository", "acme/chat", "--pull-request", "7", "--stack", "acme"];
    expect(await comment(argv, environment)).toBe("acme/chat!7: created");
    expect(notes[0]?.body).toContain("### acme: no report");
    const failed = comment(argv, { ...environment, GITLAB_TOKEN: "" });
    await expect(failed).rejects.toThrow("GITLAB_TOKEN is not set. Make a project access token");
  });

  test("takes its place from CI's environment", () => {
    const environment = {
      ...{ GITLAB_CI: "true", GITLAB_TOKEN: "t", CI_PROJECT_ID: "12", CI_MERGE_REQUEST_IID: "7" },
      ...{ CI_PIPELINE_ID: "99", CI_PIPELINE_URL: "https://gitlab.example/acme/chat/-/pipelines/99" },
    };
    expect(placeOf({}, environment)).toMatchObject({
      ...{ run: 99, url: "https://gitlab.example/acme/chat/-/pipelines/99" },
      comments: { name: "12!7", limit: 1_000_000 },
    });
  });
});
