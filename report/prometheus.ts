import type { DriftReport } from "./report.ts";

/** One sample: `jtel_chat_drift{stack="acme",host="lb1",step="haproxy"} 1`. */
interface Sample {
  metric: keyof typeof metrics;
  labels: Record<string, string>;
  value: number;
}

const metrics = {
  jtel_chat_host_seen: "Whether the host was seen (1) or not (0).",
  jtel_chat_drift: "Whether the step was changed by hand (1) or is as it was applied (0).",
  jtel_chat_warnings: "Warnings about the host.",
  jtel_chat_certificate_days: "Days that the certificate is still valid.",
  jtel_chat_sessions: "Connections of clients to the chat server.",
  jtel_chat_cluster_members: "Members of Hazelcast's cluster that the chat server is connected to, itself among them.",
  jtel_chat_cluster_members_wanted: "Members that the stack wants in that cluster.",
  jtel_chat_restart_owed: "Whether the chat server runs older files than the host has (1) or not (0).",
  jtel_chat_stack_usable: "Whether the stack file is usable (1), or its hosts were not looked at (0).",
  jtel_chat_look_timestamp_seconds: "When the stack's hosts were looked at.",
};

/** Drift of stacks in Prometheus' text format, for the textfile collector of node_exporter. */
export const prometheus = (reports: DriftReport[]): string => {
  const all = reports.flatMap(samples);
  return Object.entries(metrics)
    .map(([metric, help]) => {
      const lines = all.filter((sample) => sample.metric === metric).map(line);
      return [`# HELP ${metric} ${help}`, `# TYPE ${metric} gauge`, ...lines, ""].join("\n");
    })
    .join("");
};

const samples = (report: DriftReport): Sample[] => [...ofStack(report), ...ofHosts(report)];

/** Hosts of a stack that is not usable were not looked at: an old time says so. */
const ofStack = ({ stack, made, verdict }: DriftReport): Sample[] => [
  { metric: "jtel_chat_stack_usable", labels: { stack }, value: verdict === "failed" ? 0 : 1 },
  ...(verdict === "failed"
    ? []
    : [{ metric: "jtel_chat_look_timestamp_seconds", labels: { stack }, value: Date.parse(made) / 1000 } as const]),
];

const ofHosts = ({ stack, hosts, unseen, drift, warnings, certificates, servers }: DriftReport): Sample[] => [
  ...hosts.flatMap(({ name: host, steps }): Sample[] => [
    {
      metric: "jtel_chat_host_seen",
      labels: { stack, host },
      value: unseen.some((each) => each.host === host) ? 0 : 1,
    },
    {
      metric: "jtel_chat_warnings",
      labels: { stack, host },
      value: warnings.filter((each) => each.hosts.includes(host)).length,
    },
    ...steps.map((step): Sample => {
      const edited = drift.some((each) => each.step === step && each.hosts.includes(host));
      return { metric: "jtel_chat_drift", labels: { stack, host, step }, value: edited ? 1 : 0 };
    }),
  ]),
  ...certificates.map(
    ({ host, path, days }): Sample => ({
      metric: "jtel_chat_certificate_days",
      labels: { stack, host, path },
      value: days,
    }),
  ),
  ...servers.flatMap(({ host, sessions, owed, members }): Sample[] => [
    { metric: "jtel_chat_sessions", labels: { stack, host }, value: sessions },
    { metric: "jtel_chat_restart_owed", labels: { stack, host }, value: owed ? 1 : 0 },
    ...(members
      ? ([
          { metric: "jtel_chat_cluster_members", labels: { stack, host }, value: members.there },
          { metric: "jtel_chat_cluster_members_wanted", labels: { stack, host }, value: members.wanted },
        ] satisfies Sample[])
      : []),
  ]),
];

const line = ({ metric, labels, value }: Sample): string => {
  const pairs = Object.entries(labels).map(([name, text]) => `${name}="${escaped(text)}"`);
  return `${metric}{${pairs.join(",")}} ${value}`;
};

/** As the text format wants it: backslash, quote and line break. */
const escaped = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
