/** An error as `application/problem+json`. */
export interface Problem {
  status: number;
  title: string;
  detail: string;
  violations?: { field: string; message: string }[];
}

export interface Webhook {
  events: string[];
  callbackUrl: string;
}

/** The body of a PATCH, or what is wrong with it. */
export const validateApplication = (
  contentType: string | undefined,
  body: string,
  refusedEvents?: string,
): { webhooks: Webhook[] } | Problem => {
  if (!contentType?.startsWith("application/json"))
    return { status: 415, title: "Unsupported Media Type", detail: `expected application/json, got ${contentType}` };
  const change = parse(body);
  if (!isObject(change) || !Array.isArray(change.webhooks))
    return { status: 400, title: "Bad Request", detail: 'expected a JSON object with a list "webhooks"' };
  const violations = change.webhooks.flatMap((webhook, index) =>
    violationsOf(webhook, `webhooks[${index}]`, refusedEvents),
  );
  if (violations.length > 0)
    return { status: 400, title: "Constraint Violation", detail: "invalid webhooks", violations };
  return { webhooks: change.webhooks };
};

const parse = (body: string): unknown => {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
};

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

const violationsOf = (webhook: unknown, path: string, refusedEvents?: string): { field: string; message: string }[] => {
  if (!isObject(webhook)) return [{ field: path, message: "must be an object" }];
  const { events, callbackUrl } = webhook;
  const violations = [];
  if (!Array.isArray(events) || events.length === 0 || !events.every((event) => typeof event === "string"))
    violations.push({ field: `${path}.events`, message: "must be a list of event names" });
  else if (refusedEvents && events.some((event: string) => event.startsWith(refusedEvents)))
    violations.push({ field: `${path}.events`, message: `no such event: ${refusedEvents}*` });
  if (typeof callbackUrl !== "string" || !/^https:\/\//.test(callbackUrl))
    violations.push({ field: `${path}.callbackUrl`, message: 'must match "^https://"' });
  return violations;
};
