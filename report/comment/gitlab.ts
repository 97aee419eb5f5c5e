import { createRequesterFn, type RequestHandlerFn } from "@gitbeaker/requester-utils";
import { MergeRequestNotes, Users } from "@gitbeaker/rest";
import { z } from "zod";
import {
  answered,
  answerWithin,
  type Comments,
  fetchProxied,
  noAnswer,
  type Posted,
  ServiceError,
  secondsOf,
} from "./service.ts";

/** Where the merge request is, and who writes. */
export interface GitLabPlace {
  /** E.g. `https://gitlab.com`. */
  server: string;
  /** Number or path, e.g. `acme/chat`. */
  project: string;
  /** The merge request's number in the project (its `iid`). */
  number: number;
  token: string;
}

const account = z.object({ id: z.int() });
const note = z.object({ id: z.int(), body: z.string(), author: account });

/** The comments of a merge request at GitLab: only those of the token's account. */
export const gitLabComments = ({ server, project, number, token }: GitLabPlace): Comments => {
  const options = { host: server, token, requesterFn, queryTimeout: answerWithin };
  const notes = new MergeRequestNotes(options);
  const posted = ({ id, body }: z.output<typeof note>): Posted => ({ id, body });
  return {
    name: `${project}!${number}`,
    limit: 1_000_000,
    own: async () => {
      const { id } = answered(account, await new Users(options).showCurrentUser());
      const all = await notes.all(project, number, { sort: "asc", orderBy: "created_at", perPage: 100 });
      return answered(z.array(note), all).flatMap((each) => (each.author.id === id ? [posted(each)] : []));
    },
    create: async (body) => posted(answered(note, await notes.create(project, number, body))),
    update: async (id, body) => posted(answered(note, await notes.edit(project, number, id, { body }))),
    remove: async (id) => {
      await notes.remove(project, number, id);
    },
  };
};

/** One request. Gitbeaker's own handler asks ten times within a second, and forgets `Retry-After`. */
const request: RequestHandlerFn = async (endpoint, options = {}) => {
  const { prefixUrl, searchParams, rateLimiters: _, asStream: __, ...init } = options;
  const url = new URL(endpoint, `${prefixUrl}/`.replace(/\/+$/, "/"));
  url.search = String(searchParams ?? "");
  const response = await fetchProxied(url, init as RequestInit).catch((error: Error) => {
    throw new ServiceError(String((error.cause as Error)?.message ?? error.message), 0, undefined);
  });
  const text = await response.text();
  const { status, headers } = response;
  if (!response.ok)
    throw new ServiceError(reasonIn(text) || response.statusText, status, secondsOf(headers.get("retry-after")));
  return { status, headers: Object.fromEntries(headers), body: status === 204 ? {} : parsed(text) };
};

const requesterFn = createRequesterFn((_, options) => Promise.resolve(options), request);

const parsed = (text: string): Record<string, unknown> => {
  try {
    return JSON.parse(text);
  } catch {
    throw noAnswer();
  }
};

/** `{"message": "403 Forbidden"}`, `{"error": "insufficient_scope"}`. */
const reasonIn = (text: string): string => {
  try {
    const { message, error } = JSON.parse(text);
    return String(error ?? message);
  } catch {
    return "";
  }
};
