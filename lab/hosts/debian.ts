import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { cachedDirectory } from "../cache.ts";
import { withLock } from "../lock.ts";
import type { Release } from "./release.ts";

/** A source of packages as apt knows it. */
export interface PackageSource {
  uri: string;
  suite: string;
  components: string;
}

/**
 * Finds where a release's packages are: `trixie`, `trixie-updates` and `trixie-security` on the mirrors that this machine's own
 * apt has for its own release. Suites that a mirror does not have are left out.
 *
 * @throws when apt here knows no mirror of Debian (another distribution), or the mirror does not have the release
 */
export const packageSources = async (release: Release | "sid"): Promise<PackageSource[]> => {
  const { codename, sources } = await ownSources();
  if (codename === release) return sources;
  const wanted = sources.map((source) => ({ ...source, suite: source.suite.replace(codename, release) }));
  const list = await cachedDirectory(`lab/sources-${key(wanted)}`, async (directory) => {
    const there = await Promise.all(wanted.map((source) => exists(source, directory)));
    const found = wanted.filter((_, index) => there[index]);
    if (!found.some(({ suite }) => suite === release))
      throw new Error(`lab: the mirror ${wanted[0]?.uri} of this machine's apt has no Debian ${release}`);
    await writeFile(join(directory, "sources.json"), JSON.stringify(found));
  });
  return JSON.parse(await readFile(join(list, "sources.json"), "utf8"));
};

const key = (sources: PackageSource[]): string =>
  createHash("sha256").update(JSON.stringify(sources)).digest("hex").slice(0, 16);

/** Asks a mirror for a suite by apt's own means, with the proxies that apt is told to use. */
const exists = async ({ uri, suite }: PackageSource, scratch: string): Promise<boolean> => {
  const file = join(scratch, suite);
  const argv = ["download-file", `${uri}dists/${suite}/InRelease`, file];
  const { exitCode, all } = await execa("/usr/lib/apt/apt-helper", argv, { reject: false, all: true });
  await rm(file, { force: true });
  if (exitCode === 0) return true;
  if (/\b404\b/.test(all)) return false;
  throw new Error(`lab: ${uri} does not say whether it has ${suite}: ${all}`);
};

interface OwnSources {
  codename: string;
  sources: PackageSource[];
}

let own: Promise<OwnSources> | undefined;

/** This machine's release, and its sources. apt takes half a second to name them, and each new host wants them. */
const ownSources = (): Promise<OwnSources> => {
  own ??= findOwnSources();
  return own;
};

const findOwnSources = async (): Promise<OwnSources> => {
  const codename = /^VERSION_CODENAME="?(\w+)/m.exec(await readFile("/etc/os-release", "utf8"))?.[1] ?? "unknown";
  for (const step of [async () => {}, () => execa("apt-get", ["update", "--quiet=2"])]) {
    await step();
    const sources = await downloadedSources(codename);
    if (sources.some(({ suite }) => suite === codename)) return { codename, sources };
  }
  throw new Error(`lab: apt on this machine knows no mirror of Debian ${codename}.  Add one below /etc/apt.`);
};

/** Lists a release's sources whose package lists have been downloaded: apt names no others. */
const downloadedSources = async (codename: string): Promise<PackageSource[]> => {
  const format = "$(REPO_URI) $(RELEASE) $(COMPONENT) $(CREATED_BY)";
  const { stdout } = await execa("apt-get", ["indextargets", "--format", format]);
  // A source is listed once for each architecture.
  const targets = [...new Set(stdout.split("\n"))].map((line) => line.split(" "));
  return targets
    .filter(([, suite = "", , creator]) => creator === "Packages" && suite.split("-")[0] === codename)
    .map(([uri = "", suite = "", components = ""]) => ({ uri, suite, components }));
};

/** Writes a host's `sources.list`. An https source becomes `http://HTTPS///…`: so apt-cacher-ng fetches it by https itself. */
export const sourcesList = (sources: PackageSource[]): string =>
  sources
    .map(
      ({ uri, suite, components }) => `deb ${uri.replace(/^https:\/\//, "http://HTTPS///")} ${suite} ${components}\n`,
    )
    .join("");

/** Runs apt-get on a state of its own, of which nothing is this machine's. */
export interface PrivateApt {
  run(...argv: string[]): Promise<string>;
  /** Paths of the packages that it has downloaded. */
  downloaded(): Promise<string[]>;
}

/**
 * Makes an apt in `directory` that knows only these sources, and thinks that nothing is installed.
 * @param options of apt.conf(5): `Acquire::http::Proxy=http://10.77.1.1:3142`
 */
export const privateApt = async (directory: string, list: string, ...options: string[]): Promise<PrivateApt> => {
  const archives = join(directory, "cache/archives");
  for (const each of [join(archives, "partial"), join(directory, "lists/partial")])
    await mkdir(each, { recursive: true });
  await writeFile(join(directory, "sources.list"), list);
  const settings = [
    `Dir::Etc::sourcelist=${join(directory, "sources.list")}`,
    "Dir::Etc::sourceparts=-",
    `Dir::State::lists=${join(directory, "lists")}`,
    "Dir::State::status=/dev/null",
    `Dir::Cache=${join(directory, "cache")}`,
    "Acquire::Languages=none",
    "APT::Sandbox::User=root",
    ...options,
  ].flatMap((setting) => ["--option", setting]);
  const run = async (...argv: string[]) =>
    (await execa("apt-get", [...settings, "--quiet=2", ...argv], { cwd: archives })).stdout;
  await run("update");
  return {
    run,
    downloaded: async () =>
      (await readdir(archives)).filter((name) => name.endsWith(".deb")).map((name) => join(archives, name)),
  };
};

/** Installs packages on this machine when they are missing. */
export const ensurePackages = async (names: string[], progress: (line: string) => void): Promise<void> => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query's own placeholders
  const query = ["--show", "--showformat", "${Package} ${db:Status-Status}\n", ...names];
  const { stdout } = await execa("dpkg-query", query, { reject: false });
  const states = new Set(stdout.split("\n"));
  const missing = names.filter((name) => !states.has(`${name} installed`));
  if (missing.length === 0) return;
  await withLock("apt", () => installPackages(missing, progress));
};

const installPackages = async (missing: string[], progress: (line: string) => void): Promise<void> => {
  progress(`installing on this machine: ${missing.join(", ")}`);
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  await execa("apt-get", ["update", "--quiet=2"], { env });
  await withoutServices(() =>
    execa("apt-get", ["install", "--yes", "--quiet=2", "--no-install-recommends", ...missing], { env }),
  );
};

/** Keeps what is being installed from starting services: apt-cacher-ng's would serve everybody who can reach this machine. */
const withoutServices = async (install: () => Promise<unknown>): Promise<void> => {
  const policy = "/usr/sbin/policy-rc.d";
  if (existsSync(policy)) return void (await install());
  await writeFile(policy, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    await install();
  } finally {
    await rm(policy);
  }
};
