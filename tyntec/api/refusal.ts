import { z } from "zod";
import { printable } from "../../hosts/printable.ts";
import type { Answer } from "./exchange.ts";

/** What the caller knows of a request that was refused. */
export interface Asked {
  /** What the path leads to, e.g. `application`. */
  subject: string;
  /** What the key has to be allowed, e.g. `which may read and change its application`. */
  rights: string;
  /** Added where the API finds something wrong with the body. */
  hint?: string | undefined;
  /** Added where the API has no such path. */
  elsewhere?: string | undefined;
}

/** The remedy where the address seems to be wrong. */
export const wrongAddress = "Is tyntec.url the API's base URL, with its version?";

/** Why the API has refused, and what to do, in one line. */
export const refusal = (answer: Answer, { subject, rights, hint, elsewhere }: Asked): string => {
  const { status, retryAfter } = answer;
  const said = `${status}${problemText(answer)}`;
  if (status === 401 || status === 403)
    return `the API key is refused (${said}). Set tyntec.apiKey to a key of this account, ${rights}`;
  if ([404, 405, 410].includes(status) || status < 400)
    return [`there is no ${subject} (${said}).`, wrongAddress, elsewhere].filter(Boolean).join(" ");
  if (status === 429 || status >= 500) {
    const when = retryAfter ? `in ${Math.ceil(retryAfter / 1000)} s, as it asks` : "later";
    return `the API cannot do it now (${said}). Try again ${when}`;
  }
  return [`refused (${said}). Correct what it names`, hint].filter(Boolean).join(". ");
};

/** A number or an object where a text belongs must not hide the rest. */
const line = z.string().optional().catch(undefined);
const problem = z.object({
  title: line,
  detail: line,
  violations: z
    .array(z.object({ field: line, message: line }))
    .optional()
    .catch(undefined),
});

/** What an `application/problem+json` (RFC 9457) says, in one line; of another answer its type. */
const problemText = ({ type, text }: Answer): string => {
  try {
    const { title, detail, violations = [] } = problem.parse(JSON.parse(text));
    const named = violations.map(({ field, message }) => [field, message].filter(Boolean).join(" "));
    const said = [title, detail, ...named].filter(Boolean).join(" – ");
    return said && `: ${printable(said)}`;
  } catch {
    return text ? `, ${printable(type || "no type")} instead of a reason` : "";
  }
};
