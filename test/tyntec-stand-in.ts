import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, beforeEach } from "vitest";
import { until } from "../lab/deadline.ts";
import { answers } from "../lab/hosts/network.ts";
import { ensureAuthority, ensureCertificate } from "../lab/services/certificates.ts";
import { type Tyntec, tyntecAt } from "../lab/stand-ins/tyntec/control.ts";
import type { TyntecSettings } from "../lab/stand-ins/tyntec/server.ts";
import { freePort } from "./contract/ssh-server.ts";

/** The lab's TynTec, alone and on loopback. */
export interface LoopbackTyntec extends Tyntec {
  caFile: string;
  /** Goes with `stop`; tests may put files here. */
  directory: string;
  stop(): Promise<void>;
}

export const startTyntec = async (): Promise<LoopbackTyntec> => {
  const directory = await mkdtemp(join(tmpdir(), "tyntec-"));
  const settings: TyntecSettings = {
    address: "127.0.0.1",
    port: await freePort(),
    apiKey: "k3y-that-must-not-be-seen",
    controlSocket: join(directory, "control"),
    log: join(directory, "requests.log"),
    state: join(directory, "application.json"),
    pem: await ensureCertificate(directory, "tyntec", ["IP:127.0.0.1", "DNS:localhost"]),
  };
  const file = join(directory, "settings.json");
  await writeFile(file, JSON.stringify(settings));
  const program = new URL("../lab/stand-ins/tyntec/server.ts", import.meta.url).pathname;
  const server = execa(process.execPath, [program, file], { stderr: "inherit", reject: false });
  await until("the TynTec stand-in answers", 20, () => answers(settings.address, settings.port));
  const tyntec = tyntecAt(settings);
  await tyntec.reset();
  const stop = async (): Promise<void> => {
    server.kill();
    await server;
    await rm(directory, { recursive: true });
  };
  return { ...tyntec, caFile: await ensureAuthority(directory), directory, stop };
};

/** One stand-in for the tests of a file or a `describe`, as it was at first before each of them. */
export const tyntecOfTests = (): LoopbackTyntec => {
  const tyntec = {} as LoopbackTyntec;
  beforeAll(async () => {
    Object.assign(tyntec, await startTyntec());
  });
  afterAll(() => tyntec.stop());
  beforeEach(() => tyntec.reset());
  return tyntec;
};
