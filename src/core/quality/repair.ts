import type { Bars } from "../market/candles.js";
import { Findings } from "./bars.js";
import type { Issue } from "./issue.js";
import { findSlippedPrice, findSlips } from "./scale.js";
import { findAppliedSplits, findUnappliedSplits, type Split, suspectSplits } from "./splits.js";

const DAY_MS = 86_400_000;

/** What is known of the prices of a series. */
export interface PriceTerms {
  /** `split`: the source says that prices before a split are adjusted for it; `none`: that they are as they were. */
  readonly adjusted: "none" | "split";
  readonly splits: readonly Split[];
}

export interface Repaired {
  /** New columns where something was mended, the given ones otherwise. */
  readonly bars: Bars;
  /** What was mended, or could not be. */
  readonly issues: readonly Issue[];
  /** Bars whose prices were changed. */
  readonly mended: number;
}

const PRICES = ["open", "high", "low", "close"] as const;

function copy(bars: Bars): Bars {
  return {
    time: bars.time.slice(),
    open: bars.open.slice(),
    high: bars.high.slice(),
    low: bars.low.slice(),
    close: bars.close.slice(),
    volume: bars.volume.slice(),
  };
}

function scale(bars: Bars, from: number, to: number, prices: number, volume: number): void {
  for (const name of PRICES) for (let i = from; i < to; i++) bars[name][i] *= prices;
  if (volume !== 1) for (let i = from; i < to; i++) bars.volume[i] *= volume;
}

/**
 * Mends what has exactly one remedy: prices 100 times off the scale on which trades took place, single prices of a bar
 * 100 times off the other three, and splits that prices said to be adjusted are not adjusted for. Each repair is an
 * issue that says so. Daily bars in ascending order, sound but for the scale of a price.
 */
export function repairBars(subject: string, given: Bars, { adjusted, splits }: PriceTerms): Repaired {
  const findings = new Findings(subject);
  const bars = copy(given);
  const touched = new Set<number>();
  const { time } = bars;
  mendPrices(bars, findings, touched);
  const splitDays = new Set(
    splits.filter(({ ratio }) => ratio >= 50 || ratio <= 0.02).map(({ exDay }) => exDay),
  );
  const explained = (i: number) => splitDays.has(Math.floor(time[i] / DAY_MS));
  for (const { from, to, factor } of findSlips(bars, explained)) {
    const text = () =>
      `closes from ${bars.close[from]} on are ${factor > 1 ? "too small" : "too large"}; mended`;
    findings.add("scale_slip", "critical", time[from], text, to - from);
    scale(bars, from, to, factor, 1);
    for (let i = from; i < to; i++) touched.add(i);
  }
  if (adjusted === "split") {
    for (const { split, from } of findUnappliedSplits(bars, splits)) {
      const text = () => `prices before it are ${split.ratio} times too large; mended`;
      findings.add("split_unapplied", "critical", time[from], text, from);
      scale(bars, 0, from, 1 / split.ratio, split.ratio);
      for (let i = 0; i < from; i++) touched.add(i);
    }
  } else {
    for (const split of findAppliedSplits(bars, splits)) {
      findings.add(
        "split_applied_twice",
        "critical",
        split.exDay * DAY_MS,
        () => `no jump by ${split.ratio} around the ex-day: it is in the prices and not applied again`,
      );
    }
  }
  for (const { index, ratio } of suspectSplits(bars, splits)) {
    const before = bars.close[index - 1];
    findings.add(
      "split_suspected",
      "warning",
      time[index],
      () => `from ${before} to ${bars.open[index]}, near ${ratio}`,
    );
  }
  return { bars: touched.size === 0 ? given : bars, issues: findings.list(), mended: touched.size };
}

/** Single prices that are 100 times off the others of their bar. */
function mendPrices(bars: Bars, findings: Findings, touched: Set<number>): void {
  const { time, high, low } = bars;
  for (let i = 0; i < time.length; i++) {
    if (high[i] < 80 * low[i] && low[i] * 80 > high[i]) continue;
    const prices = PRICES.map((name) => bars[name][i]);
    const slipped = findSlippedPrice(prices);
    if (slipped === null) continue;
    const name = PRICES[slipped.index];
    findings.add(
      "scale_slip",
      "critical",
      time[i],
      () => `${name} ${prices[slipped.index]} among ${prices}; mended`,
    );
    bars[name][i] *= slipped.factor;
    touched.add(i);
  }
}
