import { lendingColumns } from "../../core/base/columns.js";
import type { Candles } from "../../core/market/candles.js";
import type { Condition, RuleFact, RuleFacts } from "../../core/rules/condition.js";
import { Evaluator } from "../../core/rules/evaluate.js";

/** A rule with what is known beside the bars, now: it counts for the last bar alone. */
export interface EvaluatedRule {
  readonly condition: Condition;
  readonly rearm: Condition | null;
  readonly facts: Readonly<Partial<Record<RuleFact, number | null>>>;
  /** Measured hit rates by variant; null and absent for none. */
  readonly confidences: Readonly<Record<string, number | null>>;
}

export interface EvaluationTask {
  readonly candles: Candles;
  /** Whether the last bar still forms. */
  readonly forming: boolean;
  readonly rules: readonly EvaluatedRule[];
}

/** What a rule says at each bar. */
export interface RuleVerdicts {
  readonly verdicts: Int8Array;
  readonly rearms: Int8Array | null;
  /** What was unknown at the last bar. */
  readonly lacks: readonly string[];
}

/** Evaluates rules over bars, in a thread; null for one that takes too many steps. */
export default function evaluate({ candles, forming, rules }: EvaluationTask): (RuleVerdicts | null)[] {
  return rules.map((rule) => lendingColumns(() => verdictsOf(candles, forming, rule)));
}

function verdictsOf(candles: Candles, forming: boolean, rule: EvaluatedRule): RuleVerdicts | null {
  const { length } = candles.time;
  const { condition, rearm, confidences } = rule;
  const facts = factColumns(rule.facts, length);
  const confidenceOf = (variant: string) => confidences[variant] ?? null;
  const evaluator = new Evaluator({ candles, facts, confidenceOf, forming });
  const when = evaluator.evaluate(condition);
  const again = rearm === null ? null : evaluator.evaluate(rearm);
  if (when === null || (rearm !== null && again === null)) return null;
  return {
    verdicts: when.verdicts,
    rearms: again === null ? null : again.verdicts,
    lacks: length === 0 ? [] : when.unknownAt(length - 1),
  };
}

function factColumns(known: EvaluatedRule["facts"], length: number): RuleFacts {
  const columns: Partial<Record<RuleFact, Float64Array>> = {};
  for (const name of Object.keys(known) as RuleFact[]) {
    const column = new Float64Array(length).fill(Number.NaN);
    if (length > 0) column[length - 1] = known[name] ?? Number.NaN;
    columns[name] = column;
  }
  return columns;
}
