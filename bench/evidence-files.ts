import { sliceCandles } from "../src/core/market/candles.js";
import { INTERVALS } from "../src/core/market/interval.js";
import { PATTERNS } from "../src/core/patterns/index.js";
import { REGIMES } from "../src/core/regime/define.js";
import { computeRegimes } from "../src/core/regime/regime.js";
import { computeEvidence, type EvidenceTable } from "../src/core/signals/evidence.js";
import { type Holdout, measureHoldout, middleOf } from "../src/core/signals/evidence-holdout.js";
import type { EvidenceSeries, EvidenceSettings } from "../src/core/signals/evidence-series.js";
import { ROUND_TRIP_BPS } from "../src/core/signals/levels.js";
import { createLog, type Log } from "../src/platform/log.js";
import { createWorkers, type Workers } from "../src/platform/workers.js";
import { findEntries } from "../src/providers/files-folder.js";
import { createFileReader } from "../src/providers/files-reader.js";

/** Trades that a pattern needs before the middle of the bars for its confidence to be held against what follows. */
export const HOLDOUT_TRADES = 200;

export const SETTINGS: EvidenceSettings = {
  patterns: PATTERNS,
  regimes: REGIMES,
  seed: 1,
  asOfMs: Number.POSITIVE_INFINITY,
};

/**
 * Candles of files as series, each file one of its own, by symbol and interval. Prices are those of the files: nothing is
 * adjusted. @param keeps tells which symbols are wanted. @param mostBars newest bars of a file that are taken.
 */
export async function loadSeries(
  folders: readonly string[],
  parts: { readonly workers: Workers; readonly log: Log },
  keeps: (symbol: string) => boolean = () => true,
  mostBars = Number.POSITIVE_INFINITY,
): Promise<EvidenceSeries[]> {
  const found = await findEntries(folders, parts.log);
  const entries = [...found.entries.values()].flat();
  const reader = createFileReader({ ...parts, now: Date.now });
  const series: EvidenceSeries[] = [];
  for (const entry of entries.filter(({ instrument }) => keeps(instrument.symbol))) {
    const { candles } = await reader.load(entry);
    const { length } = candles.time;
    const { calendar, assetClass } = entry.instrument;
    const newest = sliceCandles(candles, Math.max(0, length - mostBars), length);
    series.push({
      candles: newest,
      calendar,
      costBps: ROUND_TRIP_BPS[assetClass],
      regimes: computeRegimes(newest).label,
    });
  }
  return series.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

const keyOf = ({ candles: { interval, symbol } }: EvidenceSeries) => `${interval} ${symbol}`;

export interface Measured {
  readonly table: EvidenceTable;
  /** By interval: confidences of the first half of its files' bars, in time, against what came in the second. */
  readonly holdouts: ReadonlyMap<string, Holdout>;
}

export function measureFiles(series: readonly EvidenceSeries[]): Measured {
  const holdouts = new Map<string, Holdout>();
  for (const interval of INTERVALS) {
    const members = series.filter(({ candles }) => candles.interval === interval);
    const middle = middleOf(members);
    if (Number.isNaN(middle)) continue;
    holdouts.set(interval, measureHoldout(members, SETTINGS, middle, HOLDOUT_TRADES));
  }
  return { table: computeEvidence(series, SETTINGS), holdouts };
}

/** The series of folders, of symbols that hold one of the words of `only`, where there are any, and none of `without`. */
export async function loadFolders(
  folders: readonly string[],
  { only, without }: { readonly only: readonly string[]; readonly without: readonly string[] },
  mostBars?: number,
): Promise<EvidenceSeries[]> {
  const log = createLog({
    level: "warn",
    structured: false,
    scrub: (text) => text,
    destination: process.stderr,
  });
  const workers = createWorkers({ log });
  const holds = (symbol: string) => (word: string) => symbol.includes(word.toUpperCase());
  const keeps = (symbol: string) =>
    !without.some(holds(symbol)) && (only.length === 0 || only.some(holds(symbol)));
  const series = await loadSeries(folders, { workers, log }, keeps, mostBars);
  await workers.close();
  return series;
}
