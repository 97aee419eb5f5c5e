import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";

/** Tests that `npm test` has no time for: those of test/long, and other files under other conditions. */
export interface LongRun {
  /** E.g. `test/host/firewall.test.ts on trixie`. */
  title: string;
  file: string;
  environment: Record<string, string>;
  /** Whether it takes a minute at most, so that `npm test` can take it as its sample. */
  short: boolean;
}

/** Files that take minutes on many hosts: `npm test` takes one of them, by the commit. */
export const inTurns = [
  "test/engine/access.test.ts",
  "test/engine/drain.test.ts",
  "test/engine/firewall.test.ts",
  "test/engine/operations.test.ts",
  "test/host/hazelcast.test.ts",
  "test/host/trust.test.ts",
];

/** Files of test/host that boot one host or two, for a short time. */
const short = ["confined", "interrupted", "tool"].map((name) => `test/host/${name}.test.ts`);

const filesOf = (folder: string): string[] =>
  readdirSync(new URL(`${folder}/`, import.meta.url))
    .filter((name) => name.endsWith(".test.ts"))
    .map((name) => `test/${folder}/${name}`);

/** Files that boot hosts with the release of the run. */
const hostFiles = filesOf("host").filter((file) => file !== "test/host/debian-13.test.ts");

const onRelease = (file: string, release: string): LongRun => ({
  ...{ title: `${file} on ${release}`, file, short: short.includes(file) },
  environment: { JTEL_CHAT_LAB_RELEASE: release },
});

const withTrials = (file: string, seed: number): LongRun => ({
  ...{ title: `${file}, 5000 trials, seed ${seed}`, file, short: false },
  environment: { JTEL_CHAT_TRIALS: "5000", JTEL_CHAT_SEED: String(seed) },
});

/**
 * All long runs: the host tool's tests on Debian 11 and 13, the topologies on 13, what is long by itself or has its turns, and edits of a
 * haproxy.cfg at random.
 */
export const longRuns = (seed: number): LongRun[] => [
  ...["bullseye", "trixie"].flatMap((release) => hostFiles.map((file) => onRelease(file, release))),
  ...["dev-stack", "topologies"].map((name) => onRelease(`test/engine/${name}.test.ts`, "trixie")),
  ...[...filesOf("long"), ...inTurns].map((file) => ({ title: file, file, environment: {}, short: false })),
  ...["edit", "shadowing"].map((name) => withTrials(`test/property/haproxy-${name}.test.ts`, seed)),
];

/** The one short run that a seed chooses: another seed, another run. */
export const sample = (seed: number): LongRun => {
  const candidates = longRuns(seed).filter((run) => run.short);
  return candidates[seed % candidates.length] as LongRun;
};

/** `JTEL_CHAT_SEED`, or a number below 2³² from the commit: so a run of the same commit takes the same sample. */
export const seedOf = (commit: string): number =>
  Number(process.env.JTEL_CHAT_SEED || createHash("sha256").update(commit).digest().readUInt32BE());
