import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { cp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { cachedDirectory, recipeText } from "../cache.ts";
import { cacheRoot } from "../cache-root.ts";
import { withLock } from "../lock.ts";
import { packageSources, release, sourcesList } from "./debian.ts";
import { ensureOverlay, removeOverlay, unmountOverlay, upperDirectory } from "./overlay.ts";

/** Each layer is a folder of `layers/`: `packages`, and where it needs them a tree `root/` and `setup.sh`. All but `base` lie on `base`. */
export type Layer = "base" | "haproxy" | "java" | "mariadb";

const recipe = (layer: Layer, file: string): string => join(import.meta.dirname, "layers", layer, file);

/**
 * The lower directories of a host's overlay, topmost first. Builds what is not in the cache (minutes the first time).
 * @param proxy address of the apt cache
 */
export const imageLayers = async (layer: Layer, proxy: string, progress: (line: string) => void): Promise<string[]> =>
  withLock("lab-image", async () => {
    await removeUnfinished();
    const sources = sourcesList(await packageSources());
    const baseKey = await digest("base", sources);
    const base = await cachedDirectory(`lab/base-${baseKey}`, (directory) => {
      progress("building the Debian image (a few minutes, once)");
      return buildBase(directory, sources, proxy);
    });
    if (layer === "base") return [base];
    const top = await cachedDirectory(`lab/${layer}-${await digest(layer, baseKey)}`, (directory) => {
      progress(`building the image's ${layer} layer (once)`);
      return buildLayer(layer, directory, base, proxy);
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

const buildBase = async (directory: string, sources: string, proxy: string): Promise<void> => {
  const mirror = sources
    .split("\n")
    .map((line) => line.split(" "))
    .find(([, , suite]) => suite === release)?.[1] as string;
  const include = `--include=${(await packages("base")).join(",")}`;
  // In a mount namespace, so that an interrupted run leaves no /proc or /sys mounted in the directory.
  const command = ["--mount", "debootstrap", "--variant=minbase", include, release, directory, mirror];
  await execa("unshare", command, { env: { http_proxy: proxy }, stdin: "ignore" });
  await writeFile(join(directory, "etc/apt/sources.list"), sources);
  await setUp("base", directory, proxy);
};

/** A layer is the upper directory that its set-up leaves on the base. */
const buildLayer = async (layer: Layer, directory: string, base: string, proxy: string): Promise<void> => {
  const fill = async (root: string): Promise<void> => {
    await inside(root, proxy, [
      "apt-get",
      "install",
      "--yes",
      "--no-install-recommends",
      "--quiet=2",
      ...(await packages(layer)),
    ]);
    await setUp(layer, root, proxy);
  };
  try {
    await ensureOverlay(directory, async () => [base], fill);
  } finally {
    await unmountOverlay(directory);
  }
};

const setUp = async (layer: Layer, root: string, proxy: string): Promise<void> => {
  if (existsSync(recipe(layer, "root"))) await cp(recipe(layer, "root"), root, { recursive: true });
  if (existsSync(recipe(layer, "setup.sh"))) await inside(root, proxy, ["sh"], recipe(layer, "setup.sh"));
  await inside(root, proxy, ["apt-get", "clean"]);
};

/** Runs a command in the new file system: no service starts, and ufw, being inactive, only writes files. */
const inside = async (root: string, proxy: string, command: string[], inputFile = "/dev/null"): Promise<void> => {
  const policy = join(root, "usr/sbin/policy-rc.d");
  const aptConfig = join(root, "etc/apt/apt.conf.d/99lab-build");
  await writeFile(policy, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  await writeFile(aptConfig, `Acquire::http::Proxy "${proxy}";\n`);
  const script = 'mount -t proc proc "$1/proc" && root=$1 && shift && exec chroot "$root" "$@"';
  try {
    await execa("unshare", ["--mount", "--pid", "--fork", "--kill-child", "sh", "-c", script, "sh", root, ...command], {
      inputFile,
      env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", HOME: "/root", LANG: "C.UTF-8", DEBIAN_FRONTEND: "noninteractive" },
      extendEnv: false,
    });
  } finally {
    await rm(policy);
    await rm(aptConfig);
  }
};
