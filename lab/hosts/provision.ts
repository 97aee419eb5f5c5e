import { randomBytes } from "node:crypto";
import { chmod, chown, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type LabRecord, runDirectory } from "../record.ts";
import { aptCacheUrl } from "../services/apt-cache.ts";
import { ensureCertificate } from "../services/certificates.ts";
import { databaseInitialisation } from "../services/database.ts";
import { shareSource } from "../services/share.ts";
import { addressOf, chat, hostsFile, planOf, portal } from "./inventory.ts";
import { ensureKeyPair, loginUser } from "./ssh.ts";

/** A file on a host: its text, and where that matters its mode and a path whose owner it gets. */
type HostFile = string | { text: string; mode: number; ownerOf?: string };

/**
 * Writes what makes one host of an image: names, keys, users, mounts. Runs before its first boot, on the file system at `root`.
 */
export const provision = async (record: LabRecord, host: string, root: string): Promise<void> => {
  const files = { ...(await identity(record, host)), ...mounts(host), ...(await services(record, host)) };
  for (const [path, file] of Object.entries(files)) await put(root, path, file);
};

const put = async (root: string, path: string, file: HostFile): Promise<void> => {
  const target = join(root, path);
  const { text, mode, ownerOf } = typeof file === "string" ? { text: file, mode: 0o644, ownerOf: "." } : file;
  await mkdir(dirname(target), { recursive: true });
  await writeFile(target, text, { mode });
  await chmod(target, mode);
  const owner = await stat(join(root, ownerOf ?? "."));
  await chown(target, owner.uid, owner.gid);
};

const identity = async ({ id, subnet }: LabRecord, host: string): Promise<Record<string, HostFile>> => {
  const hostKey = await ensureKeyPair(runDirectory(id), host);
  const login = await ensureKeyPair(runDirectory(id), loginUser);
  return {
    "etc/hostname": `${host}\n`,
    "etc/hosts": hostsFile(subnet),
    "etc/machine-id": `${randomBytes(16).toString("hex")}\n`,
    "etc/ssh/ssh_host_ed25519_key": { text: hostKey.privateKey, mode: 0o600 },
    "etc/ssh/ssh_host_ed25519_key.pub": `${hostKey.publicKey}\n`,
    [`home/${loginUser}/.ssh/authorized_keys`]: `${login.publicKey}\n`,
    "etc/apt/apt.conf.d/90lab-proxy": `Acquire::http::Proxy "${aptCacheUrl(`${subnet}.1`)}";\n`,
    "etc/ufw/ufw.conf": "ENABLED=yes\nLOGLEVEL=low\n",
  };
};

/** As on a customer's host the share is a line of fstab, so that `umount` and `mount` work as they do there. */
const mounts = (host: string): Record<string, HostFile> =>
  planOf(host).share ? { "etc/fstab": `${shareSource}\t/home/jtel/shared\tnone\tbind\t0\t0\n` } : {};

const services = async (record: LabRecord, host: string): Promise<Record<string, HostFile>> => {
  const certificates = join(runDirectory(record.id), "certificates");
  switch (planOf(host).layer) {
    case "haproxy": {
      const names = [`DNS:${chat}`, `DNS:${portal}`, `IP:${addressOf(record.subnet, host)}`];
      const pem = await readFile(await ensureCertificate(certificates, host, names), "utf8");
      return { "etc/haproxy/haproxy.pem": { text: pem, mode: 0o600 } };
    }
    case "mariadb":
      return {
        "etc/mysql/lab-init.sql": { text: databaseInitialisation(record), mode: 0o600, ownerOf: "var/lib/mysql" },
      };
    case "base":
    case "java":
      return {};
  }
};
