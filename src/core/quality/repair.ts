import type { Bars } from "../market/candles.js";
import { DAY_MS, dateOf } from "../market/day.js";
import { Findings } from "./bars.js";
import type { Issue, IssueCode } from "./issue.js";
import { checkScale, findExcursions, findSlippedPrice, LEVEL_FACTOR } from "./scale.js";
import {
  findAppliedSplits,
  findDoubledSplits,
  findUnappliedSplits,
  type Split,
  splitJumps,
  suspectSplits,
  type UnappliedSplit,
} from "./splits.js";

/** What is known of the prices of a series. */
export interface PriceTerms {
  /** `split`: the source says that prices before a split are adjusted for it; `none`: that they are as they were. */
  readonly adjusted: "none" | "split";
  readonly splits: readonly Split[];
  /** Whether bar i was looked at before; none was without it. */
  readonly known?: (i: number) => boolean;
}

export interface Repaired {
  /** New columns where something was mended, the given ones otherwise. */
  readonly bars: Bars;
  /** What was mended, or could not be. */
  readonly issues: readonly Issue[];
  /** Bars whose prices were changed. */
  readonly mended: number;
  /** Bars of which there is no telling on which scale they stand, ascending: to be kept from detection and trading. */
  readonly held: readonly number[];
  /** Of the held, the newest bar where another one that stands by it would let it pass; -1 for none. */
  readonly unconfirmed: number;
  /** Splits that bars lacked, now applied to them; those with a ratio turned over were in them twice. */
  readonly lacked: readonly UnappliedSplit[];
}

/** A close that is so many times the one before, or less than that part of it, waits for the next. */
const UNCONFIRMED_FACTOR = 2.5;
/** A high of so many times open and close, or a low of that part of them, is no price that anybody could trade at. */
const SPIKE_FACTOR = 4;

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
export function repairBars(subject: string, given: Bars, terms: PriceTerms): Repaired {
  const findings = new Findings(subject);
  const bars = copy(given);
  const touched = new Set<number>();
  const held = mendPrices(bars, findings, touched);
  const scales = mendScale(bars, terms, findings, touched);
  for (const i of scales.held) held.add(i);
  const unconfirmed =
    scales.unconfirmed < 0 ? holdUnconfirmed(bars, terms, findings, held) : scales.unconfirmed;
  const lacked = checkSplits(bars, terms, findings, touched);
  tellSuspicions(bars, terms, lacked, findings);
  return {
    bars: touched.size === 0 ? given : bars,
    issues: findings.list(),
    mended: touched.size,
    held: [...held].sort((a, b) => a - b),
    unconfirmed,
    lacked,
  };
}

/** Mends stretches that are off by 100. @returns bars of which there is no telling, and from when on later ones may tell; -1 for never. */
function mendScale(
  bars: Bars,
  { splits, known = () => false }: PriceTerms,
  findings: Findings,
  touched: Set<number>,
): { held: Set<number>; unconfirmed: number } {
  const { time } = bars;
  const jumps = splitJumps(bars, splits);
  const terms = { explained: (i: number) => jumps.has(i), known };
  const { slips, doubts, lasting } = checkScale(bars, terms);
  for (const { from, to, factor } of slips) {
    const text = () =>
      `closes from ${bars.close[from]} on are ${factor > 1 ? "too small" : "too large"}; mended`;
    findings.add("scale_slip", "critical", time[from], text, to - from);
    scale(bars, from, to, factor, 1);
    for (let i = from; i < to; i++) touched.add(i);
  }
  for (const i of lasting) {
    const text = () =>
      `closes go from ${bars.close[i - 1]} to ${bars.close[i]} and stay there, and no split is known; not changed`;
    findings.add("scale_slip", "critical", time[i], text, 1, "lasting");
  }
  const held = new Set<number>();
  // Of what is left once slips are mended.
  const away = findExcursions(bars, terms).filter(
    ({ from: i }) => !doubts.some(({ from, to }) => from <= i && i < to),
  );
  let unconfirmed = -1;
  for (const { from, to, slip, atEdge = false } of [...doubts, ...away]) {
    const before = from === 0 ? "first" : `after ${bars.close[from - 1]}`;
    const stands = atEdge && known(from);
    const text = () =>
      `closes from ${bars.close[from]} on, ${before}, are on a scale of their own; ${stands ? "stored before" : "held back"}`;
    findings.add(slip ? "scale_slip" : "level_break", "critical", time[from], text, to - from, "held");
    // What is stored already stands until bars on both sides say that it is wrong.
    for (let i = from; i < to; i++) if (!atEdge || !known(i)) held.add(i);
    if (atEdge && to === time.length && !stands) unconfirmed = from;
  }
  return { held, unconfirmed };
}

/** Holds back the newest bar where its close is far from the one before: whether it is right, the next one tells. @returns it, or -1. */
function holdUnconfirmed(
  { time, close }: Bars,
  { splits, known = () => false }: PriceTerms,
  findings: Findings,
  held: Set<number>,
): number {
  const last = close.length - 1;
  if (last < 2 || known(last) || held.has(last) || held.has(last - 1)) return -1;
  const moved = Math.abs(Math.log(close[last] / close[last - 1]));
  const isTold = splits.some(({ exDay }) => Math.abs(exDay * DAY_MS - time[last]) < 5 * DAY_MS);
  if (moved < Math.log(UNCONFIRMED_FACTOR) || isTold) return -1;
  const text = () =>
    `close ${close[last]} after ${close[last - 1]}; held back until another bar stands there`;
  findings.add("level_break", "critical", time[last], text, 1, "unconfirmed");
  held.add(last);
  return last;
}

/** Mends splits that should be in the prices and are not, and tells of those that are and should not. @returns the former. */
function checkSplits(
  bars: Bars,
  { adjusted, splits, known = () => false }: PriceTerms,
  findings: Findings,
  touched: Set<number>,
): readonly UnappliedSplit[] {
  const { time } = bars;
  if (adjusted === "none") {
    for (const split of findAppliedSplits(bars, splits)) {
      const text = () =>
        `no jump by ${split.ratio} around the ex-day: it is in the prices and not applied again`;
      findings.add("split_applied_twice", "critical", split.exDay * DAY_MS, text);
    }
    return [];
  }
  const seams = Array.from(time, (_, i) => i).filter((i) => i > 0 && known(i) !== known(i - 1));
  const mend = (found: readonly UnappliedSplit[], code: IssueCode, fault: (split: Split) => string) => {
    for (const { split, from, to } of found) {
      findings.add(code, "critical", time[to], () => `prices before it ${fault(split)}; mended`, to - from);
      scale(bars, from, to, 1 / split.ratio, split.ratio);
      for (let i = from; i < to; i++) touched.add(i);
    }
  };
  const lacked = findUnappliedSplits(bars, splits, seams);
  mend(lacked, "split_unapplied", ({ exDay, ratio }) => `lack the split of ${dateOf(exDay)} by ${ratio}`);
  // Once these are mended: a rise to bars that lacked a split is none of those before.
  const doubled = findDoubledSplits(bars, splits, seams);
  mend(doubled, "split_applied_twice", ({ exDay, ratio }) => {
    return `have the split of ${dateOf(exDay)} by ${1 / ratio} twice`;
  });
  return [...lacked, ...doubled];
}

/** Tells of jumps that may be splits; critical where prices that should have a known split jump by it alone. */
function tellSuspicions(
  bars: Bars,
  { adjusted, splits }: PriceTerms,
  lacked: readonly UnappliedSplit[],
  findings: Findings,
): void {
  const mended = new Set(lacked.map(({ to }) => to));
  for (const { index, ratio, split, likely } of suspectSplits(bars, splits, adjusted, mended)) {
    const step = `from ${bars.close[index - 1]} to ${bars.open[index]}`;
    const text = () =>
      split === null
        ? `${step}, near ${ratio}`
        : `${step}: prices before it may ${adjusted === "split" ? "lack" : "have"} the split of ${dateOf(split.exDay)} by ${ratio}; not changed`;
    findings.add("split_suspected", likely ? "critical" : "warning", bars.time[index], text, 1, `${likely}`);
  }
}

/** Tells of a bar whose high or low is far from open and close: old files have such prints, and their closes are right. */
function tellSpike({ time, open, high, low, close }: Bars, i: number, findings: Findings): void {
  const most = SPIKE_FACTOR * Math.max(open[i], close[i]);
  const least = Math.min(open[i], close[i]) / SPIKE_FACTOR;
  if (high[i] <= most && low[i] >= least) return;
  const text = () => `high ${high[i]} and low ${low[i]} of a bar from ${open[i]} to ${close[i]}`;
  findings.add("large_move", "warning", time[i], text, 1, "spike");
}

/** Mends single prices that are 100 times off the others of their bar. @returns bars that are off by anything else. */
function mendPrices(bars: Bars, findings: Findings, touched: Set<number>): Set<number> {
  const { time, high, low } = bars;
  const held = new Set<number>();
  for (let i = 0; i < time.length; i++) {
    if (high[i] < LEVEL_FACTOR * low[i]) {
      tellSpike(bars, i, findings);
      continue;
    }
    const prices = PRICES.map((name) => bars[name][i]);
    const slipped = findSlippedPrice(prices);
    if (slipped === null) {
      findings.add(
        "level_break",
        "critical",
        time[i],
        () => `prices ${prices} of one bar; held back`,
        1,
        "bar",
      );
      held.add(i);
      continue;
    }
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
  return held;
}
