import { createHash, randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { cp, mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { cachedDirectory, recipeText } from "../../lab/cache.ts";
import { until } from "../../lab/deadline.ts";
import { ensurePackages, packageSources, privateApt } from "../../lab/hosts/debian.ts";
import { releases } from "../../lab/hosts/release.ts";
import { ensureCertificate } from "../../lab/services/certificates.ts";

/** A real HAProxy in a file system of its own: with the files that configurations name, and without a network. */
export interface Haproxy {
  /** As it says itself: `2.6.12-1+deb12u3`. */
  version: string;
  /** The directory that it takes for its root. */
  root: string;
  /** What `haproxy -c` complains of, as exit status and text. */
  check(config: Buffer): Promise<{ accepted: boolean; output: string }>;
  /**
   * Starts it; resolves when `ready` finds that it answers.
   * @param configuration makes it from the directory where its sockets are to be
   */
  run(
    configuration: (directory: string) => string,
    ready: (running: RunningHaproxy) => Promise<true | undefined>,
  ): Promise<RunningHaproxy>;
}

/** A process that serves. */
export interface RunningHaproxy {
  /** Where one of its sockets is. */
  socket(name: string): string;
  stop(): Promise<void>;
}

/** Where the HAProxys come from that are asked: 2.2, 2.6, 3.0, and the newest that Debian has. */
export const suites = [...releases, "sid"];

/** Where its files come from: certificates and this folder. */
const files = join(import.meta.dirname, "root");

/**
 * HAProxy of one of the {@link suites}, unpacked into the cache, nothing of it installed. Needs root for the chroot.
 * The newest package at the time of the first call is kept.
 */
export const debianHaproxy = async (suite: string): Promise<Haproxy> => {
  const root = await cachedDirectory(`haproxy/${suite}-${await digest()}`, (directory) => unpack(suite, directory));
  const haproxy = (...argv: string[]) =>
    execa("unshare", ["--net", `--root=${root}`, "/usr/sbin/haproxy", ...argv], { reject: false, all: true });
  const version = /version (\S+)/.exec((await haproxy("-v")).stdout)?.[1];
  if (!version) throw new Error(`HAProxy of ${suite} does not run. Remove ${root} and try again`);
  return {
    version,
    root,
    check: async (config) => {
      const name = `/tmp/${randomUUID()}.cfg`;
      await writeFile(join(root, name), config);
      const { exitCode, all } = await haproxy("-c", "-f", name);
      await rm(join(root, name));
      return { accepted: exitCode === 0, output: all };
    },
    run: async (configuration, ready) => {
      const directory = `/tmp/${randomUUID().slice(0, 8)}`; // short: a socket's path has 108 bytes
      await mkdir(join(root, directory));
      await writeFile(join(root, directory, "haproxy.cfg"), configuration(directory));
      const child = haproxy("-db", "-f", `${directory}/haproxy.cfg`);
      const ended = child.then(({ all }) => {
        throw new Error(`HAProxy ${version} has ended: ${all.slice(-2000)}`);
      });
      const running: RunningHaproxy = {
        socket: (name) => join(root, directory, name),
        stop: async () => {
          child.kill();
          await ended.catch(() => undefined);
          await rm(join(root, directory), { recursive: true });
        },
      };
      try {
        await Promise.race([until("HAProxy answers", 20, () => ready(running)), ended]);
      } catch (error) {
        await running.stop();
        throw error;
      }
      return running;
    },
  };
};

/** Changes with what is made here, and with the files that go in. */
const digest = async (): Promise<string> => {
  const hash = createHash("sha256").update(await recipeText(import.meta.filename));
  const entries = await readdir(files, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  for (const path of paths.sort()) hash.update(await readFile(path));
  return hash.digest("hex").slice(0, 12);
};

const unpack = async (suite: string, root: string): Promise<void> => {
  const scratch = join(root, "apt");
  const packages = await download(suite, scratch);
  for (const each of packages) await execa("dpkg-deb", ["--extract", each, root]);
  await rm(scratch, { recursive: true });
  // In newer suites these links belong to base-files.
  for (const name of ["lib", "lib64"])
    if (!existsSync(join(root, name))) await symlink(`usr/${name}`, join(root, name));
  await cp(files, root, { recursive: true });
  for (const name of ["dev", "tmp"]) await mkdir(join(root, name), { recursive: true });
  await writeFile(join(root, "dev/null"), ""); // a plain file is enough
  await provideCertificates(root);
};

/** HAProxy and the libraries that it needs. */
const download = async (suite: string, directory: string): Promise<string[]> => {
  const mirror = (await packageSources("trixie")).find((source) => source.suite === "trixie")?.uri;
  const apt = await privateApt(directory, `deb ${mirror} ${suite} main\n`);
  await apt.run("--yes", "--download-only", "--no-install-recommends", "install", "haproxy");
  return apt.downloaded();
};

const provideCertificates = async (root: string): Promise<void> => {
  await ensurePackages(["openssl"], console.warn);
  const pem = await ensureCertificate(join(root, "etc/haproxy"), "haproxy", ["DNS:portal.acme.example"]);
  for (const copy of ["etc/haproxy/certs/portal.pem", "etc/ssl/private/portal.pem"]) await cp(pem, join(root, copy));
};
