import { isDeepStrictEqual } from "node:util";
import { load as parseYaml } from "js-yaml";
import { z } from "zod";
import { printable } from "../hosts/printable.ts";

const name = z.string().regex(/^[a-z][a-z0-9-]{0,30}$/, "is no name: lower-case letters, digits and '-', at most 31");

const address = z.string().regex(/^[A-Za-z0-9](?:[A-Za-z0-9.:-]*[A-Za-z0-9])?$/, "is no host name or IP address");

/** `ssh-ed25519 AAAA…`, as the host's own file has it; a comment behind it is left out. */
const hostKey = z
  .string()
  .transform((text) => text.trim().split(/\s+/).slice(0, 2).join(" "))
  .refine((text) => /^(?:ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521)) [A-Za-z0-9+/]+=*$/.test(text), {
    error: 'is no public host key. Example: "ssh-ed25519 AAAAC3Nza…"',
  });

/** Who logs in. */
const user = z.string().regex(/^(?!-)[^\s\p{C}'"`$\\;&|<>()]+$/u, "is no user name");

const jumpHost = /^([^@]+)@(?:\[([0-9A-Fa-f:]+)\]|([A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?))(?::([0-9]{1,5}))?$/;

/** `deploy@203.0.113.5`, perhaps with a port: the host that ssh goes through. */
const jump = z.string().transform((text, context) => {
  const [, login, six, plain = "", at = "22"] = jumpHost.exec(text) ?? [];
  const parsed = z.object({ user, port: z.int().min(1).max(65535) }).safeParse({ user: login, port: Number(at) });
  if (parsed.success) return { ...parsed.data, address: six ?? plain };
  context.addIssue({
    code: "custom",
    message: "is no jump host. Example: deploy@203.0.113.5, or deploy@203.0.113.5:2222",
  });
  return z.NEVER;
});

const days = "mon|tue|wed|thu|fri|sat|sun";
const window = new RegExp(`^((?:(?:${days})[, ]+)*)(\\d\\d:\\d\\d) ?- ?(\\d\\d:\\d\\d)(?: +(\\S+))?$`);

/** `tue thu 22:00-04:00 Europe/Vienna` as the stack file has it; days and time zone may be missing. */
export const maintenanceWindow = z.string().transform((text, context) => {
  const found = window.exec(text.trim());
  if (!found) {
    context.addIssue({
      code: "custom",
      message: "is no maintenance window. Example: tue thu 22:00-04:00 Europe/Berlin",
    });
    return z.NEVER;
  }
  const [, named = "", from = "", to = "", timezone] = found;
  const on = named.split(/[, ]+/).filter(Boolean);
  return { ...(on.length && { days: on }), from, to, ...(timezone && { timezone }) };
});

const roles = ["chat", "loadBalancer", "web", "database", "storage"] as const;

/** Of the customer, not of one host: on one of his hosts, or the same on several. The stack file's schema checks them. */
const ofCustomer = {
  /** The name in the URL that visitors use. */
  publicHost: z.string().optional(),
  /** WhatsApp's portal, e.g. `https://portal.acme.example`. */
  portal: z.string().optional(),
  /** WhatsApp's number, e.g. `+498912345678`. */
  serviceNumber: z.string().optional(),
  /** The version of TynTec's API. */
  tyntecApi: z.enum(["v2", "v3"], { error: "is no version of TynTec's API. Known: v2, v3" }).optional(),
  maintenance: maintenanceWindow.optional(),
};
const valueKeys = Object.keys(ofCustomer) as (keyof typeof ofCustomer)[];

const entry = z.strictObject({
  customer: name,
  name,
  address,
  user,
  port: z.coerce.number().int().min(1).max(65535).default(22),
  /** What somebody knows of it; a look finds the rest. */
  roles: z.array(z.enum(roles, { error: `is no role. Known: ${roles.join(", ")}` })).default([]),
  /** Its public key, where somebody has read it on the host's console. Else the key of known_hosts counts. */
  hostKey: hostKey.optional(),
  jump: jump.optional(),
  jumpHostKey: hostKey.optional(),
  ...ofCustomer,
});

/** One host of an inventory. */
export type Entry = z.output<typeof entry>;

/** What somebody knows of a customer. */
export type CustomerValues = Partial<Pick<Entry, keyof typeof ofCustomer>>;

/** What the hosts of one customer say of him. */
export const customerValues = (entries: Entry[]): CustomerValues =>
  Object.assign({}, ...entries.map((each) => said(each))) as CustomerValues;

const said = (each: Entry): CustomerValues =>
  Object.fromEntries(valueKeys.flatMap((key) => (each[key] === undefined ? [] : [[key, each[key]]])));

/**
 * Reads the same from flags: `--tyntec-api v3` is `{ tyntecApi: "v3" }`.
 *
 * @throws Error for the first that is not usable.
 */
export const flaggedValues = (flags: Record<string, unknown>): CustomerValues => {
  const flag = (key: string) => key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  const { data, error } = z
    .object(ofCustomer)
    .safeParse(Object.fromEntries(valueKeys.map((key) => [key, flags[flag(key)]])));
  const [issue] = error?.issues ?? [];
  if (issue) throw new Error(`--${flag(String(issue.path[0]))}: ${issue.message}`);
  return Object.fromEntries(Object.entries(data ?? {}).filter(([, value]) => value !== undefined));
};

/**
 * Reads an inventory: a YAML list, or CSV with a line of names above (`customer,name,address,user,roles`; several roles with
 * blanks between them).
 *
 * @throws Error with all problems, each with its place.
 */
export const readInventory = (file: string, text: string): Entry[] => {
  const rows = file.endsWith(".csv") ? fromCsv(text) : parseYaml(text);
  const parsed = z.array(entry).min(1, "names no host").safeParse(rows);
  const problems = parsed.success ? between(parsed.data) : parsed.error.issues.map(inWords);
  if (parsed.success && !problems.length) return parsed.data;
  throw new Error(`the inventory is not usable:\n${problems.map((each) => `${file}: ${printable(each)}`).join("\n")}`);
};

const inWords = ({ path: [index, key], message }: z.core.$ZodIssue): string => {
  const place = index === undefined ? "" : `host ${Number(index) + 1}${key === undefined ? "" : `, ${String(key)}`}: `;
  return `${place}${message}`;
};

/** Finds hosts that are listed twice: one machine has one stack. */
const between = (entries: Entry[]): string[] =>
  entries.flatMap((one, index) =>
    entries.slice(0, index).flatMap((other) => {
      if (one.address === other.address && one.port === other.port)
        return [
          one.customer === other.customer
            ? `host ${index + 1}: ${one.address} is listed twice. List it once, with all its roles`
            : `host ${index + 1}: ${one.address} is ${other.customer}'s and ${one.customer}'s. A host belongs to one stack: decide whose it is`,
        ];
      if (one.customer !== other.customer) return [];
      const twice = one.name === other.name;
      const differing = valueKeys.filter(
        (key) => one[key] !== undefined && other[key] !== undefined && !isDeepStrictEqual(one[key], other[key]),
      );
      return [
        ...(twice ? [`host ${index + 1}: ${one.customer} has two hosts named ${one.name}. Rename one`] : []),
        ...differing.map(
          (key) => `host ${index + 1}, ${key}: is another one than on ${other.name}. A customer has one`,
        ),
      ];
    }),
  );

const fromCsv = (text: string): unknown[] => {
  const [header = [], ...rows] = text
    .replace(/^\u{feff}/u, "")
    .split(/\r?\n/)
    .filter((line) => line.trim() && !line.startsWith("#"))
    .map(cells);
  return rows.map((row) => {
    const filled = header.flatMap((key, index) => (row[index] ? [[key, row[index]] as const] : []));
    const { roles: named, ...rest } = Object.fromEntries(filled);
    return { ...rest, ...(named && { roles: named.split(/\s+/) }), ...surplus(row, header) };
  });
};

/** More cells than names would be lost silently. */
const surplus = (row: string[], header: string[]): object =>
  row.length > header.length ? { [`column ${header.length + 1}`]: row[header.length] } : {};

/** The cells of one line (RFC 4180), commas or semicolons between them, without quoted line breaks. */
const cells = (line: string): string[] => {
  const found = `,${line}`.matchAll(/[,;](?:"((?:[^"]|"")*)"|([^,;]*))/g);
  return [...found].map(([, quoted, plain = ""]) => (quoted?.replaceAll('""', '"') ?? plain).trim());
};
