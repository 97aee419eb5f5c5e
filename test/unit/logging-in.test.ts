import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

/** Where the program's modules are. */
const root = join(import.meta.dirname, "../..");

/** Loads what Pulumi's language host loads before a program, then modules of ours; prints what that has loaded of Pulumi's library. */
const script = `
const { createRequire } = await import("node:module");
const require = createRequire(${JSON.stringify(`${root}/index.ts`)});
for (const part of ["errors", "log", "runtime/settings", "runtime/stack"]) require("@pulumi/pulumi/" + part);
const before = new Set(Object.keys(require.cache));
for (const ours of process.argv.slice(1)) await import(ours);
const loaded = Object.keys(require.cache).filter((file) => file.includes("@pulumi") && !before.has(file));
console.log(JSON.stringify(loaded));
`;

const loadedBy = (...ours: string[]): string[] => {
  const files = ours.map((file) => join(root, file));
  const argv = ["--input-type=module", "--eval", script, ...files];
  return JSON.parse(execFileSync(process.execPath, argv, { encoding: "utf8" }));
};

test("hosts are logged in to before Pulumi's whole library is loaded", () => {
  const program = readFileSync(join(root, "index.ts"), "utf8");
  const first = [...program.matchAll(/^import .* from "(.*)";$/gm)].map(([, file = ""]) => file);
  expect(first).toContain("./hosts/look/look.ts");
  expect(loadedBy(...first)).toEqual([]);
});

test("the rest of the program loads it", () => {
  expect(loadedBy("topologies/topologies.ts").length).toBeGreaterThan(50);
});
