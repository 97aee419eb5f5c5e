import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

/** What the program consists of: files and folders of the checkout. `cli`, `docs` and the lab are not part of it. */
const program = [
  ...["index.ts", "package.json", "package-lock.json", "Pulumi.yaml", "tsconfig.json"],
  ...["approval", "components", "config", "host-tool", "hosts", "render", "templates", "topologies", "tyntec"],
];

const checkout = join(import.meta.dirname, "..");

/**
 * The program's files by content, a line each: `file index.ts 1f0c…` (SHA-256). A commit's id is in none of them: a merge
 * makes another one of the same content.
 */
export const programLines = (): string[] => {
  const files = readdirSync(checkout, { withFileTypes: true })
    .filter(({ name }) => program.includes(name))
    .flatMap((entry) => (entry.isDirectory() ? filesBelow(entry.name) : [entry.name]));
  return files.sort().map((name) => `file ${name} ${sha256(readFileSync(join(checkout, name)))}`);
};

const filesBelow = (folder: string): string[] =>
  readdirSync(join(checkout, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith(".pyc"))
    .map((entry) => relative(checkout, join(entry.parentPath, entry.name)));

/** The digest that approvals are made of: 64 hexadecimal digits. */
export const sha256 = (content: string | Buffer): string => createHash("sha256").update(content).digest("hex");
