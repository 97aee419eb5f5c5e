import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { cachedDirectory } from "../lab/cache.ts";

const requirements = join(import.meta.dirname, "python-requirements.txt");

/** ruff, mypy and pytest from PyPI, in the cache; the path of ruff, and what makes `python3 -m` find the others. */
export const pythonTools = async (): Promise<{ ruff: string; environment: Record<string, string> }> => {
  const { stdout: version } = await execa("python3", ["--version"]);
  const key = createHash("sha256")
    .update(version)
    .update(await readFile(requirements))
    .digest("hex")
    .slice(0, 12);
  const directory = await cachedDirectory(`python-tools-${key}`, async (target) => {
    await execa("python3", ["-m", "pip", "install", "--quiet", "--target", target, "--requirement", requirements]);
  });
  return { ruff: join(directory, "bin", "ruff"), environment: { PYTHONPATH: directory, PYTHONDONTWRITEBYTECODE: "1" } };
};
