import { createHash, randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, readdir, readlink, rm, rmdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { cacheRoot } from "./cache-root.ts";
import type { Release } from "./hosts/release.ts";
import { isAlive, type RecordedProcess } from "./processes.ts";
import { newPassword } from "./services/database.ts";

const checkout = dirname(import.meta.dirname);
const running = join(cacheRoot, "lab/running");

/** What a lab is made of; all else (names of interfaces, namespaces, files) follows from it. Contains secrets: 0600. */
export interface LabRecord {
  name: string;
  /** Unique on this machine and short enough for the name of a network interface. */
  id: string;
  /** The checkout that it belongs to. */
  checkout: string;
  /** First three numbers of its /24. */
  subnet: string;
  databasePassword: string;
  hazelcastPassword: string;
  tyntecKey: string;
  /** Debian release of its hosts. */
  release: Release;
  /** Hosts without another role are booted from the image with Java. */
  java?: boolean;
  /** A lab that may be swept once this process has ended. */
  owner?: RecordedProcess;
}

/** The lab's directory in the checkout; `lab.json` in it leads to the record. Other local state of the stack may lie here. */
export const checkoutDirectory = (name: string): string => join(checkout, ".lab", name);

/** Where overlays, keys, logs and process ids lie: not in the checkout, whose tools would walk through the hosts' files. */
export const runDirectory = (id: string): string => join(running, id);

export const labId = (name: string): string => {
  if (!/^[a-z0-9][a-z0-9-]{0,39}$/.test(name))
    throw new Error(`lab: name "${name}": expected small letters, digits and "-", 40 at most`);
  return `jl-${createHash("sha256").update(`${checkout}\0${name}`).digest("hex").slice(0, 6)}`;
};

const recordFile = (id: string): string => join(runDirectory(id), "lab.json");

/** Labs that were set up before there was a choice are Debian 12. */
export const readRecord = (id: string): LabRecord | undefined =>
  existsSync(recordFile(id)) ? { release: "bookworm", ...JSON.parse(readFileSync(recordFile(id), "utf8")) } : undefined;

export const writeRecord = async (
  name: string,
  subnet: string,
  options: Pick<LabRecord, "owner" | "java" | "release">,
): Promise<LabRecord> => {
  const id = labId(name);
  const secrets = { databasePassword: newPassword(), hazelcastPassword: hex(), tyntecKey: hex() };
  const record: LabRecord = { name, id, checkout, subnet, ...secrets, ...options };
  await mkdir(runDirectory(id), { recursive: true, mode: 0o711 });
  await writeFile(recordFile(id), JSON.stringify(record, null, 2), { mode: 0o600 });
  await mkdir(checkoutDirectory(name), { recursive: true });
  await rm(link(record), { force: true });
  await symlink(recordFile(id), link(record));
  return record;
};

const hex = (): string => randomBytes(16).toString("hex");
const link = ({ checkout, name }: LabRecord): string => join(checkout, ".lab", name, "lab.json");

/** Forgets a lab of which nothing else is left. */
export const removeRecord = async (record: LabRecord): Promise<void> => {
  await rm(runDirectory(record.id), { recursive: true });
  await rm(dirname(link(record)), { recursive: true, force: true });
  await rmdir(join(record.checkout, ".lab")).catch(() => {}); // other labs are still there
};

/** Labs that nobody can want any more: their checkout is gone, or the process that they were for has ended. */
export const staleRecords = async (): Promise<LabRecord[]> => {
  const ids = await readdir(running).catch(() => []);
  const records = ids.map(readRecord).filter((record) => record !== undefined);
  const stale = await Promise.all(records.map(isStale));
  return records.filter((_, index) => stale[index]);
};

const isStale = async (record: LabRecord): Promise<boolean> => {
  const target = await readlink(link(record)).catch(() => undefined);
  return target !== recordFile(record.id) || (record.owner !== undefined && !(await isAlive(record.owner)));
};
