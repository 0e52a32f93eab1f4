import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HOLDOUT_TRADES, loadSeries, SETTINGS } from "../../bench/evidence-files.js";
import { ensure } from "../../src/core/base/assert.js";
import { normalCdf } from "../../src/core/options/normal.js";
import { LEAST_BLOCKS } from "../../src/core/signals/evidence-edge.js";
import { type Holdout, measureHoldout, middleOf } from "../../src/core/signals/evidence-holdout.js";
import type { EvidenceSeries } from "../../src/core/signals/evidence-series.js";
import type { Workers } from "../../src/platform/workers.js";
import { silentLog } from "../fixtures/log.js";
import { sharedPath } from "../fixtures/shared.js";
import { sized } from "../fixtures/sizes.js";
import { createTestWorkers } from "../fixtures/workers.js";

const daily = sharedPath("data", "daily");
const intraday = sharedPath("data", "intraday");
const PROGRAM = fileURLToPath(new URL("../../bench/evidence.ts", import.meta.url));
const LIMIT_MS = 300_000;
/** Trades after the cut from which an interval, or a pattern, is looked at. */
const LATER_TRADES = 200;
/** Newest bars of a file that are looked at: `npm run evidence` takes all. */
const MOST_BARS = sized({ usual: 5_000, full: 10_000 });
/** The index of volatility is no instrument that anybody trades; of shares a part stands for all. */
const LEFT_OUT = sized({ usual: /VIX|KAGGLE/, full: /VIX/ });
/** Patterns with as many before it: the files of 5m hold three weeks and one. */
const LEAST_PATTERNS = 10;

let workers: Workers;
beforeAll(() => {
  workers = createTestWorkers();
});
afterAll(() => workers.close());

const ONE = sized({ usual: "SP500-5YR-AAPL", full: "YAHOO-TLT-2020" });

describe.skipIf(daily === null)("npm run evidence", () => {
  const run = () =>
    promisify(execFile)(
      process.execPath,
      ["--import", "tsx", PROGRAM, ensure(daily, "the folder is there"), "--only", ONE],
      { maxBuffer: 10_000_000 },
    );

  it(
    "prints every pattern with what was measured, the same on a second run",
    async () => {
      const first = (await run()).stdout;
      expect((await run()).stdout).toBe(first);
      expect(first).toMatch(/^\|bullish_engulfing\|any\|any\|\d+\|\d+\|\d+\|\d+\|0\.\d{3}\|/m);
      expect(first).toMatch(/^\|doji\|any\|any\|\d+\|0\|.*no_direction\|$/m);
      expect(first).toMatch(/sha256 [0-9a-f]{64}\n$/);
    },
    LIMIT_MS,
  );
});

describe.skipIf(daily === null || intraday === null)(
  "confidence that was learned from the first half of the bars",
  () => {
    const intervals = ["1d", "1h", "5m", "1m"] as const;
    let all: readonly EvidenceSeries[];
    beforeAll(async () => {
      const folders = [ensure(daily, "daily"), ensure(intraday, "intraday")];
      const keeps = (symbol: string) => !LEFT_OUT.test(symbol);
      all = await loadSeries(folders, { workers, log: silentLog }, keeps, MOST_BARS);
    }, LIMIT_MS);

    it.each(intervals)(
      "is within 0.03 of what came in the second, over patterns with 200 trades: %s",
      (interval) => {
        const series = all.filter(({ candles }) => candles.interval === interval);
        const held = measureHoldout(series, SETTINGS, middleOf(series), HOLDOUT_TRADES);
        process.stdout.write(`${interval}: ${series.length} series; ${told(held)}`);
        expect(held.trades).toBeGreaterThan(LATER_TRADES);
        expect(held.blocks).toBeGreaterThanOrEqual(LEAST_BLOCKS);
        expect(held.patterns).toBeGreaterThanOrEqual(LEAST_PATTERNS);
        expect(held.calibrationError).toBeLessThanOrEqual(0.03);
      },
      LIMIT_MS,
    );

    it("is looked at for every interval that has files", () => {
      expect([...new Set(all.map(({ candles }) => candles.interval))].sort()).toEqual([...intervals].sort());
    });
  },
);

/** In words, with the patterns that are off by more than 0.03 and how many chance alone would have been. */
function told({ cutMs, patterns, cells, trades, blocks, ...held }: Holdout): string {
  const many = cells.filter(({ n }) => n >= LATER_TRADES);
  const off = many.filter(({ n, hits, confidence }) => Math.abs(hits / n - confidence) > 0.03);
  // Both sides of a normal distribution beyond 0.03, were each trade independent and each confidence exact.
  const chance = many.reduce(
    (sum, { n, confidence }) => sum + 2 * normalCdf(-0.03 / Math.sqrt((confidence * (1 - confidence)) / n)),
    0,
  );
  const lines = off
    .sort((a, b) => b.n - a.n)
    .map(
      ({ variant, costs, n, hits, confidence }) =>
        `  ${variant}, ${costs} costs: ${confidence.toFixed(3)} was said, ${(hits / n).toFixed(3)} came of ${n}\n`,
    );
  return (
    `${patterns} patterns with ${HOLDOUT_TRADES} trades before ${new Date(cutMs).toISOString().slice(0, 10)} at one class of ` +
    `costs, ${trades} trades in ${blocks} blocks after it: calibration error ${held.calibrationError.toFixed(4)}, mean ` +
    `distance ${held.meanDistance.toFixed(4)}, by chance ${held.chanceDistance.toFixed(4)}; of ${many.length} with ` +
    `${LATER_TRADES} later trades ${off.length} are off by more than 0.03, by chance alone ${chance.toFixed(1)}:\n${lines.join("")}`
  );
}
