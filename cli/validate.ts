/** `npm run validate`: checks stack files without Pulumi, one by one and against each other. */
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { isMap, isScalar, LineCounter, parseDocument } from "yaml";
import { check } from "../config/check.ts";
import { hiddenValuesIn, plainSecretsIn, stackFilesHere, stackFileValues } from "../config/offline.ts";
import type { Deployment } from "../config/schema.ts";
import { commandLine } from "./command-line.ts";
import { failWith } from "./fail.ts";

const usage = `npm run validate [-- FILE…] [--format text|json|github|gitlab]

Checks stack files offline: every value, values against each other, and stacks against each other.  Without files, all
Pulumi.*.yaml here of which Pulumi has made a stack.
Exit code: 0 no problems, 1 problems.`;

/** One problem at its place. */
export interface Finding {
  file: string;
  line: number;
  /** Path of the key below `jtel-chat:`, e.g. `chatServers[1].address`; empty for the whole file. */
  key: string;
  /** Reason and remedy. */
  text: string;
}

interface Checked {
  file: string;
  text: string;
  deployment: Deployment | undefined;
  findings: Finding[];
}

/** Checks files, sorted by file and line. */
export const validate = (files: string[]): Finding[] => {
  const checked = files.map(checkFile);
  return [...checked.flatMap(({ findings }) => findings), ...between(checked)].sort(
    (one, other) => one.file.localeCompare(other.file) || one.line - other.line,
  );
};

const checkFile = (file: string): Checked => {
  const text = readFileSync(file, "utf8");
  const lines = new LineCounter();
  const [wrong] = parseDocument(text, { lineCounter: lines }).errors;
  if (wrong) {
    const finding = { file, line: lines.linePos(wrong.pos[0]).line, key: "", text: wrong.message.split("\n")[0] ?? "" };
    return { file, text, deployment: undefined, findings: [finding] };
  }
  const found = check(stackFileValues(text));
  const problems = [...("problems" in found ? found.problems : []), ...plainSecretsIn(text), ...hiddenValuesIn(text)];
  return {
    ...{ file, text, deployment: "deployment" in found ? found.deployment : undefined },
    findings: problems.map((problem) => ({ file, line: lineOf(text, problem.key), ...problem })),
  };
};

/** What only one stack can have. */
const owned = ({ loadBalancers, chatServers, whatsapp }: Deployment): { key: string; what: string }[] => [
  ...loadBalancers.map(({ address }, index) => ({ key: `loadBalancers[${index}].address`, what: `host ${address}` })),
  ...chatServers.map(({ address }, index) => ({ key: `chatServers[${index}].address`, what: `host ${address}` })),
  ...(whatsapp ? [{ key: "whatsapp.serviceNumber", what: `WhatsApp number ${whatsapp.serviceNumber}` }] : []),
];

/** Finds what two stacks have both: a host belongs to one, and so does an account at TynTec, whose number tells it. */
const between = (checked: Checked[]): Finding[] => {
  const all = checked.flatMap(({ file, text, deployment }) =>
    (deployment ? owned(deployment) : []).map((each) => ({ file, text, ...each })),
  );
  return [...Map.groupBy(all, ({ what }) => what).values()].flatMap((same) => {
    const files = new Set(same.map(({ file }) => file));
    if (files.size < 2) return [];
    return same.map(({ file, text, key, what }) => {
      const others = [...files].filter((each) => each !== file).map((each) => basename(each));
      return {
        file,
        line: lineOf(text, key),
        key,
        text: `${what} is in ${others.join(", ")}, too. It belongs to one stack: take it out of the other`,
      };
    });
  });
};

/** The line of a key, or of the deepest one above it that the file has; 1 where there is none. */
const lineOf = (text: string, key: string): number => {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, keepSourceTokens: true });
  const [first = "", ...rest] = key.split(/[.[\]]+/).filter(Boolean);
  const path = ["config", `jtel-chat:${first}`, ...rest.map((part) => (/^\d+$/.test(part) ? Number(part) : part))];
  let line = 1;
  for (let length = 1; length <= path.length; length++) {
    const parent = document.getIn(path.slice(0, length - 1), true);
    const pair = isMap(parent)
      ? parent.items.find(({ key: name }) => isScalar(name) && name.value === path[length - 1])
      : undefined;
    const node = pair?.key ?? document.getIn(path.slice(0, length), true);
    const range = (node as { range?: [number, number, number] } | undefined)?.range;
    if (!range) break;
    line = lines.linePos(range[0]).line;
  }
  return line;
};

const formats = {
  text: (findings: Finding[]) =>
    findings.map(({ file, line, key, text }) => `${file}:${line}: ${key && `jtel-chat:${key}: `}${text}`).join("\n"),
  json: (findings: Finding[]) => JSON.stringify(findings, null, 1),
  /** Workflow commands of GitHub Actions: properties escape `,` and `:`, too. */
  github: (findings: Finding[]) =>
    findings
      .map(({ file, line, key, text }) => `::error file=${property(file)},line=${line}::${data(`${key}: ${text}`)}`)
      .join("\n"),
  /** GitLab's code quality report. */
  gitlab: (findings: Finding[]) =>
    JSON.stringify(
      findings.map(({ file, line, key, text }) => ({
        ...{ description: `${key}: ${text}`, check_name: "jtel-chat", severity: "major" },
        fingerprint: Buffer.from(`${file}:${key}:${text}`).toString("base64url"),
        location: { path: file, lines: { begin: line } },
      })),
      null,
      1,
    ),
};

const data = (text: string): string => text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
const property = (text: string): string => data(text).replaceAll(":", "%3A").replaceAll(",", "%2C");

const main = (): void => {
  const { values, positionals } = commandLine(usage, {
    options: { format: { type: "string", default: "text" } },
    allowPositionals: true,
  });
  const format = formats[values.format as keyof typeof formats];
  if (!format) throw new Error(usage);
  const files = positionals.length ? positionals : stackFilesHere();
  const findings = validate(files);
  const said = format(findings);
  if (said) console.log(said);
  if (values.format === "text") console.error(`${files.length} stack files, ${findings.length} problems`);
  process.exitCode = findings.length ? 1 : 0;
};

if (import.meta.main) {
  try {
    main();
  } catch (error) {
    failWith(error as Error);
  }
}
