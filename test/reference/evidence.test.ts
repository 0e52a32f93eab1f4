import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HOLDOUT_TRADES, loadSeries, measureFiles } from "../../bench/evidence-files.js";
import { ensure } from "../../src/core/base/assert.js";
import type { Workers } from "../../src/platform/workers.js";
import { silentLog } from "../fixtures/log.js";
import { sharedPath } from "../fixtures/shared.js";
import { createTestWorkers } from "../fixtures/workers.js";

const daily = sharedPath("data", "daily");
const intraday = sharedPath("data", "intraday");
const PROGRAM = fileURLToPath(new URL("../../bench/evidence.ts", import.meta.url));
const LIMIT_MS = 300_000;

let workers: Workers;
beforeAll(() => {
  workers = createTestWorkers();
});
afterAll(() => workers.close());

describe.skipIf(daily === null)("npm run evidence", () => {
  const run = () =>
    promisify(execFile)(
      process.execPath,
      ["--import", "tsx", PROGRAM, ensure(daily, "the folder is there"), "--only", "YAHOO-TLT"],
      { maxBuffer: 10_000_000 },
    );

  it(
    "prints every pattern with what was measured, the same on a second run",
    async () => {
      const first = (await run()).stdout;
      expect((await run()).stdout).toBe(first);
      expect(first).toMatch(/^\|bullish_engulfing\|any\|\d+\|\d+\|\d+\|\d+\|0\.\d{3}\|/m);
      expect(first).toMatch(/^\|doji\|any\|\d+\|0\|.*no_direction\|$/m);
      expect(first).toMatch(/sha256 [0-9a-f]{64}\n$/);
    },
    LIMIT_MS,
  );
});

describe.skipIf(daily === null || intraday === null)(
  "confidence that was learned from the first half of the time",
  () => {
    it.each([
      // The index of volatility is no instrument that anybody trades.
      ["1d", daily, (symbol: string) => !symbol.includes("VIX")],
      ["1h", intraday, () => true],
    ] as const)(
      "is within 0.03 of what came in the second, over patterns with 200 trades: %s",
      async (interval, folder, keeps) => {
        const all = await loadSeries(
          [ensure(folder, "the folder is there")],
          { workers, log: silentLog },
          keeps,
        );
        const series = all.filter(({ candles }) => candles.interval === interval);
        const { table, holdouts } = measureFiles(series);
        const held = ensure(holdouts.get(interval), "there are trades on both sides");
        const cut = new Date(held.cutMs).toISOString().slice(0, 10);
        process.stdout.write(
          `${interval}: ${table.series} series, ${table.bars} bars; ${held.patterns} patterns with ${HOLDOUT_TRADES} trades ` +
            `before ${cut}, ${held.trades} trades after it: calibration error ${held.calibrationError.toFixed(4)}, mean ` +
            `distance ${held.meanDistance.toFixed(4)}, by chance ${held.chanceDistance.toFixed(4)}\n`,
        );
        expect(held.patterns).toBeGreaterThan(20);
        expect(held.trades).toBeGreaterThan(50_000);
        expect(held.calibrationError).toBeLessThanOrEqual(0.03);
      },
      LIMIT_MS,
    );
  },
);
