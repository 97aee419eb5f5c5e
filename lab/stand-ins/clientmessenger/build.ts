import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { execa } from "execa";
import { cachedDirectory } from "../../cache.ts";
import { cacheRoot } from "../../cache-root.ts";
import { ensurePackages } from "../../hosts/debian.ts";
import { withLock } from "../../lock.ts";

const project = import.meta.dirname;

export interface BuildOptions {
  /** Major release of Hazelcast: 3.12.13 or 5.5.0. @default "3" */
  hazelcast?: "3" | "5";
  /** Told before anything that takes long. */
  progress?: (line: string) => void;
}

/**
 * Builds the stand-in and returns a directory with the content of the vendor's folder `ClientMessenger/`:
 * `bin/`, `conf/`, `gui/`, `systemd/`. It belongs to the cache: copy it, do not write into it.
 * Maven runs only when the sources have changed.
 */
export const buildClientMessenger = async ({
  hazelcast = "3",
  progress = () => {},
}: BuildOptions = {}): Promise<string> => {
  const entry = `clientmessenger/hazelcast${hazelcast}-${await sourceDigest()}`;
  return withLock("clientmessenger", () =>
    cachedDirectory(entry, (directory) => runMaven(directory, hazelcast, progress)),
  );
};

const sourceDigest = async (): Promise<string> => {
  const hash = createHash("sha256");
  for (const file of [join(project, "pom.xml"), ...(await filesBelow(join(project, "src")))])
    hash
      .update(`${relative(project, file)}\0`)
      .update(await readFile(file))
      .update("\0");
  return hash.digest("hex").slice(0, 16);
};

const filesBelow = async (directory: string): Promise<string[]> => {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
};

const runMaven = async (vendorFolder: string, hazelcast: string, progress: (line: string) => void): Promise<void> => {
  await ensureMaven(progress);
  progress(
    `building the ClientMessenger stand-in with Hazelcast ${hazelcast} (the first time Maven fetches its libraries)`,
  );
  const target = await mkdtemp(join(tmpdir(), "clientmessenger-"));
  const profile = hazelcast === "5" ? ["--activate-profiles", "hazelcast5"] : [];
  const settings = [`-DbuildDirectory=${target}`, `-DvendorFolder=${vendorFolder}`, "-Dstyle.color=never"];
  try {
    const maven = await execa("mvn", ["--quiet", "--batch-mode", ...profile, ...settings, "package"], {
      cwd: project,
      all: true,
      reject: false,
    });
    const log = await keepLog(maven.all);
    if (maven.failed)
      throw new Error(`lab: building the ClientMessenger stand-in failed, see ${log}\n${tail(maven.all)}`);
  } finally {
    await rm(target, { recursive: true, force: true });
  }
};

const keepLog = async (text: string): Promise<string> => {
  const log = join(cacheRoot, "logs", "clientmessenger-build.log");
  await mkdir(join(cacheRoot, "logs"), { recursive: true });
  await writeFile(log, text);
  return log;
};

const tail = (text: string): string => text.split("\n").slice(-20).join("\n");

/** A Maven and a JDK of whatever origin will do; only where one is missing does apt install them. */
const ensureMaven = async (progress: (line: string) => void): Promise<void> => {
  const found = await Promise.all(
    [
      ["mvn", "--version"],
      ["javac", "--version"],
    ].map(([command = "", flag = ""]) => execa(command, [flag], { reject: false })),
  );
  if (found.every(({ failed }) => !failed)) return;
  if (process.getuid?.() !== 0)
    throw new Error(
      "lab: the ClientMessenger stand-in needs Maven and a JDK (17 or later).  Run: apt-get install maven default-jdk-headless",
    );
  await ensurePackages(["maven", "default-jdk-headless"], progress);
};
