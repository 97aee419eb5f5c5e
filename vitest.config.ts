import { defineConfig } from "vitest/config";
import { minutes } from "./lab/deadline.ts";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Two cores: booted hosts, the engine and Maven side by side would measure each other.
    fileParallelism: false,
    testTimeout: minutes,
    hookTimeout: 5 * minutes,
  },
});
