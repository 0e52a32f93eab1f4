/** A figure that says something of the state of the market. */
export interface Reading {
  readonly name: string;
  readonly kind: "volatility index" | "index change" | "breadth";
  /** Points of the index, percent of change, or the share of symbols that rise, 0..1. */
  readonly value: number;
  readonly stale: boolean;
}

export type Favour = "favorable" | "neutral" | "unfavorable";

export interface Condition extends Reading {
  readonly status: Favour;
  readonly details: string;
}

export type Mood = "bullish" | "neutral" | "bearish";

export interface Judgement {
  readonly conditions: readonly Condition[];
  /** Null where nothing is known. */
  readonly mood: Mood | null;
  /** Share of the conditions that are favorable, 0..1; null where nothing is known. */
  readonly favorable: number | null;
  readonly actions: readonly string[];
}

const CALM_BELOW = 20;
const TENSE_FROM = 30;
const MOST_RISE = 0.6;
const FEW_RISE = 0.4;
const BULLISH_FROM = 0.67;
const NEUTRAL_FROM = 0.33;

/** Below 15 a volatility index counts as low, above 25 as high (Cboe's VIX). */
export function volatilityLevel(value: number): "low" | "normal" | "high" {
  if (value < 15) return "low";
  return value > 25 ? "high" : "normal";
}

/** How a change of an index in percent is called. */
export function trendOf(changePercent: number): "strong up" | "up" | "sideways" | "down" {
  if (changePercent > 1) return "strong up";
  if (changePercent > 0) return "up";
  return changePercent > -1 ? "sideways" : "down";
}

/** What readings add up to. A condition is what one reading says by itself; none is weighed. */
export function judge(readings: readonly Reading[]): Judgement {
  const conditions = readings.map(conditionOf);
  if (conditions.length === 0) return { conditions, mood: null, favorable: null, actions: [] };
  const favorable = conditions.filter(({ status }) => status === "favorable").length / conditions.length;
  const mood = favorable >= BULLISH_FROM ? "bullish" : favorable >= NEUTRAL_FROM ? "neutral" : "bearish";
  return { conditions, mood, favorable, actions: actionsFor(mood, conditions) };
}

function conditionOf(reading: Reading): Condition {
  const { kind, value } = reading;
  switch (kind) {
    case "volatility index": {
      const status = value < CALM_BELOW ? "favorable" : value < TENSE_FROM ? "neutral" : "unfavorable";
      const bounds = { favorable: "below 20", neutral: "from 20 to 30", unfavorable: "30 or more" };
      return { ...reading, status, details: `${value.toFixed(2)}, ${bounds[status]}` };
    }
    case "index change": {
      const trend = trendOf(value);
      const status = trend === "sideways" ? "neutral" : trend === "down" ? "unfavorable" : "favorable";
      return { ...reading, status, details: `${value.toFixed(2)} % since the close before: ${trend}` };
    }
    case "breadth": {
      const status = value >= MOST_RISE ? "favorable" : value >= FEW_RISE ? "neutral" : "unfavorable";
      return { ...reading, status, details: `${(100 * value).toFixed(0)} % of the symbols rise` };
    }
  }
}

function actionsFor(mood: Mood, conditions: readonly Condition[]): string[] {
  const actions: string[] = [];
  const tense = conditions.some(
    ({ kind, status }) => kind === "volatility index" && status === "unfavorable",
  );
  if (tense) actions.push("Volatility is high: smaller positions and wider stops");
  const narrow = conditions.find(({ kind }) => kind === "breadth")?.status === "unfavorable";
  if (narrow && mood !== "bearish") actions.push("Few symbols carry the indices: distrust breakouts");
  if (mood === "bullish") actions.push("Conditions favour trades with the trend");
  if (mood === "neutral") actions.push("Conditions are mixed: take the clearest signals only");
  if (mood === "bearish") actions.push("Conditions are against long positions: protect what is open");
  if (conditions.some(({ stale }) => stale)) actions.push("Some figures are old: see which are stale");
  return actions;
}
