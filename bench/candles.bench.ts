import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { allocateBars, type Candles, sliceCandles } from "../src/core/market/candles.js";
import { WINDOW_KIND } from "../src/features/candles/encoding.js";
import { createCandleStore } from "../src/features/candles/store.js";
import { createInstrumentStore } from "../src/features/instruments/store.js";
import { readConfig } from "../src/platform/config.js";
import { createMetrics } from "../src/platform/metrics.js";
import { openDatabase } from "../src/platform/open-database.js";
import { randomWalk } from "./data.js";
import type { Bench, Figure } from "./time.js";

const ROWS = 100_000;
const WINDOW = 500;
const READS = 300;
const STEP_MS = 300_000;
const START_MS = Date.UTC(2023, 0, 1);
const ORIGIN = { source: "bench", basis: "none", atMs: START_MS } as const;

/** The embedded Postgres, or DATABASE_URL's, in a folder that is removed afterwards. */
export const bench: Bench = {
  name: "Candles in Postgres",
  async run() {
    const folder = mkdtempSync(join(tmpdir(), "tx-bench-"));
    const url = process.env.DATABASE_URL;
    const config = readConfig({ DATA_DIR: folder, ...(url === undefined ? {} : { DATABASE_URL: url }) });
    const opened = await openDatabase(config, pino({ level: "silent" }), createMetrics("bench"));
    try {
      const { database } = opened;
      const instruments = createInstrumentStore(database);
      const store = createCandleStore(database);
      const base = { assetClass: "crypto", exchange: "X", currency: "USD", calendar: "24x7" } as const;
      const candles = walk(ROWS);
      const { id } = await instruments.save(
        { ...base, symbol: "BENCH-USD", name: "Bench" },
        { synthetic: true, replay: null },
      );
      const whole = { from: START_MS, to: START_MS + ROWS * STEP_MS };

      const seconds = async (work: () => Promise<void>) => {
        const started = performance.now();
        await work();
        return (performance.now() - started) / 1_000;
      };
      const write = await seconds(() => store.save(id, candles, ORIGIN, whole));
      const rewrite = await seconds(() => store.save(id, candles, ORIGIN, whole));
      const append: number[] = [];
      for (let i = 0; i < 100; i++) {
        const bar = sliceCandles(candles, i, i + 1);
        append.push(await seconds(() => store.save(id, bar, ORIGIN, whole)));
      }
      const reads: number[] = [];
      for (let i = 0; i < READS; i++) {
        const to = whole.to - (i % 50) * STEP_MS;
        reads.push(
          await seconds(async () => {
            await store.load(id, "BENCH-USD", "5m", to - WINDOW * STEP_MS, to);
          }),
        );
      }
      const figures: Figure[] = [
        { name: `write ${ROWS} new bars`, value: ROWS / write, unit: "rows/s" },
        { name: `write ${ROWS} known bars again`, value: ROWS / rewrite, unit: "rows/s" },
        { name: "store one closed bar, p50", value: 1_000 * percentile(append, 0.5), unit: "ms" },
        { name: `latest ${WINDOW} bars, p50`, value: 1_000 * percentile(reads, 0.5), unit: "ms" },
        { name: `latest ${WINDOW} bars, p99`, value: 1_000 * percentile(reads, 0.99), unit: "ms" },
        ...windowFigures(sliceCandles(candles, 0, WINDOW)),
      ];
      return [{ title: opened.kind, notes: [], figures }];
    } finally {
      await opened.close();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

/** A window to bytes and back, as the cache does it. */
function windowFigures(candles: Candles): Figure[] {
  const window = { candles, adjustedAt: null, source: "bench", asOfMs: 0, trouble: null };
  const bytes = WINDOW_KIND.encode(window);
  const time = (work: () => unknown) => {
    const runs: number[] = [];
    for (let round = 0; round < 200; round++) {
      const started = performance.now();
      work();
      runs.push(performance.now() - started);
    }
    return 1_000 * Math.min(...runs);
  };
  return [
    { name: `encode ${WINDOW} bars`, value: time(() => WINDOW_KIND.encode(window)), unit: "us" },
    { name: `decode and check ${WINDOW} bars`, value: time(() => WINDOW_KIND.decode(bytes)), unit: "us" },
  ];
}

function walk(length: number): Candles {
  const { open, high, low, close, volume } = randomWalk(length, 11);
  const { time } = allocateBars(length);
  for (let i = 0; i < length; i++) time[i] = START_MS + i * STEP_MS;
  return { symbol: "BENCH-USD", interval: "5m", time, open, high, low, close, volume };
}

function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}
