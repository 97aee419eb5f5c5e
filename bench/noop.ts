/**
 * What looking at the hosts costs: `up` without changes against the same resources with constant inputs, and the look alone and
 * `npm run drift` against one bare ssh exec. Prints the figures, and keeps them in bench/results (not committed). Explained in
 * docs/performance.md.
 *
 *     toolchain/exec node bench/noop.ts
 */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { downLab, type Lab, upLab } from "../lab/lab.ts";
import { labStack, type Stack, stackHosts } from "../lab/stack.ts";
import { bareExec, drift, lookAt, questions, targets } from "./looking.ts";
import { type Figures, report } from "./report.ts";
import { exportState } from "./state.ts";
import { compared } from "./stopwatch.ts";

const rounds = 7;

/** What is measured: which program configures which hosts, and how much its looking may cost an `up`, in seconds. */
const landscapes = [
  { program: "bench/one-host", hosts: ["chatserver1"], bar: 0.4 },
  { program: ".", hosts: ["lb1", "chatserver1", "chatserver2"], bar: 0.6 },
  {
    program: ".",
    hosts: ["lb1", "lb2", ...[1, 2, 3, 4, 5, 6, 7, 8].map((number) => `chatserver${number}`)],
    bar: 1.2,
  },
];

type Landscape = (typeof landscapes)[number];

/** The dev stack on just these hosts. */
const stackOn = (lab: Lab, hosts: string[]): Promise<Stack> => {
  const chosen = (start: string) => stackHosts(lab, ...hosts.filter((host) => host.startsWith(start)));
  return labStack(lab, (config) => {
    if (hosts.length === 1) return;
    config.loadBalancers = chosen("lb");
    config.chatServers = chosen("chatserver");
  });
};

const up = async (stack: Stack, program: string, argv: string[] = [], environment = {}): Promise<void> => {
  const common = ["up", "--yes", "--skip-preview", "--suppress-outputs"];
  const { exitCode, output } = await stack.pulumi(["--cwd", program, ...common, ...argv], { environment });
  if (exitCode) throw new Error(`bench: up of ${program} failed:\n${output}`);
};

/** Measures one landscape. All programs share one state, and a difference between their resources fails the run. */
const measure = async (lab: Lab, directory: string, { program, hosts, bar }: Landscape): Promise<Figures> => {
  const stack = await stackOn(lab, hosts);
  await up(stack, program);
  const file = join(directory, `${hosts.length}.json`);
  const resources = await exportState(stack, file);
  const noop = (of: string, environment = {}) => up(stack, of, ["--expect-no-changes"], environment);
  const [ours, blind, constant] = await compared(
    [
      () => noop(program),
      () => noop(program, { JTEL_CHAT_OBSERVE: "never" }),
      () => noop("bench/constant", { JTEL_CHAT_BENCH_STATE: file }),
    ],
    rounds,
  );
  const reached = targets(lab, hosts);
  const asked = questions(reached, resources);
  const [look, observed, exec] = await compared(
    [() => lookAt(asked), () => drift(reached), () => bareExec(reached)],
    rounds,
  );
  const where = `${hosts.length} ${hosts.length === 1 ? "host" : "hosts"}, ${asked.length} steps`;
  const kilobytes = Math.max(...resources.map((resource) => JSON.stringify(resource).length)) / 1024;
  return { where, up: { ours, blind, constant }, bar, look, observed, exec, kilobytes };
};

const keep = async (text: string): Promise<void> => {
  const results = join(import.meta.dirname, "results");
  await mkdir(results, { recursive: true });
  const file = join(results, `${new Date().toISOString().slice(0, 16).replace(":", "-")}.md`);
  await writeFile(file, text);
  console.log(`\n${text}\n${file}`);
};

const main = async (): Promise<void> => {
  const name = `bench-${process.pid}`;
  const directory = await mkdtemp(join(tmpdir(), "jtel-chat-bench-"));
  try {
    const hosts = ["acd-dbm", ...new Set(landscapes.flatMap((each) => each.hosts))];
    const lab = await upLab(name, { hosts, temporary: true, java: true, progress: (line) => console.log(line) });
    process.env.SSH_AUTH_SOCK = lab.agentSocket;
    const figures: Figures[] = [];
    for (const landscape of landscapes) figures.push(await measure(lab, directory, landscape));
    await keep(report(figures, rounds));
  } finally {
    await rm(directory, { recursive: true });
    await downLab(name);
  }
};

main().catch((error) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
