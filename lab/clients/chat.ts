import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { LookupFunction } from "node:net";
import { type ClientOptions, WebSocket } from "ws";
import { until } from "../deadline.ts";
import type { Lab } from "../lab.ts";
import { call } from "./https.ts";

/** A frame of the stand-in's chat protocol (lab/stand-ins/clientmessenger/README.md). */
interface Frame {
  type: string;
  server: string;
  chat: string;
  from?: string;
  text?: string;
}

/** One end of a chat, connected through the load balancer as from outside. */
export interface Participant {
  /** The chat server behind it. */
  server: string;
  /** The chat that a visitor has opened. */
  chat: string;
  say: (text: string) => void;
  /** Resolves with the frame once a message with this text has come. */
  hears: (text: string) => Promise<Frame>;
  leave: () => Promise<void>;
}

/** How visitors reach chat. */
export interface ChatEntrance {
  /** @default "https", on port 3003; "http" on 3000 carries no WhatsApp */
  scheme?: "https" | "http";
  /** Whether WhatsApp comes through the portal. @default with https */
  whatsapp?: boolean;
}

/** Open a WebSocket at `wss://<chat>:3003/`, the certificate checked against the lab's authority, or at `ws://<chat>:3000/`. */
export const join = async (
  lab: Lab,
  { scheme = "https" }: ChatEntrance,
  query: Record<string, string>,
): Promise<Participant> => {
  const address = lab.hosts.lb1?.address ?? "";
  const lookup: LookupFunction = (_, options, callback) =>
    options.all ? callback(null, [{ address, family: 4 }]) : callback(null, address, 4);
  const origin = scheme === "https" ? `wss://${lab.chat}:3003` : `ws://${lab.chat}:3000`;
  return joinAt(origin, query, { ca: readFileSync(lab.caFile), lookup });
};

/** Open a WebSocket at `ws://10.1.0.21:3000`, or at another address with options of its connection. */
export const joinAt = async (
  origin: string,
  query: Record<string, string>,
  options: ClientOptions & { lookup?: LookupFunction } = {},
): Promise<Participant> => {
  const socket = new WebSocket(`${origin}/?${new URLSearchParams(query)}`, options);
  const frames: Frame[] = [];
  socket.on("message", (data) => frames.push(JSON.parse(String(data))));
  await once(socket, "open");
  const frame = (wanted: (frame: Frame) => boolean, what: string) => until(what, 10, async () => frames.find(wanted));
  const { server, chat } = await frame(({ type }) => type === "welcome", "the chat server's welcome");
  return {
    server,
    chat,
    say: (text) => socket.send(JSON.stringify({ text })),
    hears: (text) => frame((each) => each.text === text, `the message '${text}'`),
    leave: async () => {
      socket.close();
      await once(socket, "close");
    },
  };
};

/** What was seen of a chat that crossed the whole stack. */
export interface ChatProof {
  visitorServer: string;
  agentServer: string;
  /** Status of the portal's start page. */
  portal: number | undefined;
}

/**
 * A visitor and an agent on different servers talk through the load balancer, and with WhatsApp a message that is posted to the
 * portal's `/incoming` reaches the agent.
 *
 * @throws Error naming what did not arrive.
 */
export const proveChat = async (lab: Lab, entrance: ChatEntrance = {}): Promise<ChatProof> => {
  const visitor = await join(lab, entrance, { role: "visitor", name: "Grete" });
  const agent = await agentElsewhere(lab, entrance, visitor.server);
  visitor.say("Is anybody there?");
  await agent.hears("Is anybody there?");
  const answer = await join(lab, entrance, { role: "agent", chat: visitor.chat, name: "Otto" });
  answer.say("Yes, how can I help?");
  await visitor.hears("Yes, how can I help?");
  if (entrance.whatsapp ?? entrance.scheme !== "http") {
    const text = `WhatsApp at ${new Date().toISOString()}`;
    await sendWhatsapp(lab, text);
    await agent.hears(text);
  }
  const portal = await call(`https://${lab.portal}/CarrierPortal/login/`, {
    address: lab.hosts.lb1?.address ?? "",
    caFile: lab.caFile,
  });
  await Promise.all([visitor, agent, answer].map(({ leave }) => leave()));
  return { visitorServer: visitor.server, agentServer: agent.server, portal: portal.status };
};

/**
 * Connects an agent to another server than the visitor's. The load balancer gives a new connection to the server with the
 * fewest, so a few attempts are enough. A server that has just started gets none before it has passed two checks, some seconds
 * later.
 */
const agentElsewhere = (lab: Lab, entrance: ChatEntrance, server: string): Promise<Participant> =>
  until(`a connection that does not end on ${server} (does the load balancer see the other one?)`, 20, async () => {
    const agent = await join(lab, entrance, { role: "agent", chat: "*", name: "Otto" });
    if (agent.server !== server) return agent;
    await agent.leave();
    return undefined;
  });

/** A message as TynTec posts it (Conversations API v2, `MoMessage`). */
const sendWhatsapp = async (lab: Lab, text: string): Promise<void> => {
  const body = { event: "MoMessage", from: "4915112345678", to: "4989123456", content: { contentType: "text", text } };
  const answer = await call(`https://${lab.portal}/incoming`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    address: lab.hosts.lb1?.address ?? "",
    caFile: lab.caFile,
  });
  if (answer.status !== 200) throw new Error(`/incoming answered ${answer.status}: ${answer.body.slice(0, 200)}`);
};
