import { X509Certificate } from "node:crypto";
import { z } from "zod";

/** A text of a host: untrusted, so bounded (survey/answer.py says less). */
const said = z.string().max(1000);
const lines = z.array(said).max(200);

const certificate = z.object({ path: said, pem: z.string().max(20_000) });

/** What a host says of itself (host-tool/jtel_chat/survey). */
export const hostFacts = z.object({
  format: z.literal(1),
  /** Whether it could look as root; else some things are unread. */
  root: z.boolean(),
  name: said,
  /** `debian 12` */
  system: said,
  /** GB of memory and of the drive of /home (10⁹ bytes), and cores. */
  resources: z.record(said, z.number()),
  /** Interfaces by their addresses. */
  interfaces: z.record(said, said),
  packages: z.record(said, said),
  /** There is the user `jtel`. */
  jtel: z.boolean(),
  /** The stack that manages it, `jtel-chat/acme`; empty where none does. */
  owner: said,
  share: z.object({ path: said, mounted: z.boolean(), release: z.boolean(), hazelcast: z.boolean() }).nullable(),
  chat: z
    .object({
      installed: z.boolean(),
      unit: z.enum(["none", "by hand", "ours"]),
      active: z.boolean(),
      /** Where its database is, where the unit says it as a stack file does; other texts may be empty. */
      database: z
        .record(z.enum(["host", "port", "name", "user", "serverTimezone", "characterEncoding"]), said)
        .nullable(),
      data: said,
    })
    .nullable(),
  haproxy: z
    .object({
      active: z.boolean(),
      managed: z.boolean(),
      frontends: z
        .array(z.object({ name: said, ports: z.array(z.int()).max(200), tls: z.boolean(), certificates: lines }))
        .max(200),
      /** Servers of a backend for chat: `chatserver1 10.1.0.21:3000`. */
      chatServers: lines,
      certificates: z.array(certificate).max(16),
    })
    .nullable(),
  firewall: z.object({ active: z.boolean(), rules: lines }).nullable(),
  ports: z.array(z.object({ port: z.int(), program: said })).max(200),
  /** What differs from the vendor's procedure. */
  deviations: lines,
  /** What could not be read, and why. */
  unread: lines,
});
export type HostFacts = z.output<typeof hostFacts>;

/** A certificate, as every visitor sees it. */
export interface Certificate {
  path: string;
  /** `chat.acme.example`, also with a star. */
  names: string[];
  /** Until it ends; undefined where it cannot be read. */
  days: number | undefined;
}

/** Reads the names and the end of a host's certificates. */
export const certificatesOf = ({ haproxy }: HostFacts, now = Date.now()): Certificate[] =>
  (haproxy?.certificates ?? []).map(({ path, pem }) => {
    try {
      const { subjectAltName = "", validToDate } = new X509Certificate(pem);
      const names = [...subjectAltName.matchAll(/DNS:([A-Za-z0-9.*-]{1,253})/g)].map(([, name = ""]) => name);
      return { path, names, days: Math.floor((validToDate.getTime() - now) / 86_400_000) };
    } catch {
      return { path, names: [], days: undefined };
    }
  });
