import { fileURLToPath, pathToFileURL } from "node:url";
import { defineConfig } from "vitest/config";
import { Interleaved } from "./fixtures/order.js";

const ROOT = new URL("..", import.meta.url);
/** Whoever watches changes sources while tests run. */
const isWatching = !process.argv.includes("run");

export default defineConfig({
  plugins: [
    {
      // What global-build.ts built is loaded by Node itself: vitest asks a module for a name at each use of it.
      name: "built sources",
      enforce: "pre",
      resolveId(source, importer) {
        if (isWatching || importer === undefined || !source.startsWith(".")) return null;
        const { href } = new URL(source, pathToFileURL(importer));
        return href.startsWith(`${ROOT}src/`)
          ? fileURLToPath(href.replace(`${ROOT}src/`, `${ROOT}dist/`))
          : null;
      },
    },
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
    server: { deps: { external: [/\/dist\//] } },
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
