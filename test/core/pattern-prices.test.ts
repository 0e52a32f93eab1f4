import { describe, expect, it } from "vitest";
import type { Candles } from "../../src/core/market/candles.js";
import type { Hit } from "../../src/core/patterns/define.js";
import { PATTERNS } from "../../src/core/patterns/index.js";
import { createPatternSeries } from "../../src/core/patterns/series.js";
import { wanderingCandles } from "../fixtures/market-walks.js";
import { shift } from "../fixtures/reflect.js";
import { readBars } from "../fixtures/series.js";
import { sharedPath } from "../fixtures/shared.js";

/** Points that lie on an average of closes drawn over the bars, so that the bars need not reach them. */
const ON_AVERAGES = new Set(["cross", "squeeze"]);

/** Prices so near to 0 that what a shape promises may lie below it. */
const nearZero = (): Candles => {
  const candles = wanderingCandles("LOW", "1d", 6_000, 5);
  return shift(candles, 1 - Math.min(...candles.low));
};
const generated = [
  ["a walk", () => wanderingCandles("WALK", "1d", 6_000, 4)],
  ["a walk near 0", nearZero],
] as const;
const real = ["daily/kaggle-JPM", "daily/kaggle-XOM", "daily/kaggle-TSLA", "intraday/ejtrader-GBPUSD-1h"]
  .map((name) => [name, sharedPath("data", `${name}.csv.gz`)] as const)
  .flatMap(([name, path]) => {
    return path === null
      ? []
      : [[name, () => ({ symbol: name, interval: "1d", ...readBars(path) })] as const];
  });

describe.each([...generated, ...real] as readonly (readonly [string, () => Candles])[])("%s", (_, read) => {
  const candles = read();
  const series = createPatternSeries(candles);
  const hits: Hit[] = [];
  for (const pattern of PATTERNS) pattern.find(series, 0, candles.time.length, hits);
  const told = hits.flatMap(({ variant, at, state, formation }) => {
    if (formation === null) return [];
    return [{ ...formation, key: `${variant.id} ${state} ${at}`, side: variant.direction, at, state }];
  });

  it("has each point of a shape within its bar", () => {
    const outside = told.flatMap(({ key, points }) =>
      points
        .filter(({ role }) => !ON_AVERAGES.has(role))
        .filter(({ at, price }) => !(price >= candles.low[at] && price <= candles.high[at]))
        .map(({ role, at, price }) => `${key}: ${role} ${price} at ${at}`),
    );
    expect(outside).toEqual([]);
    expect(told.length).toBeGreaterThan(1_000);
  });

  it("has targets and stops that are prices", () => {
    const prices = told.flatMap(({ key, target, stop }) =>
      [target, stop].flatMap((price) => (price === null ? [] : [[key, price] as const])),
    );
    expect(prices.filter(([, price]) => !(price > 0 && Number.isFinite(price)))).toEqual([]);
  });

  const entryOf = ({ state, trigger, at }: (typeof told)[number]) =>
    state === "forming" && trigger !== null ? trigger : candles.close[at];
  const isOpen = (state: string) => state === "forming" || state === "confirmed";

  it("has the target ahead of the close of the hit, and the stop behind it until the shape is over", () => {
    const wrong = told.flatMap((shape) => {
      const { key, side, state, target, stop } = shape;
      const price = entryOf(shape);
      const isAhead = target === null || side * (target - price) > 0;
      const isBehind = stop === null || !isOpen(state) || side * (price - stop) > 0;
      return isAhead && isBehind ? [] : [`${key}: ${target} and ${stop} from ${price}`];
    });
    expect(wrong).toEqual([]);
  });

  it("tells the reward of whatever has both, from the same price", () => {
    const odd = told.filter((shape) => {
      const { rewardRisk, target, stop, state, side } = shape;
      if (target === null || stop === null || state === "failed") return rewardRisk !== null;
      if (!isOpen(state) && rewardRisk === null) return false;
      const price = entryOf(shape);
      const expected = (side * (target - price)) / (side * (price - stop));
      return !(Math.abs((rewardRisk ?? Number.NaN) - expected) <= 1e-9 * expected);
    });
    expect(odd.map(({ key }) => key)).toEqual([]);
  });
});
