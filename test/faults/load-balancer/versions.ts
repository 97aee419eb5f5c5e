import { createHash } from "node:crypto";
import { document } from "../../../render/document.ts";
import { hostTool } from "../../../render/host-tool.ts";
import { apply, applyStep, configuration, lookAt, run } from "../../host/haproxy/customer.ts";
import { withClock } from "../moments.ts";
import type { Fault } from "../trials.ts";
import { changed, promise } from "./trial.ts";

/** The document of the step `tool` as a checkout of this version sends it. */
const toolOf = (version: string): string => {
  const digest = createHash("sha256").update(withClock(hostTool())).digest("hex");
  return document({ kind: "tool", name: "/usr/local/lib/jtel-chat/tool.zip", fields: { version, digest } });
};

/** Two controllers whose checkouts have different versions. */
export const versions: Fault = {
  fault: "two controllers",
  how: "the one with the older host tool comes after the newer one",
  trial: async (chance) => {
    const change = changed(chance);
    await apply(change);
    const before = await configuration();
    const [newer, older] = [`2.${chance.number}.0`, `1.${chance.number + 1}.0`].map(toolOf) as [string, string];
    const first = await applyStep("tool", newer);
    if (first.exitCode) return first.output;
    const { problems } = await lookAt("tool", older);
    const second = await applyStep("tool", older);
    await applyStep("tool", newer);
    if (second.exitCode !== 3) return `the older one has written: ${second.output}`;
    for (const said of [second.output, problems.join()])
      if (!said.includes(`this is the older 1.${chance.number + 1}.0`)) return `not said: ${said}`;
    const lost = await promise(before, change);
    await run("rm -r /usr/local/lib/jtel-chat /var/lib/jtel-chat/steps/tool.json");
    return lost;
  },
};
