import { assert } from "../base/assert.js";
import { createColumn, createUnset } from "../base/columns.js";
import type { BarColumn, Bars } from "../market/candles.js";

export type IndicatorFamily =
  | "trend"
  | "momentum"
  | "volatility"
  | "volume"
  | "price"
  | "statistics"
  | "cycle"
  | "kernel";

export interface Parameter {
  readonly name: string;
  readonly kind: "integer" | "number";
  readonly min: number;
  readonly max: number;
  readonly default: number;
  readonly description: string;
}

/** Values of an indicator's parameters by name, complete and within range. */
export type ParameterValues = Readonly<Record<string, number>>;

export interface IndicatorOutput {
  readonly name: string;
  /** `price` may be drawn over candles; the others need a pane of their own. */
  readonly unit: "price" | "percent" | "ratio" | "volume" | "index" | "flag";
  /** Closed bounds that every defined value keeps up to rounding, where the formula has them. */
  readonly range?: readonly [number, number];
}

/**
 * One row of the indicator table.
 *
 * `run` is the only implementation of the formula. It computes bars [from, to) of the outputs from the bars
 * and from what the run before it left in `state`; so the batch form is `run(0, n)` and the streaming form is
 * `run(i, i + 1)` on each new bar, equal to the last bit. `from` and `to` index the columns, which may be a
 * sliding part of a longer series: how many bars came before is known from `state` alone (all 0 before the
 * first). It reads only the columns of `inputs`, never bars at or after `to`, never more than `lookback` bars
 * before `from`, and allocates nothing. Outputs are NaN for the first `warmup` bars and defined after them as
 * long as the inputs are finite.
 *
 * `from < to`: loops over bars are written do ... while, so that a run over one bar never jumps back. At a
 * backward jump V8 would enter code compiled for an earlier long run (on-stack replacement) at every bar of
 * the stream, which costs several times what the bar does.
 *
 * What another module exports lies in a cell that V8 reads and checks at each use; files of rows take what their
 * loops need from there into constants of their own (`const { runEnd } = rolling`), which it compiles in.
 */
export interface Indicator {
  readonly name: string;
  readonly title: string;
  readonly family: IndicatorFamily;
  readonly inputs: readonly BarColumn[];
  readonly parameters: readonly Parameter[];
  /** What values that are each within range must fulfil together; null for nothing. */
  readonly constraint: string | null;
  /** The constraint when they do not fulfil it, or null. */
  problem(values: ParameterValues): string | null;
  readonly outputs: readonly IndicatorOutput[];
  /** Bars before the first defined value of an output. */
  warmup(values: ParameterValues, output?: number): number;
  /**
   * Bars after which a run started later agrees with one started earlier within 1e-9 of the value:
   * `warmup` for window formulas, more for recursive ones, Infinity for those that sum from the first bar. Rows
   * that begin anew with each session settle with it: within so many bars of `barMs`, and never where that is not given.
   */
  settle(values: ParameterValues, barMs?: number): number;
  /**
   * How far a NaN among the inputs reaches, outputs being NaN where it counts and unchanged elsewhere:
   * `window`, for `warmup` further bars; `session`, to the end of the session; `rest`, to the end of the series.
   */
  readonly nanReach: "window" | "session" | "rest";
  /** Doubles of state. */
  memory(values: ParameterValues): number;
  /** How many bars before `from` a run may read, of inputs and of its own outputs. */
  lookback(values: ParameterValues): number;
  run(
    bars: Bars,
    values: ParameterValues,
    outputs: readonly Float64Array[],
    state: Float64Array,
    from: number,
    to: number,
  ): void;
  /** Whose code computes it. */
  readonly origin: "tx" | "technicalindicators";
  /** Where the formula is defined, and the conventions taken where definitions differ. */
  readonly source: string;
}

/** An indicator as its file writes it; what is left out has the value most rows share. */
export type IndicatorDefinition = Omit<Indicator, "constraint" | "problem" | "settle" | "origin"> &
  Partial<Pick<Indicator, "settle" | "origin">> & {
    readonly constraint?: { readonly text: string; holds(values: ParameterValues): boolean } | null;
  };

/** The first bar at which all outputs have values. */
export function beginsAt(
  { outputs, warmup }: Pick<Indicator, "outputs" | "warmup">,
  values: ParameterValues,
): number {
  return outputs.reduce((most, _, output) => Math.max(most, warmup(values, output)), 0);
}

export function defineIndicator(definition: IndicatorDefinition): Indicator {
  const { name, outputs, parameters, constraint } = definition;
  assert(/^[a-z][a-z0-9_]*$/.test(name), `indicator name ${name}`);
  assert(outputs.length > 0, `${name} has no outputs`);
  for (const parameter of parameters) {
    const { min, max } = parameter;
    assert(min <= parameter.default && parameter.default <= max, `${name}.${parameter.name} default`);
  }
  return Object.freeze({
    settle: (values: ParameterValues) => beginsAt(definition, values),
    origin: "tx" as const,
    ...definition,
    constraint: constraint?.text ?? null,
    problem: (values: ParameterValues) =>
      constraint === undefined || constraint === null || constraint.holds(values) ? null : constraint.text,
  });
}

/** A whole number of bars. */
export function barsParameter(name: string, preset: number, description: string, min = 2): Parameter {
  return { name, kind: "integer", min, max: 10_000, default: preset, description };
}

/** A factor or level that need not be whole. */
export function numberParameter(
  name: string,
  preset: number,
  range: readonly [number, number],
  description: string,
): Parameter {
  return { name, kind: "number", min: range[0], max: range[1], default: preset, description };
}

/** Parameter values with defaults filled in; a problem is returned as text for the caller to report. */
export function resolveParameters(
  indicator: Indicator,
  given: Readonly<Record<string, number>>,
): { values: ParameterValues; problem: null } | { values: null; problem: string } {
  const values: Record<string, number> = {};
  for (const name of Object.keys(given)) {
    if (!indicator.parameters.some((parameter) => parameter.name === name)) {
      const known = indicator.parameters.map((parameter) => parameter.name).join(", ") || "none";
      return { values: null, problem: `${indicator.name} has no parameter ${name} (known: ${known})` };
    }
  }
  for (const parameter of indicator.parameters) {
    const value = given[parameter.name] ?? parameter.default;
    const { name, min, max, kind } = parameter;
    if (!(value >= min && value <= max)) {
      return {
        values: null,
        problem: `${indicator.name}: ${name} must lie within ${min}..${max}, not ${value}`,
      };
    }
    if (kind === "integer" && !Number.isInteger(value)) {
      return {
        values: null,
        problem: `${indicator.name}: ${name} must be a whole number within ${min}..${max}, not ${value}`,
      };
    }
    values[name] = value;
  }
  const problem = indicator.problem(values);
  return problem === null ? { values, problem } : { values: null, problem: `${indicator.name}: ${problem}` };
}

/** Runs an indicator over whole columns into newly allocated outputs, one column of `bars`' length each. */
export function computeIndicator(
  indicator: Indicator,
  bars: Bars,
  values: ParameterValues,
): readonly Float64Array[] {
  const length = bars.time.length;
  const outputs = indicator.outputs.map(() => createUnset(length));
  const state = createColumn(indicator.memory(values));
  if (length > 0) indicator.run(bars, values, outputs, state, 0, length);
  return outputs;
}
