import { expect, test } from "vitest";
import { findings } from "../../doctor/checks.ts";
import type { Facts, HostFacts, StackFacts } from "../../doctor/facts.ts";

const host: HostFacts = { name: "lb1", address: "10.1.0.11", port: 22, route: "ok", key: true };

const stack: StackFacts = {
  ...{ name: "acme", file: true, problems: [], known: true, provider: "passphrase", decryption: "" },
  passphrase: { set: true, file: "/home/alice/acme", readable: true, open: false },
  hosts: [host],
};

/** A machine on which nothing is wrong. */
const well: Facts = {
  ...{ node: "24.11.0", sdk: { wanted: "3.259.0", installed: "3.259.0" }, pulumi: "3.260.1", ssh: "OpenSSH_9.2p1" },
  plugins: { command: { wanted: "1.2.1", installed: ["1.0.0", "1.2.1"] } },
  ...{
    temporary: "",
    clock: { synchronized: true, now: Date.UTC(2026, 10, 26) },
    programWritten: Date.UTC(2026, 10, 1),
  },
  backend: { url: "file:///srv/pulumi", problem: "" },
  agent: { socket: "/run/agent", answers: true, keys: ["256 SHA256:x alice (ED25519)"] },
  ...{ proxy: { url: "http://proxy.example:3128", problem: "" }, stack },
};

const ofStack = (change: Partial<StackFacts>): Partial<Facts> => ({ stack: { ...stack, ...change } });
const ofHost = (change: Partial<HostFacts>): Partial<Facts> => ofStack({ hosts: [{ ...host, ...change }] });
const lock = { who: "bob on ci (process 7)", since: "2026-11-26T09:00:00Z" };

test("on a machine that is well nothing is found", () => {
  expect(findings(well)).toEqual([]);
  expect(findings({ ...well, stack: undefined, proxy: { url: "", problem: "" } })).toEqual([]);
});

test.each<[string, Partial<Facts>, RegExp]>([
  ["an old Node", { node: "22.9.0" }, /^runner: Node 22\.9\.0 is too old: 22\.18 or newer/],
  ["no packages", { sdk: { wanted: "3.259.0", installed: "" } }, /^runner: .*not installed\. Run: npm install$/],
  ["other packages", { sdk: { wanted: "3.259.0", installed: "3.250.0" } }, /^runner: .*3\.250\.0.*Run: npm ci$/],
  ["no Pulumi", { pulumi: "" }, /^runner: pulumi is not installed/],
  ["an old Pulumi", { pulumi: "3.99.0" }, /^runner: pulumi 3\.99\.0 is older than its library/],
  [
    "no plugin",
    { plugins: { command: { wanted: "1.2.1", installed: [] } } },
    /Run: pulumi plugin install resource command 1\.2\.1$/,
  ],
  [
    "another plugin",
    { plugins: { command: { wanted: "1.2.1", installed: ["4.5.0"] } } },
    /there as 4\.5\.0, wanted is 1\.2\.1/,
  ],
  ["no ssh", { ssh: "" }, /apt install openssh-client$/],
  ["a full disk", { temporary: "ENOSPC" }, /no temporary file can be written \(ENOSPC\)/],
  [
    "a clock of last year",
    { clock: { synchronized: true, now: Date.UTC(2025, 0, 1) } },
    /the clock says 2025-01-01.*set-ntp true$/,
  ],
  [
    "a clock that nobody keeps",
    { clock: { ...well.clock, synchronized: false } },
    /^runner: the clock is not kept by NTP/,
  ],
  ["no agent", { agent: { socket: "", answers: false, keys: [] } }, /SSH_AUTH_SOCK is not set/],
  ["an agent that has ended", { agent: { socket: "/run/a", answers: false, keys: [] } }, /ssh-agent -a \/run\/a$/],
  ["an agent without keys", { agent: { ...well.agent, keys: [] } }, /has no key\. Load it: ssh-add/],
  ["an agent with many keys", { agent: { ...well.agent, keys: Array(6).fill("k") } }, /has 6 keys.*ssh\.agentSocket$/],
  ["a proxy that is no URL", { proxy: { url: "proxy:3128", problem: "" } }, /HTTPS_PROXY is no URL/],
  [
    "a proxy that is off",
    { proxy: { ...well.proxy, problem: "ECONNREFUSED" } },
    /does not answer \(ECONNREFUSED\).*NO_PROXY$/,
  ],
  ["no login", { backend: { url: "", problem: "" } }, /pulumi login URL, or set PULUMI_BACKEND_URL$/],
  [
    "a backend that is gone",
    { backend: { url: "file:///x", problem: "no such file" } },
    /file:\/\/\/x cannot be used \(no such file\)/,
  ],
  ["a missing file", ofStack({ file: false, known: false }), /^acme: Pulumi\.acme\.yaml is not here/],
  [
    "a wrong file",
    ofStack({ problems: ["topology: is missing", "x"] }),
    /^acme: its file has 2 problems: topology: .*npm run validate$/,
  ],
  ["a stack that is unknown", ofStack({ known: false }), /^acme: .*pulumi stack init acme$/],
  [
    "a lock that was left",
    ofStack({ lock: { ...lock, runs: false } }),
    /that process has ended.*pulumi cancel --stack acme$/,
  ],
  ["a lock of another machine", ofStack({ lock: { ...lock, runs: undefined } }), /held by bob on ci.*pulumi cancel/],
  ["a run that goes on", ofStack({ lock: { ...lock, runs: true } }), /bob on ci \(process 7\) runs pulumi.*Wait/],
  [
    "no passphrase",
    ofStack({ passphrase: { set: false, file: "", readable: false, open: false } }),
    /Set PULUMI_CONFIG_PASSPHRASE_FILE/,
  ],
  [
    "a missing passphrase file",
    ofStack({ passphrase: { ...stack.passphrase, readable: false } }),
    /\/home\/alice\/acme, which cannot be read/,
  ],
  [
    "a passphrase for everybody",
    ofStack({ passphrase: { ...stack.passphrase, open: true } }),
    /chmod 600 \/home\/alice\/acme$/,
  ],
  [
    "a wrong passphrase",
    ofStack({ decryption: "error: incorrect passphrase" }),
    /not the one that its secrets were encrypted with/,
  ],
  [
    "a key without access",
    ofStack({ provider: "awskms://x", decryption: "AccessDenied" }),
    /with awskms:\/\/x \(AccessDenied\)/,
  ],
  [
    "a name that does not resolve",
    ofHost({ address: "lb.x", route: "ENOTFOUND", key: undefined }),
    /^lb1: lb\.x does not resolve/,
  ],
  [
    "a closed port",
    ofHost({ route: "ECONNREFUSED", key: undefined }),
    /^lb1: nothing listens on 10\.1\.0\.11, port 22/,
  ],
  ["no route", ofHost({ route: "timeout", key: undefined }), /^lb1: there is no way to 10\.1\.0\.11.*jump host needed/],
  ["a jump host that is off", ofHost({ route: "EHOSTUNREACH", jump: "b", key: undefined }), /Is the jump host up\?$/],
  ["another host key", ofHost({ key: false }), /^lb1: it offers another host key/],
])("%s is found, and only that, with its own remedy", (_, planted, remedy) => {
  const found = findings({ ...well, ...planted });
  expect(found.map(({ about, text }) => `${about}: ${text}`)).toEqual([expect.stringMatching(remedy)]);
});
