import { defineConfig } from "vitest/config";
import { minutes } from "./lab/deadline.ts";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Each file boots hosts of its own, and waits for them half of its time.
    maxWorkers: 2,
    // What a test waits for has a deadline of its own, with a name; these end what hangs otherwise.
    testTimeout: 3 * minutes,
    hookTimeout: 15 * minutes,
  },
});
