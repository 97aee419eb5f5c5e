import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { type LabHost, labHost, removeHost, waitForPorts } from "./hosts/host.ts";
import { addressOf, chat, inventory, planOf, portal } from "./hosts/inventory.ts";
import { machineName } from "./hosts/machine.ts";
import { ensureBridge, freeSubnet, removeBridge, removeNamespace } from "./hosts/network.ts";
import { type Release, usualRelease } from "./hosts/release.ts";
import { agentSocket, ensureAgent, loginUser } from "./hosts/ssh.ts";
import { withLock } from "./lock.ts";
import { recordProcess, stopProcess } from "./processes.ts";
import {
  checkoutDirectory,
  type LabRecord,
  labId,
  readRecord,
  removeRecord,
  runDirectory,
  staleRecords,
  writeRecord,
} from "./record.ts";
import { requireLinuxRoot } from "./requirements.ts";
import { ensureAptCache } from "./services/apt-cache.ts";
import { ensureAuthority } from "./services/certificates.ts";
import { databaseName, databaseUser } from "./services/database.ts";
import { ensureShare, shareDirectory } from "./services/share.ts";
import { ensureTyntec, labTyntec, type Tyntec } from "./stand-ins/tyntec/control.ts";

export type { LabHost } from "./hosts/host.ts";

/** A throw-away customer: booted hosts, the share, the database, TynTec. */
export interface Lab {
  name: string;
  /** `.lab/<name>` of the checkout; other local state of the stack may lie there and goes with the lab. */
  directory: string;
  /** Debian release of its hosts. */
  release: Release;
  /** `10.77.1.0/24` */
  subnet: string;
  /** The controller's own address on the hosts' network. */
  controllerAddress: string;
  hosts: Record<string, LabHost>;
  /** For `SSH_AUTH_SOCK`. */
  agentSocket: string;
  /** Logs in by key and has passwordless sudo. */
  user: string;
  /** Certificate of the authority that has signed the load balancer's and TynTec's certificates. */
  caFile: string;
  tyntec: Tyntec;
  database: { user: string; password: string; name: string };
  /** The storage server's directory, mounted at /home/jtel/shared on the hosts. */
  share: string;
  /** Public names; both lead to the load balancer. */
  portal: string;
  chat: string;
}

export interface UpOptions {
  /** Only these hosts. @default all that are not spare */
  hosts?: string[];
  /** The lab is this process's own: once it has ended, any later `up` may remove the lab. @default false */
  temporary?: boolean;
  /** The chat servers have Java before the stack comes: a boot instead of an installation. @default false */
  java?: boolean;
  /** Debian release of the hosts; a lab that is there keeps its own. @default {@link usualRelease} */
  release?: Release;
  progress?: (line: string) => void;
}

const silent = (): void => {};

const usualHosts = Object.keys(inventory).filter((host) => !planOf(host).spare);

/** The lab `name` if it has been set up; a host in it may be off. */
export const openLab = async (name: string): Promise<Lab | undefined> => {
  const record = readRecord(labId(name));
  return record && describe(record, silent);
};

/** Sets up the lab, or whatever of it is missing. Minutes on a machine that has never had one, then seconds. */
export const upLab = async (name: string, options: UpOptions = {}): Promise<Lab> => {
  const { hosts = usualHosts, progress = silent } = options;
  hosts.forEach(planOf);
  await requireLinuxRoot(progress);
  return withLock(labId(name), async () => {
    const record = await reserve(name, options, progress);
    const { id, subnet } = record;
    await ensureAptCache(`${subnet}.1`, runDirectory(id));
    await ensureAgent(runDirectory(id));
    await ensureTyntec(record);
    await ensureShare(record, hosts, progress);
    const lab = await describe(record, progress);
    // The landscape's order of boot: what others need comes first.
    const [first, then] = [hosts.filter((host) => host === "acd-dbm"), hosts.filter((host) => host !== "acd-dbm")];
    for (const wave of [first, then]) await bringUp(record, lab, wave);
    return lab;
  });
};

/** Boots hosts side by side. All are awaited even when one fails, so that nothing goes on behind the error's back. */
const bringUp = async (record: LabRecord, lab: Lab, hosts: string[]): Promise<void> => {
  const results = await Promise.allSettled(
    hosts.map(async (host) => {
      await lab.hosts[host]?.start();
      await waitForPorts(record, host);
    }),
  );
  const failed = results.find((result) => result.status === "rejected");
  if (failed) throw failed.reason;
};

/** Removes everything of the lab: hosts, processes, network, files. */
export const downLab = async (name: string): Promise<void> => {
  const id = labId(name);
  await withLock(id, async () => {
    const record = readRecord(id);
    if (record) await remove(record);
  });
};

/** The lab's record and bridge. One at a time on the machine, so that no two labs choose the same subnet. */
const reserve = (
  name: string,
  { temporary, java, release }: UpOptions,
  progress: (line: string) => void,
): Promise<LabRecord> =>
  withLock("lab-network", async () => {
    for (const stale of await staleRecords()) {
      progress(`removing the lab ${stale.name} that ${stale.checkout} left behind`);
      await remove(stale);
    }
    const present = readRecord(labId(name));
    if (present && release && release !== present.release)
      throw new Error(
        `lab: ${name} is Debian ${present.release}.  Remove it first: npm run lab -- down --name ${name}`,
      );
    const options = {
      release: release ?? usualRelease(),
      ...(java && { java }),
      ...(temporary && { owner: await recordProcess(process.pid) }),
    };
    const record = present ?? (await writeRecord(name, await freeSubnet(), options));
    await ensureBridge(record.id, record.subnet);
    return record;
  });

const remove = async (record: LabRecord): Promise<void> => {
  const { id, subnet } = record;
  await Promise.all(Object.keys(inventory).map((host) => removeHost(record, host)));
  const processes = join(runDirectory(id), "processes");
  for (const each of await readdir(processes).catch(() => [])) await stopProcess(join(processes, each));
  for (const host of Object.keys(inventory)) await removeNamespace(machineName(id, host), id, addressOf(subnet, host));
  await removeBridge(id);
  await removeRecord(record);
};

const describe = async (record: LabRecord, progress: (line: string) => void): Promise<Lab> => {
  const { name, release, id, subnet, databasePassword } = record;
  const hosts = await Promise.all(Object.keys(inventory).map((host) => labHost(record, host, progress)));
  return {
    name,
    release,
    directory: checkoutDirectory(name),
    subnet: `${subnet}.0/24`,
    controllerAddress: `${subnet}.1`,
    hosts: Object.fromEntries(hosts.map((host) => [host.name, host])),
    agentSocket: agentSocket(runDirectory(id)),
    user: loginUser,
    caFile: await ensureAuthority(join(runDirectory(id), "certificates")),
    tyntec: labTyntec(record),
    database: { user: databaseUser, password: databasePassword, name: databaseName },
    share: shareDirectory(id),
    portal,
    chat,
  };
};
