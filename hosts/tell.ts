import * as pulumi from "@pulumi/pulumi";
import type { StepAnswer } from "./look/answer.ts";
import { printable, printableLines } from "./printable.ts";

/** Show what the host says beside its answer, with the resource that it is about. */
export const tell = async (said: StepAnswer, resource: pulumi.Resource): Promise<void> => {
  if (said.drifted) await logDrift(said, resource);
  for (const warning of said.warnings) await pulumi.log.warn(printable(warning), resource);
};

/** Show what the restart for a changed secret would wait for: no host knows beforehand that it changes. */
export const tellRestart = async ({ facts }: StepAnswer, resource: pulumi.Resource): Promise<void> => {
  for (const [key, said] of Object.entries(facts))
    if (key.startsWith("drain:")) await pulumi.log.warn(printable(`a restart is due: ${said}`), resource);
};

/** The reason stands in the launcher's difference, too: it is said here only where there are no lines. */
const logDrift = ({ reason, diff }: StepAnswer, resource: pulumi.Resource): Promise<void> => {
  if (!diff) return pulumi.log.info(`changed on the host: ${printable(reason)}`, resource);
  const lines = printableLines(diff).split("\n");
  const shown = lines.length > 200 ? [...lines.slice(0, 200), `… ${lines.length - 200} more lines`] : lines;
  return pulumi.log.info(["changed on the host:", ...shown].join("\n"), resource);
};
