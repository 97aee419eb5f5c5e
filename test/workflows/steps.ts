import { readdirSync, readFileSync } from "node:fs";
import { loadAll } from "js-yaml";

/** What one job does in a shell, as CI puts it together. */
export interface Script {
  /** E.g. `github/preview.yaml preview`. */
  name: string;
  text: string;
}

const folder = new URL("../../examples/ci/", import.meta.url);

/** The workflow files, e.g. `github/preview.yaml`. */
export const workflows = ["github", "gitlab"].flatMap((service) =>
  readdirSync(new URL(`${service}/`, folder)).map((file) => `${service}/${file}`),
);

export const pathOf = (file: string): string => new URL(file, folder).pathname;
export const textOf = (file: string): string => readFileSync(pathOf(file), "utf8");

interface Step {
  id?: string;
  name?: string;
  uses?: string;
  run?: string;
}

interface GitHubJob {
  uses?: string;
  steps?: Step[];
}

type Lines = (string | Lines)[];

interface GitLabJob {
  before_script?: Lines;
  script?: Lines;
  extends?: string;
}

/** GitLab's own tag and its inputs are put in as it does. */
const documents = (file: string): Record<string, unknown>[] =>
  loadAll(
    textOf(file).replaceAll("$[[ inputs.stack ]]", "acme").replaceAll("!reference [", '["!reference", '),
  ) as Record<string, unknown>[];

const jobsOf = <Job>(file: string): [string, Job][] => {
  const document = documents(file).at(-1) ?? {};
  return Object.entries((file.startsWith("github") ? document.jobs : document) as Record<string, Job>);
};

/** What actions a workflow at GitHub uses. */
export const actionsOf = (file: string): string[] =>
  jobsOf<GitHubJob>(file).flatMap(([, { uses, steps = [] }]) =>
    [uses, ...steps.map((step) => step.uses)].flatMap((each) => each ?? []),
  );

/** The shell of every job: at GitHub of every step, at GitLab of both its scripts. */
export const scripts = workflows.flatMap((file): Script[] =>
  file.startsWith("github") ? gitHubScripts(file) : gitLabScripts(file),
);

/** The script with this name. */
export const script = (name: string): string => {
  const found = scripts.find((each) => each.name === name);
  if (!found) throw new Error(`no script ${name}. There are: ${scripts.map((each) => each.name).join("; ")}`);
  return found.text;
};

function gitHubScripts(file: string): Script[] {
  return jobsOf<GitHubJob>(file).flatMap(([job, { steps = [] }]) =>
    steps.flatMap(({ id, name, run }) => (run ? [{ name: `${file} ${job}: ${name ?? id}`, text: run }] : [])),
  );
}

function gitLabScripts(file: string): Script[] {
  const jobs = jobsOf<GitLabJob>(file);
  const named = new Map(jobs);
  const linesOf = (lines: Lines = []): string[] =>
    lines.flatMap((line) => {
      if (typeof line === "string") return [line];
      const [tag, job, key] = line;
      return tag === "!reference" ? linesOf(named.get(String(job))?.[key as "script"]) : linesOf(line);
    });
  return jobs
    .filter(([name, { script: lines, extends: base }]) => !name.startsWith(".") && (lines || base))
    .map(([name, job]) => {
      const whole = { ...named.get(job.extends ?? ""), ...job };
      return { name: `${file} ${name}`, text: [...linesOf(whole.before_script), ...linesOf(whole.script)].join("\n") };
    });
}
