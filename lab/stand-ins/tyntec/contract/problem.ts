import { z } from "zod";
import { keyPath } from "../../../../config/problems.ts";

/** An error of either version (RFC 9457). Version 2 describes `status` as a text, version 3 as a number. */
export const problem = z.looseObject({
  type: z.string(),
  title: z.string(),
  status: z.union([z.string(), z.number()]),
  detail: z.string(),
  violations: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
});

export type Violation = { field: string; message: string };

/** What is wrong with a body, as the API names it: `{ field: "webhooks[0].callbackUrl", message: "must match …" }`. */
export const violationsOf = ({ issues }: z.ZodError): Violation[] =>
  issues.map(({ path, message }) => ({ field: keyPath(path), message }));
