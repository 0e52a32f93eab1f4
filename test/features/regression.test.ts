import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readArguments } from "../../bench/regression-arguments.js";
import { regressionPassed } from "../../src/core/backtest/regression.js";
import { regressionText } from "../../src/core/backtest/regression-summary.js";
import { PLAIN_SIGNAL, type SignalSnapshot } from "../../src/core/backtest/snapshot.js";
import { ensure } from "../../src/core/base/assert.js";
import { STRATEGIES } from "../../src/core/strategies/index.js";
import { baselineText, parseBaseline } from "../../src/features/backtests/baseline-file.js";
import { createBaselineFolder } from "../../src/features/backtests/baseline-folder.js";
import {
  recordBaselines,
  type SnapshotSource,
  testBaselines,
} from "../../src/features/backtests/regression.js";
import { createRegressionSource } from "../../src/features/backtests/regression-source.js";

const START = Date.UTC(2023, 0, 1);
const END = Date.UTC(2025, 0, 1);
const SCOPE = { startMs: START, endMs: END, strategies: null };
const COMMITTED = fileURLToPath(new URL("../../bench/baselines", import.meta.url));

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tx-baselines-"));
});
afterAll(() => rm(folder, { recursive: true }));

function signals(strategyId: string, count: number, shift = 0): SignalSnapshot[] {
  return Array.from({ length: count }, (_, i) => ({
    strategyId,
    symbol: "AAPL",
    interval: "1h" as const,
    time: START + (i + shift) * 3_600_000,
    side: i % 2 === 0 ? ("buy" as const) : ("sell" as const),
    entry: i % 3 === 0 ? null : 100 / (i + 1),
    asked: { ...PLAIN_SIGNAL, stop: i % 5 === 0 ? null : 90 / (i + 1) },
    confidence: i % 4 === 0 ? null : 1 / (i + 1),
    conditions: { regime: "ranging", atr: 0.1 + 0.2, gap: null },
  }));
}

function sourceOf(given: Record<string, readonly SignalSnapshot[]>, sha256 = "a".repeat(64)): SnapshotSource {
  const strategies = Object.keys(given);
  return {
    strategies,
    standard: strategies,
    dataOf: async () => ({ name: "made", sha256 }),
    snapshotsOf: async (id) => given[id],
  };
}

describe("the file of a baseline", () => {
  const baseline = {
    strategyId: "pattern:hammer",
    startMs: START,
    endMs: END,
    data: { name: "made", sha256: "b".repeat(64) },
    signals: signals("pattern:hammer", 12),
  };
  const text = baselineText(baseline);

  it("is read as it was written, and the same for the same signals in any order", () => {
    expect(parseBaseline(text, "x")).toEqual(baseline);
    expect(baselineText({ ...baseline, signals: baseline.signals.toReversed() })).toBe(text);
    expect(text.split("\n").filter((line) => line.includes('"id"'))).toHaveLength(12);
    const none = { ...baseline, signals: [] };
    expect(parseBaseline(baselineText(none), "x")).toEqual(none);
  });

  it("is refused when it was changed by hand", () => {
    const lines = text.split("\n");
    const first = lines.findIndex((line) => line.includes('"id"'));
    const without = lines.filter((_, i) => i !== first + 2).join("\n");
    const swapped = lines
      .with(first, lines[first + 1])
      .with(first + 1, lines[first])
      .join("\n");
    const changes: [string, string][] = [
      [text.replace('"version": 2', '"version": 3'), "version"],
      [text.replace('"entry":50', '"entry":51'), "is not what its id says"],
      [text.replace('"confidence":0.5,', '"confidence":0.6,'), "digest"],
      [text.replace('"confidence":0.5,', '"confidence":1.6,'), "not within 0..1"],
      [text.replace('"side":"sell"', '"side":"hold"'), "side"],
      [text.replace('"start"', '"since"'), "start"],
      [text.replace("2025-01-01", "2023-01-01"), "outside of its stretch"],
      [text.replace("pattern:hammer", "../../etc/passwd"), "strategy"],
      [without, "digest"],
      [swapped, "digest"],
      [text.slice(0, -20), "is not JSON"],
    ];
    for (const [changed, message] of changes) {
      expect(changed).not.toBe(text);
      expect(() => parseBaseline(changed, "x.json"), message).toThrow(message);
    }
  });
});

describe("baselines of strategies", () => {
  it("are kept, compared and found changed", async () => {
    const baselines = createBaselineFolder(join(folder, "kept"));
    expect(await baselines.list(START, END)).toEqual([]);
    const before = sourceOf({ a: signals("a", 9), "pattern:b": signals("pattern:b", 6), quiet: [] });
    expect(await recordBaselines(before, baselines, SCOPE)).toMatchObject([
      { strategyId: "a", signals: 9, problem: null },
      { strategyId: "pattern:b", signals: 6, problem: null },
      { strategyId: "quiet", signals: 0, problem: expect.stringContaining("empty baseline") },
    ]);
    expect(await baselines.list(START, END)).toEqual(["a", "pattern:b"]);
    expect(await baselines.list(START, END + 1)).toEqual([]);
    expect(await readdir(join(folder, "kept"))).toEqual([
      "a_20230101_20250101.json",
      "pattern.b_20230101_20250101.json",
    ]);

    const same = await testBaselines(before, baselines, SCOPE, 0);
    expect(same.map(({ passed }) => passed)).toEqual([true, true, false]);
    expect(same[2].failures).toEqual(["no_baseline"]);

    const now = sourceOf({ a: [...signals("a", 8), ...signals("a", 1, 20)] });
    const results = await testBaselines(now, baselines, SCOPE, 0.05);
    expect(results).toMatchObject([
      {
        strategyId: "a",
        baseline: 9,
        current: 9,
        matched: 8,
        failures: ["missing_signals", "extra_signals"],
      },
      { strategyId: "pattern:b", failures: ["error"], note: "there is no such strategy" },
    ]);
    const other = await testBaselines(
      sourceOf({ a: signals("a", 9) }, "c".repeat(64)),
      baselines,
      SCOPE,
      0.05,
    );
    expect(other[0]).toMatchObject({ passed: false, failures: ["other_data"] });
  });

  it("do not hide one strategy's error, nor let it stop the others", async () => {
    const baselines = createBaselineFolder(join(folder, "errors"));
    const source = sourceOf({ a: signals("a", 3), b: signals("b", 3), c: signals("c", 3) });
    await recordBaselines(source, baselines, SCOPE);
    await writeFile(join(folder, "errors", "a_20230101_20250101.json"), "{}");
    const failing: SnapshotSource = {
      ...source,
      snapshotsOf: (id, ...rest) =>
        id === "b" ? Promise.reject(new Error("no bars")) : source.snapshotsOf(id, ...rest),
    };
    const results = await testBaselines(failing, baselines, SCOPE, 0.05);
    expect(results.map(({ failures }) => failures)).toEqual([["error"], ["error"], []]);
    expect(results[1].note).toBe("no bars");
  });

  it("are not made for a strategy that is not there", async () => {
    const scope = { ...SCOPE, strategies: ["d"] };
    const baselines = createBaselineFolder(folder);
    await expect(recordBaselines(sourceOf({}), baselines, scope)).rejects.toThrow("no strategy d");
  });
});

/** It reads bars once, and keeps them. */
const source = createRegressionSource();

describe("the committed baselines", () => {
  it("are those of the standard strategies, each with signals", async () => {
    const listed = await createBaselineFolder(COMMITTED).list(START, END);
    expect(listed).toEqual(source.standard.toSorted());
    for (const id of listed) expect(source.strategies).toContain(id);
  });

  it("are of all strategies, and of all patterns but those that these bars have none of", async () => {
    for (const { id } of STRATEGIES) expect(source.standard).toContain(id);
    const left = source.strategies.filter((id) => !source.standard.includes(id));
    expect(left.length).toBeLessThan(10);
    for (const id of left) expect(await source.snapshotsOf(id, START, END), id).toEqual([]);
    const kept = createBaselineFolder(COMMITTED);
    const chains = await kept.load("pcr_extremes", START, END);
    expect(chains?.data.name).toContain("with generated put_call_ratio");
  });

  it("are what the strategies give today", async () => {
    const results = await testBaselines(source, createBaselineFolder(COMMITTED), SCOPE, 0.05);
    expect(regressionPassed(results), regressionText(results, 0.05)).toBe(true);
  });

  it("are the same bytes when they are recorded anew", async () => {
    const anew = join(folder, "anew");
    const id = "pattern:hammer";
    const scope = { ...SCOPE, strategies: [id] };
    const recorded = await recordBaselines(source, createBaselineFolder(anew), scope);
    expect(recorded[0].problem).toBeNull();
    const [name] = await readdir(anew);
    expect(await readFile(join(anew, name), "utf8")).toBe(await readFile(join(COMMITTED, name), "utf8"));
  });
});

describe("npm run regression", () => {
  const program = fileURLToPath(new URL("../../bench/regression.ts", import.meta.url));
  function run(...given: string[]): Promise<{ code: number; out: string; err: string }> {
    const all = ["--import", "tsx", program, ...given];
    return new Promise((done) => {
      execFile(process.execPath, all, (error, out, err) => {
        done({ code: error === null ? 0 : Number(error.code), out, err });
      });
    });
  }
  // One that reads few bars.
  const stretch = ["--start", "2024-01-01", "--end", "2024-07-01", "--strategy", "opening_range"];

  it("ends with 0 after a baseline and a test that pass, and with 1 after any failure", async () => {
    const where = ["--folder", join(folder, "program")];
    const baselines = createBaselineFolder(join(folder, "program"));
    const [start, end] = [Date.UTC(2024, 0, 1), Date.UTC(2024, 6, 1)];
    // What the program prints, and ends with 1 over, as over the failure below.
    const told = async () => {
      const scope = { startMs: start, endMs: end, strategies: ["opening_range"] };
      const results = await testBaselines(source, baselines, scope, 0.05);
      expect(regressionPassed(results)).toBe(false);
      return regressionText(results, 0.05);
    };
    expect(await told()).toContain("there is no baseline");
    const made = await run("--mode", "baseline", ...stretch, ...where);
    expect(made).toMatchObject({ code: 0, err: "" });
    expect(made.out).toContain("1 of 1 baselines recorded");
    const passed = await run("--mode", "test", ...stretch, ...where, "--tolerance", "0.01");
    expect(passed).toMatchObject({ code: 0, err: "" });
    expect(passed.out).toContain("1 of 1 strategies passed; confidence may move by 0.01");

    const kept = ensure(await baselines.load("opening_range", start, end), "was recorded");
    const [first, ...rest] = kept.signals;
    await baselines.save({
      ...kept,
      signals: [{ ...first, confidence: first.confidence === 1 ? 0 : 1 }, ...rest.slice(1)],
    });
    const failed = await run("--mode", "test", ...stretch, ...where);
    expect(failed.code).toBe(1);
    expect(failed.out).toMatch(/extra: 2024.*\n {2}drift: 2024/);
    await baselines.save({ ...kept, signals: [] });
    expect(await told()).toContain("the baseline is empty: nothing was compared");
  }, 60_000);

  it.each([
    [["--mode", "train", ...stretch], "--mode"],
    [["--mode", "test", "--start", "2024-01-01"], "--end"],
    [["--mode", "test", "--start", "2024-02-01", "--end", "2024-01-01"], "--start: must lie before end"],
    [["--mode", "test", ...stretch, "--tolerance", "5"], "--tolerance"],
    [["--mode", "test", ...stretch, "--tolerance", ""], "--tolerance: must be a number from 0 to 1"],
    [["--mode", "test", ...stretch, "--sparkle"], "sparkle"],
  ])("takes no %j", (given, message) => {
    let problem: unknown = null;
    try {
      readArguments(given);
    } catch (error) {
      problem = error;
    }
    expect(problem).toBeInstanceOf(TypeError);
    expect(String(problem)).toContain(message);
  });

  it("ends with 1 and its usage for arguments that it does not take", async () => {
    const { code, out, err } = await run("--mode", "train", ...stretch);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toContain("--mode");
    expect(err).toContain("usage: npm run regression");
  });
});
