import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    root: new URL("..", import.meta.url).pathname,
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/fixtures/global-setup.ts"],
    pool: "forks",
    // One more than two cores: many tests wait for timers, processes and the database.
    maxWorkers: 3,
    // Tests share nothing but modules, which are read once a worker instead of once a file.
    isolate: false,
    testTimeout: 20_000,
    hookTimeout: 60_000,
  },
});
