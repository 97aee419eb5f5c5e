import { readdirSync, readFileSync } from "node:fs";
import { load as parseYaml } from "js-yaml";
import { describe, expect, test } from "vitest";
import { check } from "../../config/check.ts";
import { problemText } from "../../config/problems.ts";
import { javaDocument, type Java as RenderedJava } from "../../render/java.ts";
import { topologies } from "../../topologies/topologies.ts";

const stackFile = (name: string) => readFileSync(new URL(`../../${name}`, import.meta.url), "utf8");

/** The values of a committed stack file, with the secrets that it must not hold. */
const values = (name = "Pulumi.prod.yaml"): Record<string, Record<string, unknown>> => {
  const { config } = parseYaml(stackFile(name)) as { config: Record<string, Record<string, unknown>> };
  const entries = Object.entries(config).map(([key, value]) => [key.replace("jtel-chat:", ""), value]);
  const all = Object.fromEntries(entries);
  const tyntec = all.tyntec && { tyntec: { ...all.tyntec, apiKey: "k" } };
  return { ...all, database: { ...all.database, password: "p" }, ...tyntec };
};

const problems = (changes: Record<string, unknown>): string[] => {
  const checked = check({ ...values(), ...changes });
  return "problems" in checked ? checked.problems.map(({ key, text }) => `${key}: ${text}`) : [];
};

const examples = readdirSync(new URL("../../examples/", import.meta.url))
  .filter((name) => name.endsWith(".yaml"))
  .map((name) => `examples/${name}`);

test.each(["Pulumi.prod.yaml", ...examples])("%s is valid once its secrets are set", (name) => {
  expect(check(values(name))).toHaveProperty("deployment");
});

test("there is an example of every topology, named after it", () => {
  expect(examples.map((name) => values(name).topology)).toEqual(Object.keys(topologies));
  expect(examples).toEqual(Object.keys(topologies).map((name) => `examples/${name}.yaml`));
});

test("Pulumi.dev.yaml lacks only what the lab adds", () => {
  const keys = ["loadBalancers[0].hostKey", "chatServers[0].hostKey", "chatServers[1].hostKey"];
  const checked = check(values("Pulumi.dev.yaml"));
  expect("problems" in checked && checked.problems.map(({ key }) => key)).toEqual(keys);
});

test("chat on the load balancers over http names the port that is wanted twice, unless another is set", () => {
  const lbHosted = { ...values("examples/lb-hosted.yaml"), public: { scheme: "http", host: "chat.acme.example" } };
  const checked = check(lbHosted);
  expect("problems" in checked && checked.problems).toEqual([
    {
      key: "public",
      text: expect.stringMatching(/^http on port 3000 .*Use https \(port 3003\), or set public\.port$/),
    },
  ]);
  expect(check({ ...lbHosted, public: { ...lbHosted.public, port: 3001 } })).toHaveProperty("deployment");
});

test("a missing secret names the command that sets it", () => {
  expect(problems({ database: {} })).toEqual([
    "database.password: is missing. Set it: pulumi config set --secret --path 'jtel-chat:database.password'",
  ]);
});

test("a missing host key says why it is needed and where it is read", () => {
  expect(problems({ loadBalancers: [{ name: "lb1", address: "192.0.2.11" }] })).toEqual([
    "loadBalancers[0].hostKey: is missing: without it any host would be trusted. Read it on the host's console: cat /etc/ssh/ssh_host_ed25519_key.pub",
  ]);
});

test("a boolean of the first level is one also as the text that Pulumi makes of it", () => {
  const protectedBy = (protect: unknown) => {
    const checked = check({ ...values(), protect });
    return "deployment" in checked && checked.deployment.protect;
  };
  expect([true, "true", false, "false", undefined].map(protectedBy)).toEqual([true, true, false, false, false]);
  expect(problems({ protect: "yes" })).toEqual(['protect: "yes" invalid input: expected boolean, received string']);
});

test("an unknown key is named with its path, and not silently ignored", () => {
  expect(problems({ share: { path: "/home/jtel/shared", hostd: true }, topolgy: "x" })).toEqual([
    "share.hostd: is unknown. Check the spelling, or remove it",
    "topolgy: is unknown. Check the spelling, or remove it",
  ]);
});

test("a wrong value is shown with what is expected", () => {
  expect(problems({ topology: "cloud" })).toEqual([
    'topology: "cloud" is not a topology. Known: co-located (on web servers), lb-hosted (on the load balancers), separate-server',
  ]);
});

test("a secret's wrong value is not shown", () => {
  expect(problems({ database: { password: 12345 } }).join()).not.toContain("12345");
});

test("a host that is listed twice is refused, naming the other place", () => {
  const [server] = values().chatServers as unknown as object[];
  expect(problems({ chatServers: [server, server] })).toEqual([
    'chatServers[1].name: "chatserver1" stands in chatServers[0].name already. Every host is listed once, with its own name',
    'chatServers[1].address: "192.0.2.21" stands in chatServers[0].address already. Every host is listed once, with its own address',
  ]);
});

test("WhatsApp over http is refused with the way on", () => {
  expect(problems({ public: { scheme: "http", host: "chat.acme.example" } })).toEqual([
    'public.scheme: "http" cannot carry WhatsApp: TynTec calls https only. Use https, or remove whatsapp',
  ]);
});

test("a URL of another version of TynTec's API is refused with the way on", () => {
  expect(problems({ tyntec: { ...values().tyntec, apiVersion: "v3" } })).toEqual([
    expect.stringMatching(/^tyntec\.url: "https:\/\/.*\/v2" is version 2 .*apiVersion is v3\. Remove the key/),
  ]);
});

test("HAProxy's options are checked against the servers, the scheme and each other", () => {
  const haproxy = {
    weights: { chatserver1: 2, chatserver9: 1 },
    redirectFrom: 443,
    binds: ["10.1.0.9:3003", "[::]:3003", "[::]:3003 v6only", "10.1.0.9:3004"],
  };
  expect(problems({ haproxy })).toEqual([
    "haproxy.weights.chatserver9: names no chat server. Known: chatserver1, chatserver2",
    'haproxy.binds[0]: "10.1.0.9:3003" is bound already: chat listens on port 3003 of every IPv4 address',
    'haproxy.binds[1]: "[::]:3003" takes IPv4, too, where chat listens already. Use "[::]:3003 v6only"',
    "haproxy.redirectFrom: 443 is taken by ssh, the portal or chat itself. Use another free port",
  ]);
});

test("on load balancers that are the chat servers, weights are theirs and port 3000 is ClientMessenger's", () => {
  const haproxy = { weights: { lb1: 2 }, redirectFrom: 3000 };
  expect(problems({ topology: "lb-hosted", chatServers: undefined, haproxy })).toEqual([
    "haproxy.redirectFrom: 3000 is taken by ssh, the portal or chat itself. Use another free port",
  ]);
});

test("what needs https is refused over http", () => {
  const { whatsapp, tyntec, ...rest } = values();
  const http = { ...rest, public: { scheme: "http", host: "chat.acme.example" } };
  const checked = check({ ...http, haproxy: { alpn: ["h2"], redirectFrom: 3001 } });
  expect("problems" in checked && checked.problems.map(({ key }) => key)).toEqual([
    "haproxy.alpn",
    "haproxy.redirectFrom",
  ]);
});

test.each([
  [{ timeout: { tunnel: "86400" } }, 'haproxy.timeout.tunnel: "86400" is no time. Examples: 500ms, 30s, 1m, 1d'],
  [{ check: { inter: 60 } }, "haproxy.check.inter: 60 is no time. Examples: 500ms, 30s, 1m, 1d"],
  [{ balance: "fair" }, 'haproxy.balance: "fair" is no way to balance. Known: leastconn, roundrobin, static-rr'],
  [{ binds: ["10.1.0.9"] }, 'haproxy.binds[0]: "10.1.0.9" is no address and port for HAProxy to listen on'],
  [{ binds: [":3004 ssl\n  bind :22"] }, "is no address and port for HAProxy to listen on"],
])("a value that HAProxy would not take is refused: %j", (haproxy, problem) => {
  expect(problems({ haproxy }).join("\n")).toContain(problem);
});

test("the firewall's default needs addresses, not names", () => {
  const { firewall: _, ...rest } = values();
  const [server] = rest.chatServers as unknown as object[];
  const checked = check({ ...rest, chatServers: [{ ...server, interface: undefined, address: "chat1.acme.example" }] });
  expect(checked).toHaveProperty("problems");
});

test("the firewall is opened to everybody by that word only", () => {
  expect(problems({ firewall: { sources: "any", enable: true } })).toEqual([]);
  expect(problems({ firewall: { sources: "all" } })).toEqual([
    'firewall.sources: "all" is neither a list of networks nor "any". Example: [10.1.0.0/24, "fd00:1::/64"]',
  ]);
});

test("problems come in the order of the file, each with the file's name", () => {
  const text = "config:\n  jtel-chat:share: {}\n  jtel-chat:database: {}\n";
  const sorted = problemText(
    [
      { key: "database.password", text: "is missing" },
      { key: "share.path", text: "is wrong" },
    ],
    "Pulumi.acme.yaml",
    text,
  );
  expect(sorted).toBe(
    "Pulumi.acme.yaml: jtel-chat:share.path: is wrong\nPulumi.acme.yaml: jtel-chat:database.password: is missing",
  );
});

test("Hazelcast's file is copied from the share unless the stack wants it rendered", () => {
  const hazelcast = (value: unknown) => check({ ...values(), hazelcast: value });
  expect(hazelcast({})).toMatchObject({ deployment: { hazelcast: { source: "share" } } });
  expect(hazelcast({ source: "render", clusterName: "acme" })).toMatchObject({
    deployment: { hazelcast: { clusterName: "acme", members: [] } },
  });
});

test("a cluster that is to be rendered needs a name and readable members; one that is copied takes none", () => {
  expect(problems({ hazelcast: { source: "render", members: ["10.1.0.31-35", "10.1.0.1, 10.1.0.2"] } })).toEqual([
    "hazelcast.clusterName: is missing. Set it: pulumi config set --path 'jtel-chat:hazelcast.clusterName' VALUE",
    'hazelcast.members[1]: "10.1.0.1, 10.1.0.2" is no member. Examples: 10.1.0.31, 10.1.0.31:5702, 10.1.0.31-35',
  ]);
  expect(problems({ hazelcast: { source: "share", password: "p" } })).toEqual([
    "hazelcast.password: is unknown. Check the spelling, or remove it",
  ]);
  expect(problems({ hazelcast: { source: "vendor" } })).toEqual([
    'hazelcast.source: {"source":"vendor"} is unknown. Known: share, render',
  ]);
});

test("a release is hold, follow or a digest", () => {
  expect(problems({ clientMessenger: { release: "0123456789abcdef" } })).toEqual([]);
  expect(problems({ clientMessenger: { release: 1234567890123456 } })[0]).toContain("in quotes");
  expect(problems({ clientMessenger: { release: "latest" } })[0]).toMatch(
    /^clientMessenger\.release: "latest" is no release/,
  );
});

test("a line of the vendor's unit that is accepted is one Key=Value, and limits and restarts are named", () => {
  const given = (clientMessenger: object) => problems({ clientMessenger });
  const accept = ["EnvironmentFile=/etc/default/chat", `ExecStartPre=+/bin/sh -c 'mkdir "/x"; true'`];
  expect(given({ restart: "hold", unit: { accept, limits: ["files", "tmp", "network"] } })).toEqual([]);
  for (const line of ["EnvironmentFile", "[Service]", "Nice=1\nUser=root", "Nice=1\rUser=root", " Nice=1"])
    expect(given({ unit: { accept: [line] } })[0]).toContain("is no line of a unit");
  expect(given({ unit: { limits: ["home"] } })[0]).toContain("Known: files, tmp, network");
  expect(given({ restart: "never" })[0]).toContain("Known: roll, hold");
});

test("a drain has its defaults, a port of its own, an end, and load balancers that are told by addresses", () => {
  const given = (drain: unknown, more: object = {}) => problems({ clientMessenger: { drain }, ...more });
  expect(check({ ...values(), clientMessenger: { drain: {} } })).toMatchObject({
    deployment: { clientMessenger: { drain: { deadline: "10m", idle: "5m", atDeadline: "stop", port: 3002 } } },
  });
  expect(given({ deadline: "1h", idle: "30s", total: "2h", atDeadline: "cut" })).toEqual([]);
  expect(given({ deadline: "10" })[0]).toContain('"10" is no time. Examples: 30s, 10m, 1h');
  expect(given({ deadline: "61m" })[0]).toContain('clientMessenger.drain.deadline: "61m" is longer than 1h');
  expect(given({ atDeadline: "wait" })[0]).toContain("Known: stop, cut");
  for (const port of [22, 3000, 5750]) expect(given({ port })[0]).toContain(`drain.port: ${port} is taken`);
  const [balancer] = values().loadBalancers as unknown as object[];
  const named = { loadBalancers: [{ ...balancer, address: "lb1.acme.example" }], firewall: { sources: "any" } };
  expect(given({}, named)[0]).toMatch(
    /^loadBalancers\[0\]\.address: .* a drain tells load balancers by their addresses/,
  );
});

test("parameters of the driver may be numbers and booleans, and do not override keys of their own", () => {
  const withParameters = (parameters: object) => problems({ database: { ...values().database, parameters } });
  expect(withParameters({ useSSL: false, connectTimeout: 5000 })).toEqual([]);
  expect(withParameters({ Password: "x" })).toEqual([
    'database.parameters.Password: "Password" has a key of its own: set database.password',
  ]);
  expect(withParameters({ useSSL: { is: "no" } })[0]).toMatch(/^database\.parameters\.useSSL: .* is no text/);
});

test.each([
  { package: "openjdk-17-jdk-" },
  { package: "openjdk-17-jdk+" },
  { package: "-o" },
  { package: "openjdk=17" },
  { package: "openjdk/sid" },
  { package: "openjdk*" },
  { package: "openjdk-17-jdk\n" },
  { aptSource: "deb https://x.example bookworm main\ndeb [trusted=yes] http://y.example bookworm main" },
  { aptSource: "deb https://x.example bookworm main\r" },
  { aptSource: "deb https://x.example\u2028bookworm main" },
])("what apt would take for something else is refused: %j", (java) => {
  expect(problems({ java })).toEqual([expect.stringMatching(/^java\.\w+: .* is no /s)]);
});

type Java = RenderedJava & { aptKey: { fingerprint: string; text: string } };

describe("a key of the stack's own for java.aptSource", () => {
  const { config } = parseYaml(stackFile("docs/stack-file.yaml")) as { config: Record<string, Java> };
  const given = config["jtel-chat:java"] as Java;
  const { aptKey } = given;
  const withKey = (changes: object) => problems({ java: { ...given, ...changes } });

  test("is refused when the stack names another one", () => {
    expect(withKey({})).toEqual([]);
    expect(withKey({ aptKey: { ...aptKey, fingerprint: aptKey.fingerprint.replace("D0EA", "D0EB") } })).toEqual([
      "java.aptKey.fingerprint: D0EBF023906A201E48F55CED62B7083ABB3E4408 is not that of the key in java.aptKey.text," +
        " which is D0EAF023906A201E48F55CED62B7083ABB3E4408. Ask the repository's owner which one is right",
    ]);
    expect(withKey({ aptKey: { ...aptKey, fingerprint: "BB3E4408" } })[0]).toContain("is no fingerprint: 40");
    expect(withKey({ aptKey: { ...aptKey, text: "mDMEawfcjhYJ" } })[0]).toContain("is no armoured OpenPGP public key");
  });

  test("needs a source, which names no other key", () => {
    expect(withKey({ aptSource: undefined })).toEqual([expect.stringMatching(/^java\.aptKey: is of no use without/)]);
    const signed = "deb [arch=amd64 signed-by=/usr/share/keyrings/acme.gpg] https://apt.acme.example trixie main";
    expect(withKey({ aptSource: signed })).toEqual([
      expect.stringMatching(/^java\.aptSource: names a key with signed-by/),
    ]);
  });

  test.each([
    ["deb https://apt.acme.example trixie main", "deb [signed-by=FILE] https://apt.acme.example trixie main\n"],
    ["deb  [ arch=amd64 ] https://a.example x main", "deb [arch=amd64  signed-by=FILE] https://a.example x main\n"],
  ])("is the only one that apt asks: %s", (aptSource, written) => {
    const text = javaDocument({ package: "openjdk-17-jdk", version: 17, onDestroy: "keep", aptSource, aptKey });
    expect(text).toContain(`\t${written.replace("FILE", "/etc/apt/keyrings/jtel-chat-java.asc")}`);
    expect(text).toContain(
      "# files: /etc/apt/keyrings/jtel-chat-java.asc\ncontent:\n\t-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n\tmDME",
    );
  });
});

test.each(["https://a\n.example", "https://a.example/\tb", "https://a.example/\r\nX: y", "https://a.example/ b"])(
  "a URL is refused as it is written, not as it is read: %j",
  (portal) => {
    const found = problems({ whatsapp: { ...values().whatsapp, portal } });
    expect(found).toContainEqual(expect.stringMatching(/^whatsapp\.portal: ".*" holds a blank, a line break/s));
  },
);

const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEXAMPLEexampleEXAMPLEexampleEXAMPLEexampleEXAM";

test.each([
  `${key} root@lb1`,
  `  ${key.replace(" ", "  ")}\n`,
  `192.0.2.11 ${key}`,
  `[192.0.2.11]:2222 ${key} comment with blanks`,
])("a host key is taken as the host's file and ssh-keyscan print it: %j", (hostKey) => {
  const checked = check({ ...values(), loadBalancers: [{ name: "lb1", address: "192.0.2.11", hostKey }] });
  expect("deployment" in checked && checked.deployment.loadBalancers[0]?.hostKey).toBe(key);
});

test.each(["ssh-ed25519", "ssh-dss AAAA", "AAAA", "ssh-ed25519 -----BEGIN"])("no host key: %s", (hostKey) => {
  expect(problems({ loadBalancers: [{ name: "lb1", address: "192.0.2.11", hostKey }] }).join()).toMatch(
    /^loadBalancers\[0\]\.hostKey: ".*" is no public host key/,
  );
});

test.each(["max.mustermann", "deploy@acme.example", "Deploy", "acme+deploy", "jürgen"])("a login name: %s", (user) => {
  expect(problems({ ssh: { user, become: "sudo" } })).toEqual([]);
});

test.each(["-oProxyCommand=x", "de ploy", "deploy\n", "a'b", "$(x)", "a\u001bb", ""])("no login name: %j", (user) => {
  expect(problems({ ssh: { user, become: "sudo" } }).join()).toMatch(/^ssh\.user: ".*" is no user name/);
});
