/** `npm run drift -- --stack STACK | --all`: what was changed on hosts by hand, without an engine and its lock. */
import { rename, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { styleText } from "node:util";
import pLimit from "p-limit";
import { agentSocketOf, hostsOf } from "../config/hosts.ts";
import { offlineDeployment, stackFilesHere } from "../config/offline.ts";
import type { Deployment } from "../config/schema.ts";
import { understood } from "../hosts/look/answer.ts";
import type { SeenHost } from "../hosts/look/look-at-host.ts";
import { observeCommand } from "../hosts/look/look-command.ts";
import { type ObservedHost, observeRequest } from "../hosts/look/question.ts";
import { ssh } from "../hosts/ssh/ssh.ts";
import { toolPath } from "../render/tool.ts";
import { prometheus } from "../report/prometheus.ts";
import { type DriftReport, exitCodes } from "../report/report.ts";
import { factsOf, said } from "../report/seen.ts";
import { saidLines } from "../report/terminal.ts";
import { commandLine } from "./command-line.ts";
import { failWith } from "./fail.ts";

const usage = `npm run drift -- --stack STACK | --config-file FILE | --all   [--json FILE] [--prometheus FILE]

Says what was changed by hand on the hosts since the last pulumi up.  Reads only, and needs no Pulumi: one ssh connection a host,
with the account in JTEL_CHAT_OBSERVE_USER or that of the stack file.  --all takes every Pulumi.*.yaml here of which Pulumi has made
a stack.
Exit code: 0 as applied, 2 drift, 3 a host was not seen, 1 an error.`;

/** Hosts that are asked at a time. */
const atATime = pLimit(32);

/** Looks at the hosts of one stack file. */
export const driftOf = async (file: string, look = observe): Promise<DriftReport> => {
  const stack = basename(file)
    .replace(/^Pulumi\./, "")
    .replace(/\.yaml$/, "");
  const heading = { format: 1, stack, made: `${new Date().toISOString().slice(0, 19)}Z` } as const;
  const nothing = { hosts: [], unseen: [], drift: [], warnings: [], certificates: [], servers: [] };
  let deployment: Deployment;
  try {
    deployment = offlineDeployment(file);
  } catch (error) {
    return { ...heading, verdict: "failed", problem: (error as Error).message, ...nothing };
  }
  const hosts = await Promise.all(observedHosts(deployment).map((host) => atATime(() => look(host))));
  const hostsSaid = said(hosts);
  const verdict = hostsSaid.unseen.length ? "unseen" : hostsSaid.drift.length ? "changes" : "nothing";
  return {
    ...heading,
    verdict,
    ...hostsSaid,
    certificates: hosts.flatMap(certificates),
    servers: hosts.flatMap(servers),
  };
};

const observedHosts = (deployment: Deployment): ObservedHost[] => {
  const user = process.env.JTEL_CHAT_OBSERVE_USER || deployment.ssh.user;
  const agentSocket = agentSocketOf(deployment);
  return hostsOf(deployment).map((host) => ({ ...host, user, agentSocket }));
};

/** Has one host compare itself with what was applied, over one ssh connection. */
export const observe = async (host: ObservedHost): Promise<SeenHost> => {
  const { answer, problem } = understood(
    host,
    await ssh(host, observeCommand, observeRequest([])),
    [],
    `${toolPath} observe`,
  );
  const { name } = host;
  return answer ? { name, answers: answer.steps, problems: [] } : { name, answers: {}, problems: [], unseen: problem };
};

const certificates = ({ name, answers }: SeenHost) =>
  Object.values(answers).flatMap(({ facts }) =>
    Object.entries(factsOf(facts, "days")).map(([path, days]) => ({ host: name, path, days: Number(days) })),
  );

const servers = ({ name, answers }: SeenHost) => {
  const facts = answers["messenger-running"]?.facts;
  if (!facts) return [];
  const [sessions] = Object.values(factsOf(facts, "sessions"));
  const [owed = ""] = Object.values(factsOf(facts, "owed"));
  const [, there, wanted] = /^(\d+)\/(\d+)$/.exec(Object.values(factsOf(facts, "members"))[0] ?? "") ?? [];
  const members = there && wanted ? { members: { there: Number(there), wanted: Number(wanted) } } : {};
  return [{ host: name, sessions: Number(sessions ?? 0), owed, ...members }];
};

const shown = ({ stack, verdict, problem, ...rest }: DriftReport): string => {
  const words = { nothing: "as applied", changes: "drift", unseen: "not seen", failed: problem ?? "failed" };
  return [styleText("bold", `${stack}: ${words[verdict]}`), ...saidLines(rest)].join("\n");
};

/** The gravest of all stacks' verdicts decides. */
const exitCode = (reports: DriftReport[]): number => {
  const verdicts = reports.map(({ verdict }) => verdict);
  const gravest = (["failed", "unseen", "changes"] as const).find((verdict) => verdicts.includes(verdict));
  return exitCodes[gravest ?? "nothing"];
};

/** Whole or not at all: a collector may read it at any time. */
const writeWhole = async (file: string, text: string): Promise<void> => {
  await writeFile(`${file}.new`, text);
  await rename(`${file}.new`, file);
};

const stackFiles = ({ stack, file, all }: { stack?: string; file?: string; all?: boolean }): string[] => {
  if (all) return stackFilesHere();
  if (file) return [file];
  if (stack) return [`Pulumi.${stack}.yaml`];
  throw new Error(usage);
};

const main = async (): Promise<void> => {
  const { values } = commandLine(usage, {
    options: {
      stack: { type: "string" },
      "config-file": { type: "string" },
      all: { type: "boolean" },
      json: { type: "string" },
      prometheus: { type: "string" },
    },
  });
  const { stack, all, json, prometheus: metrics, "config-file": file } = values;
  const files = stackFiles({ ...(stack && { stack }), ...(file && { file }), ...(all && { all }) });
  if (!files.length) throw new Error("drift: there is no Pulumi.<stack>.yaml here of which Pulumi has made a stack");
  const reports = await Promise.all(files.map((each) => driftOf(each)));
  if (json) await writeWhole(json, `${JSON.stringify(reports, null, 1)}\n`);
  if (metrics) await writeWhole(metrics, prometheus(reports));
  console.log(reports.map(shown).join("\n"));
  process.exitCode = exitCode(reports);
};

if (import.meta.main) main().catch(failWith);
