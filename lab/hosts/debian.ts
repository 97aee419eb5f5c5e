import { existsSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { execa } from "execa";

/** Debian release of the hosts: the one that new stacks of the vendor run on. */
export const release = "bookworm";

/** A source of packages as this machine's own apt knows it. */
export interface PackageSource {
  uri: string;
  suite: string;
  components: string;
}

/**
 * This machine's own sources for the hosts' release, so that the lab uses whatever mirror is configured here.
 * @throws when this machine has none (another distribution)
 */
export const packageSources = async (): Promise<PackageSource[]> => {
  const known = await downloadedSources();
  if (known.length > 0) return known;
  await execa("apt-get", ["update", "--quiet=2"]);
  const updated = await downloadedSources();
  if (updated.length > 0) return updated;
  throw new Error(`lab: apt on this machine knows no mirror of Debian ${release}.  Add one below /etc/apt.`);
};

/** Lists the sources whose package lists have been downloaded: apt names no others. */
const downloadedSources = async (): Promise<PackageSource[]> => {
  const format = "$(REPO_URI) $(RELEASE) $(COMPONENT) $(CREATED_BY)";
  const { stdout } = await execa("apt-get", ["indextargets", "--format", format]);
  // A source is listed once for each architecture.
  const targets = [...new Set(stdout.split("\n"))].map((line) => line.split(" "));
  const sources = targets
    .filter(([, suite = "", , creator]) => creator === "Packages" && suite.split("-")[0] === release)
    .map(([uri = "", suite = "", components = ""]) => ({ uri, suite, components }));
  return sources.some(({ suite }) => suite === release) ? sources : [];
};

/** Writes a host's `sources.list`. An https source becomes `http://HTTPS///…`: so apt-cacher-ng fetches it by https itself. */
export const sourcesList = (sources: PackageSource[]): string =>
  sources
    .map(
      ({ uri, suite, components }) => `deb ${uri.replace(/^https:\/\//, "http://HTTPS///")} ${suite} ${components}\n`,
    )
    .join("");

/** Installs packages on this machine when they are missing. */
export const ensurePackages = async (names: string[], progress: (line: string) => void): Promise<void> => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query's own placeholders
  const query = ["--show", "--showformat", "${Package} ${db:Status-Status}\n", ...names];
  const { stdout } = await execa("dpkg-query", query, { reject: false });
  const states = new Set(stdout.split("\n"));
  const missing = names.filter((name) => !states.has(`${name} installed`));
  if (missing.length === 0) return;
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
