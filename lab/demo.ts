/** `npm start`: the lab, `pulumi up` of the dev stack on it, and a chat that crosses everything. */

import { readWebhooks } from "../tyntec/api/application.ts";
import { callbacks } from "../tyntec/model/callbacks.ts";
import { chatWebhooks } from "../tyntec/model/chat-webhooks.ts";
import { proveChat } from "./clients/chat.ts";
import { type Lab, upLab } from "./lab.ts";
import { labStack, type Stack } from "./stack.ts";

const headline = (text: string): void => console.log(`\n== ${text}`);

const configure = async (stack: Stack): Promise<void> => {
  const { exitCode } = await stack.pulumi(["up", "--yes", "--skip-preview", "--suppress-outputs"], { show: true });
  if (exitCode) {
    throw new Error(
      "pulumi up failed; its last lines say why, and what to do.  Then run npm start again: it goes on where it stopped.",
    );
  }
};

const prove = async (lab: Lab): Promise<void> => {
  const proof = await proveChat(lab);
  console.log(`a visitor reached ${proof.visitorServer} through wss://${lab.chat}:3003`);
  console.log(`an agent on ${proof.agentServer} saw the message, and the visitor the answer`);
  console.log(`a WhatsApp message posted to https://${lab.portal}/incoming reached the agent`);
  console.log(`the portal itself still answers (${proof.portal})`);
  const present = callbacks(await readWebhooks({ url: lab.tyntec.url, apiKey: lab.tyntec.apiKey, caFile: lab.caFile }));
  for (const { events, callbackUrl } of chatWebhooks(`https://${lab.portal}`)) {
    const set = events.filter((event) => present.get(event) === callbackUrl);
    if (set.length < events.length)
      throw new Error(`TynTec: only ${set.length} of ${events.length} events reach ${callbackUrl}`);
    console.log(`TynTec sends ${set.length} ${set.length === 1 ? "event" : "events"} to ${callbackUrl}`);
  }
};

const next = `
npm start                                   again: nothing changes
npm run lab -- pulumi preview --diff        what an up would change; edit a file on a host, or Pulumi.dev.yaml, before
npm run lab -- shell lb1                    look around: sudo less /etc/haproxy/haproxy.cfg
npm run lab -- status                       the hosts and their addresses
npm run lab -- down                         remove everything`;

const main = async (): Promise<void> => {
  console.log(process.env.JTEL_CHAT_TOOLCHAIN ?? "");
  headline("the lab: Debian hosts, MariaDB, TynTec");
  const lab = await upLab("dev", { progress: (line) => console.log(line) });
  headline("pulumi up");
  const stack = await labStack(lab);
  await configure(stack);
  headline("a chat crosses the whole stack");
  await prove(lab);
  headline("what remains to be done in the portal");
  const { exitCode, output } = await stack.pulumi(["stack", "output", "portalTable"]);
  if (exitCode) throw new Error(output);
  console.log(output);
  headline("what to try next");
  console.log(next.trim());
};

main().catch((error) => {
  console.error(`\n${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
});
