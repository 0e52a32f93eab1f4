import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { assert } from "../../core/base/assert.js";
import { isoTime } from "../../platform/http.js";
import { type Baseline, baselineText, parseBaseline, strategyIdText } from "./baseline-file.js";

/** Where baselines are kept: one for each strategy and stretch. */
export interface Baselines {
  /** Ids of the strategies that have one over the stretch, sorted. */
  list(startMs: number, endMs: number): Promise<string[]>;
  /** @returns null without one. @throws {AppError} `invalid_request` for one that is unsound. */
  load(strategyId: string, startMs: number, endMs: number): Promise<Baseline | null>;
  /** In place of one that was there. */
  save(baseline: Baseline): Promise<void>;
}

/** Baselines as the files of a folder, which need not be there before the first. */
export function createBaselineFolder(folder: string): Baselines {
  return {
    async list(startMs, endMs) {
      const tail = tailOf(startMs, endMs);
      const names = await readdir(folder).catch(noneWithoutFile);
      const ends = (names ?? []).filter((name) => name.endsWith(tail));
      return ends.map((name) => name.slice(0, -tail.length).replace(".", ":")).sort();
    },
    async load(strategyId, startMs, endMs) {
      const name = fileName(strategyId, startMs, endMs);
      const text = await readFile(join(folder, name), "utf8").catch(noneWithoutFile);
      return text === null ? null : parseBaseline(text, name);
    },
    async save(baseline) {
      const path = join(folder, fileName(baseline.strategyId, baseline.startMs, baseline.endMs));
      await mkdir(folder, { recursive: true });
      // Whoever reads meanwhile finds the former file or the new one, whole.
      await writeFile(`${path}.new`, baselineText(baseline));
      await rename(`${path}.new`, path);
    },
  };
}

function fileName(strategyId: string, startMs: number, endMs: number): string {
  assert(strategyIdText.safeParse(strategyId).success, `strategy id ${strategyId} names no file`);
  // Some systems have no colons in names.
  return `${strategyId.replace(":", ".")}${tailOf(startMs, endMs)}`;
}

function tailOf(startMs: number, endMs: number): string {
  return `_${compact(startMs)}_${compact(endMs)}.json`;
}

/** `20240102`, or `20240102T143000000Z` where it is not the first moment of a day. */
function compact(ms: number): string {
  return isoTime(ms).replace("T00:00:00.000Z", "").replace(/[-:.]/g, "");
}

function noneWithoutFile(error: unknown): null {
  if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
  throw error;
}
