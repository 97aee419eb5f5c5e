import { z } from "zod";

/** A DNS name or an IP address, as haproxy, ssh and ufw take it. */
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

const hostKey = z
  .string({
    error:
      "is missing: without it any host would be trusted. Read it on the host's console: cat /etc/ssh/ssh_host_ed25519_key.pub",
  })
  .regex(
    /^(?:ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521)) [A-Za-z0-9+/]+=*$/,
    'is no public host key. Example: "ssh-ed25519 AAAAC3Nza…"',
  );

const user = z.string().regex(/^[a-z_][a-z0-9_-]*$/, "is no user name");

const jump = z.strictObject({ address, user, hostKey, port: port.default(22) });

const interfaceName = z.string().regex(/^[A-Za-z0-9_.@-]{1,15}$/, "is no network interface. Example: eth0");

const host = z.strictObject({
  name: hostName,
  address,
  hostKey,
  port: port.default(22),
  jump: jump.optional(),
  /** Interface that the rules for chat and Hazelcast are limited to. @default every one */
  interface: interfaceName.optional(),
});

const network = z.union([z.cidrv4(), z.cidrv6(), z.ipv4(), z.ipv6()], {
  error: "is no address or network. Example: 10.1.0.0/24",
});

/** `new URL`, and zod's own check, drop line breaks and tabs without a word: here they are refused as they are written. */
const url = z
  .string({ error: "is no https URL. Example: https://jtel-portal.acme.example" })
  .regex(/^[\x21-\x7e]*$/, "holds a blank, a line break or no ASCII, which no URL does. Write such characters as %20")
  .refine((text) => URL.canParse(text) && new URL(text).protocol === "https:", {
    error: "is no https URL. Example: https://jtel-portal.acme.example",
  });

/** A time as HAProxy takes it, with its unit (configuration.txt 2.5). */
const time = z
  .string({ error: "is no time. Examples: 500ms, 30s, 1m, 1d" })
  .regex(/^[1-9][0-9]{0,8}(?:ms|s|m|h|d)$/, "is no time. Examples: 500ms, 30s, 1m, 1d");

const bind = z
  .string()
  .regex(
    /^(?:\*|[0-9.]+|\[[0-9A-Fa-f:]+\])?:[1-9][0-9]{0,4}(?: (?:v6only|interface [A-Za-z0-9_.@-]{1,15}))*$/,
    'is no address and port for HAProxy to listen on. Examples: "10.1.0.9:3004", "[::]:3003 v6only"',
  );

/** How HAProxy treats chat. Nothing of it has to be set. */
export const haproxyOptions = z.strictObject({
  /** Which server gets a new chat. `leastconn` suits long sessions. */
  balance: z
    .enum(["leastconn", "roundrobin", "static-rr", "first", "source", "random"], {
      error: "is no way to balance. Known: leastconn, roundrobin, static-rr, first, source, random",
    })
    .default("leastconn"),
  /** Share of new chats by the server's name, 0 (none) to 256; 1 where it is not listed. */
  weights: z.record(hostName, z.int().min(0).max(256)).default({}),
  check: z
    .strictObject({
      /** How often a server that is up is asked. */
      inter: time.default("1m"),
      /** How often after a first failure. At `inter`, a crash would be seen after three minutes. */
      fastinter: time.default("2s"),
      /** How often while it is down. At `inter`, a server that is back would stay out for two minutes. */
      downinter: time.default("2s"),
    })
    .prefault({}),
  timeout: z
    .strictObject({
      /** How long a WebSocket may be silent, on both sides. HAProxy's usual `timeout server` would cut idle chats. */
      tunnel: time.default("1d"),
      /** How long a visitor may be silent before the WebSocket is open. */
      client: time.default("1d"),
      /** How long a visitor may take to close. Visitors that vanish would stay for `tunnel`. */
      clientFin: time.default("30s"),
    })
    .prefault({}),
  /** Protocols offered over https; without it HTTP/1.1 only. */
  alpn: z
    .array(z.enum(["h2", "http/1.1"], { error: "is no protocol. Known: h2, http/1.1" }))
    .min(1, "names no protocol. Remove it, or name h2 or http/1.1")
    .optional(),
  /** Further addresses and ports of the chat frontend. The public port on every IPv4 address is always one. */
  binds: z.array(bind).default([]),
  /** Whether what stands before HAProxy sends the PROXY protocol. Then nobody else can connect. */
  acceptProxy: z.boolean().default(false),
  /** A port that sends plain http to https, e.g. 3000 where visitors still have old links. */
  redirectFrom: port.optional(),
  /** Most connections at a time; further ones wait. Unset, HAProxy's own limit holds. */
  maxconn: z.int().min(1).optional(),
});

/** A member outside the stack, as Hazelcast reads it. */
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
  // The value is not shown: it may be a password.
  for (const { name, own } of twice)
    context.addIssue({
      code: "custom",
      path: [name],
      input: name,
      message: `has a key of its own: set database.${own}`,
    });
});

const unitLimits = ["files", "tmp", "network"] as const;

/** What can be accepted although it is less than the vendor asks for, or was not tried. */
const resources = ["memory", "cores", "disk", "system"] as const;

/** What a person may decide about the unit of ClientMessenger. */
export const unitOptions = z.strictObject({
  /** Lines of the vendor's unit that are not on the host tool's list, word for word as a preview shows them. */
  accept: z
    .array(
      z
        .string()
        .regex(/^[A-Z][A-Za-z0-9]*=[^\p{C}]*$/u, 'is no line of a unit. Example: "EnvironmentFile=/etc/default/chat"'),
    )
    .default([]),
  /**
   * What the service is kept from, where its program can live with that: `files` (writing outside of its home and the
   * attachments), `tmp` (the host's /tmp), `network` (other than IP and local sockets).
   */
  limits: z.array(z.enum(unitLimits, { error: `is unknown. Known: ${unitLimits.join(", ")}` })).default([]),
});

/** Every key of a stack file below `jtel-chat:`; what is optional here has its default here. */
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
  ssh: z.strictObject({ user, become: z.enum(["sudo"], { error: "is unknown. Known: sudo" }) }),
  loadBalancers: z.array(host).min(1, "names no load balancer: chat is reached through at least one"),
  /** Not with the topology lb-hosted, where the load balancers are the chat servers. */
  chatServers: z.array(host).max(10, "names more than ten chat servers").default([]),
  share: z
    .strictObject({ path: absolutePath.default("/home/jtel/shared"), hosted: z.boolean().default(false) })
    .prefault({}),
  java: z
    .strictObject({
      package: z
        .string()
        // At a name's end apt takes - for "remove" and + for "install" (apt-get(8)).
        .regex(/^[a-z0-9][a-z0-9.+-]*[a-z0-9.]$/, "is no Debian package. Example: openjdk-17-jdk")
        .default("openjdk-17-jdk"),
      /** Its major release; 8 reads no argument file. */
      version: z.int().min(8).default(17),
      /** A line of sources.list(5), where the host's own sources do not have the package. */
      aptSource: z
        .string()
        .regex(
          /^deb [\x20-\x7e]+$/,
          'is no line of sources.list(5). Example: "deb [signed-by=/usr/share/keyrings/x.gpg] https://… bookworm main"',
        )
        .optional(),
      /** What `pulumi destroy` does with the package. */
      onDestroy: z.enum(["keep", "remove"]).default("keep"),
    })
    .prefault({}),
  /** Resources of the vendor's table that may be less, and `system` for another Debian than 12. */
  resources: z
    .strictObject({
      accept: z.array(z.enum(resources, { error: `is unknown. Known: ${resources.join(", ")}` })).default([]),
    })
    .prefault({}),
  clientMessenger: z
    .strictObject({
      /** `hold` keeps what a server has, and takes the share's where it has none; `follow` takes the share's; a digest is exactly that one. */
      release: z
        .string({ error: noRelease })
        .regex(/^(?:hold|follow|[0-9a-f]{16}|[0-9a-f]{64})$/, noRelease)
        .default("hold"),
      /** `roll` restarts a server when what it loads has changed, one after the other; `hold` leaves that owed while it is healthy, and every look says so. */
      restart: z.enum(["roll", "hold"], { error: "is unknown. Known: roll, hold" }).default("roll"),
      unit: unitOptions.prefault({}),
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
    /** Further settings of the JDBC driver, e.g. `{ useSSL: false }`; they end in its URL. */
    parameters: driverParameters.default({}),
  }),
  haproxy: haproxyOptions.prefault({}),
  firewall: z
    .strictObject({
      // Who reaches the Hazelcast members and chat itself; absent: the cluster's own addresses.
      sources: z
        .union([z.array(network).min(1), z.literal("any")], {
          error: 'is neither a list of networks nor "any". Example: [10.1.0.0/24, "fd00:1::/64"]',
        })
        .optional(),
      // Switch ufw on where it is off, with ssh's port open and on trial: off again unless a second connection gets in.
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
      url: url
        .regex(/[^/]$/, "ends with a slash. Example: https://api.tyntec.com/chat-api/v2")
        .default("https://api.tyntec.com/chat-api/v2"),
      caFile: z.string().optional(),
      /** Have events that another system gets now. */
      takeOver: z.boolean().default(false),
      /** `WhatsAppGroupEvent::*`, which a later API may refuse. */
      groupEvents: z.boolean().default(true),
    })
    .optional(),
});

/** A checked stack file. */
export type Deployment = z.output<typeof schema>;

/** Where the storage server's share is on the hosts. */
export type Share = Deployment["share"];

/** How HAProxy treats chat, defaults filled in. */
export type HaproxyOptions = z.output<typeof haproxyOptions>;

/** Where every chat server's hazelcast.xml comes from. */
export type Hazelcast = Deployment["hazelcast"];

/** What a person has decided about ClientMessenger's unit. */
export type UnitOptions = z.output<typeof unitOptions>;

/** When a server is restarted. */
export type Restart = Deployment["clientMessenger"]["restart"];

/** One of the resources that a stack file may accept. */
export type Resource = (typeof resources)[number];

/** The portal's database. */
export type Database = Deployment["database"];

/** One entry of `loadBalancers` or `chatServers`. */
export type HostConfig = z.output<typeof host>;

/** Keys that a stack file must hold encrypted, with the command that puts them there. */
export const secretKeys = ["database.password", "tyntec.apiKey", "hazelcast.password"] as const;
