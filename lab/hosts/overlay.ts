import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { until } from "../deadline.ts";

/** A host's file system: what it writes lies in `directory`, over the image's layers. */
export const overlayRoot = (directory: string): string => join(directory, "root");

/** What has been written to it. */
export const upperDirectory = (directory: string): string => join(directory, "upper");

/**
 * Mounts a host's overlay. A new one is made over `layers` and completed by `fill`. One that is there keeps the layers that it
 * was made on, unless `fill` was interrupted: then it is made anew.
 */
export const ensureOverlay = async (
  directory: string,
  layers: () => Promise<string[]>,
  fill: (root: string) => Promise<void>,
): Promise<void> => {
  const root = overlayRoot(directory);
  const filled = join(directory, "filled");
  if (existsSync(filled)) return mount(directory, await readFile(filled, "utf8"));
  await removeOverlay(directory);
  const lower = (await layers()).join(":");
  await mount(directory, lower);
  await fill(root);
  await writeFile(filled, lower);
};

const mount = async (directory: string, lower: string): Promise<void> => {
  const [upper, work, root] = [upperDirectory(directory), join(directory, "work"), overlayRoot(directory)];
  if (await isMounted(root)) return;
  for (const part of [upper, work, root]) await mkdir(part, { recursive: true });
  // Hosts live for hours: speed before durability. The kernel marks such an overlay, and mounts none that is marked.
  await rm(join(work, "work/incompat"), { recursive: true, force: true });
  const places = `lowerdir=${lower},upperdir=${upper},workdir=${work}`;
  await execa("mount", ["-t", "overlay", "overlay", "-o", `${places},volatile`, root]);
};

export const unmountOverlay = async (directory: string): Promise<void> => {
  const root = overlayRoot(directory);
  if (!(await isMounted(root))) return;
  // On a loaded machine it was seen to stay busy for a moment after the host's last process had ended.
  await until(`unmounting of ${root}`, 10, () => execa("umount", [root]));
};

/** Unmounts the overlay and forgets what was written to it. */
export const removeOverlay = async (directory: string): Promise<void> => {
  await unmountOverlay(directory);
  await rm(directory, { recursive: true, force: true });
};

const isMounted = async (directory: string): Promise<boolean> => {
  const mounts = await readFile("/proc/self/mounts", "utf8");
  return mounts.split("\n").some((line) => line.split(" ")[1] === directory);
};
