import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { driftOf } from "../../cli/drift.ts";
import { isStack, offlineDeployment } from "../../config/offline.ts";
import type { SeenHost } from "../../hosts/look/look-at-host.ts";
import { prometheus } from "../../report/prometheus.ts";
import { driftReportSchema } from "../../report/report.ts";

const directory = mkdtempSync(join(tmpdir(), "jtel-chat-test-"));
afterAll(() => rm(directory, { recursive: true }));

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEXAMPLEexampleEXAMPLEexampleEXAMPLEexampleEXAM";

const stackFile = (topology: string): string => {
  const file = join(directory, `Pulumi.${topology}.yaml`);
  writeFileSync(
    file,
    `encryptionsalt: v1:x
config:
  jtel-chat:topology: ${topology}
  jtel-chat:public: { scheme: https, host: chat.acme.example }
  jtel-chat:ssh: { user: deploy, become: sudo }
  jtel-chat:loadBalancers: [{ name: lb1, address: 192.0.2.11, hostKey: ${hostKey} }]
  jtel-chat:chatServers: [{ name: chatserver1, address: 192.0.2.21, hostKey: ${hostKey} }]
  jtel-chat:database: { user: root, password: { secure: v1:x } }
  jtel-chat:approval: { key: { secure: v1:x } }
`,
  );
  return file;
};

const answer = {
  ...{ generation: 1, reason: "", drifted: false, diff: "", active: false },
  ...{ problems: [], warnings: [], facts: {}, alike: {} },
};

const unit = "jtel-clientmessenger.service";
const facts = { [`sessions:${unit}`]: "41", [`owed:${unit}`]: "changed:java", [`members:${unit}`]: "1/2" };

const seen: Record<string, SeenHost["answers"]> = {
  lb1: {
    haproxy: { ...answer, drifted: true, reason: "our blocks", facts: { "days:/etc/haproxy/haproxy.pem": "87" } },
  },
  chatserver1: { "messenger-running": { ...answer, facts, warnings: ["restart owed"] } },
};

const look = async ({ name }: { name: string }): Promise<SeenHost> => ({
  name,
  answers: seen[name] ?? {},
  problems: [],
});

test("drift names edits, certificates and servers; its metrics name every step", async () => {
  const report = driftReportSchema.parse(await driftOf(stackFile("separate-server"), look));
  expect(report).toMatchObject({
    ...{ stack: "separate-server", verdict: "changes", unseen: [] },
    drift: [{ hosts: ["lb1"], step: "haproxy", reason: "our blocks" }],
    certificates: [{ host: "lb1", path: "/etc/haproxy/haproxy.pem", days: 87 }],
    servers: [{ host: "chatserver1", sessions: 41, owed: "changed:java", members: { there: 1, wanted: 2 } }],
  });
  expect(
    prometheus([{ ...report, made: "2026-11-26T07:08:20Z" }])
      .split("\n")
      .filter((line) => !line.startsWith("#")),
  ).toEqual([
    'jtel_chat_host_seen{stack="separate-server",host="lb1"} 1',
    'jtel_chat_host_seen{stack="separate-server",host="chatserver1"} 1',
    'jtel_chat_drift{stack="separate-server",host="lb1",step="haproxy"} 1',
    'jtel_chat_drift{stack="separate-server",host="chatserver1",step="messenger-running"} 0',
    'jtel_chat_warnings{stack="separate-server",host="lb1"} 0',
    'jtel_chat_warnings{stack="separate-server",host="chatserver1"} 1',
    'jtel_chat_certificate_days{stack="separate-server",host="lb1",path="/etc/haproxy/haproxy.pem"} 87',
    'jtel_chat_sessions{stack="separate-server",host="chatserver1"} 41',
    'jtel_chat_cluster_members{stack="separate-server",host="chatserver1"} 1',
    'jtel_chat_cluster_members_wanted{stack="separate-server",host="chatserver1"} 2',
    'jtel_chat_restart_owed{stack="separate-server",host="chatserver1"} 1',
    'jtel_chat_stack_usable{stack="separate-server"} 1',
    'jtel_chat_look_timestamp_seconds{stack="separate-server"} 1795676900',
    "",
  ]);
});

test("a host that is not seen outweighs drift", async () => {
  const report = await driftOf(stackFile("separate-server"), async (host) => ({
    ...(await look(host)),
    ...(host.name === "lb1" && { unseen: "no route" }),
  }));
  expect(report).toMatchObject({ verdict: "unseen", unseen: [{ host: "lb1", why: "no route" }] });
});

test("a stack file that cannot be used asks no host", async () => {
  const asked = vi.fn(look);
  const report = await driftOf(stackFile("nowhere"), asked);
  expect(report).toMatchObject({ verdict: "failed", problem: expect.stringContaining('"nowhere" is not a topology') });
  expect(asked).not.toHaveBeenCalled();
  const metrics = prometheus([report]);
  expect(metrics).toContain('jtel_chat_stack_usable{stack="nowhere"} 0\n');
  expect(metrics, "an old time is what an alert looks at").not.toMatch(/^jtel_chat_look_timestamp_seconds\{/m);
});

test("a stack file is read without its secrets; an example is no stack", () => {
  const file = stackFile("co-located");
  expect(offlineDeployment(file).database.password).toBe("0".repeat(64));
  expect(isStack(readFileSync(file, "utf8"))).toBe(true);
  expect(isStack(readFileSync(new URL("../../Pulumi.prod.yaml", import.meta.url), "utf8"))).toBe(false);
});
