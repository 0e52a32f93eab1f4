import { assert } from "../base/assert.js";
import type { OrderTerms } from "../execution/order.js";
import type { Candles } from "../market/candles.js";
import type { Interval } from "../market/interval.js";
import type { Calendar } from "../market/session.js";
import { countKnown, type FactName, type Facts, LEAST_KNOWN } from "./facts.js";
import {
  type Constraint,
  checkParameters,
  type Parameters,
  type Values,
  type ValuesOf,
} from "./parameters.js";

/** What a strategy cannot do without, beside prices. */
export const NEEDS = {
  volume: "volumes with the bars",
  intraday: "bars within the day",
  several_symbols: "two symbols at least",
  option_chain: "chains of options",
  model: "a learned model",
} as const satisfies Readonly<Record<string, string>>;
export type Need = keyof typeof NEEDS;

/** How an entry is to be made, and given up. Prices in those of the candles; they are rounded to ticks. */
export interface Entry {
  readonly stop?: number;
  readonly target?: number;
  /** At this price or a better one, until it is canceled; at the next open without it. */
  readonly limit?: number;
  /** Why, in a word or two: it is told of the trade. */
  readonly why?: string;
}

/** An order in full but for its names. */
export type Wish = Omit<OrderTerms, "id" | "symbol" | "conditions">;

/**
 * Where a strategy stands in one symbol at the close of bar `i`, and what it may do there. Nothing that it does is done
 * before the open of the next bar. The columns reach to the end of the series: those after `i` are not to be read, and
 * a strategy that does is found by cutting the series off.
 */
export interface Stand<Columns> {
  readonly symbol: string;
  readonly candles: Candles;
  readonly columns: Columns;
  readonly i: number;
  /** Units held, below 0 for a short position. */
  readonly held: number;
  /** Average price of what is held, in the account's currency; NaN for nothing. */
  readonly cost: number;
  /** Bars since what is held was opened, 0 at the close of the bar that opened it; -1 for nothing. */
  readonly age: number;
  /** Of the whole account at this close, in its currency. */
  readonly equity: number;
  /** Whether something that was asked for has not been done yet, orders of stop and target aside. */
  readonly waiting: boolean;
  /**
   * Be on a side (1 long, -1 short) with the stake of the run's sizing, from the next open on. What is held on the other
   * side is closed first. Does nothing where that is so or is being done.
   */
  enter(way: 1 | -1, entry?: Entry): void;
  /** Cancel all orders and close what is held at the next open. */
  exit(why?: string): void;
  /** Hold a share of the account's equity, below 0 for a short position, from the next open on. */
  weigh(share: number, why?: string): void;
  /** An order of any kind, from the next bar on. */
  order(wish: Wish, why?: string): void;
  /** Cancel all orders of the symbol. */
  cancel(): void;
}

interface StrategyBase {
  /** Unique over the table, snake_case. */
  readonly id: string;
  readonly title: string;
  /** When it enters and when it leaves, in a sentence or two. */
  readonly description: string;
  readonly needs: readonly Need[];
  /** What it reads beside bars. */
  readonly facts: readonly FactName[];
  readonly parameters: Parameters;
  /** Texts of what values must fulfil together. */
  readonly constraints: readonly string[];
  /** What values that are each within range do not fulfil. */
  problems(values: Values): string[];
  /** Index of the first bar at which it may decide. */
  warmup(values: Values): number;
  /**
   * What it reads of one symbol, once: columns of the length of the candles, and what it remembers between bars. Columns may be
   * lent for the run: nobody keeps them beyond it.
   */
  declare(candles: Candles, values: Values, facts?: Facts, calendar?: Calendar | null): unknown;
  /** Why bars of an interval are none for it with these values; null where they are. */
  misfit(interval: Interval, values: Values): string | null;
}

/** Decides for each symbol by itself. */
export interface SymbolStrategy extends StrategyBase {
  readonly scope: "symbol";
  walk(stand: Stand<unknown>): void;
  /**
   * The first bar from one on at which it may do something, whatever it holds; the length of the columns, or more, where
   * there is none. Runs that count without a desk pass the bars before it by. Undefined where more than columns decides.
   */
  next?(columns: unknown, from: number): number;
}

/** Decides over all symbols, once all that have a bar of one time have closed it. */
export interface UniverseStrategy extends StrategyBase {
  readonly scope: "universe";
  /** @param stands in the order of the symbols; those that have not begun are absent. */
  rebalance(stands: readonly Stand<unknown>[]): void;
}

/** One row of the strategy table. */
export type Strategy = SymbolStrategy | UniverseStrategy;

interface Definition<P extends Parameters, Columns> {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly needs?: readonly Need[];
  readonly facts?: readonly FactName[];
  readonly parameters: P;
  readonly constraints?: readonly Constraint<ValuesOf<P>>[];
  warmup(values: ValuesOf<P>): number;
  /** @param calendar hours of the exchange; null where they are not known or differ. */
  declare(candles: Candles, values: ValuesOf<P>, facts?: Facts, calendar?: Calendar | null): Columns;
  misfit?(interval: Interval, values: ValuesOf<P>): string | null;
}

export interface SymbolDefinition<P extends Parameters, Columns> extends Definition<P, Columns> {
  walk(stand: Stand<Columns>): void;
  next?(columns: Columns, from: number): number;
}

export interface UniverseDefinition<P extends Parameters, Columns> extends Definition<P, Columns> {
  rebalance(stands: readonly Stand<Columns>[]): void;
}

interface LooseDefinition
  extends Omit<StrategyBase, "problems" | "constraints" | "needs" | "facts" | "misfit"> {
  misfit?(interval: Interval, values: Values): string | null;
  readonly needs?: readonly Need[];
  readonly facts?: readonly FactName[];
  readonly constraints?: readonly Constraint<Values>[];
  walk?(stand: Stand<unknown>): void;
  next?(columns: unknown, from: number): number;
  rebalance?(stands: readonly Stand<unknown>[]): void;
}

/** The row, checked and frozen. */
export function defineStrategy<const P extends Parameters, Columns>(
  definition: SymbolDefinition<P, Columns>,
): SymbolStrategy;
export function defineStrategy<const P extends Parameters, Columns>(
  definition: UniverseDefinition<P, Columns>,
): UniverseStrategy;
export function defineStrategy(definition: LooseDefinition): Strategy {
  const { id, parameters, constraints = [], needs = [], facts = [], walk, rebalance, ...rest } = definition;
  const { misfit = () => null } = definition;
  assert(/^[a-z][a-z0-9_]*$/.test(id), `strategy id ${id}`);
  checkParameters(id, parameters);
  const row = {
    ...rest,
    id,
    parameters: Object.freeze(parameters),
    misfit,
    needs: Object.freeze(needs),
    facts: Object.freeze(facts),
    constraints: constraints.map(({ text }) => text),
    problems: (values: Values) =>
      constraints.filter((constraint) => !constraint.holds(values)).map(({ text }) => text),
  };
  if (walk !== undefined) return Object.freeze({ ...row, scope: "symbol" as const, walk });
  assert(rebalance !== undefined, `${id} neither walks nor rebalances`);
  return Object.freeze({ ...row, scope: "universe" as const, rebalance });
}

/** The bars of a symbol, and what is known beside them. */
export interface Known {
  readonly candles: Candles;
  readonly facts?: Facts;
}

/** What a strategy needs and these symbols have not, each in words; none where it can run. */
export function lacksOf({ needs, facts }: Strategy, known: readonly Known[]): string[] {
  const lacks: string[] = [];
  for (const need of needs) {
    if (need === "several_symbols") {
      if (known.length < 2) lacks.push(`needs ${NEEDS[need]}, not ${known.length}`);
    } else if (need === "option_chain" || need === "model") {
      const missing = facts.filter((fact) => known.some((each) => each.facts?.[fact] === undefined));
      if (facts.length === 0) lacks.push(`needs ${NEEDS[need]}`);
      if (missing.length > 0) lacks.push(`needs ${NEEDS[need]}, and there is no ${missing.join(" and no ")}`);
    } else {
      const without = known.filter(({ candles }) => !has(candles, need));
      const symbols = without.map(({ candles }) => candles.symbol);
      if (symbols.length > 0) lacks.push(`needs ${NEEDS[need]}, which ${symbols.join(", ")} lacks`);
    }
  }
  return lacks;
}

/** What it needs and is known at too few bars for a run to be worth anything, in words; nothing where that is enough. */
export function scarceOf({ facts }: Strategy, known: readonly Known[]): string[] {
  return known.flatMap(({ candles: { symbol, time }, facts: columns = {} }) =>
    facts.flatMap((fact) => {
      const count = countKnown(columns[fact]);
      if (count >= LEAST_KNOWN) return [];
      return [
        `needs ${fact} at ${LEAST_KNOWN} bars at least, and ${symbol} has it at ${count} of ${time.length}`,
      ];
    }),
  );
}

function has({ volume, interval }: Candles, need: "volume" | "intraday"): boolean {
  if (need === "intraday") return interval !== "1d" && interval !== "1w";
  return volume.some((each) => each > 0);
}
