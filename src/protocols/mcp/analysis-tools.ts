import { z } from "zod";
import type { Analysis, IndicatorAnalysis } from "../../features/analysis/analysis.js";
import { provenanceOf } from "../../features/candles/views.js";
import type { Detections } from "../../features/detections/detections.js";
import { examinationView } from "../../features/detections/views.js";
import { adviceFor, type Callers } from "../../features/signals/callers.js";
import { recommendationView } from "../../features/signals/recommend-view.js";
import type { Signals } from "../../features/signals/signals.js";
import { isoTime } from "../../platform/http.js";
import { atMost, cut, detail, digits, figure, inDigits, interval, symbol, time } from "./schema.js";
import { defineTool, type Tool } from "./tool.js";

export interface AnalysisToolOptions {
  readonly analysis: Analysis;
  readonly detections: Pick<Detections, "examine">;
  readonly signals: Pick<Signals, "read">;
  readonly callers: Pick<Callers, "limitsOf" | "accountOf">;
  readonly now: () => number;
}

export function analysisTools(options: AnalysisToolOptions): readonly Tool[] {
  return [analyzeTool(options), patternsTool(options), signalTool(options)];
}

const INDICATORS = "rsi(14),macd,adx(14),atr(14),bbands,sma(20),sma(50),sma(200)";
/** Bars of which a full answer has values. */
const FULL_BARS = 10;

function analyzeTool({ analysis }: AnalysisToolOptions): Tool {
  return defineTool({
    name: "analyze_symbol",
    title: "Technical picture",
    description:
      "Indicators of a symbol at its newest closed bar: RSI, MACD, ADX, ATR, Bollinger bands and moving averages, with where the price stands to them. Plain numbers without advice; for what to do use get_signal. detail full adds the ten bars before; other indicators can be named.",
    access: "viewer",
    effect: "reads",
    input: z.strictObject({
      symbol,
      interval,
      detail,
      indicators: z
        .string()
        .min(1)
        .max(200)
        .default(INDICATORS)
        .describe("Comma list of names with parameters, as rsi(21),macd(12,26,9); at most 20"),
    }),
    output: {
      symbol: z.string(),
      interval: z.string(),
      bar_time: time.describe("Open of the newest closed bar"),
      close: z.number(),
      latest: z
        .record(z.string(), figure)
        .describe("By indicator and output; null while there are too few bars"),
      from_average_percent: z
        .record(z.string(), figure)
        .describe("How far the close lies above each simple moving average, in percent"),
      history: z
        .record(z.string(), z.array(figure))
        .nullable()
        .describe("Up to ten values, the newest last; null in a summary"),
    },
    async run({ symbol: text, interval: length, detail: wanted, indicators }) {
      const found = await analysis.computeIndicators(text, length, indicators, FULL_BARS);
      const { candles, instrument } = found.set;
      const last = candles.time.length - 1;
      const close = candles.close[last];
      const columns = columnsOf(found);
      const latest = Object.fromEntries(columns.map(([key, column]) => [key, digits(column.at(-1))]));
      const averages = Object.entries(latest).filter(([key]) => key.startsWith("sma"));
      const { source, synthetic, as_of, stale } = provenanceOf(found.set);
      return {
        symbol: instrument.symbol,
        interval: length,
        bar_time: isoTime(candles.time[last]),
        close: inDigits(close),
        latest,
        from_average_percent: Object.fromEntries(
          averages.map(([key, value]) => [key, value === null ? null : digits(100 * (close / value - 1))]),
        ),
        history:
          wanted === "summary"
            ? null
            : Object.fromEntries(columns.map(([key, column]) => [key, Array.from(column, digits)])),
        ...{ source, synthetic, as_of, stale },
      };
    },
  });
}

/** Columns over the bars that were asked for, by what was asked and, where there are several, by output. */
function columnsOf({ computed }: IndicatorAnalysis): (readonly [string, Float64Array])[] {
  return computed.flatMap(({ request, indicator, outputs }) =>
    indicator.outputs.map(
      ({ name }, k) => [indicator.outputs.length === 1 ? request : `${request}.${name}`, outputs[k]] as const,
    ),
  );
}

const patternRow = z.object({
  pattern: z.string(),
  name: z.string(),
  direction: z.enum(["bullish", "bearish", "neutral"]),
  state: z.string().describe("forming, confirmed, failed or expired"),
  quality: z.number().describe("How well the geometry fits, 0..1; no probability"),
  confidence: figure.describe("Measured hit rate, 0..1; null while too few cases tell"),
  closed_at: time,
  price: z.number(),
  trigger: figure.describe("A close beyond it confirms"),
  target: figure,
  stop: figure,
  reward_per_risk: figure,
  regime: z.string().nullable(),
});
const pointRow = z.object({ role: z.string(), time, price: z.number() });

function patternsTool({ detections, now }: AnalysisToolOptions): Tool {
  return defineTool({
    name: "detect_patterns",
    title: "Chart patterns now",
    description:
      "Candlestick and chart patterns on the newest closed bars of a symbol, newest first, each with target, stop and measured hit rate where there is one. detail full adds the points that a shape is made of.",
    access: "viewer",
    effect: "reads",
    input: z.strictObject({
      symbol,
      interval,
      bars: atMost(200, 20).describe("Newest closed bars to look at"),
      limit: atMost(40, 10),
      detail,
    }),
    output: {
      symbol: z.string(),
      interval: z.string(),
      patterns: z.array(patternRow.extend({ points: z.array(pointRow).nullable() })),
      found: z.number().int().describe("Patterns in all, of which at most limit are listed"),
    },
    async run({ symbol: text, interval: length, bars, limit, detail: wanted }) {
      const { source, synthetic, as_of, stale, ...view } = examinationView(
        await detections.examine(text, length, bars),
        now(),
      );
      const rows = view.patterns.slice(0, limit).map(({ formation, ...seen }) => ({
        pattern: seen.pattern_type,
        name: seen.pattern_name,
        direction: seen.direction,
        state: seen.state,
        quality: inDigits(seen.quality),
        confidence: digits(seen.confidence),
        closed_at: seen.closed_at,
        price: inDigits(seen.price),
        trigger: digits(formation?.trigger),
        target: digits(formation?.target),
        stop: digits(formation?.stop),
        reward_per_risk: digits(formation?.risk_reward_ratio),
        regime: seen.regime,
        points: wanted === "summary" ? null : pointsOf(formation?.points ?? []),
      }));
      return {
        symbol: view.symbol,
        interval: length,
        patterns: rows,
        found: view.count,
        ...{ source, synthetic, as_of, stale },
      };
    },
  });
}

const POINTS_MOST = 12;

function pointsOf(points: readonly { role: string; time: string; price: number }[]) {
  return points
    .slice(0, POINTS_MOST)
    .map(({ role, time: at, price }) => ({ role, time: at, price: inDigits(price) }));
}

const REASONING_MOST = 1_200;
const ROWS_MOST = 6;

function signalTool({ signals, callers, now }: AnalysisToolOptions): Tool {
  return defineTool({
    name: "get_signal",
    title: "Trade recommendation",
    description:
      "What all layers (patterns, intervals, models, sentiment) together say to do with a symbol now: BUY, SELL, HOLD or AVOID, with entry, stop, target, size within the caller's limits, and what speaks against it. Probabilities are measured or null, never guessed.",
    access: "viewer",
    effect: "reads",
    input: z.strictObject({ symbol, interval }),
    output: {
      symbol: z.string(),
      interval: z.string(),
      action: z.enum(["BUY", "SELL", "HOLD", "AVOID"]),
      direction: z.enum(["bullish", "bearish"]).describe("That the layers lean to; levels are for it"),
      reasoning: z.string(),
      confidence: figure.describe(
        "Measured hit rate of the leading pattern, 0..1; null while too few trades tell",
      ),
      confidence_reason: z.string().nullable(),
      composite_score: figure.describe("All layers in the direction, 0..100; no hit rate"),
      layers: z
        .record(z.string(), figure)
        .describe("Score of each layer, 0..100; null for one that is silent"),
      price: z.number(),
      entry: figure,
      stop: figure,
      target: figure,
      reward_per_risk: figure,
      quantity: figure.describe(
        "Units within the limits; null where no equity is known or there is no trade",
      ),
      risk_score: z.number().describe("0..100"),
      risk_factors: z.array(z.string()),
      unchecked: z.array(z.string()).describe("Limits that could not be looked at"),
      patterns: z.array(
        z.object({ name: z.string(), direction: z.string(), quality: z.number(), confidence: figure }),
      ),
      sentiment: z.object({ score: figure, label: z.string().nullable(), reason: z.string().nullable() }),
    },
    async run({ symbol: text, interval: length }, { principal }) {
      const reading = await signals.read(text, length);
      const { advice } = await adviceFor(callers, principal.userId, reading);
      const view = recommendationView(advice, now());
      const { source, synthetic, as_of, stale } = view;
      return {
        symbol: view.symbol,
        interval: length,
        action: view.action,
        direction: view.direction,
        reasoning: cut(view.reasoning, REASONING_MOST),
        confidence: digits(view.confidence_ratio),
        confidence_reason: view.confidence_reason,
        composite_score: digits(view.composite_score),
        layers: Object.fromEntries(
          Object.entries(view.layers).map(([name, { score }]) => [name, digits(score)]),
        ),
        price: inDigits(view.current_price),
        entry: digits(view.entry_price),
        stop: digits(view.stop_loss),
        target: digits(view.target_price),
        reward_per_risk: digits(view.risk_reward_ratio),
        quantity: digits(view.position_size),
        risk_score: view.risk_assessment.risk_score,
        risk_factors: view.risk_assessment.risk_factors.slice(0, ROWS_MOST).map((text) => cut(text, 300)),
        unchecked: view.unchecked,
        patterns: view.patterns_detected
          .slice(0, ROWS_MOST)
          .map(({ pattern, direction, quality, confidence }) => ({
            ...{ name: pattern, direction, quality: inDigits(quality), confidence: digits(confidence) },
          })),
        sentiment: view.sentiment,
        ...{ source, synthetic, as_of, stale },
      };
    },
  });
}
