/**
 * `npm run portal -- [--stack STACK] [--connect ADDRESS]` prints what a sysadmin sets in the portal, and whether each URL
 * answers.
 *
 * The URLs are requested from this machine, so run it where agents or visitors are. Use `--connect` before the public names
 * lead to the load balancer: it connects to ADDRESS instead of resolving them. Exit code 1 if a URL does not answer.
 */
import { isIPv6, type LookupFunction } from "node:net";
import { execa } from "execa";
import { Agent, type Dispatcher, request, WebSocket } from "undici";
import { z } from "zod";
import { portalTable } from "../render/portal.ts";
import { commandLine } from "./command-line.ts";
import { failWith } from "./fail.ts";

const usage = `npm run portal [-- --stack STACK] [--connect ADDRESS]

Prints what has to be set in the portal, and asks each of its URLs whether it answers: at ADDRESS where that is given, e.g. of a load
balancer to which no name leads yet.`;

const outputs = z.object({ portalParameters: z.record(z.string(), z.string()), manualSteps: z.array(z.string()) });

const seconds = 10;

/**
 * Requests one URL of the portal's parameters.
 *
 * @param connect Connect to this address instead of resolving the URL's host; not used for TynTec's URL.
 * @returns Why the URL does not answer, e.g. `answers with status 503`; undefined if it does.
 */
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

/**
 * The chat window (`/gui/`) has to answer 200. An API may answer anything below 500: its load balancer's own 503 is
 * no answer of the API.
 */
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
  const { values } = commandLine(usage, { options: { stack: { type: "string" }, connect: { type: "string" } } });
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

if (import.meta.main) main().catch(failWith);
