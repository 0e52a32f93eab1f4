import { z } from "zod";
import { CONVENTIONS } from "../../core/backtest/conventions.js";
import { CLOSINGS } from "../../core/backtest/rules.js";
import type { Strategy } from "../../core/strategies/define.js";
import { findStrategy, STRATEGIES } from "../../core/strategies/index.js";
import { resolveValues, type Values } from "../../core/strategies/parameters.js";
import { AppError } from "../../platform/errors.js";
import { instantText } from "../../platform/http.js";
import { intervalText, symbolText } from "../candles/schema.js";
import { variantOf } from "../catalogue/pattern-names.js";
import { ACCOUNTS, SIZING_NAMES } from "./terms.js";

/** Strategies that have numbers beside their ids, from 1. */
export const NUMBERED = 3;
export const SYMBOLS_LIMIT = 20;

/** An instant as text, kept as it was sent. */
export const dateText = z
  .string()
  .max(40)
  .refine((text) => instantText.safeParse(text).success, {
    message: "must be an ISO date or date-time, or epoch milliseconds",
  })
  .describe("ISO date or date-time, in UTC unless it names an offset; or epoch milliseconds");

const numberWords = `must be 1, 2 or 3, or the id of a strategy: ${STRATEGIES.map(({ id }) => id).join(", ")}`;

export const strategyRef = z
  .union([z.int().min(1, numberWords).max(NUMBERED, numberWords), z.string().min(1).max(60)])
  .describe("1 Golden Cross, 2 RSI, 3 Bollinger, or the id of a strategy");

export const parametersText = z
  .record(z.string().max(40), z.union([z.number(), z.string().max(2_000)]))
  .describe("Values by name, as the form of the strategy has them; defaults for the rest");

/** Of a bar's volume, by default: orders of more would move the price, which nothing here does. */
const DEFAULT_VOLUME_SHARE = 0.1;

const costsSchema = z
  .strictObject({
    commission_bps: z
      .number()
      .min(0)
      .max(1_000)
      .default(0)
      .describe("Of the value of each fill, basis points"),
    commission_per_share: z
      .number()
      .min(0)
      .max(100)
      .default(0)
      .describe("For each unit of a fill, in the account's currency; refused beside commission_bps"),
    spread_bps: z
      .number()
      .min(0)
      .max(1_000)
      .optional()
      .describe(
        "Difference of ask and bid, basis points; each fill at the market pays half of it. By default what a round trip costs in the instrument's class",
      ),
    slippage_bps: z
      .number()
      .min(0)
      .max(1_000)
      .default(0)
      .describe("Moves each fill at the market against the account, basis points of its price"),
    volume_share: z
      .number()
      .gt(0)
      .max(1)
      .nullable()
      .default(DEFAULT_VOLUME_SHARE)
      .describe(
        "Share of a bar's volume that fills of the account may take together; what is left of an order waits for the next bar. null for no limit; bars without volume have none",
      ),
  })
  .refine(({ commission_bps, commission_per_share }) => commission_bps === 0 || commission_per_share === 0, {
    message: "must not stand beside commission_bps: one commission is charged",
    path: ["commission_per_share"],
  })
  .describe("What trading costs");

const sizingSchema = z
  .strictObject({
    kind: z
      .enum(SIZING_NAMES)
      .optional()
      .describe(
        "whole units counted at the open that fills them, fractional ones, or set_holdings: whole units by the close at which it was decided, a quarter of a percent left aside, as LEAN does. By default fractional for coins and currencies, else whole",
      ),
    share: z
      .number()
      .gt(0)
      .max(1)
      .optional()
      .describe("Share of the equity that an entry puts in; by default one part for each symbol"),
  })
  .describe("How much an entry puts in");

/** What every kind of run is told beside its strategy. */
export const runFields = {
  start_date: dateText
    .optional()
    .describe(
      "A date from the beginning of its day on; by default two years before the end. Bars before it are looked at, not traded",
    ),
  end_date: dateText.optional().describe("A date with the whole of its day; by default now"),
  interval: intervalText.prefault("1d"),
  initial_capital: z.number().min(1).max(1e9).default(100_000),
  costs: costsSchema.prefault({}),
  sizing: sizingSchema.prefault({}),
  account: z
    .enum(ACCOUNTS)
    .optional()
    .describe(
      "margin can sell short, cash cannot. By default margin where the strategy may go short, else cash",
    ),
  closing: z
    .enum(CLOSINGS)
    .default("mark")
    .describe(
      "What becomes of positions that are open at the end: mark leaves them open, worth the last close; close closes them at it; last_open at the open of the last bar",
    ),
  benchmark: z
    .string()
    .min(1)
    .max(40)
    .default("hold")
    .describe(
      "What the result is compared with: hold, the symbols bought in equal parts; none; or another symbol, which there is no figure against unless it has bars of the whole stretch",
    ),
  model_version: z
    .string()
    .regex(/^\d{1,6}\.\d{1,6}\.\d{1,6}$/)
    .optional()
    .describe("Version that model_score follows, as GET /api/ml/models lists it; by default what is active"),
  model_in_sample: z
    .boolean()
    .default(false)
    .describe(
      "Whether model_score trades bars that its version learned from, too: what comes of them it has seen before. By default the run begins after them",
    ),
  convention: z
    .enum(CONVENTIONS)
    .default("textbook")
    .describe("How returns of days become those of a year; the report has each figure's definition"),
  risk_free_rate: z.number().min(0).max(1).default(0).describe("Return of a year without risk: 0.02 for 2 %"),
  seed: z
    .int()
    .min(0)
    .max(4_294_967_295)
    .default(1)
    .describe("Seed of all draws: the same gives the same report"),
};

export const symbolsField = z.array(symbolText).min(1).max(SYMBOLS_LIMIT);

/** A strategy, where it trades and under which terms. */
export const singleOrder = z.strictObject({
  strategy_id: strategyRef.optional(),
  pattern_name: z
    .string()
    .min(1)
    .max(60)
    .optional()
    .describe("A pattern that is traded in place of a strategy: its id or title, in any spelling"),
  symbol: symbolText.optional().describe("AAPL where neither it nor symbols is given"),
  symbols: symbolsField.optional(),
  parameters: parametersText.prefault({}),
  ...runFields,
});

export type SingleOrder = z.output<typeof singleOrder>;
export type RunFields = Pick<SingleOrder, keyof typeof runFields>;

/** A strategy with complete values. */
export interface Chosen {
  readonly strategy: Strategy;
  readonly values: Values;
}

/** @throws {AppError} `strategy_unknown`. */
export function strategyOf(ref: number | string): Strategy {
  const strategy = typeof ref === "number" ? STRATEGIES[ref - 1] : findStrategy(numbered(ref));
  if (strategy === undefined || strategy === null) {
    const known = STRATEGIES.map(({ id }) => id).join(", ");
    throw new AppError("strategy_unknown", `There is no strategy ${ref}; there are ${known}`);
  }
  return strategy;
}

function numbered(ref: string): string {
  return /^[1-3]$/.test(ref) ? STRATEGIES[Number(ref) - 1].id : ref.toLowerCase();
}

/** @throws {AppError} as `valuesFor`. */
export function chosenOf(strategy: Strategy, given: Values): Chosen {
  return { strategy, values: valuesFor(strategy, given) };
}

/** @throws {AppError} `invalid_request` for values that there are not, or that do not go together. */
export function valuesFor(strategy: Strategy, given: Values): Values {
  const { values, problems } = resolveValues(strategy.parameters, given);
  const all = problems.length > 0 ? problems : strategy.problems(values);
  if (all.length > 0) throw new AppError("invalid_request", `body parameters: ${all.join("; ")}`);
  return values;
}

/** What an order of one strategy or of one pattern means. @throws {AppError} as the two above, and `pattern_unknown`. */
export function chosenBy(order: Pick<SingleOrder, "strategy_id" | "pattern_name" | "parameters">): Chosen {
  const { strategy_id, pattern_name, parameters } = order;
  if (pattern_name === undefined) return chosenOf(strategyOf(strategy_id ?? 1), parameters);
  if (strategy_id !== undefined) {
    throw new AppError("invalid_request", "body pattern_name: is instead of strategy_id, not beside it");
  }
  const pattern = variantOf(pattern_name);
  const strategy = strategyOf("pattern_trade");
  const { values, problems } = resolveValues(strategy.parameters, { ...parameters, pattern });
  if (problems.length > 0) {
    const detail = `body pattern_name: ${pattern} expects neither rise nor fall, so there is no trade on it`;
    throw new AppError("invalid_request", Object.keys(parameters).length > 0 ? problems.join("; ") : detail);
  }
  return { strategy, values };
}

export function symbolsOf({ symbol, symbols }: Pick<SingleOrder, "symbol" | "symbols">): readonly string[] {
  return symbols ?? [symbol ?? "AAPL"];
}
