import { defineConfig } from "vitest/config";
import { Interleaved } from "./fixtures/order.js";

const ROOT = new URL("..", import.meta.url);

export default defineConfig({
  plugins: [
    {
      // Threads that src starts run what global-build.ts built, as they do in the built program.
      name: "built threads",
      enforce: "pre",
      transform(code, id) {
        const place = id.startsWith(`${ROOT.pathname}src/`) ? id.slice(ROOT.pathname.length + 4) : null;
        if (place === null) return null;
        const folder = place.slice(0, place.lastIndexOf("/") + 1).replaceAll("/", "-");
        const built = new URL(`dist/bundle/${folder}`, ROOT).href;
        return code.replace(
          /new URL\("\.\/([\w-]+\.js)", import\.meta\.url\)/g,
          (_, name: string) => `new URL(${JSON.stringify(built + name)})`,
        );
      },
    },
  ],
  test: {
    root: ROOT.pathname,
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/fixtures/global-build.ts", "test/fixtures/global-setup.ts"],
    pool: "forks",
    // One more than two cores: many tests wait for timers, processes and the database.
    maxWorkers: 3,
    // Tests that say they are concurrent wait, for time-outs mostly.
    maxConcurrency: 16,
    // Tests share nothing but modules, which are read once a worker instead of once a file.
    isolate: false,
    sequence: { sequencer: Interleaved },
    // For a test that hangs: most take far less, but machines differ.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // What is waited for comes within milliseconds, or on a busy machine within seconds.
    expect: { poll: { timeout: 15_000 } },
  },
});
