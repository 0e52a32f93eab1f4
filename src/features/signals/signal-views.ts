import type { z } from "zod";
import type { Exit } from "../../core/signals/signal.js";
import { isoTime } from "../../platform/http.js";
import { provenanceOf } from "../candles/views.js";
import { titleOf } from "../catalogue/pattern-names.js";
import { chanceView } from "../models/layers.js";
import { toldView } from "../models/told.js";
import type { Entries, EntrySignal, LeftOut } from "./entries.js";
import type { ExitReading, HeldPosition } from "./exits.js";
import { priceOf, type Reading } from "./reading.js";
import type { Factor, Recommendation } from "./recommend.js";
import type { exitsSchema, manySignalsSchema, signalSchema, symbolSignalsSchema } from "./signal-schema.js";
import { EXIT_TEXTS, factorText, plain } from "./texts.js";
import { DIRECTIONS, evidenceView } from "./views.js";

type SignalView = z.input<typeof signalSchema>;
type ExitView = Extract<SignalView, { type: "exit" }>;

export function reasonView(factor: Factor) {
  const { code, value, limit } = factor;
  return { code, text: factorText(factor), value, limit };
}

export function decisionView({ action, reasons }: Pick<Recommendation, "action" | "reasons">) {
  return { action, reasons: reasons.map(reasonView) };
}

export function sentimentBrief({ sentiment }: Pick<Reading, "sentiment">) {
  const aggregate = sentiment.value?.aggregate;
  if (aggregate === undefined) return { score: null, label: null, reason: sentiment.reason };
  return aggregate.available
    ? { score: aggregate.score, label: aggregate.label, reason: null }
    : { score: null, label: null, reason: aggregate.reason };
}

export function entryView(entry: EntrySignal): SignalView {
  const { pattern, direction, levels, fusion, chance, judged, agrees } = entry;
  const { detection, confidence } = pattern;
  const title = titleOf(detection.pattern);
  const rate =
    confidence.value === null
      ? `no hit rate is known: ${confidence.reason}`
      : `${plain(100 * confidence.value)} % of ${confidence.n} trades hit, ${plain(100 * (confidence.baseRate ?? 0))} % of trades at any time`;
  const score =
    fusion.composite === null
      ? "no layer says anything"
      : `all layers together ${plain(fusion.composite)} of 100`;
  return {
    type: "entry",
    action: direction > 0 ? "BUY" : "SELL",
    pattern: title,
    pattern_type: detection.pattern,
    confidence: confidence.value,
    evidence: evidenceView(confidence),
    quality: detection.quality,
    judged_by: judged.basis,
    composite_score: fusion.composite,
    ...chanceView(chance),
    agrees,
    entry_price: levels.entry,
    price_target: levels.target,
    take_profit: levels.target,
    stop_loss: levels.stop,
    risk_reward_ratio: levels.rewardRisk,
    levels_from: levels.basis,
    timeframe: detection.interval,
    regime: detection.regime,
    ...toldView(pattern.told, detection.direction),
    reasoning: `${title}, quality ${plain(detection.quality)}; ${rate}; ${score}`,
    timestamp: isoTime(detection.closedAt),
  };
}

function leftOutView({ pattern: { detection }, reasons }: LeftOut) {
  const { pattern, direction } = detection;
  const names = { pattern: titleOf(pattern), pattern_type: pattern, direction: DIRECTIONS[direction] };
  return { ...names, reasons: reasons.map(reasonView) };
}

/** Exits of every position, each with what closes it. */
export function exitViews(reading: ExitReading, nowMs: number): ExitView[] {
  return reading.positions.flatMap(({ position, exits }) =>
    exits.map((exit) => exitView(exit, position, reading, nowMs)),
  );
}

function exitView(exit: Exit, position: HeldPosition, reading: ExitReading, nowMs: number): ExitView {
  const { direction, entry, stop, target, quantity } = position;
  const { price, main } = reading;
  return {
    type: "exit",
    action: direction > 0 ? "SELL" : "BUY",
    reason: exit.reason,
    reasoning: EXIT_TEXTS[exit.reason],
    pattern: exit.pattern,
    current_price: price,
    entry_price: entry,
    price_target: target,
    stop_loss: stop,
    pnl_percent: (100 * direction * (price - entry)) / entry,
    quantity,
    urgency: exit.urgency,
    value: exit.value,
    limit: exit.limit,
    confidence: null,
    timeframe: main.interval,
    sentiment: sentimentBrief(reading).score,
    timestamp: isoTime(nowMs),
  };
}

export function exitsView(reading: ExitReading, nowMs: number): z.input<typeof exitsSchema> {
  const { main, positions, price } = reading;
  return {
    symbol: main.set.instrument.symbol,
    timeframe: main.interval,
    current_price: price,
    positions: positions.length,
    signals: exitViews(reading, nowMs),
    reason: positions.length === 0 ? NO_POSITION : null,
    timestamp: isoTime(nowMs),
    ...provenanceOf(main.set),
  };
}

export const NO_POSITION = "No open position in the symbol is known; name one by entry_price and side";

export function contextView(reading: Reading) {
  const { quote } = reading;
  const sentiment = sentimentBrief(reading);
  return {
    price: priceOf(reading),
    price_from: quote.value === null ? ("candle" as const) : ("quote" as const),
    change_percent: quote.value?.changePercent ?? null,
    volume: quote.value?.volume ?? null,
    sentiment_label: sentiment.label,
    sentiment_overall: sentiment.score,
    sentiment_reason: sentiment.reason,
    quote_reason: quote.reason,
  };
}

/** @param exits null where none were asked for. */
export function symbolSignalsView(
  advice: Recommendation,
  { entries, leftOut }: Entries,
  exits: ExitReading | null,
  nowMs: number,
): z.input<typeof symbolSignalsSchema> {
  const { reading } = advice;
  const { set, interval } = reading.main;
  return {
    symbol: set.instrument.symbol,
    timeframe: interval,
    ...decisionView(advice),
    composite_score: reading.fusion.composite,
    ...chanceView(reading.chance),
    direction: DIRECTIONS[reading.fusion.direction],
    left_out: leftOut.map(leftOutView),
    signals: [...entries.map(entryView), ...(exits === null ? [] : exitViews(exits, nowMs))],
    exits_reason:
      exits === null ? "They were not asked for" : exits.positions.length === 0 ? NO_POSITION : null,
    market_context: contextView(reading),
    last_updated: isoTime(nowMs),
    timestamp: isoTime(nowMs),
    ...provenanceOf(set),
  };
}

export function manySignalsView(
  found: readonly { readonly advice: Recommendation; readonly entries: Entries }[],
  missing: readonly { symbol: string; reason: string }[],
  least: number,
  nowMs: number,
): z.input<typeof manySignalsSchema> {
  const rows = found.map(({ advice, entries: { entries, leftOut } }) => {
    const { reading } = advice;
    const { set } = reading.main;
    const row = {
      ...decisionView(advice),
      signals: entries.map(entryView),
      left_out: leftOut.map(leftOutView),
      market_data: contextView(reading),
      sentiment: sentimentBrief(reading),
      ...provenanceOf(set),
    };
    return [set.instrument.symbol, row] as const;
  });
  return {
    signals_by_symbol: Object.fromEntries(rows),
    missing: missing.map((each) => ({ ...each })),
    summary: {
      total_symbols_analyzed: rows.length,
      symbols_with_signals: rows.filter(([, { signals }]) => signals.length > 0).length,
      total_signals: rows.reduce((sum, [, { signals }]) => sum + signals.length, 0),
      min_confidence_threshold: least,
    },
    timestamp: isoTime(nowMs),
  };
}
