import { z } from "zod";
import type { Candles } from "../../core/market/candles.js";
import { AppError } from "../../platform/errors.js";
import { defineJob, type JobContext, type JobKind } from "../../platform/jobs.js";
import { NUMBERED, parametersText, symbolsField } from "../backtests/order.js";
import type { CandleService } from "../candles/candles.js";
import { intervalText, symbolText } from "../candles/schema.js";
import type { Instruments } from "../instruments/instruments.js";
import { type PartTests, type ToTest, testInParts } from "./lookahead-parts.js";
import { type LookaheadResult, resultOf, resultSchema } from "./lookahead-result.js";
import { SUBJECT_KINDS, TESTED_LIMIT } from "./truncation.js";
import {
  isAlone,
  lackOf,
  type StrategyRef,
  type StrategyTable,
  TESTED_STRATEGIES,
} from "./truncation-strategy.js";
import { SUBJECTS, type SubjectTable } from "./truncation-table.js";

const BARS_LIMIT = 10_000;
const NAMES_LIMIT = 200;
const ATTEMPTS = 3;
const TIMEOUT_MS = 2 * 3_600_000;

const name = z.string().min(1).max(100);
const input = z
  .strictObject({
    symbol: symbolText.optional(),
    symbols: symbolsField
      .optional()
      .describe("Further ones, for strategies; the first stands for symbol where there is none"),
    timeframe: intervalText.prefault("1d"),
    bars: z
      .number()
      .int()
      .min(2)
      .max(BARS_LIMIT)
      .default(1_000)
      .describe("Newest closed bars of each symbol"),
    kinds: z
      .array(z.enum(SUBJECT_KINDS))
      .min(1)
      .max(SUBJECT_KINDS.length)
      .default([...SUBJECT_KINDS]),
    names: z
      .array(z.union([z.int().min(1).max(NUMBERED), name]))
      .max(NAMES_LIMIT)
      .default([])
      .describe(
        "rsi, macd(12,26,9), engulfing or golden_cross, of the one kind that is named; without any, all of the kinds",
      ),
    parameters: parametersText
      .prefault({})
      .describe("Of the one strategy that is named, as its form has them; defaults for the rest"),
  })
  .refine(({ symbol, symbols }) => symbol !== undefined || symbols !== undefined, {
    message: "must name a symbol",
    path: ["symbol"],
  });
export type LookaheadInput = z.output<typeof input>;
export type LookaheadJob = JobKind<LookaheadInput, null, LookaheadResult>;

export interface LookaheadParts extends PartTests {
  readonly candles: Pick<CandleService, "loadLatest">;
  readonly instruments: Pick<Instruments, "identify" | "resolve">;
  /** What can be tested; all there is unless given. */
  readonly table?: SubjectTable;
  readonly strategies?: StrategyTable;
}

/** The truncation test over the stored candles of symbols, as a job. */
export function createLookahead(parts: LookaheadParts): LookaheadJob {
  return defineJob({
    kind: "lookahead",
    summary: "Order the test of whether indicators, patterns, regimes or strategies see the future",
    description:
      "At every bar, what is said of it with the series cut after it must be what is said of it with the whole series. " +
      "A strategy is run anew up to each cut, in an account that goes both ways, pays nothing and is never called, and " +
      "every decision up to there must be the same: one that decides for each symbol by itself over each symbol, any " +
      `other over all of them. Series of more than ${TESTED_LIMIT} bars are cut at so many: one bar drawn from each of ` +
      "as many stretches; for a strategy, half of them where it decided and the others drawn from the rest.",
    access: "trader",
    input,
    checkpoint: z.null(),
    result: resultSchema,
    attempts: ATTEMPTS,
    timeoutMs: TIMEOUT_MS,
    check: (order) => checkLookahead(parts, order),
    run: (order, context) => runLookahead(parts, order, context),
  });
}

function symbolsOf({ symbol, symbols = [] }: LookaheadInput): readonly string[] {
  return symbol === undefined ? symbols : [symbol, ...symbols];
}

/**
 * @throws {AppError} as `namedBy` and `identify`; `invalid_request` for symbols that nothing is tested on, and for those of
 * several currencies where a strategy takes them together.
 */
function checkLookahead(parts: LookaheadParts, order: LookaheadInput): LookaheadInput {
  const known = symbolsOf(order).map((text) => parts.instruments.identify(text));
  const [symbol, ...symbols] = [...new Set(known.map((each) => each.symbol))];
  const { strategies } = namedBy(parts, order);
  if (symbols.length > 0 && strategies.length === 0) {
    throw new AppError("invalid_request", "body symbols: strategies alone are tested on further ones");
  }
  const { strategyOf } = parts.strategies ?? TESTED_STRATEGIES;
  const currencies = [...new Set(known.map(({ currency }) => currency))];
  if (currencies.length > 1 && strategies.some((ref) => !isAlone(strategyOf(ref)))) {
    const detail = `body symbols: one account has one currency, not ${currencies.join(" and ")}`;
    throw new AppError("invalid_request", detail);
  }
  const { symbols: _, ...rest } = order;
  return { ...rest, symbol, ...(symbols.length === 0 ? {} : { symbols }) };
}

/** @throws {AppError} `invalid_request`, `pattern_unknown`, `strategy_unknown` for names that are none. */
function namedBy(
  { table = SUBJECTS, strategies = TESTED_STRATEGIES }: LookaheadParts,
  { kinds, names, parameters }: LookaheadInput,
): ToTest {
  const unique = [...new Set(kinds)];
  const series = unique.filter((kind) => kind !== "strategy");
  const [kind, ...others] = unique;
  const texts = names.map(String);
  if (texts.length > 0 && (kind === undefined || others.length > 0)) {
    throw new AppError("invalid_request", "body kinds: names are of one kind, which must be named");
  }
  const isOne = kind === "strategy" && new Set(texts).size === 1;
  if (Object.keys(parameters).length > 0 && !isOne) {
    throw new AppError("invalid_request", "body parameters: are of one strategy, which must be named");
  }
  if (texts.length === 0) {
    const all = series.length < unique.length ? strategies.all() : [];
    return { subjects: table.all(series), strategies: all };
  }
  if (kind === "strategy") {
    return { subjects: [], strategies: byName(texts.map((text) => strategies.named(text, parameters))) };
  }
  return { subjects: byName(texts.map((text) => table.named(kind, text))), strategies: [] };
}

/** Each once, however often and in how many spellings it is named. */
function byName<Ref extends { readonly name: string }>(refs: readonly Ref[]): Ref[] {
  return [...new Map(refs.map((ref) => [ref.name, ref])).values()];
}

/** Strategies that these bars are none for are left out of a test of all, and told as untested where they were named. */
function fitting(
  { strategies: table = TESTED_STRATEGIES }: LookaheadParts,
  { names }: LookaheadInput,
  refs: readonly StrategyRef[],
  series: readonly Candles[],
): { strategies: readonly StrategyRef[]; leftOut: { name: string; reason: string }[] } {
  if (names.length > 0) return { strategies: refs, leftOut: [] };
  const leftOut = refs.flatMap((ref) => {
    const strategy = table.strategyOf(ref);
    const groups = isAlone(strategy) ? series.map((candles) => [candles]) : [series];
    const reasons = groups.map((group) => lackOf(strategy, ref.values, group));
    return reasons.every((reason) => reason !== null) ? [{ name: ref.name, reason: reasons[0] ?? "" }] : [];
  });
  const gone = new Set(leftOut.map(({ name }) => name));
  return { strategies: refs.filter(({ name }) => !gone.has(name)), leftOut };
}

async function runLookahead(
  parts: LookaheadParts,
  order: LookaheadInput,
  context: JobContext<null>,
): Promise<LookaheadResult> {
  const named = namedBy(parts, order);
  const known = [];
  for (const symbol of symbolsOf(order)) known.push(await parts.instruments.resolve(symbol));
  const series = [];
  for (const instrument of known) {
    const { candles } = await parts.candles.loadLatest(instrument, order.timeframe, order.bars);
    if (candles.time.length === 0) {
      throw new AppError("no_data", `${instrument.symbol} has no ${order.timeframe} candles`);
    }
    series.push({ ...candles, symbol: instrument.symbol });
  }
  const [first] = known;
  const calendar = known.every((each) => each.calendar === first.calendar) ? first.calendar : null;
  const { strategies, leftOut } = fitting(parts, order, named.strategies, series);
  const findings = await testInParts(parts, { ...named, strategies }, { series, calendar }, context);
  return resultOf({ series, strategies, leftOut, findings });
}
