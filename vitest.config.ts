import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { minutes } from "./lab/deadline.ts";

/** Files that take minutes, the longest first, then others that boot hosts. Short ones fill the time until the end. */
const first = [
  ...["host/client-messenger", "engine/dev-stack", "host/haproxy", "engine/topologies", "engine/drift"],
  ...["engine/approval", "host/firewall", "host/", "engine/", "lab/", "faults/"],
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) =>
      first.findIndex((path) => moduleId.includes(`/test/${path}`)) + 1 || first.length + 1;
    return (await super.sort(files)).toSorted((one, other) => rank(one) - rank(other));
  }
}

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Each file boots hosts of its own, and waits for them half of its time: four files keep two cores busy.
    maxWorkers: 4,
    sequence: { sequencer: LongestFirst },
    // What a test waits for has a deadline of its own, with a name; these end what hangs otherwise.
    testTimeout: 3 * minutes,
    hookTimeout: 15 * minutes,
  },
});
