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

const roles = ["chat", "loadBalancer", "web", "database", "storage"] as const;

const entry = z.strictObject({
  customer: name,
  name,
  address,
  /** Who logs in. */
  user: z.string().regex(/^(?!-)[^\s\p{C}'"`$\\;&|<>()]+$/u, "is no user name"),
  port: z.coerce.number().int().min(1).max(65535).default(22),
  /** What somebody knows of it; a look finds the rest. */
  roles: z.array(z.enum(roles, { error: `is no role. Known: ${roles.join(", ")}` })).default([]),
  /** Its public key, where somebody has read it on the host's console. Else the key of known_hosts counts. */
  hostKey: hostKey.optional(),
});

/** One host of an inventory. */
export type Entry = z.output<typeof entry>;

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
      const twice = one.customer === other.customer && one.name === other.name;
      return twice ? [`host ${index + 1}: ${one.customer} has two hosts named ${one.name}. Rename one`] : [];
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
