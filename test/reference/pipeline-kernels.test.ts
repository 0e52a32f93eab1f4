import { describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { createRng } from "../../src/core/base/rng.js";
import { computeIndicator } from "../../src/core/indicators/define.js";
import { findIndicator } from "../../src/core/indicators/index.js";
import { Follower } from "../../src/core/indicators/stream.js";
import type { Bars } from "../../src/core/market/candles.js";
import { presets } from "../fixtures/indicator-values.js";
import { copyBars, firstDifference, readBars, readColumns } from "../fixtures/series.js";
import { sharedPath } from "../fixtures/shared.js";
import { PLAIN } from "./plain/index.js";

const MINUTE = 60_000;
const folder = sharedPath("data");

type Trade = readonly [time: number, price: number, size: number];

/** Bars from what is in order of time: the first of a stretch opens it, the last closes it. */
function gather(trades: Iterable<Trade>, lengthMs: number): Bars {
  const rows: number[][] = [];
  for (const [time, price, size] of trades) {
    const begin = time - (time % lengthMs);
    const row = rows.at(-1);
    if (row === undefined || row[0] !== begin) {
      rows.push([begin, price, price, price, price, size]);
      continue;
    }
    row[2] = Math.max(row[2], price);
    row[3] = Math.min(row[3], price);
    row[4] = price;
    row[5] += size;
  }
  const column = (k: number) => Float64Array.from(rows, (row) => row[k]);
  const [time, open, high, low, close, volume] = [0, 1, 2, 3, 4, 5].map(column);
  return { time, open, high, low, close, volume };
}

/** Longer bars: the prices of each shorter one in the order open, low, high, close make the same bar as its trades did. */
function longer(bars: Bars, lengthMs: number): Bars {
  const parts = function* (): Generator<Trade> {
    for (let i = 0; i < bars.time.length; i++) {
      yield [bars.time[i], bars.open[i], 0];
      yield [bars.time[i], bars.low[i], 0];
      yield [bars.time[i], bars.high[i], 0];
      yield [bars.time[i], bars.close[i], bars.volume[i]];
    }
  };
  return gather(parts(), lengthMs);
}

function tradesOf(file: string): Iterable<Trade> {
  const columns = readColumns(`${folder}/ticks/${file}`);
  const [time, price, size] = ["ts_ms", "price", "size"].map((name) => ensure(columns.get(name), name));
  return (function* (): Generator<Trade> {
    for (let i = 0; i < time.length; i++) yield [time[i], price[i], size[i]];
  })();
}

/** Bars of 5 and of 30 minutes: trades of shares before, in and after the session, and bars of coins. */
const SERIES: Readonly<Record<string, () => Bars>> =
  folder === null
    ? {}
    : {
        "SPY, of 1.9 million trades": () =>
          gather(tradesOf("lean-SPY-trades-20131007-20131011.csv.gz"), 5 * MINUTE),
        "IBM, of trades": () => gather(tradesOf("lean-IBM-trades-20131007-20131011.csv.gz"), 5 * MINUTE),
        "ETH_BTC, of 5 minutes": () => readBars(`${folder}/intraday/freqtrade-ETH_BTC-5m.csv.gz`),
        "BTC-PERP, of minutes": () =>
          longer(readBars(`${folder}/intraday/nautilus-BTC-PERP-1m-2022-01.csv.gz`), 5 * MINUTE),
      };

/** The kernels of the tick pipeline, and the bars each is of. */
const KERNELS = [
  ["mlmi", 30],
  ["rational_quadratic", 30],
  ["rational_quadratic_slope", 30],
  ["low_volume_node", 30],
  ["mmd_regime", 30],
  ["fair_value_gap", 5],
] as const;

describe.skipIf(folder === null).each(Object.keys(SERIES))("kernels on real bars of %s", (name) => {
  const short = SERIES[name]();
  const long = longer(short, 30 * MINUTE);

  it.each(KERNELS)("%s equals its plain formula to 1e-9", (kernel, minutes) => {
    const indicator = ensure(findIndicator(kernel), kernel);
    // Of so many a plain formula takes seconds.
    const bars = copyBars(minutes === 5 ? short : long, 0, 3_000);
    const values = presets(indicator);
    const plain = ensure(PLAIN[kernel], kernel)(bars, values);
    expect(bars.time.length).toBeGreaterThan(indicator.warmup(values) + 5);
    for (const [output, column] of computeIndicator(indicator, bars, values).entries()) {
      const { name: what, unit } = indicator.outputs[output];
      const expected = ensure(plain[what], what);
      for (let i = 0; i < column.length; i++) {
        const size = unit === "price" ? bars.close[i] : Math.max(1, Math.abs(expected[i]));
        const isSame = Number.isNaN(expected[i])
          ? Number.isNaN(column[i])
          : Math.abs(column[i] - expected[i]) <= 1e-9 * size;
        if (!isSame) expect(column[i], `${what} at bar ${i}`).toBe(expected[i]);
      }
    }
  });

  it.each(KERNELS)("%s is the same bits one bar at a time, and of every prefix", (kernel, minutes) => {
    const indicator = ensure(findIndicator(kernel), kernel);
    const bars = minutes === 5 ? short : long;
    const values = presets(indicator);
    const whole = computeIndicator(indicator, bars, values);
    const { length } = bars.time;
    const outputs = indicator.outputs.map(() => new Float64Array(length));
    const follower = new Follower(indicator, values, bars, outputs);
    for (let i = 0; i < length; i++) follower.update();
    const rng = createRng(9, minutes);
    const cuts = Array.from({ length: 12 }, () => 1 + rng.below(length));
    const differing = (columns: readonly Float64Array[], end: number) =>
      columns.findIndex((column, k) => firstDifference(column, whole[k], 0, end) !== -1);
    expect(differing(outputs, length)).toBe(-1);
    for (const cut of cuts) {
      expect(differing(computeIndicator(indicator, copyBars(bars, 0, cut), values), cut), `${cut}`).toBe(-1);
    }
  });

  it("have something to say there", () => {
    const column = (kernel: string, output: string, bars: Bars) => {
      const indicator = ensure(findIndicator(kernel), kernel);
      const k = indicator.outputs.findIndex((each) => each.name === output);
      return [...computeIndicator(indicator, bars, presets(indicator))[k]].filter((x) => !Number.isNaN(x));
    };
    const share = (values: readonly number[]) => values.filter((x) => x !== 0).length / values.length;
    const regimes = column("mmd_regime", "regime", long);
    const told = [0, 1, 2, 3, 4, 5, 6].map((k) => regimes.filter((x) => x === k).length);
    const said = {
      crossings: share(column("mlmi", "cross", long)),
      turns: share(column("rational_quadratic_slope", "turn", long)),
      below: share(column("low_volume_node", "has_below", long)),
      above: share(column("low_volume_node", "has_above", long)),
      fills: share(column("fair_value_gap", "strength", short)),
    };
    process.stdout.write(`${name}: ${JSON.stringify(said)} regimes ${told.join(" ")}\n`);
    for (const [what, part] of Object.entries(said)) expect(part, what).toBeGreaterThan(0);
    // Markets whose bars do not recur or turn are mostly what is normal, or what is not as wide as it was.
    if (regimes.length > 500) expect((told[0] + told[4]) / regimes.length).toBeGreaterThan(0.5);
  });
});
