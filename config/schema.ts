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

const url = z.url({ protocol: /^https$/, error: "is no https URL. Example: https://jtel-portal.acme.example" });

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
        .regex(/^[a-z0-9][a-z0-9.+-]+$/, "is no Debian package. Example: openjdk-17-jdk")
        .default("openjdk-17-jdk"),
      /** Its major release; 8 reads no argument file. */
      version: z.int().min(8).default(17),
      /** A line of sources.list(5), where the host's own sources do not have the package. */
      aptSource: z
        .string()
        .regex(
          /^deb .+$/,
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
      accept: z
        .array(
          z.enum(["memory", "cores", "disk", "system"], { error: "is unknown. Known: memory, cores, disk, system" }),
        )
        .default([]),
    })
    .prefault({}),
  clientMessenger: z.strictObject({ release: z.enum(["hold", "follow"]).default("hold") }).prefault({}),
  hazelcast: z.strictObject({ source: z.enum(["share"]).default("share") }).prefault({}),
  database: z.strictObject({
    host: address.default("acd-dbm"),
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
  }),
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

/** The portal's database. */
export type Database = Deployment["database"];

/** One entry of `loadBalancers` or `chatServers`. */
export type HostConfig = z.output<typeof host>;

/** Keys that a stack file must hold encrypted, with the command that puts them there. */
export const secretKeys = ["database.password", "tyntec.apiKey"] as const;
