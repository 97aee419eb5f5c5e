import { readFileSync } from "node:fs";
import { Agent, request } from "undici";
import { z } from "zod";
import type { Webhook } from "../render/tyntec.ts";

/** Where the API is and who asks. */
export interface TynTecAccount {
  /** Base URL, e.g. `https://api.tyntec.com/chat-api/v2`. */
  url: string;
  apiKey: string;
  /** PEM file of a certificate authority that is not a public one. */
  caFile?: string | undefined;
}

const application = z.object({
  webhooks: z.array(z.looseObject({ events: z.array(z.string()), callbackUrl: z.string() })).default([]),
});
const problem = z.object({ title: z.string().optional(), detail: z.string().optional() });

const timeout = 10_000;

/** The application's webhooks (`GET /applications/default`). @throws Error that starts with `TynTec:` and says what to do. */
export const readWebhooks = async (account: TynTecAccount): Promise<Webhook[]> => {
  const text = await call(account, "GET");
  try {
    return application.parse(JSON.parse(text)).webhooks;
  } catch {
    throw new Error(
      `TynTec: ${account.url} did not answer with an application. Is tyntec.url the API's base URL, with its version?`,
    );
  }
};

/** Replace the application's webhooks (`PATCH /applications/default`). @throws as {@link readWebhooks}. */
export const writeWebhooks = async (account: TynTecAccount, list: Webhook[]): Promise<void> => {
  await call(account, "PATCH", JSON.stringify({ webhooks: list }));
};

const call = async (account: TynTecAccount, method: "GET" | "PATCH", body?: string): Promise<string> => {
  const dispatcher = new Agent({
    connect: { timeout, ...(account.caFile && { ca: authority(account.caFile) }) },
    headersTimeout: timeout,
    bodyTimeout: timeout,
  });
  try {
    const answer = await request(`${account.url}/applications/default`, {
      method,
      dispatcher,
      headers: {
        apikey: account.apiKey,
        accept: "application/json, application/problem+json",
        "content-type": "application/json",
      },
      ...(body && { body }),
    });
    const text = await answer.body.text();
    if (answer.statusCode >= 300) throw new Error(`TynTec: ${refusal(answer.statusCode, text)}`);
    return text;
  } catch (error) {
    if (error instanceof Error && error.message.startsWith("TynTec:")) throw error;
    throw new Error(
      `TynTec: ${new URL(account.url).host} is not reachable (${reason(error)}). Is tyntec.url right, and may this machine reach it?`,
    );
  } finally {
    await dispatcher.close();
  }
};

const authority = (file: string): Buffer => {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new Error(`TynTec: tyntec.caFile cannot be read (${reason(error)}). Correct the path, or remove the key`);
  }
};

const reason = (error: unknown): string => {
  const { message, code } = error as { message?: string; code?: string };
  return message || code || String(error);
};

const refusal = (status: number, text: string): string => {
  const said = problemText(text);
  if (status === 401 || status === 403)
    return `the API key is refused (${status}${said}). Set tyntec.apiKey to a key of this account`;
  if (status === 404)
    return `there is no application here (404${said}). Is tyntec.url the API's base URL, with its version?`;
  return `the API refused with status ${status}${said}. Correct what it names, or try again later`;
};

const problemText = (text: string): string => {
  try {
    const { title, detail } = problem.parse(JSON.parse(text));
    return `: ${[title, detail].filter(Boolean).join(" – ")}`.slice(0, 300);
  } catch {
    return "";
  }
};
