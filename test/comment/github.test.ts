import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { comment } from "../../cli/comment.ts";
import { gitHubComments } from "../../report/comment/github.ts";
import { markerLine } from "../../report/comment/marker.ts";
import { anyReport } from "./any-report.ts";
import { example, problemsOf } from "./github-description.ts";
import { type Answer, type Request, startStandIn } from "./stand-in.ts";

interface Comment {
  id: number;
  body: string;
  login: string;
}

/** What a test has the service say instead, once or for good. */
let instead: (request: Request) => Answer | undefined;
let comments: Comment[];
let login: string | undefined;
let standIn: Awaited<ReturnType<typeof startStandIn>>;
let directory: string;

const posted = ({ id, body, login: author }: Comment) => ({
  ...example("issue-comment"),
  ...{ id, body, html_url: `https://github.example/acme/chat/pull/7#issuecomment-${id}` },
  user: { ...(example("issue-comment").user as object), login: author },
});

const listed = "/repos/acme/chat/issues/7/comments";

const gitHub = (request: Request, base: string): Answer => {
  const { method, path, query, body } = request;
  const told = instead(request);
  if (told) return told;
  const { body: text = "" } = (body ?? {}) as { body?: string };
  if (path === "/user")
    return login
      ? { status: 200, answer: { ...example("public-user"), login } }
      : { status: 403, answer: { message: "Resource not accessible by integration", documentation_url: "" } };
  if (path === listed && method === "GET") {
    const [page, size] = [Number(query.get("page") ?? 1), Number(query.get("per_page"))];
    const next = `<${base}${listed}?per_page=${size}&page=${page + 1}>; rel="next"`;
    const more = comments.length > page * size;
    const answer = comments.slice((page - 1) * size, page * size).map(posted);
    return { status: 200, answer, ...(more && { headers: { link: next } }) };
  }
  if (path === listed) {
    comments.push({ id: comments.length + 1, body: text, login: login ?? "github-actions[bot]" });
    return { status: 201, answer: posted(comments.at(-1) as Comment) };
  }
  const id = Number(path.split("/").at(-1));
  const found = comments.find((each) => each.id === id) as Comment;
  if (method === "DELETE") {
    comments.splice(comments.indexOf(found), 1);
    return { status: 204 };
  }
  found.body = text;
  return { status: 200, answer: posted(found) };
};

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "jtel-chat-comment-"));
  const failed = anyReport({ verdict: "failed", problems: ["lb1: disk full"] });
  await writeFile(join(directory, "acme.json"), JSON.stringify(failed));
  await writeFile(join(directory, "event.json"), JSON.stringify({ pull_request: { number: 7 } }));
  standIn = await startStandIn(gitHub);
});

beforeEach(() => {
  standIn.exchanges.length = 0;
  instead = () => undefined;
  comments = [];
  login = undefined;
});

afterAll(async () => {
  await standIn.stop();
  await rm(directory, { recursive: true });
});

/** A workflow's environment at the stand-in. */
const environment = (run: number) => ({
  ...{ GITHUB_ACTIONS: "true", GITHUB_TOKEN: "t0ken-that-must-not-be-seen", GITHUB_REPOSITORY: "acme/chat" },
  ...{ GITHUB_RUN_ID: String(run), GITHUB_API_URL: standIn.base, GITHUB_SERVER_URL: "https://github.example" },
  GITHUB_EVENT_PATH: join(directory, "event.json"),
});

/** What the command says, with a report on a preview that has failed. */
const said = async (argv: string[] = [], run = 7, more: Record<string, string> = {}): Promise<string> => {
  const line = await comment([join(directory, "acme.json"), ...argv], { ...environment(run), ...more }).catch(
    (error: Error) => error.message,
  );
  expect(line).not.toContain("t0ken");
  return line;
};

/** The text that the command has kept in a folder of its own. */
const kept = async (line: string): Promise<string> => {
  const file = /kept in (.*)$/m.exec(line)?.[1] ?? "nowhere";
  const text = await readFile(file, "utf8");
  await rm(dirname(file), { recursive: true });
  return text;
};

const others = (count: number): Comment[] =>
  Array.from({ length: count }, (_, index) => ({ id: index + 1, body: "looks good", login: "alice" }));

const marked = (marker: { made?: string; run?: number; project?: string }) =>
  markerLine({ project: "jtel-chat", stacks: ["acme"], made: "2026-11-26T07:00:00Z", commit: "", run: 6, ...marker });

const asDescribed = () => expect(standIn.exchanges.flatMap(problemsOf)).toEqual([]);

describe("the comment on a pull request at GitHub", () => {
  test("is created, and updated by the next run, as GitHub describes its API", async () => {
    expect(await said()).toBe("acme/chat#7: created, https://github.example/acme/chat/pull/7#issuecomment-1");
    expect(comments[0]?.body).toContain("lb1: disk full");
    expect(await said(["--commit", "1a2b3c4"], 8)).toContain("updated");
    expect(comments).toHaveLength(1);
    expect(comments[0]?.body).toContain("1a2b3c4");
    expect(comments[0]?.body).toContain("https://github.example/acme/chat/actions/runs/8");
    expect(standIn.exchanges.map(({ method }) => method)).toEqual(["GET", "GET", "POST", "GET", "GET", "PATCH"]);
    expect(standIn.exchanges.every(({ token }) => token === "token t0ken-that-must-not-be-seen")).toBe(true);
    asDescribed();
  });

  test("is found on a later page, and what a second run has left beside it is removed", async () => {
    const bot = "github-actions[bot]";
    comments = [...others(150), { id: 151, body: marked({}), login: bot }, { id: 152, body: marked({}), login: bot }];
    expect(await said()).toContain("updated");
    expect(comments).toHaveLength(151);
    expect(comments.at(-1)?.body).toContain("lb1: disk full");
    asDescribed();
  });

  test("is not taken from what others write, whatever their marker says", async () => {
    comments = [{ id: 1, body: marked({ run: 999 }), login: "mallory" }];
    expect(await said()).toContain("created");
    expect(comments[0]?.body).toBe(marked({ run: 999 }));
    login = "deploy-bot";
    comments = [{ id: 1, body: marked({}), login: "deploy-bot" }];
    expect(await said()).toContain("updated");
  });

  test("of a later run stays", async () => {
    comments = [{ id: 1, body: marked({ run: 8, made: "2026-11-26T07:00:00Z" }), login: "github-actions[bot]" }];
    expect(await said()).toContain("superseded");
    expect(comments[0]?.body).toBe(marked({ run: 8, made: "2026-11-26T07:00:00Z" }));
  });

  test("waits as long as it is asked to, and then is there once", async () => {
    let refusals = 2;
    instead = ({ method }) => {
      if (method !== "POST" || refusals-- <= 0) return undefined;
      return { status: 429, answer: { message: "slow down" }, headers: { "retry-after": "0" } };
    };
    expect(await said()).toContain("created");
    expect(comments).toHaveLength(1);
  });

  const refused: [string, Answer, RegExp][] = [
    [
      "a token without rights",
      { status: 403, answer: { message: "Resource not accessible by integration" } },
      /403.*permissions: pull-requests: write/,
    ],
    ["an expired token", { status: 401, answer: { message: "Bad credentials" } }, /401.*GITHUB_TOKEN is not valid/],
    [
      "another repository",
      { status: 404, answer: { message: "Not Found" } },
      /404.*Is there a pull request 7 in acme\/chat/,
    ],
    [
      "a long pause",
      { status: 403, answer: { message: "secondary rate limit" }, headers: { "retry-after": "3600" } },
      /too many requests.*Try again later/,
    ],
    [
      "an hour's limit",
      {
        ...{ status: 403, answer: { message: "API rate limit exceeded" } },
        headers: { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(Math.ceil(Date.now() / 1000) + 3600) },
      },
      /too many requests.*Try again later/,
    ],
    [
      "an error of the service",
      { status: 502, answer: "<h1>Bad Gateway</h1>", headers: { "retry-after": "0" } },
      /502.*The service has an error/,
    ],
    [
      "a proxy's page",
      { status: 200, answer: "<h1>Please log in</h1>" },
      /something else than the API does.*Is http.* the API/,
    ],
  ];

  test.each(refused)("says what to do about %s, and keeps the text", async (_, answer, words) => {
    instead = ({ path }) => (path === "/user" && answer.status === 403 ? undefined : answer);
    const failed = await said();
    expect(failed).toMatch(words);
    expect(await kept(failed)).toContain("lb1: disk full");
    expect(standIn.exchanges.length).toBeLessThan(10);
  });

  test("does not wait for ever", async () => {
    const clock = vi.spyOn(AbortSignal, "timeout").mockReturnValue(AbortSignal.abort());
    const place = { api: standIn.base, repository: "acme/chat", number: 7, token: "t", author: "alice" };
    await expect(gitHubComments(place).own()).rejects.toMatchObject({ status: 0 });
    clock.mockRestore();
  });

  test("is the command's business: it says one line, and its exit code is 1 where it has failed", async () => {
    const run = (argv: string[]) =>
      execa(process.execPath, ["cli/comment.ts", ...argv], { env: environment(7), all: true, reject: false });
    expect(await run([join(directory, "acme.json")])).toMatchObject({
      ...{ exitCode: 0, all: expect.stringMatching(/^acme\/chat#7: created, .*$/) },
    });
    const { exitCode, all } = await run([join(directory, "event.json")]);
    expect({ exitCode, all }).toEqual({
      exitCode: 1,
      all: expect.stringMatching(/^.*: is no report of this version.*$/),
    });
  });

  test("needs a token and a pull request, and says which is missing", async () => {
    expect(await said([], 7, { GITHUB_TOKEN: "" })).toContain("GITHUB_TOKEN (or GITLAB_TOKEN");
    expect(await said([], 7, { GITHUB_EVENT_PATH: "" })).toContain("--pull-request NUMBER");
    expect(await said(["--pull-request", "1;id"])).toContain("is no number");
    expect(standIn.exchanges).toEqual([]);
  });
});
