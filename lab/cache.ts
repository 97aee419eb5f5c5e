import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";

/** Where everything expensive is kept, outside the checkout: `$JTEL_CHAT_CACHE`, else `jtel-chat` in the user's cache. */
export const cacheRoot =
  process.env.JTEL_CHAT_CACHE || join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "jtel-chat");

/**
 * Gives the directory `entry` of the cache; `build` fills it the first time. It gets its name only when it is complete, so that
 * an interrupted build leaves nothing that looks finished.
 */
export const cachedDirectory = async (entry: string, build: (directory: string) => Promise<void>): Promise<string> => {
  const directory = join(cacheRoot, entry);
  if (existsSync(directory)) return directory;
  const unfinished = `${directory}.${randomUUID()}.unfinished`;
  await mkdir(dirname(unfinished), { recursive: true });
  try {
    await mkdir(unfinished);
    await build(unfinished);
    await rename(unfinished, directory);
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  return directory;
};

/**
 * Gives the text of a module that builds an entry, without the paths of its imports: it becomes part of the entry's key, and a
 * renamed folder shall build nothing anew.
 */
export const recipeText = async (module: string): Promise<string> =>
  (await readFile(module, "utf8")).replaceAll(/^import [^;]*;\n/gm, "");
