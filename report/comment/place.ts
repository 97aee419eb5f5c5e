import { readFileSync } from "node:fs";
import { gitHubComments } from "./github.ts";
import { gitLabComments } from "./gitlab.ts";
import type { Comments } from "./service.ts";

/** What a person may say instead of CI's environment. */
export interface Options {
  repository?: string | undefined;
  "pull-request"?: string | undefined;
  url?: string | undefined;
  author?: string | undefined;
}

/** The pull request that a comment is for, as CI's environment and options say. */
export interface Place {
  comments: Comments;
  /** The page of the CI run; undefined outside CI. */
  url: string | undefined;
  /** The CI run's number, which a later run's exceeds; 0 outside CI. */
  run: number;
  /** What helps, by the status of an answer. */
  remedies: Record<number, string>;
}

type Environment = Record<string, string | undefined>;

/**
 * Finds the pull request at GitHub, or the merge request at GitLab.
 *
 * @throws Error that names the option for what the environment does not say.
 */
export const placeOf = (options: Options, environment: Environment): Place => {
  if (environment.GITLAB_CI || (environment.GITLAB_TOKEN && !environment.GITHUB_ACTIONS && !environment.GITHUB_TOKEN))
    return gitLab(options, environment);
  return gitHub(options, environment);
};

const gitHub = (options: Options, environment: Environment): Place => {
  const token = required(
    environment.GITHUB_TOKEN,
    "GITHUB_TOKEN (or GITLAB_TOKEN for GitLab) is not set. In a workflow, give the step github.token under this name",
  );
  const repository = required(
    options.repository ?? environment.GITHUB_REPOSITORY,
    "--repository OWNER/NAME is missing",
  );
  const number = numberOf(options["pull-request"] ?? eventNumber(environment.GITHUB_EVENT_PATH));
  const api = environment.GITHUB_API_URL ?? "https://api.github.com";
  const run = environment.GITHUB_RUN_ID;
  const page = run && `${environment.GITHUB_SERVER_URL ?? "https://github.com"}/${repository}/actions/runs/${run}`;
  return {
    comments: gitHubComments({ api, repository, number, token, author: options.author }),
    url: pageOf(options.url ?? page),
    run: Number(run ?? 0),
    remedies: {
      200: `Is ${api} the API, and no page of a proxy? GITHUB_API_URL sets it, for GitHub Enterprise https://HOST/api/v3`,
      401: "The token in GITHUB_TOKEN is not valid, or has expired",
      403: "The token may not comment. In a workflow: permissions: pull-requests: write; for a token of your own: the right to write pull requests",
      404: `Is there a pull request ${number} in ${repository}, and may the token see it? --repository and --pull-request say another`,
    },
  };
};

const gitLab = (options: Options, environment: Environment): Place => {
  const token = required(
    environment.GITLAB_TOKEN,
    "GITLAB_TOKEN is not set. Make a project access token with the scope api and the role Reporter: CI_JOB_TOKEN may not comment",
  );
  const project = required(options.repository ?? environment.CI_PROJECT_ID, "--repository GROUP/PROJECT is missing");
  const number = numberOf(options["pull-request"] ?? environment.CI_MERGE_REQUEST_IID);
  const server = environment.CI_SERVER_URL ?? "https://gitlab.com";
  return {
    comments: gitLabComments({ server, project, number, token }),
    url: pageOf(options.url ?? environment.CI_PIPELINE_URL),
    run: Number(environment.CI_PIPELINE_ID ?? 0),
    remedies: {
      200: `Is ${server} a GitLab, and no page of a proxy? CI_SERVER_URL sets it`,
      401: "The token in GITLAB_TOKEN is not valid, or has expired",
      403: "The token may not comment. It needs the scope api, and at least the role Reporter in the project",
      404: `Is there a merge request ${number} in ${project}, and may the token see it? --repository and --pull-request say another`,
    },
  };
};

const required = (value: string | undefined, otherwise: string): string => {
  if (!value) throw new Error(otherwise);
  return value;
};

const numberOf = (value: string | undefined): number => {
  if (!value) throw new Error("no pull request is known. Run in a pull request's job, or say --pull-request NUMBER");
  if (!/^[1-9][0-9]*$/.test(value)) throw new Error(`--pull-request ${value}: is no number of a pull request, e.g. 7`);
  return Number(value);
};

/** The number in the event that GitHub has started the workflow for. */
const eventNumber = (file: string | undefined): string | undefined => {
  if (!file) return undefined;
  const event: { pull_request?: { number: number } } = JSON.parse(readFileSync(file, "utf8"));
  return event.pull_request && String(event.pull_request.number);
};

/** As a link's target in Markdown: without what would end it. */
const pageOf = (url: string | undefined): string | undefined => {
  if (url && !URL.canParse(url)) throw new Error(`--url ${url}: is no URL, e.g. https://ci.example/runs/7`);
  return url && new URL(url).href;
};
