import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cacheRoot } from "../cache.ts";
import { until } from "../deadline.ts";
import { answers } from "../hosts/network.ts";
import { runningProcess, startProcess } from "../processes.ts";

const port = 3142;

/** What the hosts' apt is told to use as its proxy. */
export const aptCacheUrl = (address: string): string => `http://${address}:${port}`;

/**
 * An apt-cacher-ng of our own on the lab's bridge: the hosts' only way to packages.
 * The packages stay in the cache; a lab after the first downloads nothing.
 */
export const ensureAptCache = async (address: string, directory: string): Promise<void> => {
  const record = join(directory, "processes/apt-cache");
  if (await runningProcess(record)) return;
  const configuration = join(directory, "apt-cacher-ng");
  const packages = join(cacheRoot, "lab/packages");
  for (const each of [configuration, packages]) await mkdir(each, { recursive: true });
  await writeFile(join(configuration, "acng.conf"), await packagedConfiguration());
  const settings = [
    "ForeGround=1",
    `BindAddress=${address}`,
    `Port=${port}`,
    `CacheDir=${packages}`,
    `LogDir=${configuration}`,
  ];
  await startProcess(record, join(directory, "apt-cache.log"), "apt-cacher-ng", ["-c", configuration, ...settings]);
  await until("apt-cacher-ng answers", 20, () => answers(address, port));
};

/** Reads Debian's configuration without its `Remap-` lines, which name mirrors that may be out of reach (503). */
const packagedConfiguration = async (): Promise<string> => {
  const text = await readFile("/etc/apt-cacher-ng/acng.conf", "utf8");
  const lines = text.split("\n").filter((line) => line.trim() && !/^(#|Remap-)/.test(line));
  return `${lines.join("\n")}\n`;
};
