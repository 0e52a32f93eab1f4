import { defineConfig } from "vitest/config";

/** Long trials against the built program in processes of its own: `npm run trials`. */
export default defineConfig({
  test: {
    root: new URL("../..", import.meta.url).pathname,
    include: ["test/trials/**/*.trial.ts"],
    globalSetup: ["test/fixtures/global-setup.ts"],
    testTimeout: 900_000,
    hookTimeout: 120_000,
    fileParallelism: false,
    reporters: ["verbose"],
  },
});
