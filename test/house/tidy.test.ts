import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { functionsOf } from "./functions.js";
import { filesBelow, importsOf, ROOT, read, withoutComments } from "./tree.js";

const written = ["src", "test", "bench", "prisma"].flatMap((folder) => filesBelow(folder));
const typescript = written.filter((path) => path.endsWith(".ts"));
const sources = typescript.filter((path) => path.startsWith("src/"));

describe("tree", () => {
  it("has nothing at the root that is not on the list", () => {
    const listed = [
      ".ci",
      ".git",
      ".gitignore",
      ".dockerignore",
      ".env",
      ".env.example",
      "bench",
      "coverage",
      "data",
      "dist",
      "node_modules",
      "prisma",
      "src",
      "test",
      "web",
      "Dockerfile",
      "LICENSE",
      "README.md",
      "biome.json",
      "compose.yaml",
      "package-lock.json",
      "package.json",
      "render.yaml",
      "tsconfig.json",
    ];
    const ignored = read(".gitignore")
      .split("\n")
      .map((line) => line.replace(/\/$/, ""));
    const known = new Set([...listed, ...ignored]);
    expect(readdirSync(ROOT).filter((name) => !known.has(name))).toEqual([]);
  });

  it("has no folder named after nothing in particular", () => {
    const empty = /\/(utils?|helpers?|common|types|services?|managers?|lib)\//;
    expect(written.filter((path) => empty.test(path))).toEqual([]);
  });

  it("names files and folders in lower case with dashes", () => {
    const odd = sources.filter((path) => !/^src\/([a-z0-9-]+\/)*([a-z0-9-]+(\.test)?\.ts)$/.test(path));
    expect(odd).toEqual([]);
  });

  it("has no dead file: all of src is reached from main.ts, a worker or a bench", () => {
    const reached = new Set<string>();
    const benches = filesBelow("bench").filter((path) => path.endsWith(".ts"));
    const known = new Set([...sources, ...benches]);
    const queue = ["src/main.ts", "src/floors.ts", ...benches];
    for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
      if (reached.has(path) || !known.has(path)) continue;
      reached.add(path);
      for (const { file } of importsOf(path, read(path))) if (file !== null) queue.push(file);
    }
    expect(sources.filter((path) => !reached.has(path))).toEqual([]);
  });
});

describe("size", () => {
  const lines = (path: string) => read(path).split("\n").length - 1;

  it("keeps files under 400 lines", () => {
    expect(typescript.filter((path) => lines(path) > 400)).toEqual([]);
  });

  it("keeps route files under 150 lines", () => {
    expect(sources.filter((path) => path.endsWith("routes.ts") && lines(path) > 150)).toEqual([]);
  });

  it("keeps functions under 70 lines", () => {
    const functions = typescript
      .filter((path) => !path.startsWith("test/"))
      .flatMap((path) => functionsOf(read(path)).map((each) => ({ path, ...each })));
    expect(functions.length).toBeGreaterThan(1_000);
    const told = ({ path, line, own, whole }: (typeof functions)[number]) =>
      `${path}:${line} ${own} ${whole}`;
    // Functions within count for themselves: a factory is as long as what is not in one of its verbs.
    expect(functions.filter(({ own }) => own >= 70).map(told)).toEqual([]);
    expect(functions.filter(({ whole }) => whole > 100).map(told)).toEqual([]);
  });

  it("counts what is in no function within, and neither blank lines nor comments", () => {
    const text = [
      "export function outer(options: {",
      "  readonly a: number;",
      "}): Verbs {",
      "  // told",
      "  const inner = async (b: number) => {",
      "    return b;",
      "  };",
      "",
      "  if (options.a > 0) {",
      "    inner(1);",
      "  } else {",
      "    inner(2);",
      "  }",
      "  return {",
      "    async load(",
      "      c: number,",
      "    ): Promise<number> {",
      "      return c;",
      "    },",
      "    show: (d) => d,",
      "  };",
      "}",
      "const call = f(1, 2);",
    ].join("\n");
    expect(functionsOf(text).map(({ line, own, whole }) => [line, own, whole])).toEqual([
      [1, 14, 20],
      [5, 3, 3],
      [15, 5, 5],
    ]);
  });

  it("keeps package.json at about 15 scripts", () => {
    const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
    expect(Object.keys(scripts).length).toBeLessThanOrEqual(16);
  });
});

describe("shortcuts", () => {
  function linesWith(pattern: RegExp, paths: readonly string[]): string[] {
    return paths.flatMap((path) =>
      withoutComments(read(path))
        .split("\n")
        .filter((line) => pattern.test(line))
        .map((line) => `${path}: ${line.trim()}`),
    );
  }
  const others = typescript.filter((path) => path !== "test/house/tidy.test.ts");

  it("silences no type", () => {
    const raw = typescript.filter((path) => /@ts-(ignore|nocheck|expect-error)/.test(read(path)));
    expect(raw.filter((path) => path !== "test/house/tidy.test.ts")).toEqual([]);
    expect(linesWith(/: any\b|\bas any\b|<any>/, others)).toEqual([]);
  });

  it("swallows no error", () => {
    expect(linesWith(/catch\s*(\([^)]*\))?\s*\{\s*\}/, others)).toEqual([]);
  });

  it("leaves nothing to be done later", () => {
    const marks = new RegExp(["TO", "DO|FIX", "ME|HA", "CK"].join(""));
    expect(typescript.filter((path) => marks.test(read(path)))).toEqual([]);
  });

  it("skips and singles out no test", () => {
    expect(linesWith(/\b(it|test|describe)\.(only|todo)\b/, others)).toEqual([]);
  });

  it("builds no SQL from strings and no code from text", () => {
    expect(linesWith(/\$queryRawUnsafe|\$executeRawUnsafe|(?<!\.)\beval\(|new Function\(/, sources)).toEqual(
      [],
    );
  });
});
