/**
 * `npm run portal -- [--stack STACK] [--connect ADDRESS]` – what a sysadmin sets in the portal, and whether each URL answers.
 *
 * Asks from this machine, so run it where agents or visitors are. `--connect` goes to a load balancer's address instead of
 * what the public names resolve to: before the names have been moved there. Exit code 1 when a URL does not answer.
 */
import { isIPv6, type LookupFunction } from "node:net";
import { parseArgs } from "node:util";
import { execa } from "execa";
import { Agent, type Dispatcher, request, WebSocket } from "undici";
import { z } from "zod";
import { portalTable } from "../render/portal.ts";

const outputs = z.object({ portalParameters: z.record(z.string(), z.string()), manualSteps: z.array(z.string()) });

const seconds = 10;

/** Why a URL of the portal's parameters does not answer; undefined when it does. */
export const urlProblem = async (url: string, connect?: string): Promise<string | undefined> => {
  const tyntec = new URL(url).pathname.endsWith("/messages");
  const dispatcher = new Agent({
    connect: { timeout: seconds * 1000, ...(connect && !tyntec && { lookup: only(connect) }) },
  });
  try {
    return await (/^wss?:/.test(url) ? handshakeProblem(url, dispatcher) : requestProblem(url, dispatcher));
  } catch (error) {
    return error instanceof Error ? error.message || String(error.cause ?? error.name) : String(error);
  } finally {
    await dispatcher.destroy();
  }
};

const only =
  (address: string): LookupFunction =>
  (_, options, callback) => {
    const family = isIPv6(address) ? 6 : 4;
    if (options.all) callback(null, [{ address, family }]);
    else callback(null, address, family);
  };

/** The chat window has to be there; of an API it is enough that it says something that is not its load balancer's 503. */
const requestProblem = async (url: string, dispatcher: Dispatcher): Promise<string | undefined> => {
  const { statusCode, body } = await request(url, { dispatcher, signal: AbortSignal.timeout(seconds * 1000) });
  await body.dump();
  const wrong = url.endsWith("/gui/") ? statusCode !== 200 : statusCode >= 500;
  return wrong ? `answers with status ${statusCode}` : undefined;
};

const handshakeProblem = (url: string, dispatcher: Dispatcher): Promise<string | undefined> =>
  new Promise((resolve) => {
    const socket = new WebSocket(url, { dispatcher });
    const timer = setTimeout(() => resolve(`no WebSocket within ${seconds} s`), seconds * 1000);
    const end = (problem?: string) => {
      clearTimeout(timer);
      resolve(problem);
    };
    socket.addEventListener("open", () => {
      socket.close();
      end();
    });
    socket.addEventListener("error", ({ message, error }) => end(message || String(error?.cause ?? "no WebSocket")));
  });

const main = async (): Promise<void> => {
  const { values } = parseArgs({ options: { stack: { type: "string" }, connect: { type: "string" } } });
  const { stdout } = await execa("pulumi", [
    ...["stack", "output", "--json"],
    ...(values.stack ? ["--stack", values.stack] : []),
  ]);
  const { portalParameters, manualSteps } = outputs.parse(JSON.parse(stdout));
  const answers = await Promise.all(Object.values(portalParameters).map((url) => urlProblem(url, values.connect)));
  console.log(
    portalTable({
      parameters: portalParameters,
      steps: manualSteps,
      answers: answers.map((problem) => problem ?? "answers"),
    }),
  );
  if (answers.some((problem) => problem !== undefined)) process.exitCode = 1;
};

if (import.meta.main) {
  main().catch((error: Error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
