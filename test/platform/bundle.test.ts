import { existsSync, readFileSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { createWorkers, defineTask } from "../../src/platform/workers.js";
import { createRecordedLog } from "../fixtures/log.js";
import { filesBelow, read } from "../house/tree.js";

const BUNDLE = new URL("../../dist/bundle/", import.meta.url);
const modules = JSON.parse(readFileSync(new URL("modules.json", BUNDLE), "utf8")) as Readonly<
  Record<string, readonly (readonly [line: number, module: string])[]>
>;
const { log } = createRecordedLog();
const workers = createWorkers({ log, threads: 1 });
afterAll(() => workers.close());

/** Names of what is in a file of the bundle. */
const within = (file: string) => [...new Set(modules[file]?.map(([, module]) => module))];

describe("the files that the program is joined into", () => {
  it("have one for each module that a thread begins with", () => {
    const threads = filesBelow("src")
      .filter((path) => path.endsWith(".ts"))
      .flatMap((path) =>
        [...read(path).matchAll(/new URL\(\s*"\.\/([\w-]+)\.js",\s*import\.meta\.url/g)].map(
          ([, name]) => `${path.slice(4, path.lastIndexOf("/") + 1)}${name}`,
        ),
      );
    expect(new Set(threads).size).toBeGreaterThan(25);
    for (const thread of threads) {
      const file = `${thread.replaceAll("/", "-")}.js`;
      expect(existsSync(new URL(file, BUNDLE)), file).toBe(true);
      expect(existsSync(new URL(`../${thread}.js`, BUNDLE)), thread).toBe(true);
    }
  });

  it("hold no module twice that one thread could load, and the program's every module once", () => {
    const files = Object.keys(modules).filter((file) => file !== "main.js");
    const held = files.flatMap(within);
    expect(held.length).toBeGreaterThan(500);
    expect(held.filter((module, at) => held.indexOf(module) !== at)).toEqual([]);
    const ours = within("main.js").filter((module) => module.startsWith("dist/"));
    expect(ours).toContain("dist/compose.js");
    expect(ours.length).toBeGreaterThan(900);
    // Threads of a pool begin in piscina's own file, whose marks on results a second copy would not know.
    expect([...held, ...within("main.js")].filter((module) => module.startsWith("piscina/"))).toEqual([]);
  });

  it("name the module in the stack of an error", async () => {
    const task = defineTask<null, never>(new URL("features-analysis-worker.js", BUNDLE));
    const error: unknown = await workers.run(task, null).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(TypeError);
    expect((error as Error).stack).toMatch(
      /at \S+ \(dist\/features\/analysis\/worker\.js in file:\S+\/dist\/bundle\/[\w-]+\.js:\d+:\d+\)/,
    );
  });
});
