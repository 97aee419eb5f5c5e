import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { haproxyOptions } from "../../config/schema.ts";
import { chatSections, whatsappRules } from "../../render/haproxy.ts";

/** The host tool's functions, running in one Python process. Each rejects with {@link Refused} when the tool refuses. */
export interface HostTool {
  /** @param portal the portal's frontend; without one, WhatsApp is not part of the stack */
  edit(config: Buffer, portal?: string): Promise<Buffer>;
  remove(config: Buffer): Promise<Buffer>;
  adopted(config: Buffer): Promise<string[]>;
  shadowing(config: Buffer, portal: string): Promise<string[]>;
  /** Lists the lines of a document's blocks that the tool refuses. */
  document(sections: string, rules: string[]): Promise<string[]>;
  /** Lists why the tool would refuse a whole document. */
  parsed(text: string): Promise<string[]>;
  stop(): void;
}

/** The host tool says no, and why. */
export class Refused extends Error {}

const sections = chatSections({
  scheme: "https",
  port: 3003,
  certificate: "/etc/haproxy/haproxy.pem",
  portalFrontend: "acdportal_https",
  options: haproxyOptions.parse({}),
  servers: [
    { name: "chatserver1", address: "10.1.0.21" },
    { name: "chatserver2", address: "2001:db8::22" },
  ],
});

/** Starts the process; what it prints on stderr is shown. */
export const startHostTool = (): HostTool => {
  const child = spawn("python3", [join(import.meta.dirname, "driver.py")], { stdio: ["pipe", "pipe", "inherit"] });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let last: Promise<unknown> = Promise.resolve();

  const ask = async (request: object): Promise<never> => {
    child.stdin.write(`${JSON.stringify(request)}\n`);
    const { value: line, done } = await answers.next();
    if (done) throw new Error("driver.py has ended; what it printed stands above");
    const { value, refused } = JSON.parse(line);
    if (refused !== undefined) throw new Refused(refused);
    return value as never;
  };
  /** Sends one request after the other, since answers have no numbers. */
  const call = <Value>(name: string, config: Buffer, more: object = {}): Promise<Value> => {
    const answer = last.then(() => ask({ function: name, config: config.toString("base64"), ...more }));
    last = answer.catch(() => undefined);
    return answer;
  };
  const bytes = async (answer: Promise<string>): Promise<Buffer> => Buffer.from(await answer, "base64");

  return {
    edit: (config, portal) =>
      bytes(call("edit", config, { sections, portal: portal ?? "", rules: portal ? whatsappRules : [] })),
    remove: (config) => bytes(call("remove", config)),
    adopted: (config) => call("adopted", config),
    shadowing: (config, portal) => call("shadowing", config, { portal }),
    document: (text, rules) =>
      call("document", Buffer.from(text), { rules: rules.map((rule) => `${rule}\n`).join("") }),
    parsed: (text) => call("parsed", Buffer.from(text)),
    stop: () => child.stdin.end(),
  };
};
