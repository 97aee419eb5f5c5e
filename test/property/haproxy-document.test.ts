import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { load as parseYaml } from "js-yaml";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { haproxyOptions } from "../../config/schema.ts";
import { type ChatFrontend, chatSections, whatsappRules } from "../../render/haproxy.ts";
import { type HostTool, startHostTool } from "./host-tool.ts";

const cases = new URL("../golden/haproxy/", import.meta.url);
const some = <Value>(...values: Value[]) => fc.constantFrom(...values);

const time = fc
  .tuple(fc.integer({ min: 1, max: 999_999_999 }), some("ms", "s", "m", "h", "d"))
  .map(([number, unit]) => `${number}${unit}`);
const port = fc.integer({ min: 1, max: 65_535 });
const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,30}$/);
const address = some("10.1.0.21", "2001:db8::22", "acd-chat.acme.example", "x", "::1");
const bind = fc
  .tuple(some("", "*", "10.1.0.9", "[::]", "[2001:db8::9]"), port, fc.subarray([" v6only", " interface eth0.1"]))
  .map(([where, number, settings]) => `${where}:${number}${settings.join("")}`);

/** Everything that a stack file can say of HAProxy. */
const options = fc.record(
  {
    balance: some("leastconn", "roundrobin", "static-rr", "first", "source", "random"),
    check: fc.record(
      { inter: time, fastinter: time, downinter: time, shutdownSessions: fc.boolean() },
      { requiredKeys: [] },
    ),
    timeout: fc.record({ tunnel: time, client: time, connect: time, clientFin: time }, { requiredKeys: [] }),
    alpn: some(["h2"], ["http/1.1"], ["h2", "http/1.1"], ["http/1.1", "h2"]),
    binds: fc.array(bind, { maxLength: 3 }),
    acceptProxy: fc.boolean(),
    redirectFrom: port,
    maxconn: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    weights: fc.constant({ a: 0, b: 256 }),
  },
  { requiredKeys: [] },
);

const frontend: fc.Arbitrary<ChatFrontend> = fc.record({
  scheme: some<"https" | "http">("https", "http"),
  host: address,
  port,
  certificate: some("/etc/haproxy/haproxy.pem", "/etc/haproxy/certs/", "/a@b+c=d,e-f.pem"),
  portalFrontend: some(undefined, "acdportal_https"),
  drainPort: fc.option(port, { nil: undefined }),
  servers: fc.array(fc.record({ name: fc.oneof(name, some("a", "b")), address }), { maxLength: 10 }),
  options: options.map((value) => haproxyOptions.parse(value)),
});

/** What must never reach a customer's file by a document: code, files, programs, sockets, other sections. */
const poisons = [
  "lua-load /tmp/x.lua",
  "    lua-load-per-thread /tmp/x.lua",
  "    lua-prepend-path /tmp/?.lua",
  "    http-request lua.x",
  "    setenv CFGREV $(id)",
  "    setenv LD_PRELOAD /tmp/x.so",
  "    external-check command /tmp/x",
  "    stats socket /tmp/x level admin",
  "    errorfile 503 /etc/shadow",
  "    bind :1 ssl crt /etc/shadow crt /etc/ssh/ssh_host_rsa_key",
  "    bind unix@/tmp/x",
  "    bind :3003 ssl crt /x ca-file /etc/shadow",
  "    server x 10.1.0.1:3000 weight 1 check inter 1m fastinter 1m downinter 1m source 0.0.0.0 usesrc client",
  "    server x 10.1.0.1:3000 weight 1 check inter 1m fastinter 1m downinter 1m on-marked-down shutdown-sessions agent-check",
  "    server x 10.1.0.1:3000 weight 1 check inter 1m fastinter 1m downinter 1m agent-check agent-port 3002 agent-inter 1s pool-max-conn 0 agent-addr 10.9.9.9",
  "    server x 10.1.0.1:3000",
  "    acl x src -f /etc/shadow",
  "    http-request return status 200 file /etc/shadow",
  "    use_backend other if TRUE",
  "    log /tmp/x local0",
  "    # comment\r    lua-load /tmp/x",
  "    mode http\r",
  "    mode http # lua",
  "program x",
  "    command /tmp/x",
  "frontend other",
  "backend backend_chat_ws extra",
  "defaults",
  ".if defined(X)",
  "    presetenv X y",
  "\tmode http\u2028lua-load x",
  "    user root",
  "    chroot /tmp",
];

let tool: HostTool;

beforeAll(() => {
  tool = startHostTool();
});

afterAll(() => tool.stop());

describe("HAProxy's document on the host", () => {
  test("may hold everything that the golden cases render", async () => {
    for (const file of readdirSync(cases)) {
      const { expected } = parseYaml(readFileSync(new URL(file, cases), "utf8")) as { expected: string };
      expect(await tool.document(expected, whatsappRules), file).toEqual([]);
    }
  });

  test("may hold everything that a stack file can make of the template", async () => {
    await fc.assert(
      fc.asyncProperty(frontend, async (given) => {
        expect(await tool.document(chatSections(given), whatsappRules)).toEqual([]);
      }),
      { numRuns: 500, seed: 1 },
    );
  });

  test.each(poisons)("may not hold %j, wherever it stands", async (poison) => {
    await fc.assert(
      fc.asyncProperty(frontend, fc.double({ min: 0, max: 1, noNaN: true }), async (given, where) => {
        const lines = chatSections(given).trimEnd().split("\n");
        const at = Math.floor(where * lines.length);
        const found = await tool.document([...lines.slice(0, at), poison, ...lines.slice(at)].join("\n"), []);
        expect(found[0]).toMatch(new RegExp(`^document: line ${at + 1} of 'sections' is none that chat needs`));
      }),
      { numRuns: 20, seed: 1 },
    );
  });

  test("has no other rules than WhatsApp's", async () => {
    const others = ["http-request lua.x", "use_backend other if whatsapp_req", "acl whatsapp_req path -f /etc/shadow"];
    const found = await tool.document("", [...whatsappRules, ...others]);
    expect(found.map((problem) => /line (\d+) of 'rules'/.exec(problem)?.[1])).toEqual(["4", "5", "6"]);
  });
});
