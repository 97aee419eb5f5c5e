/** `npm run comment -- REPORT.json…`: one comment on a pull request for all its stacks, written over the last one. */
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Place, placeOf } from "../report/comment/place.ts";
import { publish } from "../report/comment/publish.ts";
import { ServiceError } from "../report/comment/service.ts";
import { commentText } from "../report/comment/text.ts";
import { type Report, reportSchema } from "../report/report.ts";
import { failWith } from "./fail.ts";
import { project } from "./project.ts";

const usage = `npm run comment -- [REPORT.json …] [--stack STACK …] [--commit COMMIT] [--url URL] [--markdown FILE]
                   [--repository OWNER/NAME] [--pull-request NUMBER] [--author LOGIN]

Writes one comment on a pull request at GitHub, or a merge request at GitLab, from reports of npm run report --json.
A comment of an earlier run is written over, one of a later run stays.  The token comes from GITHUB_TOKEN or GITLAB_TOKEN,
the rest from CI's environment where no option says it.

--stack     a stack that should have a report: without one, the comment says so
--commit    the pull request's commit, for the reader
--url       where all of it is.  Default: the CI run's page
--markdown  also writes the text to a file
--author    the token's account, where the token may not ask.  Default: whom the service names, or github-actions[bot]
Exit code: 0 written, or a later run has; 1 an error, and the comment's text is kept in a file.`;

const reportOf = async (file: string): Promise<Report> => {
  const text = await readFile(file, "utf8").catch((error: Error) => {
    throw new Error(`${file}: cannot be read: ${error.message}`);
  });
  const { data, success } = reportSchema.safeParse(jsonOf(text));
  if (!success)
    throw new Error(`${file}: is no report of this version. Make it anew: npm run report -- --json ${file}`);
  return data;
};

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

const options = {
  stack: { type: "string", multiple: true },
  commit: { type: "string" },
  url: { type: "string" },
  markdown: { type: "string" },
  repository: { type: "string" },
  "pull-request": { type: "string" },
  author: { type: "string" },
  help: { type: "boolean" },
} as const;

/** Writes the comment as the command's arguments and CI's environment say. Resolves to the line that says what came of it. */
export const comment = async (argv: string[], environment = process.env): Promise<string> => {
  const { values, positionals } = parseArgs({ args: argv, options, allowPositionals: true });
  if (values.help) return usage;
  const reports = await Promise.all(positionals.map(reportOf));
  const missing = (values.stack ?? []).filter((name) => !reports.some(({ stack }) => stack === name));
  const { comments, url, run, remedies } = placeOf(values, environment);
  const made =
    reports
      .map((report) => report.made)
      .toSorted()
      .at(-1) ?? `${new Date().toISOString().slice(0, 19)}Z`;
  const marker = { project: project(), made, commit: values.commit ?? "", run };
  const text = commentText({ reports, missing, marker, limit: comments.limit, url });
  if (values.markdown) await writeFile(values.markdown, text);
  try {
    const { outcome, url: page } = await publish(comments, text, reports.length + missing.length > 0);
    return `${comments.name}: ${outcome}${page ? `, ${page}` : ""}`;
  } catch (error) {
    const file = values.markdown ?? join(await mkdtemp(join(tmpdir(), "jtel-chat-comment-")), "comment.md");
    await writeFile(file, text);
    throw new Error(`${comments.name}: ${failure(error as Error, remedies)}\nThe comment's text is kept in ${file}`);
  }
};

/** What, why, remedy. */
const failure = (error: Error, remedies: Place["remedies"]): string => {
  if (!(error instanceof ServiceError)) return `no comment was written: ${error.message}`;
  const { status, retryAfter, message } = error;
  if (status === 429 || (status === 403 && retryAfter !== undefined))
    return `no comment was written: too many requests (${status}: ${message}). Try again later`;
  if (status === 0) return `no comment was written: the service does not answer (${message}). Try again later`;
  const remedy = remedies[status] ?? (status >= 500 ? "The service has an error. Try again later" : "");
  return [`no comment was written (${status}: ${message})`, remedy].filter(Boolean).join(". ");
};

if (import.meta.main) comment(process.argv.slice(2)).then(console.log).catch(failWith);
