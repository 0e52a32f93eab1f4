import { assert } from "../base/assert.js";
import { beginsAt } from "../indicators/define.js";
import { type Candles, candlesFromRows, sliceCandles } from "../market/candles.js";
import { INTERVAL_MS } from "../market/interval.js";
import { MEMORY_BARS } from "../patterns/define.js";
import { REGIME_MEMORY, REGIMES } from "../regime/define.js";
import { computeRegimes } from "../regime/regime.js";
import {
  type Condition,
  isOperand,
  nodesOf,
  type Operand,
  partsOf,
  type RuleFacts,
  type RuleNode,
} from "./condition.js";
import {
  calculated,
  changes,
  compares,
  factColumn,
  indicatorColumns,
  indicatorOf,
  indicatorSteps,
  shifted,
  volumeRatios,
} from "./operands.js";
import { Sightings } from "./patterns.js";
import { printRule } from "./print.js";
import { allOf, anyOf, crossings, FALSE, lasting, noneOf, TRUE, UNKNOWN } from "./verdict.js";

/** What rules are looked up in. */
export interface RuleSeries {
  readonly candles: Candles;
  readonly facts?: RuleFacts;
  /** Measured hit rate of a variant; null where it is not known, as it is of none without this. */
  readonly confidenceOf?: (variant: string) => number | null;
  /** Whether the last bar is one that still forms: patterns and the regime are those of the bar before. */
  readonly forming?: boolean;
}

/** What a condition says at each bar. */
export interface Evaluation {
  /** 1 true, 0 false, -1 unknown. */
  readonly verdicts: Int8Array;
  /** The operands and conditions for whose lack bar `i` is unknown, as they are written; none where it is known. */
  unknownAt(i: number): string[];
}

/**
 * Steps that an evaluation may take, which count the numbers that are read and made: some 100 ms. Ten indicators of 200
 * bars over 5,000 take half.
 */
export const STEP_BUDGET = 20_000_000;
/**
 * Bars before the first that is looked at, at most, but for formulas that begin later: what sums from the first bar on never
 * settles.
 */
export const MOST_LEAD = 2_000;

const REGIME_STEPS = 100;

class StepsSpent extends Error {
  override readonly name = "StepsSpent";
}

/**
 * Evaluates conditions over one series, all of it in one pass; what they have in common is computed once. The steps of
 * all of them together never pass the budget: what would is not begun.
 */
export class Evaluator {
  readonly #candles: Candles;
  readonly #facts: RuleFacts;
  readonly #confidenceOf: (variant: string) => number | null;
  readonly #budget: number;
  readonly #closed: Candles;
  readonly #sightings: Sightings;
  readonly #operands = new Map<string, Float64Array>();
  readonly #outputs = new Map<string, readonly Float64Array[]>();
  readonly #verdicts = new Map<string, Int8Array>();
  #regimes: Int8Array | null = null;
  #steps = 0;

  constructor(series: RuleSeries, budget = STEP_BUDGET) {
    const { candles, facts = {}, confidenceOf = () => null, forming = false } = series;
    const { length } = candles.time;
    this.#closed = forming ? sliceCandles(candles, 0, Math.max(0, length - 1)) : candles;
    for (const column of Object.values(facts)) assert(column.length === length, "one value of a fact a bar");
    this.#candles = candles;
    this.#facts = facts;
    this.#confidenceOf = confidenceOf;
    this.#budget = budget;
    this.#sightings = new Sightings(this.#closed);
  }

  /** Steps taken so far. */
  get steps(): number {
    return this.#steps;
  }

  /** What the condition says at each bar; null where the budget does not suffice. */
  evaluate(condition: Condition): Evaluation | null {
    try {
      const verdicts = this.#condition(condition);
      return { verdicts, unknownAt: (i) => [...new Set(this.#lacks(condition, i))] };
    } catch (error) {
      if (error instanceof StepsSpent) return null;
      throw error;
    }
  }

  #condition(node: Condition): Int8Array {
    const key = printRule(node);
    const known = this.#verdicts.get(key);
    if (known !== undefined) return known;
    const made = this.#verdict(node);
    this.#verdicts.set(key, made);
    return made;
  }

  #verdict(node: Condition): Int8Array {
    switch (node.kind) {
      case "compare": {
        const [left, right] = [this.#operand(node.left), this.#operand(node.right)];
        this.#spend(2);
        return Int8Array.from(left, (a, i) => holds(a, right[i], compares(a, node.is, right[i])));
      }
      case "between": {
        const [value, low, high] = [node.value, node.low, node.high].map((each) => this.#operand(each));
        this.#spend(3);
        const from = Int8Array.from(value, (a, i) => holds(a, low[i], a >= low[i]));
        return allOf([from, Int8Array.from(value, (a, i) => holds(a, high[i], a <= high[i]))]);
      }
      case "cross": {
        const [left, right] = [this.#operand(node.left), this.#operand(node.right)];
        this.#spend(2);
        return crossings(left, right, node.way === "above" ? 1 : -1);
      }
      case "pattern":
        this.#spend(1 + this.#sightings.stepsOf(node));
        return this.#extended(this.#sightings.column(node, this.#confidenceOf));
      case "regime": {
        this.#spend(1 + (this.#regimes === null ? REGIME_STEPS : 0));
        this.#regimes ??= computeRegimes(this.#closed).label;
        const wanted = REGIMES.indexOf(node.regime);
        const verdicts = this.#regimes.map((label) => {
          if (label < 0) return UNKNOWN;
          return label === wanted ? TRUE : FALSE;
        });
        return this.#extended(verdicts);
      }
      case "and":
      case "or": {
        const columns = node.conditions.map((each) => this.#condition(each));
        this.#spend(columns.length);
        return node.kind === "and" ? allOf(columns) : anyOf(columns);
      }
      case "not": {
        const column = this.#condition(node.condition);
        this.#spend(1);
        return noneOf(column);
      }
      case "for": {
        const column = this.#condition(node.condition);
        this.#spend(1);
        return lasting(column, node.bars);
      }
    }
  }

  /** Verdicts of closed bars, and for one that forms that of the bar before. */
  #extended(closed: Int8Array): Int8Array {
    const { length } = this.#candles.time;
    if (closed.length === length) return closed;
    const verdicts = new Int8Array(length).fill(closed.at(-1) ?? UNKNOWN, closed.length);
    verdicts.set(closed);
    return verdicts;
  }

  #operand(node: Operand): Float64Array {
    const key = printRule(node);
    const known = this.#operands.get(key);
    if (known !== undefined) return known;
    const made = this.#column(node);
    this.#operands.set(key, made);
    return made;
  }

  #column(node: Operand): Float64Array {
    const candles = this.#candles;
    const { length } = candles.time;
    switch (node.kind) {
      case "number":
        this.#spend(1);
        return new Float64Array(length).fill(node.value);
      case "bar":
        this.#spend(1);
        return shifted(candles[node.field], node.ago);
      case "indicator": {
        const { index } = indicatorOf(node);
        const key = printRule({ ...node, output: null, ago: 0 });
        const known = this.#outputs.get(key);
        this.#spend(known === undefined ? 1 + indicatorSteps(node) : 1);
        const outputs = known ?? indicatorColumns(candles, node);
        this.#outputs.set(key, outputs);
        return shifted(outputs[index], node.ago);
      }
      case "change":
        this.#spend(2);
        return shifted(changes(candles, node.bars), node.ago);
      case "volume_ratio":
        this.#spend(3);
        return shifted(volumeRatios(candles, node.bars), node.ago);
      case "fact":
        this.#spend(1);
        return factColumn(this.#facts, node.name, length);
      case "arithmetic": {
        const [left, right] = [this.#operand(node.left), this.#operand(node.right)];
        this.#spend(1);
        return calculated(node.sign, left, right);
      }
    }
  }

  /** @param perBar steps that each bar takes. */
  #spend(perBar: number): void {
    const steps = perBar * this.#candles.time.length;
    if (this.#steps + steps > this.#budget) throw new StepsSpent("the budget of steps does not suffice");
    this.#steps += steps;
  }

  /** Of an unknown condition, what within it is not known. */
  #lacks(node: Condition, i: number): string[] {
    if (this.#condition(node)[i] !== UNKNOWN) return [];
    if (node.kind === "for") return this.#lacksBefore(node, i);
    const within = partsOf(node).flatMap((part) => this.#lacking(part, i));
    // What is known, and was not a bar before, or lacks what no operand of it says.
    return within.length > 0 ? within : [printRule(node)];
  }

  #lacking(part: RuleNode, i: number): string[] {
    if (!isOperand(part)) return this.#lacks(part, i);
    if (!Number.isNaN(this.#operand(part)[i])) return [];
    const within = partsOf(part).flatMap((each) => this.#lacking(each, i));
    return within.length > 0 ? within : [printRule(part)];
  }

  #lacksBefore(node: Condition & { readonly kind: "for" }, i: number): string[] {
    const { condition, bars } = node;
    for (let at = i; at >= Math.max(0, i - bars + 1); at--) {
      const lacks = this.#lacks(condition, at);
      if (lacks.length > 0) return lacks;
    }
    return [printRule(node)];
  }
}

function holds(a: number, b: number, verdict: boolean): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return UNKNOWN;
  return verdict ? TRUE : FALSE;
}

/** Bars before one that are needed for what a condition says of it not to depend on where the series begins. */
export function leadOf(condition: Condition, interval: keyof typeof INTERVAL_MS): number {
  const reach = nodesOf(condition).reduce((sum, node) => {
    if (node.kind === "for") return sum + node.bars;
    return node.kind === "cross" ? sum + 1 : sum;
  }, 0);
  const own = nodesOf(condition).map((node) => {
    switch (node.kind) {
      case "indicator": {
        const { indicator, values } = indicatorOf(node);
        const settled = indicator.settle(values, INTERVAL_MS[interval]);
        return node.ago + Math.min(settled, Math.max(MOST_LEAD, beginsAt(indicator, values)));
      }
      case "change":
      case "volume_ratio":
        return node.ago + node.bars;
      case "bar":
        return node.ago;
      case "pattern":
        return node.within + MEMORY_BARS;
      case "regime":
        return REGIME_MEMORY;
      default:
        return 0;
    }
  });
  return reach + Math.max(...own);
}

/** Steps that a bar takes of an evaluation of all of these. */
export function stepsPerBar(conditions: readonly Condition[]): number {
  const one = candlesFromRows("", "1d", [{ time: 0, open: 1, high: 1, low: 1, close: 1, volume: 1 }]);
  const evaluator = new Evaluator({ candles: one }, Number.POSITIVE_INFINITY);
  for (const condition of conditions) evaluator.evaluate(condition);
  return evaluator.steps;
}
