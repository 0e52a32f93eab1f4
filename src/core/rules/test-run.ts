import type { Candles } from "../market/candles.js";
import type { Condition } from "./condition.js";
import { type Evaluation, Evaluator, type RuleSeries } from "./evaluate.js";
import { NEW_TRIGGER, type Suppression, stepTrigger, type TriggerTerms } from "./trigger.js";
import { UNKNOWN } from "./verdict.js";

/** Closes after a firing that it is held against. */
export const NEXT_BARS = [1, 5, 20] as const;

/** A firing in a test run. */
export interface TestFiring {
  /** Index of the bar. */
  readonly bar: number;
  readonly dueAt: number | null;
  /** Percent from its close to those of `NEXT_BARS` later; null where there are none yet. */
  readonly next: readonly (number | null)[];
}

export interface TestRun {
  readonly firings: readonly TestFiring[];
  /** Edges that did not fire, by reason. */
  readonly suppressed: Readonly<Partial<Record<Suppression, number>>>;
  /** Bars at which the condition holds, and at which it is unknown. */
  readonly holds: number;
  readonly unknown: number;
  /** What was not known at bars, the most frequent first. */
  readonly lacks: readonly { readonly operand: string; readonly bars: number }[];
  readonly steps: number;
}

/** A rule as it is tried over bars. */
export interface RuleLogic {
  readonly when: Condition;
  readonly rearm: Condition | null;
  readonly terms: TriggerTerms;
}

/** Bars whose lacks are looked at one by one. */
const MOST_LACKING = 10_000;

/**
 * What a rule would have done on close at bars from `from` on, had it been made there; null where the budget of steps does
 * not suffice. @param closes when each bar closes, epoch ms.
 */
export function testRule(
  { when, rearm, terms }: RuleLogic,
  series: RuleSeries,
  closes: Float64Array,
  from: number,
  budget?: number,
): TestRun | null {
  const evaluator = new Evaluator(series, budget);
  const evaluation = evaluator.evaluate(when);
  const again = rearm === null ? null : evaluator.evaluate(rearm);
  if (evaluation === null || (rearm !== null && again === null)) return null;
  const { candles } = series;
  const firings: TestFiring[] = [];
  const suppressed: Partial<Record<Suppression, number>> = {};
  let state = NEW_TRIGGER;
  for (let i = Math.max(0, from - 1); i < candles.time.length; i++) {
    const step = stepTrigger(terms, state, {
      verdict: evaluation.verdicts[i],
      rearm: again === null ? null : again.verdicts[i],
      bar: candles.time[i],
      at: closes[i],
      now: closes[i],
    });
    state = step.state;
    if (step.suppressed !== null) suppressed[step.suppressed] = (suppressed[step.suppressed] ?? 0) + 1;
    if (step.firing !== null) {
      firings.push({ bar: i, dueAt: step.firing.dueAt, next: nextReturns(candles, i) });
    }
  }
  return { firings, suppressed, ...countsOf(evaluation, from), steps: evaluator.steps };
}

function nextReturns({ close }: Candles, i: number): (number | null)[] {
  return NEXT_BARS.map((bars) => (i + bars < close.length ? 100 * (close[i + bars] / close[i] - 1) : null));
}

function countsOf({ verdicts, unknownAt }: Evaluation, from: number) {
  let [holds, unknown] = [0, 0];
  const lacking = new Map<string, number>();
  for (let i = from; i < verdicts.length; i++) {
    if (verdicts[i] === 1) holds++;
    if (verdicts[i] !== UNKNOWN) continue;
    unknown++;
    if (unknown > MOST_LACKING) continue;
    for (const operand of unknownAt(i)) lacking.set(operand, (lacking.get(operand) ?? 0) + 1);
  }
  const lacks = [...lacking].map(([operand, bars]) => ({ operand, bars }));
  return { holds, unknown, lacks: lacks.sort((a, b) => b.bars - a.bars) };
}
