import { describe, expect, it } from "vitest";
import { FLOORS, WATERLINE } from "../../src/floors.js";
import { filesBelow, importsOf, read, withoutComments } from "./tree.js";

const sources = filesBelow("src").filter((path) => path.endsWith(".ts"));

/** The folder of the table a file under src/ lies in. */
function folderOf(path: string): string | null {
  const inside = path.replace(/^src\//, "");
  for (const floor of FLOORS) {
    for (const folder of floor.folders) {
      if (inside === folder || inside.startsWith(`${folder}/`)) return folder;
    }
  }
  return null;
}

function floorOf(folder: string): number {
  return FLOORS.findIndex((floor) => floor.folders.includes(folder));
}

/** Why `path` may not import `target`, or null. */
function floorProblem(path: string, target: string): string | null {
  if (target === "src/floors.ts") return null;
  const from = folderOf(path);
  const to = folderOf(target);
  if (from === null) return `${path} lies in no folder of the table`;
  if (to === null) return `${path} imports ${target}, which lies in no folder of the table`;
  if (from === to) return null;
  if (floorOf(to) >= floorOf(from))
    return `${path} (${from}) imports ${target} (${to}) from an equal or higher floor`;
  const sees = FLOORS[floorOf(from)]?.sees;
  if (sees !== undefined && !sees.includes(to)) return `${from} may see only ${sees.join(", ")}, not ${to}`;
  return null;
}

describe("floors", () => {
  it("catches an import that goes up, sideways or past the permitted list", () => {
    expect(floorProblem("src/core/base/rng.ts", "src/core/market/candles.ts")).toContain("higher floor");
    expect(floorProblem("src/features/users/users.ts", "src/features/instruments/store.ts")).toContain(
      "equal",
    );
    expect(floorProblem("src/platform/bus.ts", "src/core/indicators/define.ts")).toContain("may see only");
    expect(floorProblem("src/helpers/x.ts", "src/core/base/rng.ts")).toContain("no folder");
    expect(floorProblem("src/core/market/candles.ts", "src/core/base/assert.ts")).toBeNull();
  });

  it("finds imports however they are written", () => {
    const text = `import { a } from "./a.js";\nimport type { B } from "../b.js";\nexport * from "./c.js";
      const d = await import("./d.js"); new URL("./e.js", import.meta.url); // import "./not.js"\n`;
    expect(importsOf("src/x/y.ts", text).map((found) => found.file)).toEqual([
      "src/x/a.ts",
      "src/b.ts",
      "src/x/c.ts",
      "src/x/d.ts",
      "src/x/e.ts",
    ]);
  });

  it("every import goes down", () => {
    const problems = sources.flatMap((path) =>
      importsOf(path, read(path)).flatMap(({ file }) => {
        if (file === null || !file.endsWith(".ts") || file.startsWith("src/platform/prisma/")) return [];
        const problem = floorProblem(path, file);
        return problem === null ? [] : [problem];
      }),
    );
    expect(problems).toEqual([]);
  });

  it("every imported file exists", () => {
    const known = new Set(sources);
    const missing = sources.flatMap((path) =>
      importsOf(path, read(path))
        .filter(({ file }) => file?.endsWith(".ts") === true && !file.startsWith("src/platform/prisma/"))
        .filter(({ file }) => !known.has(file ?? ""))
        .map(({ specifier }) => `${path}: ${specifier}`),
    );
    expect(missing).toEqual([]);
  });
});

describe("purity of core", () => {
  const core = sources.filter((path) => path.startsWith("src/core/"));
  const banned =
    /\bDate\.now\b|\bnew Date\(\s*\)|\bMath\.random\b|\bconsole\.|\bprocess\.|\bperformance\.now\b/;

  it("has no clock, dice, log or process", () => {
    expect(core.filter((path) => banned.test(withoutComments(read(path))))).toEqual([]);
  });

  it("has no packages but technicalindicators in core/indicators/library.ts", () => {
    const found = core.flatMap((path) =>
      importsOf(path, read(path))
        .filter(({ file }) => file === null)
        .map(({ specifier }) => `${path}: ${specifier}`),
    );
    const allowed = ["src/core/indicators/library.ts: technicalindicators"];
    expect(found.filter((line) => !allowed.includes(line))).toEqual([]);
  });
});

describe("single homes", () => {
  function importersOf(name: RegExp): string[] {
    return sources.filter((path) =>
      importsOf(path, read(path)).some(({ specifier }) => name.test(specifier)),
    );
  }

  it("Prisma appears in platform/database.ts and features/*/store.ts only", () => {
    const homes = /^src\/(platform\/database\.ts|features\/[a-z-]+\/store\.ts)$/;
    expect(importersOf(/@prisma|\/prisma\/client/).filter((path) => !homes.test(path))).toEqual([]);
  });

  it("ioredis appears in platform/redis.ts only", () => {
    expect(importersOf(/^ioredis$/).filter((path) => path !== "src/platform/redis.ts")).toEqual([]);
  });

  it("the environment is read in main.ts only", () => {
    const readers = sources.filter((path) => /\bprocess\.env\b/.test(withoutComments(read(path))));
    expect(readers.filter((path) => path !== "src/main.ts")).toEqual([]);
  });

  it("core lies wholly above the waterline", () => {
    const above = FLOORS.slice(0, WATERLINE).flatMap((floor) => floor.folders);
    expect(above.every((folder) => folder.startsWith("core/"))).toBe(true);
  });
});
