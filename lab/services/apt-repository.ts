import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { execa } from "execa";
import { ensurePackages, packageSources, privateApt, sourcesList } from "../hosts/debian.ts";
import type { Release } from "../hosts/release.ts";
import { shareSource } from "./share.ts";

/** A source of packages with a key of its own, as a stack file names it below `java`. */
export interface AptRepository {
  /** `deb file:///media/share/apt ./` */
  aptSource: string;
  aptKey: { fingerprint: string; text: string };
}

/** Where it lies: a host's apt, which is neither root nor jtel, reads the share where the host has it from. */
const place = "apt";

/**
 * Puts packages of another Debian release on the share of a lab, as a repository with a key of its own: what a customer offers
 * whose release does not have them.
 *
 * @param suite a release by its code name, or `sid`
 * @param names with those that they depend on and the hosts' own sources do not have: `["openjdk-17-jdk-headless"]`
 * @param proxy address of the lab's apt cache
 */
export const aptRepository = async (
  share: string,
  suite: Release | "sid",
  names: string[],
  proxy: string,
): Promise<AptRepository> => {
  await ensurePackages(["apt-utils", "gpg", "gpg-agent"], console.log);
  const folder = join(share, place);
  const [keys, scratch] = [join(share, "apt.keys"), join(share, "apt.scratch")];
  await rm(folder, { recursive: true, force: true }); // of an earlier one
  for (const each of [folder, keys, scratch]) await mkdir(each, { recursive: true, mode: 0o755 });
  try {
    const sources = sourcesList(await packageSources(suite));
    const apt = await privateApt(scratch, sources, `Acquire::http::Proxy=${proxy}`);
    await apt.run("download", ...names);
    for (const each of await apt.downloaded()) await rename(each, join(folder, basename(each)));
    const index = async (file: string, ...argv: string[]) =>
      writeFile(join(folder, file), `${(await execa("apt-ftparchive", argv, { cwd: folder })).stdout}\n`);
    await index("Packages", "packages", ".");
    await index("Release", "release", ".");
    const aptKey = await signed(join(folder, "Release"), join(folder, "InRelease"), keys);
    return { aptSource: `deb file://${shareSource}/${place} ./`, aptKey };
  } finally {
    for (const each of [keys, scratch]) await rm(each, { recursive: true, force: true });
  }
};

/** Signs a file with a new key, which nobody keeps; gives its public part. */
const signed = async (file: string, to: string, home: string): Promise<AptRepository["aptKey"]> => {
  const gpg = async (...argv: string[]) =>
    (await execa("gpg", ["--homedir", home, "--batch", "--quiet", ...argv], { stderr: "pipe" })).stdout;
  await gpg("--passphrase", "", "--quick-generate-key", "Lab <packages@lab.example>", "ed25519", "sign", "never");
  await gpg("--clearsign", "--output", to, file);
  const fingerprint = /^fpr:+([0-9A-F]{40}):/m.exec(await gpg("--with-colons", "--list-keys"))?.[1] ?? "";
  const text = await gpg("--armor", "--export", fingerprint);
  await execa("gpgconf", ["--homedir", home, "--kill", "all"]);
  return { fingerprint, text };
};
