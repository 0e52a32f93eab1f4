import type { Pattern, PatternVariant } from "../../core/patterns/define.js";
import { ROUND_TRIP_BPS, TRADE_POLICY } from "../../core/signals/levels.js";

/** What is told of a pattern without any measuring: all of it follows from its row and the one trade policy. */
export interface PatternTexts {
  readonly description: string;
  readonly howItWorks: string;
  readonly entry: string;
  readonly exit: string;
  readonly risk: string;
  readonly conditions: string;
}

const FAMILIES = {
  candlestick: "a candlestick pattern",
  chart: "a chart formation",
  volume: "an event of volume",
  level: "an event at a level of support or resistance",
  indicator: "an event of an indicator",
} as const;

const OUTLOOKS = {
  reversal: "is read as a turn of the market",
  continuation: "is read as a pause after which the market goes on",
  indecision: "is read as indecision",
} as const;

export function patternTexts(pattern: Pattern, variant: PatternVariant): PatternTexts {
  const { description, family, source, bars } = pattern;
  const span = bars === 1 ? "one bar" : `${bars} bars${family === "candlestick" ? "" : " or more"}`;
  return {
    description,
    howItWorks: [
      `${variant.title} is ${FAMILIES[family]} of ${span}.`,
      description,
      `It ${OUTLOOKS[variant.outlook]}${expectation(variant)}.`,
      `${trendSentence(variant)} It is known at the close of its last bar and never taken back.`,
      `Defined after ${source}.`,
    ].join(" "),
    entry: entryText(variant, family),
    exit: exitText(variant, family),
    risk: riskText(variant, family),
    conditions: conditionsText(variant),
  };
}

function expectation({ direction }: PatternVariant): string {
  if (direction === 0) return " and expects neither rise nor fall";
  return direction === 1 ? " and expects prices to rise" : " and expects prices to fall";
}

function trendSentence({ priorTrend }: PatternVariant): string {
  if (priorTrend === null) return "It asks for no trend before it.";
  const trend = priorTrend === "up" ? "a rise" : "a fall";
  return `It has its meaning after ${trend} only: the average of ten closes before it must have moved by a tenth of a bar's range a bar.`;
}

const UNDIRECTED = "There is no trade on it by itself: wait for a pattern or a break that has a direction";

function entryText({ direction }: PatternVariant, family: Pattern["family"]): string {
  if (direction === 0) return `${UNDIRECTED}.`;
  const side = direction === 1 ? "Buy" : "Sell";
  const when =
    family === "chart" ? "the bar that closes beyond the trigger" : "the bar that completes the pattern";
  return `${side} at the open after ${when}; not at all where that open lies beyond the stop or the target already.`;
}

function exitText({ direction }: PatternVariant, family: Pattern["family"]): string {
  if (direction === 0) return `${UNDIRECTED}, so there is nothing to close.`;
  const { targetRanges, horizonBars, mostHorizonBars } = TRADE_POLICY;
  const own = ownLevels(family, "target");
  const time =
    family === "candlestick"
      ? `${horizonBars} bars`
      : `as many bars as the shape spans, ${horizonBars} at least and ${mostHorizonBars} at most`;
  return `${own} ${targetRanges} average true ranges of 14 bars with the pattern from the close. After ${time} the trade is closed at the close.`;
}

function riskText({ direction }: PatternVariant, family: Pattern["family"]): string {
  if (direction === 0) return `${UNDIRECTED}, so there is nothing to risk.`;
  const { stopRanges, targetRanges } = TRADE_POLICY;
  const ratio = (targetRanges / stopRanges).toFixed(2);
  const costs = Object.entries(ROUND_TRIP_BPS)
    .map(([name, bps]) => `${name} ${bps}`)
    .join(", ");
  return [
    `${ownLevels(family, "stop")} ${stopRanges} average true ranges of 14 bars against the pattern, which makes ${ratio} of reward per risk.`,
    "Where one bar holds both stop and target, the stop is taken to have come first; a gap beyond the stop fills at the open.",
    `Costs in and out together are counted, in basis points: ${costs}.`,
  ].join(" ");
}

function ownLevels(family: Pattern["family"], what: "target" | "stop"): string {
  const { leastRewardRisk, mostRewardRisk } = TRADE_POLICY;
  const Name = what === "target" ? "The target" : "The stop";
  return family === "candlestick"
    ? `${Name} lies`
    : `${Name} is the shape's own where its reward per risk is ${leastRewardRisk} to ${mostRewardRisk}; otherwise it lies`;
}

function conditionsText({ direction, priorTrend, outlook }: PatternVariant): string {
  const before =
    priorTrend === null
      ? "No trend is asked for before it"
      : `It counts after ${priorTrend === "up" ? "a rise" : "a fall"} alone; elsewhere it is reported and raises no alert`;
  if (direction === 0) return `${before}. It says that neither side leads, in any regime.`;
  const rising = direction === 1;
  const against = rising ? "trending bear or distribution" : "trending bull or accumulation";
  return `${before}. As ${outlook === "reversal" ? "a reversal" : "a continuation"} it speaks against the market in the regimes ${against}; how often it came true in each regime is measured, see the evidence.`;
}
