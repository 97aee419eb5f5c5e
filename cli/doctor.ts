/** `npm run doctor [-- --stack STACK]`: what keeps Pulumi from working on this machine, each with its remedy. */
import { styleText } from "node:util";
import { findings } from "../doctor/checks.ts";
import { collected } from "../doctor/collect.ts";
import { commandLine } from "./command-line.ts";
import { failWith } from "./fail.ts";

const usage = `npm run doctor [-- --stack STACK] [--json]

Says what is wrong on the machine that runs Pulumi: tools and versions, plugins, backend (of one of files its lock, too), secrets,
ssh agent, proxy, clock; with --stack also that stack's file and secrets, and the route to its hosts.  Changes nothing and logs in to no host: what
is wrong on a host, pulumi preview says.
Exit code: 0 nothing is wrong, 1 something is.`;

const main = async (): Promise<void> => {
  const { values } = commandLine(usage, {
    options: { stack: { type: "string" }, json: { type: "boolean" } },
  });
  const found = findings(await collected(process.cwd(), values.stack));
  const wrong = found.filter(({ works }) => !works);
  const line = ({ about, text, works }: (typeof found)[number]): string =>
    `${styleText(works ? "yellow" : "red", works ? "!" : "✗")} ${about}: ${text}`;
  if (values.json) console.log(JSON.stringify(found, null, 1));
  else console.log(found.length ? found.map(line).join("\n") : "nothing is wrong here");
  process.exitCode = wrong.length ? 1 : 0;
};

if (import.meta.main) main().catch(failWith);
