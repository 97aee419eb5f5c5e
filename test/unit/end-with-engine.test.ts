import { execa } from "execa";
import { expect, test } from "vitest";

const program = `
import { endWithEngine } from "${new URL("../../hosts/end-with-engine.ts", import.meta.url)}";
if (process.argv[1] === "ends") endWithEngine();
process.on("uncaughtException", (error) => console.error(error)); // as Pulumi's library does
setInterval(() => console.log("a line"), 1);
`;

test("a program whose engine was killed ends at its first line, and does not go on printing why it cannot print", async () => {
  const child = execa("node", ["--input-type=module", "--eval", program, "ends"], { reject: false, timeout: 30_000 });
  child.stdout.once("data", () => {
    child.stdout.destroy();
    child.stderr.destroy();
  });
  const { exitCode, timedOut } = await child;
  expect({ exitCode, timedOut }).toEqual({ exitCode: 1, timedOut: false });
});
