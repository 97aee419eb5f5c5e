import { isIP } from "node:net";
import type { z } from "zod";
import { fingerprintOf } from "./openpgp.ts";
import { chatPort, placeOf, publicPort, publicPorts } from "./ports.ts";
import { keyPath, type Problem } from "./problems.ts";
import { type Deployment, schema, secretKeys } from "./schema.ts";
import { seconds } from "./seconds.ts";
import { tyntecUrlProblem } from "./tyntec-url.ts";

/** The checked values, or every problem that they have. */
export type Checked = { deployment: Deployment } | { problems: Problem[] };

/**
 * Checks the values of one stack: each value by itself, then values against each other.
 *
 * @param values Parsed values by their key without prefix, e.g. `{ topology: "lb-hosted", ssh: { user: "deploy" } }`.
 */
export const check = (values: Record<string, unknown>): Checked => {
  const parsed = schema.safeParse(withBooleans(values), { reportInput: true });
  if (!parsed.success) return { problems: parsed.error.issues.flatMap(schemaProblems).map(visible) };
  const problems = crossProblems(parsed.data).map(visible);
  return problems.length ? { problems } : { deployment: parsed.data };
};

/** Pulumi gives and stores a scalar of the first level as text: `protect: true` becomes `"true"`. */
const withBooleans = (values: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(values).map(([key, value]) => [key, value === "true" || (value === "false" ? false : value)]),
  );

/** A stack file may be a stranger's: what a terminal would not show as it is, is shown as `\u{202e}`. */
const visible = ({ key, text }: Problem): Problem => ({ key: escaped(key), text: escaped(text) });

const escaped = (text: string): string =>
  text.replaceAll(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);

const chatServersOf = ({ topology, loadBalancers, chatServers }: Deployment) =>
  topology === "lb-hosted" ? loadBalancers : chatServers;

const schemaProblems = (issue: z.core.$ZodIssue): Problem[] => {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      key: keyPath([...issue.path, key]),
      text: "is unknown. Check the spelling, or remove it",
    }));
  }
  const key = keyPath(issue.path);
  if (issue.input === undefined) return [{ key, text: missingText(key, issue.message) }];
  const secret = (secretKeys as readonly string[]).includes(key);
  return [{ key, text: secret ? issue.message : `${shown(issue.input)} ${lowerFirst(issue.message)}` }];
};

const missingText = (key: string, message: string): string => {
  if (message.startsWith("is missing")) return message;
  if ((secretKeys as readonly string[]).includes(key)) return `is missing. ${setSecret(key)}`;
  return `is missing. Set it: pulumi config set --path 'jtel-chat:${key}' VALUE`;
};

/**
 * The remedy of an error about a secret, e.g. `Set it: pulumi config set --secret --path
 * 'jtel-chat:database.password'`.
 */
const setSecret = (key: string): string => `Set it: pulumi config set --secret --path 'jtel-chat:${key}'`;

/** The problem of a secret that is not encrypted in the stack file. */
export const plainSecret = (key: string): Problem => ({
  key,
  text: `stands there in plain text, for everybody to read. ${setSecret(key)}`,
});

/** The problem of an encrypted value that is no secret: a review would not see it change, and messages would show it. */
export const hiddenValue = (key: string): Problem => ({
  key,
  text: `is encrypted, but no secret: nobody could review it. Set it in plain text: pulumi config set --path 'jtel-chat:${key}' VALUE`,
});

const shown = (value: unknown): string => (JSON.stringify(value) ?? String(value)).slice(0, 80);

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

const crossProblems = (deployment: Deployment): Problem[] => [
  ...topologyProblems(deployment),
  ...duplicateProblems(deployment),
  ...portProblems(deployment),
  ...maintenanceProblems(deployment),
  ...haproxyProblems(deployment),
  ...whatsappProblems(deployment),
  ...firewallProblems(deployment),
  ...hazelcastProblems(deployment),
  ...aptKeyProblems(deployment),
  ...drainProblems(deployment),
];

const allHosts = ({ loadBalancers, chatServers }: Deployment) => [
  ...loadBalancers.map((host, index) => ({ ...host, key: `loadBalancers[${index}]` })),
  ...chatServers.map((host, index) => ({ ...host, key: `chatServers[${index}]` })),
];

const topologyProblems = (deployment: Deployment): Problem[] => {
  const { topology, chatServers, public: visitors } = deployment;
  if (topology !== "lb-hosted") {
    return chatServers.length
      ? []
      : [{ key: "chatServers", text: `is missing: ${topology} needs at least one chat server` }];
  }
  const listed = {
    key: "chatServers",
    text: "is not for lb-hosted: there the load balancers are the chat servers. Remove it",
  };
  const twice = {
    key: "public",
    text: `${visitors.scheme} on port ${chatPort} of the load balancer itself needs that port twice: HAProxy and ClientMessenger both listen there. Use https (port 3003), or set public.port`,
  };
  return [...(chatServers.length ? [listed] : []), ...(publicPort(deployment) === chatPort ? [twice] : [])];
};

const duplicateProblems = (deployment: Deployment): Problem[] => {
  const hosts = allHosts(deployment);
  return (["name", "address"] as const).flatMap((field) =>
    hosts.flatMap((host, index) => {
      const earlier = hosts.slice(0, index).find((other) => other[field] === host[field]);
      if (!earlier) return [];
      const text = `"${host[field]}" stands in ${earlier.key}.${field} already. Every host is listed once, with its own ${field}`;
      return [{ key: `${host.key}.${field}`, text }];
    }),
  );
};

const reservedPorts = [22, 80, 443];

const portProblems = ({ public: { scheme, port } }: Deployment): Problem[] => {
  const reserved = port !== undefined && reservedPorts.includes(port);
  if (!reserved) return [];
  return [
    {
      key: "public.port",
      text: `${port} belongs to ssh or the portal. Use 3003 (https) or 3000 (http; scheme is ${scheme})`,
    },
  ];
};

const maintenanceProblems = ({ maintenance }: Deployment): Problem[] =>
  maintenance && maintenance.from === maintenance.to
    ? [{ key: "maintenance.to", text: `"${maintenance.to}" is also when it begins: such a window never opens` }]
    : [];

const haproxyProblems = (deployment: Deployment): Problem[] => {
  const { haproxy, public: visitors } = deployment;
  const names = chatServersOf(deployment).map(({ name }) => name);
  const unknown = Object.keys(haproxy.weights).filter((name) => !names.includes(name));
  const plain = haproxy.alpn && visitors.scheme !== "https";
  const alpn = "needs https: protocols are offered over TLS. Use https, or remove it";
  return [
    ...unknown.map((name) => ({
      key: `haproxy.weights.${name}`,
      text: `names no chat server. Known: ${names.join(", ")}`,
    })),
    ...(plain ? [{ key: "haproxy.alpn", text: alpn }] : []),
    ...bindProblems(deployment),
    ...redirectProblems(deployment),
  ];
};

/** Finds binds of chat's own address. `haproxy -c` accepts a file that binds an address twice. */
const bindProblems = (deployment: Deployment): Problem[] =>
  deployment.haproxy.binds.flatMap((bind, index) => {
    const { address, port } = placeOf(bind);
    if (port !== publicPort(deployment)) return [];
    const twice = isIP(address) === 4 || ["", "*"].includes(address);
    const dual = address === "[::]" && !bind.includes("v6only");
    const key = `haproxy.binds[${index}]`;
    if (twice) return [{ key, text: `"${bind}" is bound already: chat listens on port ${port} of every IPv4 address` }];
    if (dual) return [{ key, text: `"${bind}" takes IPv4, too, where chat listens already. Use "${bind} v6only"` }];
    return [];
  });

const redirectProblems = (deployment: Deployment): Problem[] => {
  const { redirectFrom } = deployment.haproxy;
  const key = "haproxy.redirectFrom";
  if (redirectFrom === undefined) return [];
  if (deployment.public.scheme !== "https")
    return [{ key, text: `${redirectFrom} can only redirect to https. Use https, or remove it` }];
  const taken = [...reservedPorts, publicPort(deployment), ...(deployment.topology === "lb-hosted" ? [chatPort] : [])];
  if (taken.includes(redirectFrom))
    return [{ key, text: `${redirectFrom} is taken by ssh, the portal or chat itself. Use another free port` }];
  return [];
};

const whatsappProblems = ({ public: { scheme }, whatsapp, tyntec }: Deployment): Problem[] => {
  if (whatsapp && scheme !== "https") {
    return [
      {
        key: "public.scheme",
        text: '"http" cannot carry WhatsApp: TynTec calls https only. Use https, or remove whatsapp',
      },
    ];
  }
  if (whatsapp && !tyntec)
    return [{ key: "tyntec", text: `is missing, but whatsapp is set. ${setSecret("tyntec.apiKey")}` }];
  if (tyntec && !whatsapp)
    return [
      {
        key: "whatsapp",
        text: "is missing, but tyntec is set. Set whatsapp.portal and whatsapp.serviceNumber, or remove tyntec",
      },
    ];
  const text = tyntec && tyntecUrlProblem(tyntec);
  return text ? [{ key: "tyntec.url", text }] : [];
};

const hazelcastProblems = ({ hazelcast, java }: Deployment): Problem[] =>
  hazelcast.source === "render" && java.version < 9
    ? [
        {
          key: "hazelcast.source",
          text: `"render" hands its group's password over in an argument file, which Java ${java.version} does not read. Use share, or a newer Java`,
        },
      ]
    : [];

/** Finds what keeps apt from trusting this key for this source, and no other one. */
const aptKeyProblems = ({ java: { aptKey, aptSource } }: Deployment): Problem[] => {
  if (!aptKey) return [];
  const found = fingerprintOf(aptKey.text);
  const other = {
    key: "java.aptKey.fingerprint",
    text: `${aptKey.fingerprint} is not that of the key in java.aptKey.text, which is ${found}. Ask the repository's owner which one is right`,
  };
  const alone = {
    key: "java.aptKey",
    text: "is of no use without java.aptSource, whose packages it vouches for. Set that, or remove it",
  };
  const twice = {
    key: "java.aptSource",
    text: "names a key with signed-by, and java.aptKey is another one. Remove one of them",
  };
  return [
    ...(found === aptKey.fingerprint ? [] : [other]),
    ...(aptSource ? [] : [alone]),
    ...(/^deb +\[[^\]]*signed-by/i.test(aptSource ?? "") ? [twice] : []),
  ];
};

/** The longest drain: a run is ended after two hours, whatever it waits for. */
const longestDrain = "1h";

/** Finds what keeps a drain from being asked for, or from ending. */
const drainProblems = (deployment: Deployment): Problem[] => {
  const { drain } = deployment.clientMessenger;
  if (!drain) return [];
  const inHazelcast = drain.port >= 5701 && drain.port <= 5801;
  const onLoadBalancer = deployment.topology === "lb-hosted" ? publicPorts(deployment) : [];
  const taken = [...reservedPorts, chatPort, ...onLoadBalancer].includes(drain.port) || inHazelcast;
  const names = deployment.loadBalancers.flatMap(({ address }, index) => (isIP(address) ? [] : [{ address, index }]));
  const key = "clientMessenger.drain";
  return [
    ...(taken
      ? [{ key: `${key}.port`, text: `${drain.port} is taken by ssh, the portal, Hazelcast or chat. Use another one` }]
      : []),
    ...(seconds(drain.deadline) > seconds(longestDrain)
      ? [{ key: `${key}.deadline`, text: `"${drain.deadline}" is longer than ${longestDrain}. Use a shorter one` }]
      : []),
    ...names.map(({ address, index }) => ({
      key: `loadBalancers[${index}].address`,
      text: `"${address}" is a name, but a drain tells load balancers by their addresses. Use the IP address, or remove clientMessenger.drain`,
    })),
  ];
};

/**
 * Finds host names where addresses are needed: a firewall rule made from a name would not follow when its address
 * changes.
 */
const firewallProblems = (deployment: Deployment): Problem[] => {
  if (deployment.firewall.sources) return [];
  return allHosts(deployment)
    .filter(({ address }) => !isIP(address))
    .map(({ key, address }) => ({
      key: `${key}.address`,
      text: `"${address}" is a name, but the firewall's default rules need addresses. Use the IP address, or set firewall.sources`,
    }));
};
