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

const host = z.strictObject({ name: hostName, address, hostKey, port: port.default(22), jump: jump.optional() });

const interfaceName = z.string().regex(/^[A-Za-z0-9_.@-]{1,15}$/, "is no network interface. Example: eth0");

const network = z.union([z.cidrv4(), z.cidrv6(), z.ipv4(), z.ipv6()], {
  error: "is no address or network. Example: 10.1.0.0/24",
});

const url = z.url({ protocol: /^https$/, error: "is no https URL. Example: https://jtel-portal.acme.example" });

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

/** Every key of a stack file below `jtel-chat:`; what is optional here has its default here. */
export const schema = z.strictObject({
  topology: z.enum(["separate-server"], { error: "is not a topology. Known: separate-server" }),
  public: z.strictObject({
    scheme: z.enum(["https", "http"]),
    host: address,
    port: port.optional(),
    certificate: absolutePath.default("/etc/haproxy/haproxy.pem"),
  }),
  onDrift: z.enum(["heal", "stop"]).default("heal"),
  ssh: z.strictObject({ user, become: z.enum(["sudo"], { error: "is unknown. Known: sudo" }) }),
  loadBalancers: z.array(host).min(1, "names no load balancer: chat is reached through at least one"),
  chatServers: z
    .array(host.extend({ interface: interfaceName.optional() }))
    .min(1, "names no chat server")
    .max(10, "names more than ten chat servers"),
  share: z
    .strictObject({ path: absolutePath.default("/home/jtel/shared"), hosted: z.boolean().default(false) })
    .prefault({}),
  clientMessenger: z.strictObject({ release: z.enum(["hold", "follow"]).default("hold") }).prefault({}),
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
  firewall: z.strictObject({ sources: z.array(network).min(1).optional() }).prefault({}),
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
      apiKey: z.string().min(1, "is empty"),
      url: url.default("https://api.tyntec.com/chat-api/v2"),
      caFile: z.string().optional(),
    })
    .optional(),
});

/** A checked stack file. */
export type Deployment = z.output<typeof schema>;

/** Where the storage server's share is on the hosts. */
export type Share = Deployment["share"];

/** Where every chat server's hazelcast.xml comes from. */
export type Hazelcast = Deployment["hazelcast"];

/** The portal's database. */
export type Database = Deployment["database"];

/** One entry of `loadBalancers` or `chatServers`. */
export type HostConfig = z.output<typeof host>;

/** Keys that a stack file must hold encrypted, with the command that puts them there. */
export const secretKeys = ["database.password", "tyntec.apiKey", "hazelcast.password"] as const;
