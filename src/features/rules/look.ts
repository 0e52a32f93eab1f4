import { ensure } from "../../core/base/assert.js";
import { upperBound } from "../../core/base/search.js";
import { printRule } from "../../core/rules/print.js";
import { type GateVerdict, NEW_TRIGGER, stepTrigger, type TriggerState } from "../../core/rules/trigger.js";
import { UNKNOWN } from "../../core/rules/verdict.js";
import { uuidOf } from "../../platform/uuid.js";
import type { RuleVerdicts } from "./evaluate-worker.js";
import { triggerTerms } from "./language.js";
import type { Looked, NewDecision, NewFiring, Watched } from "./watch-store.js";

/** The bars that a rule is held against, one of which may still form. */
export interface LookedAt {
  readonly time: Float64Array;
  readonly close: Float64Array;
  /** When each bar closed; of one that forms, the moment of its quote. */
  readonly moments: Float64Array;
  /** Source of the closed bars, and of the quote. */
  readonly source: string | null;
  readonly quoteSource: string | null;
  readonly forming: boolean;
  /** The first that may be looked at: those before it lead up to it. */
  readonly first: number;
}

/**
 * What a rule comes to over the bars that it has not seen. One that has seen none begins with the last bar before it was
 * made, whose level is no edge; so does one that bars were passed over of. @param now the clock, by which firings are held.
 */
export function lookAt(
  watched: Watched,
  bars: LookedAt,
  { verdicts, rearms, lacks }: RuleVerdicts,
  now: number,
): {
  readonly looked: Looked;
  readonly firings: readonly NewFiring[];
  readonly decisions: readonly NewDecision[];
} {
  const terms = triggerTerms(watched.terms);
  const { before, sinceAt } = watched;
  const { moments, time, close } = bars;
  const unseen =
    before.seenAt === null
      ? Math.max(0, upperBound(moments, sinceAt) - 1)
      : upperBound(moments, before.seenAt);
  const from = Math.max(unseen, bars.first);
  const isAnew = before.seenAt === null || unseen < bars.first;
  let state: TriggerState = isAnew ? { ...before, phase: NEW_TRIGGER.phase } : before;
  let suppressed: Looked["suppressed"];
  const firings: NewFiring[] = [];
  const decisions: NewDecision[] = [];
  for (let i = from; i < moments.length; i++) {
    const step = stepTrigger(terms, state, {
      verdict: verdicts[i],
      rearm: rearms === null ? null : rearms[i],
      bar: time[i],
      at: moments[i],
      now,
    });
    state = step.state;
    if (step.gates !== null) decisions.push({ watched, bar: time[i], at: moments[i], gates: step.gates });
    if (step.suppressed !== null) suppressed = step.suppressed;
    if (step.firing === null) continue;
    suppressed = null;
    const isQuote = bars.forming && i === moments.length - 1;
    firings.push({
      ...step.firing,
      id: firingId(watched, step.firing.bar, step.firing.ordinal),
      watched,
      expression: printRule(watched.condition),
      price: close[i],
      source: isQuote ? bars.quoteSource : bars.source,
    });
  }
  const last = moments.length - 1;
  const isUnknown = from <= last && state.phase !== "done" && verdicts[last] === UNKNOWN;
  // Told when it begins, not at each look for as long as it lasts.
  if (isUnknown && (before.seenAt === null || watched.lacks.length === 0)) {
    decisions.push({ watched, bar: time[last], at: moments[last], gates: [unknownGate(lacks)] });
  }
  return { looked: { watched, after: state, lacks, suppressed }, firings, decisions };
}

const unknownGate = (lacks: readonly string[]): GateVerdict => ({
  gate: "condition_known",
  passed: false,
  value: lacks.length === 0 ? false : lacks.join(", "),
  limit: true,
});

/**
 * The same however often it is computed. With the version, since one that begins anew counts firings of a bar from 0 again,
 * and another interval has other bars that open at the same time.
 */
function firingId({ ruleId, version, symbol }: Watched, bar: number, ordinal: number): string {
  return uuidOf(`rule-firing:${ruleId}:${version}:${symbol}:${bar}:${ordinal}`);
}

/** Whether there is something that a rule has not seen. @param newest when the newest bar closed, or the moment of a quote. */
export function isDue({ before: { seenAt } }: Watched, newest: number): boolean {
  return seenAt === null || seenAt < newest;
}

/** The oldest moment that one of them has seen, or from which it looks. */
export function oldestSeen(watched: readonly Watched[]): number {
  const moments = watched.map(({ before, sinceAt }) => before.seenAt ?? sinceAt);
  return ensure(
    moments.reduce<number | null>(
      (least, moment) => (least === null ? moment : Math.min(least, moment)),
      null,
    ),
    "a rule",
  );
}
