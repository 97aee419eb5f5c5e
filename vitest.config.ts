import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { minutes } from "./lab/deadline.ts";

/** Files that boot hosts come first: the short ones behind them fill the time until the last of those has ended. */
class HostsFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const folders = ["/test/host/", "/test/engine/", "/test/lab/", "/test/faults/"];
    const rank = ({ moduleId }: TestSpecification) =>
      folders.findIndex((folder) => moduleId.includes(folder)) + 1 || folders.length + 1;
    return (await super.sort(files)).toSorted((one, other) => rank(one) - rank(other));
  }
}

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Each file boots hosts of its own, and waits for them much of its time: a third one beside two keeps two cores busy.
    maxWorkers: 3,
    sequence: { sequencer: HostsFirst },
    // What a test waits for has a deadline of its own, with a name; these end what hangs otherwise.
    testTimeout: 3 * minutes,
    hookTimeout: 15 * minutes,
  },
});
