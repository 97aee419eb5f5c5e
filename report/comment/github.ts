import { Octokit } from "@octokit/rest";
import { z } from "zod";
import {
  answered,
  answerWithin,
  type Comments,
  fetchProxied,
  type Posted,
  ServiceError,
  secondsOf,
} from "./service.ts";

/** Where the pull request is, and who writes. */
export interface GitHubPlace {
  /** E.g. `https://api.github.com`. */
  api: string;
  /** E.g. `acme/chat`. */
  repository: string;
  number: number;
  token: string;
  /** The account's login where the token does not say whose it is. */
  author: string | undefined;
}

/** Who writes with the token of a workflow. That one may not ask for its account. */
const workflowAuthor = "github-actions[bot]";

const account = z.object({ login: z.string() });
const comment = z.object({ id: z.int(), body: z.string().default(""), html_url: z.string(), user: account.nullable() });

/** The comments of a pull request at GitHub. Only the account's own count: with a marker, too, somebody else's is not ours. */
export const gitHubComments = ({ api, repository, number, token, author }: GitHubPlace): Comments => {
  const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const limited = (url: string, init: RequestInit) =>
    fetchProxied(url, { ...init, signal: AbortSignal.timeout(answerWithin) });
  const octokit = new Octokit({ auth: token, baseUrl: api, log, request: { fetch: limited } });
  const [owner = "", repo = ""] = repository.split("/");
  const place = { owner, repo };

  const whoWrites = async (): Promise<string> => {
    try {
      return answered(account, (await octokit.rest.users.getAuthenticated()).data).login;
    } catch (error) {
      if ((error as { status?: number }).status === 403 && retryAfterOf(error) === undefined) return workflowAuthor;
      throw error;
    }
  };

  return {
    name: `${repository}#${number}`,
    limit: 65_536,
    own: () =>
      asked(async () => {
        const login = author ?? (await whoWrites());
        const pages = octokit.paginate.iterator(octokit.rest.issues.listComments, {
          ...{ ...place, issue_number: number, per_page: 100 },
        });
        const found: Posted[] = [];
        for await (const { data } of pages)
          for (const each of answered(z.array(comment), data)) if (each.user?.login === login) found.push(posted(each));
        return found;
      }),
    create: (body) =>
      asked(async () => {
        const { data } = await octokit.rest.issues.createComment({ ...place, issue_number: number, body });
        return posted(answered(comment, data));
      }),
    update: (id, body) =>
      asked(async () => {
        const { data } = await octokit.rest.issues.updateComment({ ...place, comment_id: id, body });
        return posted(answered(comment, data));
      }),
    remove: (id) =>
      asked(async () => {
        await octokit.rest.issues.deleteComment({ ...place, comment_id: id });
      }),
  };
};

const posted = ({ id, body, html_url: url }: z.output<typeof comment>): Posted => ({ id, body, url });

/** Octokit's errors as ours. */
const asked = async <Result>(work: () => Promise<Result>): Promise<Result> => {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ServiceError) throw error;
    const { message, status, response } = error as Error & { status?: number; response?: unknown };
    throw new ServiceError(message, response ? (status ?? 0) : 0, retryAfterOf(error));
  }
};

/** Seconds until the service may be asked again: a second limit says it in `Retry-After`, the first one in headers of its own. */
const retryAfterOf = (error: unknown): number | undefined => {
  const { headers = {} } = (error as { response?: { headers: Record<string, string> } }).response ?? {};
  if (headers["x-ratelimit-remaining"] !== "0") return secondsOf(headers["retry-after"]);
  return Math.max(0, Number(headers["x-ratelimit-reset"]) - Date.now() / 1000);
};
