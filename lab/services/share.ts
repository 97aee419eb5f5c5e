import { chown, cp, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import mustache from "mustache";
import { releaseFolder } from "../../render/client-messenger/places.ts";
import { addressOf, inventory, planOf } from "../hosts/inventory.ts";
import { type LabRecord, runDirectory } from "../record.ts";
import { buildClientMessenger } from "../stand-ins/clientmessenger/build.ts";

/** Where a host sees the controller's directory; its fstab mounts it from here to /home/jtel/shared. */
export const shareSource = "/media/share";

export const shareDirectory = (id: string): string => join(runDirectory(id), "share");

const jtel = 1000;

/** What the storage server of an existing customer holds before chat is installed. */
export const ensureShare = async (
  record: LabRecord,
  hosts: string[],
  progress: (line: string) => void,
): Promise<void> => {
  const share = shareDirectory(record.id);
  if ((await readdir(share).catch(() => [])).length > 0) return;
  const unfinished = `${share}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(join(unfinished, "Data/clients"), { recursive: true });
  await cp(await buildClientMessenger({ progress }), join(unfinished, releaseFolder), { recursive: true });
  await writeFile(join(unfinished, "hazelcast.xml"), await hazelcastConfiguration(record, hosts));
  await chownBelow(unfinished);
  await rename(unfinished, share);
};

/** The cluster-wide file that the web role prepared, with the chat servers as members; spare ones only where they boot. */
const hazelcastConfiguration = async ({ subnet, hazelcastPassword }: LabRecord, hosts: string[]): Promise<string> => {
  const template = await readFile(join(import.meta.dirname, "hazelcast.xml.mustache"), "utf8");
  const members = Object.keys(inventory)
    .filter((name) => name.startsWith("chatserver") && (!planOf(name).spare || hosts.includes(name)))
    .map((name) => addressOf(subnet, name));
  return mustache.render(template, { subnet, members, password: hazelcastPassword });
};

/** A network mount shows everything as owned by the user jtel. */
const chownBelow = async (directory: string): Promise<void> => {
  await chown(directory, jtel, jtel);
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true }))
    await chown(join(entry.parentPath, entry.name), jtel, jtel);
};
