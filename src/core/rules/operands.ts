import { ensure } from "../base/assert.js";
import { computeIndicator, resolveParameters } from "../indicators/define.js";
import { findIndicator } from "../indicators/index.js";
import type { Candles } from "../market/candles.js";
import type { ArithmeticSign, Comparison, Operand, RuleFacts } from "./condition.js";

type IndicatorOperand = Operand & { readonly kind: "indicator" };

/** A row of the indicator table with its values complete. */
export function indicatorOf({ name, parameters, output }: IndicatorOperand) {
  const indicator = ensure(findIndicator(name), `no indicator is called ${name}`);
  const { values, problem } = resolveParameters(indicator, parameters);
  const index = output === null ? 0 : indicator.outputs.findIndex((each) => each.name === output);
  return { indicator, values: ensure(values, problem ?? name), index: Math.max(0, index) };
}

/** Steps that a bar of an indicator counts for: what it may read and keep, whether or not it does. */
export function indicatorSteps(operand: IndicatorOperand): number {
  const { indicator, values } = indicatorOf(operand);
  return 4 + indicator.outputs.length + indicator.lookback(values) + indicator.memory(values);
}

export function indicatorColumns(candles: Candles, operand: IndicatorOperand): readonly Float64Array[] {
  const { indicator, values } = indicatorOf(operand);
  return computeIndicator(indicator, candles, values);
}

/** A column read so many bars earlier; NaN before the first bar. */
export function shifted(column: Float64Array, ago: number): Float64Array {
  if (ago === 0) return column;
  const moved = new Float64Array(column.length).fill(Number.NaN);
  if (ago < column.length) moved.set(column.subarray(0, column.length - ago), ago);
  return moved;
}

/** Percent by which each close lies above that of so many bars before. */
export function changes({ close }: Candles, bars: number): Float64Array {
  return close.map((value, i) => (i < bars ? Number.NaN : finite(100 * (value / close[i - bars] - 1))));
}

/** Volume of each bar per mean of the so many before it; unknown where those have none. */
export function volumeRatios({ volume }: Candles, bars: number): Float64Array {
  const { length } = volume;
  // Volumes are not below 0: sums of a prefix differ by what lies between, up to rounding of the whole.
  const sums = new Float64Array(length + 1);
  for (let i = 0; i < length; i++) sums[i + 1] = sums[i] + volume[i];
  return volume.map((value, i) => {
    if (i < bars) return Number.NaN;
    const sum = sums[i] - sums[i - bars];
    return sum > 0 ? finite((value * bars) / sum) : Number.NaN;
  });
}

export function factColumn(facts: RuleFacts, name: keyof RuleFacts, length: number): Float64Array {
  return facts[name] ?? new Float64Array(length).fill(Number.NaN);
}

/** What has no finite value is unknown, such as anything per 0. */
export function calculated(sign: ArithmeticSign, left: Float64Array, right: Float64Array): Float64Array {
  return left.map((a, i) => finite(applied(sign, a, right[i])));
}

export function applied(sign: ArithmeticSign, a: number, b: number): number {
  switch (sign) {
    case "+":
      return a + b;
    case "-":
      return a - b;
    case "*":
      return a * b;
    case "/":
      return a / b;
  }
}

export function compares(a: number, is: Comparison, b: number): boolean {
  switch (is) {
    case "<":
      return a < b;
    case "<=":
      return a <= b;
    case ">":
      return a > b;
    case ">=":
      return a >= b;
    case "=":
      return a === b;
    case "!=":
      return a !== b;
  }
}

const finite = (value: number) => (Number.isFinite(value) ? value : Number.NaN);
