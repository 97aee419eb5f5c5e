import { z } from "zod";
import { fingerprintOf } from "./openpgp.ts";

/**
 * A DNS name or an IP address in the form that HAProxy, ssh and ufw take: `lb1.acme.example`, `10.1.0.21`,
 * `fd00::21`.
 */
const address = z
  .string()
  .regex(
    /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|[0-9A-Fa-f:]+)$/,
    "is no host name or IP address. Example: 10.1.0.21",
  );

const hostName = z
  .string()
  .regex(
    /^[a-z][a-z0-9-]{0,30}$/,
    "is no host name: lower-case letters, digits and '-', at most 31. Example: chatserver1",
  );

const port = z.int().min(1).max(65535);

const absolutePath = z
  .string()
  .regex(/^\/[A-Za-z0-9._/@+=,-]*$/, "is no absolute path of letters, digits and . _ / @ + = , -");

/** A key as the host's own file, our remedy and `ssh-keyscan` print it, without its comment and the host's name. */
const bareHostKey = (text: string): string => {
  const words = text.trim().split(/\s+/);
  const type = words.findIndex((word) => /^(?:ssh-|ecdsa-)/.test(word));
  return type < 0 ? text : words.slice(type, type + 2).join(" ");
};

const hostKey = z
  .string({
    error:
      "is missing: without it any host would be trusted. Read it on the host's console: cat /etc/ssh/ssh_host_ed25519_key.pub",
  })
  .overwrite(bareHostKey)
  .regex(
    /^(?:ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521)) [A-Za-z0-9+/]+=*$/,
    'is no public host key. Example: "ssh-ed25519 AAAAC3Nza…"',
  );

/** As directories have them, too: `max.mustermann`, `deploy@acme.example`. */
const user = z
  .string()
  .regex(
    /^(?!-)[^\s\p{C}'"`$\\;&|<>()]+$/u,
    "is no user name: no '-' at its start, no blanks, quotes and signs of a shell",
  );

const agentSocket = z
  .string()
  .regex(/^(?:~\/|\/)[A-Za-z0-9._/@+=,-]+$/, "is no path of a socket. Example: ~/.ssh/acme-agent");

const jump = z.strictObject({ address, user, hostKey, port: port.default(22) });

const interfaceName = z.string().regex(/^[A-Za-z0-9_.@-]{1,15}$/, "is no network interface. Example: eth0");

const host = z.strictObject({
  name: hostName,
  address,
  hostKey,
  port: port.default(22),
  jump: jump.optional(),
  interface: interfaceName.optional(),
});

const network = z.union([z.cidrv4(), z.cidrv6(), z.ipv4(), z.ipv6()], {
  error: "is no address or network. Example: 10.1.0.0/24",
});

/** An https URL. Line breaks and tabs are refused; `new URL` and zod's own check would drop them silently. */
const url = z
  .string({ error: "is no https URL. Example: https://jtel-portal.acme.example" })
  .regex(/^[\x21-\x7e]*$/, "holds a blank, a line break or no ASCII, which no URL does. Write such characters as %20")
  .refine((text) => isHttpsUrl(text), { error: "is no https URL. Example: https://jtel-portal.acme.example" });

/** The WHATWG's URL takes hosts, e.g. with a quote, that no host name is (RFC 1123, 2.1). */
const isHttpsUrl = (text: string): boolean => {
  const parsed = URL.parse(text);
  if (parsed?.protocol !== "https:") return false;
  return address.safeParse(parsed.hostname.replace(/^\[(.*)\]$/, "$1")).success;
};

/** A time with its unit, e.g. `500ms`, `30s`, `1d` (HAProxy, configuration.txt 2.5). */
const time = z
  .string({ error: "is no time. Examples: 500ms, 30s, 1m, 1d" })
  .regex(/^[1-9][0-9]{0,8}(?:ms|s|m|h|d)$/, "is no time. Examples: 500ms, 30s, 1m, 1d");

/** How long something is waited for, e.g. `30s`. */
const span = z
  .string({ error: "is no time. Examples: 30s, 10m, 1h" })
  .regex(/^[1-9][0-9]{0,4}[smh]$/, "is no time. Examples: 30s, 10m, 1h");

const bind = z
  .string()
  .regex(
    /^(?:\*|[0-9.]+|\[[0-9A-Fa-f:]+\])?:[1-9][0-9]{0,4}(?: (?:v6only|interface [A-Za-z0-9_.@-]{1,15}))*$/,
    'is no address and port for HAProxy to listen on. Examples: "10.1.0.9:3004", "[::]:3003 v6only"',
  );

/** How HAProxy treats chat. Every key has a default or may be missing. */
export const haproxyOptions = z.strictObject({
  balance: z
    .enum(["leastconn", "roundrobin", "static-rr", "first", "source", "random"], {
      error: "is no way to balance. Known: leastconn, roundrobin, static-rr, first, source, random",
    })
    .default("leastconn"),
  weights: z.record(hostName, z.int().min(0).max(256)).default({}),
  check: z
    .strictObject({
      /** The vendor's page has 1m: a server that vanishes would get new chats for a minute and more. */
      inter: time.default("2s"),
      /** With the value of `inter`, three failed checks would take longer than 10 s. */
      fastinter: time.default("500ms"),
      downinter: time.default("2s"),
      /** Tells visitors that their server is gone. A server that HAProxy calls down by mistake would lose its chats. */
      shutdownSessions: z.boolean().default(false),
    })
    .prefault({}),
  timeout: z
    .strictObject({
      /** Without it, HAProxy's `timeout server` (50 s on Debian) would close idle chats. */
      tunnel: time.default("1d"),
      client: time.default("1d"),
      /** Time for one repeated SYN (after 1 s): a lost packet is no failed check. */
      connect: time.default("2s"),
      /** Without it, connections of visitors that have vanished would stay open for `tunnel`. */
      clientFin: time.default("30s"),
    })
    .prefault({}),
  alpn: z
    .array(z.enum(["h2", "http/1.1"], { error: "is no protocol. Known: h2, http/1.1" }))
    .min(1, "names no protocol. Remove it, or name h2 or http/1.1")
    .optional(),
  binds: z.array(bind).default([]),
  acceptProxy: z.boolean().default(false),
  redirectFrom: port.optional(),
  maxconn: z.int().min(1).optional(),
});

/** A Hazelcast member outside the stack: `10.1.0.31`, `10.1.0.31:5702` or `10.1.0.31-35`. */
const member = z
  .string()
  .regex(
    /^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?$/,
    "is no member. Examples: 10.1.0.31, 10.1.0.31:5702, 10.1.0.31-35",
  );

const renderedHazelcast = z.strictObject({
  source: z.literal("render"),
  clusterName: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,64}$/, "is no cluster name: letters, digits and . _ -. Example: jtel-cluster-ACME"),
  members: z.array(member).default([]),
  password: z
    .string()
    .regex(/^[ -~]+$/, "is empty, or has characters that are not ASCII: Java would read them by the host's locale")
    .optional(),
});

const noRelease =
  "is no release. Known: hold, follow, or the 16 hexadecimal digits that 'jtel-chatctl status' names (or all 64), in quotes";

const scalar = z
  .union([z.string(), z.number(), z.boolean()], { error: "is no text, number or boolean" })
  .transform(String);

const ownParameters = ["user", "password", "characterEncoding", "serverTimezone"];

const driverParameters = z.record(z.string().min(1), scalar).superRefine((parameters, context) => {
  const twice = Object.keys(parameters).flatMap((name) => {
    const own = ownParameters.find((each) => each.toLowerCase() === name.trim().toLowerCase());
    return own ? [{ name, own }] : [];
  });
  // The message does not show the value, because it may be a password.
  for (const { name, own } of twice)
    context.addIssue({
      code: "custom",
      path: [name],
      input: name,
      message: `has a key of its own: set database.${own}`,
    });
});

const days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;

const clock = z
  .string({ error: 'is no time of day. Example: "22:00"' })
  .regex(/^(?:[01][0-9]|2[0-3]):[0-5][0-9]$/, 'is no time of day from 00:00 to 23:59. Example: "22:00"');

const isTimeZone = (name: string): boolean => {
  try {
    return Boolean(new Intl.DateTimeFormat("en", { timeZone: name }));
  } catch {
    return false;
  }
};

/** When a running chat may be restarted. */
const maintenance = z.strictObject({
  days: z
    .array(z.enum(days, { error: `is no day. Known: ${days.join(", ")}` }))
    .min(1, "names no day: chat could never be restarted. Remove it for every day")
    .default([...days]),
  from: clock,
  to: clock,
  timezone: z
    .string()
    .refine(isTimeZone, { error: "is no time zone of the IANA's list. Example: Europe/Berlin" })
    .default("Europe/Berlin"),
});

const unitLimits = ["files", "tmp", "network"] as const;

/** Requirements that a stack file can waive: resources of the vendor's table, and a Debian that the role was tried on (`system`). */
const resources = ["memory", "cores", "disk", "system"] as const;

/** Decisions about ClientMessenger's systemd unit. */
export const unitOptions = z.strictObject({
  accept: z
    .array(
      z
        .string()
        .regex(/^[A-Z][A-Za-z0-9]*=[^\p{C}]*$/u, 'is no line of a unit. Example: "EnvironmentFile=/etc/default/chat"'),
    )
    .default([]),
  limits: z.array(z.enum(unitLimits, { error: `is unknown. Known: ${unitLimits.join(", ")}` })).default([]),
});

/** How a chat server is emptied before it is restarted. */
const drainOptions = z.strictObject({
  deadline: span.default("10m"),
  /** The longest silence of a chat that is still waited for. */
  idle: span.default("5m"),
  atDeadline: z.enum(["stop", "cut"], { error: "is unknown. Known: stop, cut" }).default("stop"),
  total: span.optional(),
  port: port.default(3002),
});

/**
 * Every key of a stack file below `jtel-chat:`, with its default.
 *
 * docs/stack-file.yaml says what each key is for. A test compares the two.
 */
export const schema = z.strictObject({
  topology: z.enum(["co-located", "lb-hosted", "separate-server"], {
    error: "is not a topology. Known: co-located (on web servers), lb-hosted (on the load balancers), separate-server",
  }),
  public: z.strictObject({
    scheme: z.enum(["https", "http"]),
    host: address,
    port: port.optional(),
    certificate: absolutePath.default("/etc/haproxy/haproxy.pem"),
  }),
  onDrift: z.enum(["heal", "stop"]).default("heal"),
  protect: z.boolean().default(false),
  approval: z
    .strictObject({
      key: z.string().regex(/^[0-9a-f]{64}$/, "is not 64 hexadecimal digits. Make one: openssl rand -hex 32"),
    })
    .optional(),
  maintenance: maintenance.optional(),
  ssh: z.strictObject({
    user,
    become: z.enum(["sudo"], { error: "is unknown. Known: sudo" }),
    agentSocket: agentSocket.optional(),
  }),
  loadBalancers: z.array(host).min(1, "names no load balancer: chat is reached through at least one"),
  chatServers: z.array(host).max(10, "names more than ten chat servers").default([]),
  share: z
    .strictObject({ path: absolutePath.default("/home/jtel/shared"), hosted: z.boolean().default(false) })
    .prefault({}),
  java: z
    .strictObject({
      package: z
        .string()
        // apt-get reads NAME- as "remove NAME" and NAME+ as "install NAME" (apt-get(8)).
        .regex(/^[a-z0-9][a-z0-9.+-]*[a-z0-9.]$/, "is no Debian package. Example: openjdk-17-jdk")
        .default("openjdk-17-jdk"),
      version: z.int().min(8).default(17),
      aptSource: z
        .string()
        .regex(
          /^deb [\x20-\x7e]+$/,
          'is no line of sources.list(5). Example: "deb [signed-by=/usr/share/keyrings/x.gpg] https://… bookworm main"',
        )
        .optional(),
      aptKey: z
        .strictObject({
          fingerprint: z
            .string()
            .overwrite((text) => text.replaceAll(" ", "").toUpperCase())
            .regex(
              /^(?:[0-9A-F]{40}|[0-9A-F]{64})$/,
              "is no fingerprint: 40 hexadecimal digits, as gpg --show-keys FILE prints them, in quotes",
            ),
          text: z.string().refine((text) => fingerprintOf(text) !== undefined, {
            error: "is no armoured OpenPGP public key, and one only. Make it: gpg --armor --export FINGERPRINT",
          }),
        })
        .optional(),
      onDestroy: z.enum(["keep", "remove"]).default("keep"),
    })
    .prefault({}),
  resources: z
    .strictObject({
      accept: z.array(z.enum(resources, { error: `is unknown. Known: ${resources.join(", ")}` })).default([]),
    })
    .prefault({}),
  clientMessenger: z
    .strictObject({
      release: z
        .string({ error: noRelease })
        .regex(/^(?:hold|follow|[0-9a-f]{16}|[0-9a-f]{64})$/, noRelease)
        .default("hold"),
      restart: z.enum(["roll", "hold"], { error: "is unknown. Known: roll, hold" }).default("roll"),
      unit: unitOptions.prefault({}),
      drain: drainOptions.optional(),
    })
    .prefault({}),
  hazelcast: z
    .discriminatedUnion(
      "source",
      [z.strictObject({ source: z.literal("share").default("share") }), renderedHazelcast],
      {
        error: "is unknown. Known: share, render",
      },
    )
    .prefault({}),
  database: z.strictObject({
    host: address.default("acd-dbm"),
    port: port.default(3306),
    name: z
      .string()
      .regex(/^[A-Za-z0-9_$-]+$/, "is no database name")
      .default("JTELWeb"),
    user: z.string().min(1).default("root"),
    password: z.string().min(1, "is empty"),
    serverTimezone: z
      .string()
      .regex(/^[A-Za-z0-9_+/-]+$/, "is no time zone. Example: Europe/Berlin")
      .default("Europe/Berlin"),
    characterEncoding: z
      .string()
      .regex(/^[A-Za-z0-9_-]+$/, "is no character encoding. Example: utf8")
      .default("utf8"),
    parameters: driverParameters.default({}),
  }),
  haproxy: haproxyOptions.prefault({}),
  firewall: z
    .strictObject({
      sources: z
        .union([z.array(network).min(1), z.literal("any")], {
          error: 'is neither a list of networks nor "any". Example: [10.1.0.0/24, "fd00:1::/64"]',
        })
        .optional(),
      enable: z.boolean().default(false),
    })
    .prefault({}),
  whatsapp: z
    .strictObject({
      portal: url,
      frontend: z
        .string()
        .regex(/^[A-Za-z0-9_.:-]+$/, "is no HAProxy frontend name")
        .default("acdportal_https"),
      serviceNumber: z.string().regex(/^\+[1-9][0-9]{6,14}$/, "is no number in E.164. Example: +498912345678"),
    })
    .optional(),
  tyntec: z
    .strictObject({
      apiKey: z
        .string()
        .min(1, "is empty")
        .regex(/^[\x21-\x7e]*$/, "holds a blank, a line break or no ASCII, which a header cannot carry. Set it again"),
      apiVersion: z.enum(["v2", "v3"], "is no version of TynTec's API. Known: v2, v3").default("v2"),
      url: url.regex(/[^/]$/, "ends with a slash. Example: https://api.tyntec.com/chat-api/v2").optional(),
      caFile: z.string().optional(),
      takeOver: z.boolean().default(false),
      /** The vendor's page has these events, but a later API may refuse them. Only v2 has them. */
      groupEvents: z.boolean().default(true),
    })
    .optional(),
});

/** A checked stack file, with all defaults filled in. */
export type Deployment = z.output<typeof schema>;

/** The place of the storage server's share on the chat servers. */
export type Share = Deployment["share"];

/** How HAProxy treats chat, with all defaults filled in. */
export type HaproxyOptions = z.output<typeof haproxyOptions>;

/** The source of every chat server's hazelcast.xml: `{ source: "share" }`, or the values of a rendered file. */
export type Hazelcast = Deployment["hazelcast"];

/** Decisions about ClientMessenger's systemd unit, with all defaults filled in. */
export type UnitOptions = z.output<typeof unitOptions>;

/**
 * Whether `up` restarts a server that has loaded old files: `roll` (yes, one after the other) or `hold` (not while it
 * is healthy).
 */
export type Restart = Deployment["clientMessenger"]["restart"];

/** When a running chat may be restarted, with all defaults filled in. */
export type Maintenance = z.output<typeof maintenance>;
/** How a chat server is emptied before it is restarted, with all defaults filled in. */
export type Drain = z.output<typeof drainOptions>;

/** One requirement that a stack file can waive, e.g. `memory`. */
export type Resource = (typeof resources)[number];

/** The portal's database and the login to it. */
export type Database = Deployment["database"];

/** One entry of `loadBalancers` or `chatServers`. */
export type HostConfig = z.output<typeof host>;

/** Keys whose values must be encrypted in a stack file (`pulumi config set --secret`). */
export const secretKeys = ["database.password", "tyntec.apiKey", "hazelcast.password", "approval.key"] as const;

/** The values of those that a stack has, by their keys. */
export const secretsOf = ({ database, tyntec, hazelcast, approval }: Deployment): Record<string, string> => ({
  "database.password": database.password,
  ...(tyntec && { "tyntec.apiKey": tyntec.apiKey }),
  ...("password" in hazelcast && hazelcast.password && { "hazelcast.password": hazelcast.password }),
  ...(approval && { "approval.key": approval.key }),
});
