import { existsSync } from "node:fs";
import { readFile, rename, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { until } from "../../deadline.ts";
import { answers } from "../../hosts/network.ts";
import { runningProcess, startProcess } from "../../processes.ts";
import { type LabRecord, runDirectory } from "../../record.ts";
import { ensureCertificate } from "../../services/certificates.ts";
import { type Account, usualAccount } from "./account.ts";
import type { Failure, TyntecSettings } from "./server.ts";

/** A request that the TynTec stand-in has answered. */
export interface TyntecRequest {
  time: string;
  method: string;
  url: string;
  body: string;
  /** "cut" when the connection ended before the answer. */
  status: number | "cut";
}

/** The lab's TynTec: where it is, what it was asked, and how to make it fail. */
export interface Tyntec {
  /** Base URL of the API, `https://10.77.1.1:8443/chat-api/v2`. */
  url: string;
  /** The same for version 3, `https://10.77.1.1:8443/conversations/v3`. */
  url3: string;
  apiKey: string;
  /** Requests so far, oldest first. */
  requests(): Promise<TyntecRequest[]>;
  /** What is set in the account now. */
  account(): Promise<Account>;
  /** From now on requests go wrong like this; `{}` ends it. */
  fail(failure: Failure): Promise<void>;
  /** The account as a new customer's, or with these parts. Also ends failures. */
  reset(account?: Partial<Account>): Promise<void>;
}

const settingsOf = (record: LabRecord): Omit<TyntecSettings, "pem"> => {
  const inRun = (file: string): string => join(runDirectory(record.id), file);
  return {
    address: `${record.subnet}.1`,
    port: 8443,
    apiKey: record.tyntecKey,
    controlSocket: inRun("tyntec.sock"),
    log: inRun("tyntec-requests.log"),
    state: inRun("tyntec-account.json"),
  };
};

export const labTyntec = (record: LabRecord): Tyntec => tyntecAt(settingsOf(record));

/** The stand-in that was started with these settings. */
export const tyntecAt = ({ address, port, apiKey, log, state, controlSocket }: Omit<TyntecSettings, "pem">): Tyntec => {
  const fail = (failure: Failure): Promise<void> => control(controlSocket, failure);
  return {
    url: `https://${address}:${port}/chat-api/v2`,
    url3: `https://${address}:${port}/conversations/v3`,
    apiKey,
    fail,
    requests: async () => {
      const lines = (await readFile(log, "utf8").catch(() => "")).split("\n").filter(Boolean);
      return lines.map((line) => JSON.parse(line));
    },
    account: async () => JSON.parse(await readFile(state, "utf8")),
    reset: async (account = {}) => {
      // Renamed into place: a late request may read it just now.
      await writeFile(`${state}.new`, JSON.stringify({ ...usualAccount, ...account }));
      await rename(`${state}.new`, state);
      await fail({});
    },
  };
};

/** Starts the stand-in when it does not run. */
export const ensureTyntec = async (record: LabRecord): Promise<void> => {
  const directory = runDirectory(record.id);
  const process_ = join(directory, "processes/tyntec");
  if (await runningProcess(process_)) return;
  const settings = settingsOf(record);
  const names = [`IP:${settings.address}`, "DNS:tyntec.lab.example"];
  const pem = await ensureCertificate(join(directory, "certificates"), "tyntec", names);
  const file = join(directory, "tyntec.json");
  await writeFile(file, JSON.stringify({ ...settings, pem } satisfies TyntecSettings), { mode: 0o600 });
  if (!existsSync(settings.state)) await writeFile(settings.state, JSON.stringify(usualAccount));
  const program = join(import.meta.dirname, "server.ts");
  await startProcess(process_, join(directory, "tyntec.log"), process.execPath, [program, file]);
  await until("the TynTec stand-in answers", 20, () => answers(settings.address, settings.port));
};

const control = (socketPath: string, failure: Failure): Promise<void> =>
  new Promise((resolve, reject) => {
    const call = request({ socketPath, method: "PUT" }, (response) => {
      response.resume();
      response.on("end", resolve);
    });
    call.on("error", reject);
    call.end(JSON.stringify(failure));
  });
