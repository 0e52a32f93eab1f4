import type { Decision } from "../../core/backtest/lane.js";
import { createTruncation, type LookAhead, UNBOUND_RULES } from "../../core/backtest/look-ahead.js";
import { ensure } from "../../core/base/assert.js";
import { exactText } from "../../core/base/words.js";
import type { Candles } from "../../core/market/candles.js";
import { type CalendarId, calendarOf } from "../../core/market/session.js";
import { lacksOf, type Strategy } from "../../core/strategies/define.js";
import { findStrategy, STRATEGIES } from "../../core/strategies/index.js";
import type { Values } from "../../core/strategies/parameters.js";
import { generatedFacts } from "../backtests/generated-facts.js";
import { strategyOf, valuesFor } from "../backtests/order.js";
import { addLeak, failureOf, type Leak, type SubjectFinding, withinWarmup } from "./truncation.js";

/** A strategy with complete values, as it travels to a thread. */
export interface StrategyRef {
  readonly kind: "strategy";
  readonly name: string;
  readonly values: Values;
}

/** The strategies that can be tested. */
export interface StrategyTable {
  /** Each with its defaults. */
  all(): StrategyRef[];
  /** @throws {AppError} `strategy_unknown`, `invalid_request` for values that it has not. */
  named(text: string, given: Values): StrategyRef;
  strategyOf(ref: StrategyRef): Strategy;
}

const refOf = (strategy: Strategy, given: Values): StrategyRef => ({
  kind: "strategy",
  name: strategy.id,
  values: valuesFor(strategy, given),
});

/** Every row of the table of strategies. */
export const TESTED_STRATEGIES: StrategyTable = {
  all: () => STRATEGIES.map((strategy) => refOf(strategy, {})),
  named: (text, given) => refOf(strategyOf(text), given),
  strategyOf: ({ name }) => ensure(findStrategy(name), `${name} is a strategy`),
};

/** A part of the truncation test of strategies. */
export interface CutSearch {
  readonly strategies: readonly StrategyRef[];
  /** Bars of one interval by symbol. */
  readonly series: readonly Candles[];
  /** Of all of them; null where they differ, and days are those of UTC. */
  readonly calendar: CalendarId | null;
  /** Cuts of each strategy at most, over all parts. */
  readonly most: number;
  /** Which of how many parts, from 0. */
  readonly part: number;
  readonly parts: number;
}

/** Of what is drawn, in each part the same. */
const SEED = 1;

/**
 * The truncation test of strategies: run again with the bars cut off, each must decide the same up to there, to the last
 * bit. One that decides for each symbol by itself is run over each alone, any other over all of them.
 */
export function findCuts(table: StrategyTable, search: CutSearch): SubjectFinding[] {
  return search.strategies.map((ref) => {
    const strategy = table.strategyOf(ref);
    const groups = isAlone(strategy) ? search.series.map((candles) => [candles]) : [search.series];
    return groups.map((series) => cutFinding(strategy, ref, series, search)).reduce(joinGroups);
  });
}

/** Whether it decides for each symbol by itself. */
export function isAlone({ scope, needs }: Strategy): boolean {
  return scope === "symbol" && !needs.includes("several_symbols");
}

/** Chains and scores are generated: whether a strategy looks ahead does not hang on whose they are. */
function listedFor({ facts }: Strategy, series: readonly Candles[]) {
  return series.map((candles) => ({ candles, facts: generatedFacts(facts, candles, SEED) }));
}

/** Why a strategy cannot be run over these bars, in words; null where it can. */
export function lackOf(strategy: Strategy, values: Values, series: readonly Candles[]): string | null {
  const misfit = series
    .map(({ interval }) => strategy.misfit(interval, values))
    .find((each) => each !== null);
  const lacks = [
    ...lacksOf(strategy, listedFor(strategy, series)),
    ...(misfit === undefined ? [] : [misfit]),
  ];
  return lacks.length === 0 ? null : lacks.join("; ");
}

function cutFinding(
  strategy: Strategy,
  { name, values }: StrategyRef,
  series: readonly Candles[],
  { calendar, most, part, parts }: CutSearch,
): SubjectFinding {
  const none = { kind: "strategy", name, bars: 0, tested: 0, said: 0, differences: 0, first: [] } as const;
  const lack = lackOf(strategy, values, series);
  if (lack !== null) return { ...none, reason: lack };
  const listings = listedFor(strategy, series);
  const rules = { ...UNBOUND_RULES, calendar: calendar === null ? null : calendarOf(calendar) };
  let truncation: ReturnType<typeof createTruncation>;
  try {
    truncation = createTruncation(strategy, listings, values, rules);
  } catch (error) {
    return { ...none, reason: failureOf(error) };
  }
  const { time, whole } = truncation;
  if (time.length === 0) {
    return { ...none, reason: withinWarmup(Math.max(...series.map((candles) => candles.time.length))) };
  }
  const cuts = truncation.cuts(most, SEED);
  const size = Math.ceil(cuts.length / parts);
  const own = cuts.subarray(part * size, (part + 1) * size);
  const first: Leak[] = [];
  let differences = 0;
  for (const cut of own) {
    const found = truncation.test(cut);
    if (found === null) continue;
    differences++;
    addLeak(first, leakOf(found));
  }
  return {
    ...none,
    bars: time.length,
    tested: own.length,
    said: part === 0 ? whole.length : 0,
    differences,
    first,
    reason: whole.length === 0 ? "decided nothing over all bars" : null,
  };
}

/** Findings of one strategy over one symbol and another. */
function joinGroups(one: SubjectFinding, other: SubjectFinding): SubjectFinding {
  const reasons = [one.reason, other.reason].filter((reason) => reason !== null);
  const first = [...one.first];
  for (const leak of other.first) addLeak(first, leak);
  return {
    ...one,
    bars: one.bars + other.bars,
    tested: one.tested + other.tested,
    said: one.said + other.said,
    differences: one.differences + other.differences,
    first,
    reason: reasons.length === 0 ? null : [...new Set(reasons)].join("; "),
  };
}

function leakOf({ cut, at, symbol, whole, prefix, failure }: LookAhead): Leak {
  return {
    time: at,
    symbol,
    known: cut,
    field: failure === null ? "decision" : "failure",
    prefix: failure === null ? textOf(prefix) : failure,
    whole: textOf(whole),
  };
}

/** What was decided, without where. */
function textOf(decision: Decision | null): string | null {
  if (decision === null) return null;
  const { does, way, entry, wish, why } = decision;
  const { why: _, ...levels } = entry ?? {};
  return exactText({
    does,
    ...(Number.isNaN(way) ? {} : { way }),
    ...levels,
    ...(wish === null ? {} : { wish }),
    ...(why === null ? {} : { why }),
  });
}
