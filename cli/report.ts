/** `npm run report -- --stack STACK`: what an `up` would do, and what the hosts say, from one `pulumi preview`. */
import { writeFile } from "node:fs/promises";
import { ciRun } from "../hosts/look/ci-run.ts";
import { makeReport } from "../report/make.ts";
import { markdown } from "../report/markdown.ts";
import { preview } from "../report/preview.ts";
import { exitCodes } from "../report/report.ts";
import { terminal } from "../report/terminal.ts";
import { commandLine } from "./command-line.ts";
import { configFile } from "./config-file.ts";
import { failWith } from "./fail.ts";
import { project } from "./project.ts";

const usage = `npm run report -- --stack STACK [--json FILE] [--markdown FILE] [--config-file FILE]

Shows what pulumi up would do, and what the hosts say.  Changes nothing.
Exit code: 0 nothing to do, 2 changes or drift, 3 a host was not seen, 1 an error.`;

const main = async (): Promise<void> => {
  const { values } = commandLine(usage, {
    options: {
      stack: { type: "string" },
      json: { type: "string" },
      markdown: { type: "string" },
      "config-file": { type: "string" },
    },
  });
  if (!values.stack) throw new Error(usage);
  const made = `${new Date().toISOString().slice(0, 19)}Z`;
  const argv = configFile(values["config-file"]);
  const heading = { project: project(), stack: values.stack, made, run: await ciRun() };
  const report = makeReport(await preview(values.stack, argv), heading);
  if (values.json) await writeFile(values.json, `${JSON.stringify(report, null, 1)}\n`);
  if (values.markdown) await writeFile(values.markdown, markdown(report));
  console.log(terminal(report));
  process.exitCode = exitCodes[report.verdict];
};

main().catch(failWith);
