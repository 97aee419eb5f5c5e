import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { cp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa, type Options } from "execa";
import { cachedDirectory, recipeText } from "../cache.ts";
import { cacheRoot } from "../cache-root.ts";
import { withLock } from "../lock.ts";
import { packageSources, sourcesList } from "./debian.ts";
import { withNullDevice } from "./null-device.ts";
import { ensureOverlay, removeOverlay, unmountOverlay, upperDirectory } from "./overlay.ts";
import { javaOf, type Release } from "./release.ts";

/** Each layer is a folder of `layers/` with what it needs of `packages`, a tree `root/` and `setup.sh`. All but `base` lie on `base`. */
export type Layer = "base" | "haproxy" | "java" | "mariadb";

const recipe = (layer: Layer, file: string): string => join(import.meta.dirname, "layers", layer, file);

/** What a layer is built from. */
interface Build {
  release: Release;
  /** Text of `sources.list`. */
  sources: string;
  /** Address of the apt cache. */
  proxy: string;
}

/**
 * The lower directories of a host's overlay, topmost first. Builds what is not in the cache (minutes the first time).
 * @param proxy address of the apt cache
 */
export const imageLayers = async (
  layer: Layer,
  release: Release,
  proxy: string,
  progress: (line: string) => void,
): Promise<string[]> =>
  withLock("lab-image", async () => {
    await removeUnfinished();
    const build: Build = { release, sources: sourcesList(await packageSources(release)), proxy };
    const baseKey = await digest("base", `${build.sources}\0${javaOf(release).package}`);
    const base = await cachedDirectory(`lab/base-${baseKey}`, (directory) => {
      progress(`building the image of Debian ${release} (a few minutes, once)`);
      return withNullDevice(() => buildBase(build, directory));
    });
    if (layer === "base") return [base];
    const top = await cachedDirectory(`lab/${layer}-${await digest(layer, baseKey)}`, (directory) => {
      progress(`building the ${layer} layer of the image of Debian ${release} (once)`);
      return withNullDevice(() => buildLayer(layer, build, directory, base));
    });
    return [upperDirectory(top), base];
  });

/** What an interrupted build left; the caller holds the lock, so nobody works on it. */
const removeUnfinished = async (): Promise<void> => {
  const images = join(cacheRoot, "lab");
  const entries = await readdir(images).catch(() => []);
  for (const entry of entries.filter((name) => name.endsWith(".unfinished"))) await removeOverlay(join(images, entry));
};

/** Changes with everything that ends in the layer: its folder here, this program's way to build, and what lies below. */
const digest = async (layer: Layer, below: string): Promise<string> => {
  const hash = createHash("sha256")
    .update(below)
    .update(await recipeText(import.meta.filename));
  const entries = await readdir(recipe(layer, ""), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  for (const file of files.sort())
    hash.update(`\0${file.slice(recipe(layer, "").length)}\0`).update(await readFile(file));
  return hash.digest("hex").slice(0, 16);
};

const packages = async (layer: Layer): Promise<string[]> =>
  (await readFile(recipe(layer, "packages"), "utf8")).trim().split("\n");

const buildBase = async (build: Build, directory: string): Promise<void> => {
  const { release, sources, proxy } = build;
  const mirror = sources
    .split("\n")
    .map((line) => line.split(" "))
    .find(([, , suite]) => suite === release)?.[1] as string;
  const include = `--include=${(await packages("base")).join(",")}`;
  const command = ["debootstrap", "--variant=minbase", include, release, directory, mirror];
  // debootstrap makes the nodes itself.
  await withOwnDevices(directory, command, { env: { http_proxy: proxy }, stdin: "ignore" });
  await writeFile(join(directory, "etc/apt/sources.list"), sources);
  await setUp("base", build, directory);
};

/** A layer is the upper directory that its set-up leaves on the base. */
const buildLayer = async (layer: Layer, build: Build, directory: string, base: string): Promise<void> => {
  try {
    await ensureOverlay(
      directory,
      async () => [base],
      (root) => setUp(layer, build, root),
    );
  } finally {
    await unmountOverlay(directory);
  }
};

/** Installs a layer's packages, copies its tree and runs its script. debootstrap has installed those of the base. */
const setUp = async (layer: Layer, build: Build, root: string): Promise<void> => {
  if (layer !== "base" && existsSync(recipe(layer, "packages"))) {
    const install = ["apt-get", "install", "--yes", "--no-install-recommends", "--quiet=2"];
    await inside(root, build, [...install, ...(await packages(layer))]);
  }
  if (existsSync(recipe(layer, "root"))) await cp(recipe(layer, "root"), root, { recursive: true });
  if (existsSync(recipe(layer, "setup.sh"))) await inside(root, build, ["sh"], recipe(layer, "setup.sh"));
  await inside(root, build, ["apt-get", "clean"]);
  // That took the index of all packages away, too: each host would make one of its own.
  await inside(root, build, ["apt-get", "check", "--quiet=2"]);
};

/** Runs a command in the new file system: no service starts, and ufw, being inactive, only writes files. */
const inside = async (root: string, build: Build, command: string[], inputFile = "/dev/null"): Promise<void> => {
  const { proxy, release } = build;
  const policy = join(root, "usr/sbin/policy-rc.d");
  const aptConfig = join(root, "etc/apt/apt.conf.d/99lab-build");
  await writeFile(policy, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  await writeFile(aptConfig, `Acquire::http::Proxy "${proxy}";\n`);
  const user = { HOME: "/root", LANG: "C.UTF-8", DEBIAN_FRONTEND: "noninteractive" };
  const env = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", ...user, JDK: javaOf(release).package };
  try {
    await withOwnDevices(root, ["sh", "-ec", intoRoot, root, ...command], { inputFile, env, extendEnv: false });
  } finally {
    await rm(policy);
    await rm(aptConfig);
  }
};

/** Runs a command in the file system `$0`, with a /proc and the devices that programs count on. */
const intoRoot = `
  mount -t proc proc "$0/proc"
  for node in null:3 zero:5 full:7 random:8 urandom:9; do mknod -m 666 "$0/dev/\${node%:*}" c 1 "\${node#*:}"; done
  for link in fd:fd stdin:fd/0 stdout:fd/1 stderr:fd/2; do ln -s "/proc/self/\${link#*:}" "$0/dev/\${link%:*}"; done
  exec chroot "$0" "$@"`;

/**
 * Runs a command where `root` has a /dev of its own, empty: none of its nodes is this machine's. In namespaces, so that an
 * interrupted run leaves nothing mounted and nothing running.
 */
const withOwnDevices = async (root: string, command: string[], options: Options): Promise<void> => {
  const script = 'mkdir -p "$0/dev"; mount -t tmpfs -o mode=755 tmpfs "$0/dev"; exec "$@"';
  const namespaces = ["--mount", "--pid", "--fork", "--kill-child"];
  await execa("unshare", [...namespaces, "sh", "-ec", script, root, ...command], options);
};
