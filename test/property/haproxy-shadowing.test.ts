import { once } from "node:events";
import { request } from "node:http";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { minutes, seconds } from "../../lab/deadline.ts";
import { bootable } from "../bootable.ts";
import { debianHaproxy, type RunningHaproxy, suites } from "./haproxy.ts";
import { type HostTool, startHostTool } from "./host-tool.ts";
import { portalRules } from "./rules.ts";

const portals = Number(process.env.JTEL_CHAT_TRIALS ?? 300);
const seed = Number(process.env.JTEL_CHAT_SEED ?? 1);
const paths = ["/incoming", "/delivery"];
const reachesChat = 202; // what the backend answers here, and nothing else does

const runnable = await bootable("whether reported rules really take WhatsApp's requests");

/** Portals, each with its socket in `directory`. */
const configuration = (bodies: string[][], directory: string): string => {
  const portal = (rules: string[], index: number) =>
    [`frontend portal${index}`, `bind unix@${directory}/${index}.sock`, ...rules, "default_backend web"].join("\n    ");
  return `\
defaults
    mode http
    timeout connect 5s
    timeout client 5s
    timeout server 5s
frontend ready
    bind unix@${directory}/ready.sock
    http-request return status 200
backend web
    http-request return status 404
backend backend_chat_ws
    http-request return status ${reachesChat}
${bodies.map(portal).join("\n")}
`;
};

/** Inserts our rules before the first route, as our edit does. */
const withOurs = (rules: string[]): string[] => {
  const first = rules.findIndex((rule) => rule.startsWith("use_backend"));
  return rules.toSpliced(first < 0 ? rules.length : first, 0, "use_backend backend_chat_ws if ours");
};

/** The status of the answer; 0 when the connection is closed without one. */
const status = async (socketPath: string, path: string): Promise<number> => {
  const call = request({ socketPath, path, method: "POST", agent: false }).end();
  try {
    const [response] = await once(call, "response");
    response.resume();
    return response.statusCode;
  } catch {
    return 0;
  }
};

/** HAProxy 2.2 decides these as soon as there is a connection: sometimes before the request is there, whose path they ask. */
const isUncertain = (rule: string): boolean => /^tcp-request content .*\b(path|api|ours)/.test(rule);

const patience = minutes + (portals / 10) * seconds;

describe.skipIf(!runnable).each(suites)("on HAProxy of %s", { timeout: patience }, (suite) => {
  let tool: HostTool;
  let haproxy: RunningHaproxy | undefined;
  const decided = suite === "bullseye" ? portalRules.filter((rules) => !rules.some(isUncertain)) : portalRules;
  const bodies = fc.sample(decided, { seed, numRuns: portals }).map(withOurs);

  beforeAll(async () => {
    tool = startHostTool();
    const ready = async ({ socket }: RunningHaproxy) => (await status(socket("ready.sock"), "/")) === 200 || undefined;
    haproxy = await (await debianHaproxy(suite)).run((directory) => configuration(bodies, directory), ready);
  });

  afterAll(async () => {
    tool.stop();
    await haproxy?.stop();
  });

  test("a reported rule takes WhatsApp's requests, and what no decidable rule takes reaches chat", async () => {
    let taken = 0;
    for (const [index, body] of bodies.entries()) {
      const reports = (await tool.shadowing(Buffer.from(configuration([body], "")), "portal0")).join("\n");
      const reported = paths.map((path) => new RegExp(`(answers|changes the path of) [^(]*${path}\\b`).test(reports));
      const socket = haproxy?.socket(`${index}.sock`) as string;
      const answers = await Promise.all(paths.map((path) => status(socket, path)));
      const shown = `answers: ${answers}\n${body.join("\n")}\n${reports}`;
      expect(
        answers.map((answer) => answer !== reachesChat),
        shown,
      ).toEqual(reported);
      taken += reported.filter(Boolean).length;
    }
    console.log(`shadowing: ${portals * paths.length} requests, ${taken} of them taken before chat`);
    expect(taken).toBeGreaterThan(portals / 10);
    expect(taken).toBeLessThan(portals * paths.length * 0.9);
  });
});
