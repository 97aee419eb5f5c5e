import { cpus, loadavg, release } from "node:os";
import type { Times } from "./stopwatch.ts";

/** What was measured on one choice of hosts. */
export interface Figures {
  /** `3 hosts, 17 steps` */
  where: string;
  /** `up` without changes: as it is, without its look, and of the same resources with constant commands. */
  up: { ours: Times; blind: Times; constant: Times };
  /** How many seconds more than with constant commands it may take. */
  bar: number;
  /** One look at all hosts, their drift alone, and one ssh exec on each that does nothing. */
  look: Times;
  observed: Times;
  exec: Times;
  /** The largest resource of the state. */
  kilobytes: number;
}

const seconds = (value: number): string => value.toFixed(2);

const range = ({ median, fastest, slowest }: Times): string =>
  `${seconds(median)} (${seconds(fastest)}–${seconds(slowest)})`;

const ratio = (ours: Times, other: Times): string => `×${(ours.median / other.median).toFixed(2)}`;

const difference = (ours: Times, other: Times): string => {
  const more = ours.median - other.median;
  return `${more < 0 ? "−" : "+"}${seconds(Math.abs(more))}`;
};

const upRow = ({ where, up: { ours, blind, constant }, bar }: Figures): string => {
  const kept = ours.median - constant.median <= bar;
  const cells = [where, ...[ours, blind, constant].map(range), difference(ours, blind), difference(ours, constant)];
  return `| ${[...cells, ratio(ours, constant), `+${bar}, ${kept ? "kept" : "missed"}`].join(" | ")} |`;
};

const lookRow = ({ where, look, observed, exec, kilobytes }: Figures): string => {
  const ratios = [ratio(look, exec), ratio(observed, exec)];
  const cells = [where, ...[look, observed, exec].map(range), ...ratios, kilobytes.toFixed(1)];
  return `| ${cells.join(" | ")} |`;
};

/** Medians with the fastest and the slowest, in seconds, side by side. */
const tables = (figures: Figures[]): string =>
  [
    "| `up` without changes | ours | not looking | constant commands | ours − not looking | ours − constant | ratio | bar |",
    "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ...figures.map(upRow),
    "",
    "| seconds | one look | drift alone | bare ssh exec | look / exec | drift / exec | largest resource of the state, KB |",
    "| --- | --- | --- | --- | --- | --- | --- |",
    ...figures.map(lookRow),
  ].join("\n");

/** What one run found, where and with what. The words are explained in docs/performance.md. */
export const report = (figures: Figures[], rounds: number): string => `\
${tables(figures)}

Seconds: medians of ${rounds} (fastest–slowest).
${new Date().toISOString().slice(0, 10)}: ${cpus().length} × ${cpus()[0]?.model}, Linux ${release()}, load ${loadavg()[0]?.toFixed(1)}, hosts on the same machine; ${process.env.JTEL_CHAT_TOOLCHAIN ?? `node ${process.versions.node}`}.
`;
