import fc from "fast-check";

/** A generated file: most are what HAProxy accepts, whatever they look like. */
export interface Configuration {
  bytes: Buffer;
  /** The name of its portal; absent where the stack has no WhatsApp. */
  portal?: string;
}

/** A change that somebody makes outside our blocks. at: the place of its line in the file, from 0 to 1. */
export interface ForeignEdit {
  kind: "insert" | "delete" | "change";
  at: number;
  text: string;
}

const some = <Value>(...values: Value[]) => fc.constantFrom(...values);
/** Each line is there or not; their order stays. */
const subset = (...lines: string[]) => fc.subarray(lines);
/** Any order. */
const shuffled = (lines: fc.Arbitrary<string[]>) =>
  lines.chain((each) => fc.shuffledSubarray(each, { minLength: each.length }));

const certificate = "/etc/haproxy/haproxy.pem";
const timeouts = ["timeout connect 5s", "timeout client 50s", "timeout server 50s"];

const global = subset("maxconn 2000", "daemon", "user haproxy", "log /dev/log local0", "setenv CFGREV_OLD 1").map(
  (lines) => ["global", ...lines],
);
const defaults = fc
  .tuple(
    some(timeouts, timeouts, timeouts.slice(1), []),
    subset("option httplog", "option forwardfor", "errorfile 503 /etc/haproxy/errors/503.http"),
    some(
      [],
      [],
      ["option transparent"],
      ["maxconn 10"],
      ["stats uri /"],
      ["default-server disabled"],
      ["default-server on-marked-down shutdown-sessions"],
    ),
  )
  .map((lines) => ["defaults", "mode http", ...lines.flat()]);
const redirects = subset(
  "redirect location /login if { path / }",
  "redirect scheme https if !{ ssl_fc }",
  'http-request set-header X-Note "a # b"',
  "http-request deny if { path_beg /admin } !{ src 10.0.0.0/8 }",
  "option forwardfor",
  "http-response set-header X-Frame-Options SAMEORIGIN # both",
);
const routes = subset(
  "use_backend web if { path_beg /a }",
  "use_backend web unless { method GET }",
  "use_backend %[req.hdr(host),lower,map_dom(/etc/haproxy/maps/hosts.map,web)]",
  "use_backend web",
  "default_backend web",
);
const rules = some(
  [],
  [],
  ["acl whatsapp_req path /incoming", "acl whatsapp_req path /delivery", "use_backend backend_chat_ws if whatsapp_req"],
  ["acl whatsapp_req path -i /delivery/ /incoming", "# 2023", "use_backend backend_chat_ws if whatsapp_req # TynTec"],
  ["acl whatsapp_req path /incoming", "http-request set-header X-WA 1 if whatsapp_req"],
  [
    "acl whatsapp_req path /incoming",
    "redirect scheme https if !{ ssl_fc } !whatsapp_req",
    "use_backend backend_chat_ws if whatsapp_req",
  ],
);
const portalHeader = some(
  "frontend acdportal_https",
  "frontend  acdportal_https # the portal",
  "listen acdportal_https",
  'frontend "acdportal_https"',
);
const bind = some(`bind :443 ssl crt ${certificate}`, "bind 10.1.0.11:443,10.1.0.12:443", "bind unix@/run/portal.sock");

const portal = fc
  .tuple(portalHeader, bind, shuffled(redirects), rules, shuffled(routes))
  .map(([header, bound, before, pasted, after]) => [header, bound, ...before, ...pasted, ...after]);
/** A section that another one takes the place of, under a condition that HAProxy finds true or false. */
const orAnother = (section: fc.Arbitrary<string[]>) =>
  fc.tuple(section, some([], [], [], ["1"], ["0"])).map(([lines, condition]) => {
    const branches = [...lines, ".else", "frontend instead", "bind :7778", "default_backend web", ".endif"];
    return condition[0] ? [`.if ${condition[0]}`, ...branches] : lines;
  });

const chatServer = "server chatserver1 10.1.0.21:3000 weight 1 check inter 1m";
const backends = some(["balance leastconn", chatServer], [chatServer], ["# servers", "", chatServer, "  "]).map(
  (lines) => ["backend backend_chat_ws", ...lines],
);
const http = some(
  ["frontend acdportal_chat_ws", "bind :3000", "timeout client 1d", "default_backend backend_chat_ws"],
  ["frontend acdportal_chat_ws :3000", "", "use_backend backend_chat_ws"],
);
const https = fc.constant([
  "frontend acdportal_chat_wss # chat",
  "default_backend backend_chat_ws",
  `bind :3003 ssl crt ${certificate}`,
]);
/** What was pasted by hand: nothing, one variant, both, or – which HAProxy refuses – the backend twice or not at all. */
const chat = fc.oneof(
  { arbitrary: fc.constant([]), weight: 1 },
  { arbitrary: fc.tuple(backends), weight: 2 },
  { arbitrary: fc.tuple(http, backends), weight: 2 },
  { arbitrary: fc.tuple(https, backends), weight: 2 },
  { arbitrary: fc.tuple(http, https, backends), weight: 2 },
  { arbitrary: fc.tuple(http, backends, https, backends), weight: 1 },
  { arbitrary: fc.tuple(https), weight: 1 },
);
const bystander = some(
  ["userlist backend_chat_ws", "user a insecure-password b"],
  ["peers pair", "peer lb1 10.1.0.11:10000"],
  ["listen stats", "bind :7777", "stats enable", "stats uri /"],
  ["# frontend acdportal_https", "#    bind :80"],
  [".if defined(NEVER)", "frontend never", "use_backend nowhere", ".endif"],
  ["### CHAT ###", "# END jtel", "#~ kept"],
  ["# BEGIN jtel-chat", "backend between", "server c 10.0.0.2:80", "# END jtel-chat"],
);

const sections = fc
  .tuple(
    fc.option(global),
    defaults,
    fc.array(orAnother(portal), { minLength: 1, maxLength: 1 }),
    chat,
    fc.uniqueArray(bystander, { maxLength: 3 }),
  )
  .chain(([first, second, ...more]) => {
    const rest = [...more.flat(), ["backend web", "server jb1 10.0.0.1:8080"]];
    return fc
      .shuffledSubarray(rest, { minLength: rest.length })
      .map((shuffledRest) => [...(first ? [first] : []), second, ...shuffledRest]);
  });

const looks = fc.record({
  indent: some("\t", " ", "  ", "    ", "        ", ""),
  headerIndent: some("", "", "", "\t", "   ", "\r", " \r "),
  lineEnd: some("\n", "\n", "\r\n", "mixed", "\n\r"),
  finalNewline: some(true, true, true, false), // without it, HAProxy refuses
  between: some([], [""], ["", ""], ["  \t"], ["# ------"], ["\\"]).map((lines) =>
    lines.filter((line) => line !== "\\"),
  ),
  lead: some([], [""], ["# Z\u00fcrich, ge\u00e4ndert am 3.3."], ["# \\"]),
  trailing: some("", "", " ", "\t", " \r", "\r"),
  carriageReturns: fc.infiniteStream(fc.boolean()),
});

/** Files that differ in what is in them, in which order, and in how they look. Bytes are characters (latin1). */
export const configuration: fc.Arbitrary<Configuration> = fc
  .tuple(sections, looks, fc.boolean())
  .map(([content, look, whatsapp]) => {
    const lines = [...look.lead];
    for (const [header = "", ...settings] of content) {
      lines.push(look.headerIndent + header + look.trailing);
      lines.push(...settings.map((setting) => (setting.trim() ? look.indent + setting + look.trailing : setting)));
      lines.push(...look.between);
    }
    const ends = lines.map(() => {
      if (look.lineEnd !== "mixed") return look.lineEnd;
      return look.carriageReturns.next().value ? "\r\n" : "\n";
    });
    if (!look.finalNewline) ends[ends.length - 1] = "";
    const text = lines.map((line, index) => line + ends[index]).join("");
    return { bytes: Buffer.from(text, "latin1"), ...(whatsapp ? { portal: "acdportal_https" } : {}) };
  });

/** What somebody does to a file of ours; some of it makes no sense to HAProxy. */
export const foreignEdits: fc.Arbitrary<ForeignEdit[]> = fc.array(
  fc.record({
    kind: some<ForeignEdit["kind"]>("insert", "insert", "delete", "change"),
    at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    text: some(
      "# noted",
      "",
      "   ",
      "backend added",
      "\tuse_backend web if { path /new }",
      "    default_backend web",
      "frontend acdportal_chat_ws",
      "    acl whatsapp_req path /incoming",
      "garbage \"' \\",
    ),
  }),
  { minLength: 1, maxLength: 5 },
);
