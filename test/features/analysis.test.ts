import { afterAll, describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { computeIndicator } from "../../src/core/indicators/define.js";
import { parseIndicatorRequest } from "../../src/core/indicators/request.js";
import { type Candles, sliceCandles } from "../../src/core/market/candles.js";
import { classifySymbol } from "../../src/core/market/instrument.js";
import { INTERVAL_MS, type Interval } from "../../src/core/market/interval.js";
import { createAnalysis } from "../../src/features/analysis/analysis.js";
import type { CandleService } from "../../src/features/candles/candles.js";
import type { Instruments } from "../../src/features/instruments/instruments.js";
import { walkBars } from "../fixtures/series.js";
import { createTestWorkers } from "../fixtures/workers.js";

const workers = createTestWorkers();
afterAll(() => workers.close());

/** Bars without holes, the newest of which opens late in a day. */
function seriesOf(interval: Interval, length: number): Candles {
  const newest = Date.UTC(2024, 4, 23, 23, 0);
  const bars = walkBars(length, 21);
  const time = bars.time.map((_, i) => newest - (length - 1 - i) * INTERVAL_MS[interval]);
  return { symbol: "BTC-USD", interval, ...bars, time };
}

function analysisOf(series: Candles) {
  const instrument = {
    ...ensure(classifySymbol(series.symbol), series.symbol),
    id: 1,
    synthetic: false,
    replay: "",
  };
  const { length } = series.time;
  const candles: Pick<CandleService, "loadLatest"> = {
    async loadLatest(_instrument, _interval, count) {
      return {
        instrument,
        candles: sliceCandles(series, Math.max(0, length - count), length),
        source: "test",
        synthetic: false,
        asOfMs: series.time[length - 1],
        stale: false,
        ageMs: 0,
        trouble: null,
        note: null,
        adjustedAt: null,
        knownAtMs: null,
        adjustment: null,
      };
    },
  };
  const instruments: Pick<Instruments, "resolve"> = { resolve: async () => instrument };
  const analysis = createAnalysis({ candles, instruments, workers });
  return (names: string, bars: number) =>
    analysis.computeIndicators(series.symbol, series.interval, names, bars);
}

describe("the newest values", () => {
  const series = seriesOf("1m", 12_000);
  const ask = analysisOf(series);

  /** Of one request: values at the newest bar, and where the computation began. */
  async function newest(names: string, bars: number, at = 0) {
    const { computed } = await ask(names, bars);
    const { outputs, sinceMs, settled } = computed[at];
    return { values: outputs.map((column) => column[column.length - 1]), sinceMs, settled };
  }

  it.each(["vwap", "vwap_bands", "volume_profile", "vwap(3)"])(
    "of %s are those of the whole session, however few bars are asked for",
    async (name) => {
      const { indicator, values } = ensure(parseIndicatorRequest(name).request, name);
      const whole = computeIndicator(indicator, series, values).map((column) => column[column.length - 1]);
      for (const bars of [1, 10, 420, 1_441, 4_000]) {
        const { values: found, settled } = await newest(name, bars);
        expect(settled, `${name} over ${bars}`).toBe(true);
        for (const [output, value] of found.entries()) expect(value).toBeCloseTo(whole[output], 9);
      }
    },
  );

  it("of a session that is longer than what may be read are not said to be settled", async () => {
    expect(await newest("vwap(30)", 1)).toMatchObject({ settled: false });
  });

  it.each(["obv", "ad", "nvi", "pvi", "pvt", "sar", "supertrend"])(
    "of %s begin at the same bar for every limit, alone and beside others",
    async (name) => {
      const alone = await newest(name, 1);
      expect(alone.settled).toBe(false);
      expect(new Date(alone.sinceMs).toISOString()).toBe("2024-05-19T00:00:00.000Z");
      for (const bars of [10, 300, 5_000]) expect(await newest(name, bars)).toEqual(alone);
      expect(await newest(`${name},kama(50)`, 1)).toEqual(alone);
      expect(await newest(`hurst(512),${name}`, 1, 1)).toEqual(alone);
    },
  );

  it("of a row do not depend on what else is asked for", async () => {
    const alone = await newest("kama", 5);
    expect(await newest("kama,obv,ema(900)", 5)).toEqual(alone);
  });
});

describe("sums from the first bar", () => {
  it.each([
    ["5m", "2024-04-29T00:00:00.000Z"],
    ["1h", "2023-09-01T00:00:00.000Z"],
    ["1d", "2007-01-01T23:00:00.000Z"],
  ] as const)("of %s begin with a week, a month or a year", async (interval, since) => {
    const ask = analysisOf(seriesOf(interval, 9_000));
    for (const bars of [1, 2_000]) {
      const { computed } = await ask("obv", bars);
      expect(new Date(computed[0].sinceMs).toISOString()).toBe(since);
    }
  });

  it("begin with the first candle where there are few", async () => {
    const series = seriesOf("1h", 500);
    const { computed } = await analysisOf(series)("obv", 3);
    expect(computed[0].sinceMs).toBe(series.time[0]);
  });
});

describe("volatilities", () => {
  it.each([
    ["1d", 365.25],
    ["1h", 8_766],
    ["5m", 105_192],
    ["1w", 1461 / 28],
  ] as const)(
    "of %s bars of a market without closes are scaled to %s bars a year",
    async (interval, year) => {
      const { computed } = await analysisOf(seriesOf(interval, 60))("yang_zhang,yang_zhang(20,252)", 1);
      expect(computed[0].values).toEqual({ period: 20, bars_per_year: year });
      expect(computed[1].values).toEqual({ period: 20, bars_per_year: 252 });
      const [ours, told] = computed.map(({ outputs }) => outputs[0][0]);
      expect(ours / told).toBeCloseTo(Math.sqrt(year / 252), 9);
    },
  );
});

it("the longest windows of one row are never too much to ask for", async () => {
  const ask = analysisOf(seriesOf("1h", 12_000));
  for (const name of ["sma(10000)", "midprice(9999)", "zscore(7100)"]) {
    const { computed } = await ask(name, 1);
    expect(Number.isFinite(computed[0].outputs[0][0]), name).toBe(true);
  }
});
