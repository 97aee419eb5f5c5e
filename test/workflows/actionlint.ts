import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { cachedDirectory } from "../../lab/cache.ts";

const checkout = join(import.meta.dirname, "../..");

/** actionlint, built from its Go module in the cache; its path. */
export const actionlint = async (): Promise<string> => {
  const sums = await readFile(join(import.meta.dirname, "go.sum"));
  const key = createHash("sha256").update(sums).digest("hex").slice(0, 12);
  const directory = await cachedDirectory(`actionlint-${key}`, async (target) => {
    const argv = ["../test/workflows", "github.com/rhysd/actionlint/cmd/actionlint", join(target, "actionlint")];
    await execa(join(checkout, "toolchain/build-go"), argv);
  });
  return join(directory, "actionlint");
};
