import { isQuiet, nextClockTime, type QuietHours, quietUntil } from "./quiet.js";
import { FALSE, TRUE, UNKNOWN } from "./verdict.js";

/** How often a rule may fire: at its first edge alone, at one edge of a bar, at all. */
export const FREQUENCIES = ["once", "once_per_bar", "every_time"] as const;
export type Frequency = (typeof FREQUENCIES)[number];
/** What becomes of a firing in quiet hours. */
export const QUIET_POLICIES = ["hold", "drop"] as const;
export type QuietPolicy = (typeof QUIET_POLICIES)[number];

/** When a rule tells that its condition has become true. Instants in epoch ms. */
export interface TriggerTerms {
  readonly frequency: Frequency;
  /** Time after a firing in which it does not fire again for the symbol. */
  readonly cooldownMs: number;
  readonly expiresAt: number | null;
  readonly quiet: (QuietHours & { readonly policy: QuietPolicy }) | null;
  /** The time of the day for which firings are held, in minutes after midnight by the clocks of a zone. */
  readonly digest: (Pick<QuietHours, "zone"> & { readonly minute: number }) | null;
}

/**
 * `new` has seen nothing; `armed` waits for its condition; `held` has seen it hold and waits for it to be over; `done` never
 * fires again.
 */
export const TRIGGER_PHASES = ["new", "armed", "held", "done"] as const;
export type TriggerPhase = (typeof TRIGGER_PHASES)[number];

/** What is remembered of a rule and a symbol. */
export interface TriggerState {
  readonly phase: TriggerPhase;
  /** Moment of the newest observation; those that are not after it count for nothing. */
  readonly seenAt: number | null;
  readonly firedAt: number | null;
  /** Open of the bar of the newest firing, and firings of that bar. */
  readonly firedBar: number | null;
  readonly firedInBar: number;
}

export const NEW_TRIGGER: TriggerState = Object.freeze({
  phase: "new",
  seenAt: null,
  firedAt: null,
  firedBar: null,
  firedInBar: 0,
});

/** What a rule says of a symbol at a moment. */
export interface Observation {
  /** 1 true, 0 false, -1 unknown. */
  readonly verdict: number;
  /** Whether the condition that arms it again holds; null for a rule that has none, which its own being false arms. */
  readonly rearm: number | null;
  /** Open of the bar. */
  readonly bar: number;
  /** The close of the bar, or the moment of the quote within it. */
  readonly at: number;
  /** The clock, by which firings are held. */
  readonly now: number;
}

/** Why an edge did not fire. */
export type Suppression = "cooldown" | "bar" | "quiet_hours" | "expired";

/** What a condition that has become true must pass before its rule fires, in the order in which it is asked. */
export const TRIGGER_GATES = [
  "condition_known",
  "level_is_new",
  "not_expired",
  "cooldown_over",
  "first_of_bar",
  "not_quiet",
] as const;
export type TriggerGate = (typeof TRIGGER_GATES)[number];
export const GATE_DESCRIPTIONS: Readonly<Record<TriggerGate, string>> = {
  condition_known: "All that the condition asks for is known, and its symbol has bars that can be looked at",
  level_is_new: "The condition became true, and did not hold already when the rule began to look",
  not_expired: "The rule has not expired",
  cooldown_over: "The rule last fired for the symbol longer ago than its cool-down, in seconds",
  first_of_bar: "The rule has not fired in this bar, where it may once",
  not_quiet: "No quiet hours in which firings are dropped",
};

/** What a gate says of an observation, with what it compared: instants in epoch ms, durations in seconds; null for no limit. */
export interface GateVerdict {
  readonly gate: TriggerGate;
  readonly passed: boolean;
  readonly value: number | string | boolean | null;
  readonly limit: number | string | boolean | null;
}

export interface Firing {
  readonly bar: number;
  /** Number of the firing within its bar, from 0 on. */
  readonly ordinal: number;
  readonly at: number;
  /** When it is to be told; null for at once. */
  readonly dueAt: number | null;
}

export interface TriggerStep {
  readonly state: TriggerState;
  readonly firing: Firing | null;
  readonly suppressed: Suppression | null;
  /** Of a condition that has become true, and of one that holds when it is first seen; null where nothing was decided. */
  readonly gates: readonly GateVerdict[] | null;
}

/**
 * The state after an observation, and the firing that it causes. A rule fires when it is armed and its condition is true, and
 * is armed again when that is over. What is unknown changes nothing; what holds at the first observation is no edge. An
 * edge that is suppressed is gone: it does not fire late.
 */
export function stepTrigger(terms: TriggerTerms, before: TriggerState, seen: Observation): TriggerStep {
  const { phase, seenAt } = before;
  if (phase === "done" || (seenAt !== null && seen.at <= seenAt)) return quietly(before);
  const state = { ...before, seenAt: seen.at };
  if (terms.expiresAt !== null && seen.at >= terms.expiresAt) {
    const done: TriggerState = { ...state, phase: "done" };
    if (phase !== "armed" || seen.verdict !== TRUE) return quietly(done);
    return { state: done, firing: null, suppressed: "expired", gates: edgeGates(terms, state, seen) };
  }
  if (phase !== "armed") {
    const next = waiting(phase, seen);
    const isLevel = phase === "new" && next === "held";
    return { ...quietly({ ...state, phase: next }), gates: isLevel ? LEVEL_GATES : null };
  }
  if (seen.verdict !== TRUE) return quietly(state);
  return atEdge(terms, { ...state, phase: "held" }, seen);
}

const LEVEL_GATES: readonly GateVerdict[] = [
  { gate: "condition_known", passed: true, value: true, limit: true },
  { gate: "level_is_new", passed: false, value: false, limit: true },
];

/** What each gate says of an edge, also after one that refuses. */
function edgeGates(terms: TriggerTerms, before: TriggerState, seen: Observation): readonly GateVerdict[] {
  const { frequency, cooldownMs, expiresAt, quiet } = terms;
  const since = before.firedAt === null ? null : seen.at - before.firedAt;
  const inBar = before.firedBar === seen.bar ? before.firedInBar : 0;
  const inQuiet = quiet !== null && isQuiet(quiet, seen.now);
  return [
    LEVEL_GATES[0],
    { gate: "level_is_new", passed: true, value: true, limit: true },
    {
      gate: "not_expired",
      passed: expiresAt === null || seen.at < expiresAt,
      value: seen.at,
      limit: expiresAt,
    },
    {
      gate: "cooldown_over",
      passed: since === null || since >= cooldownMs,
      value: since === null ? null : since / 1_000,
      limit: cooldownMs / 1_000,
    },
    {
      gate: "first_of_bar",
      passed: frequency !== "once_per_bar" || before.firedBar !== seen.bar,
      value: inBar,
      limit: frequency === "once_per_bar" ? 0 : null,
    },
    {
      gate: "not_quiet",
      passed: !inQuiet || quiet.policy !== "drop",
      value: inQuiet,
      limit: quiet?.policy === "drop" ? false : null,
    },
  ];
}

/** The phase of what does not wait for an edge. */
function waiting(phase: "new" | "held", { verdict, rearm }: Observation): TriggerPhase {
  const over = rearm === null ? verdict === FALSE : rearm === TRUE && verdict !== TRUE;
  if (over || (phase === "new" && verdict === FALSE)) return "armed";
  return phase === "new" && verdict === UNKNOWN ? "new" : "held";
}

const SUPPRESSIONS: Readonly<Partial<Record<TriggerGate, Suppression>>> = {
  cooldown_over: "cooldown",
  first_of_bar: "bar",
  not_quiet: "quiet_hours",
};

function atEdge(terms: TriggerTerms, held: TriggerState, seen: Observation): TriggerStep {
  const { frequency } = terms;
  const { firedBar, firedInBar } = held;
  const gates = edgeGates(terms, held, seen);
  const refusal = gates.find(({ passed }) => !passed);
  if (refusal !== undefined) {
    return { state: held, firing: null, suppressed: SUPPRESSIONS[refusal.gate] ?? null, gates };
  }
  const ordinal = firedBar === seen.bar ? firedInBar : 0;
  const state: TriggerState = {
    ...held,
    phase: frequency === "once" ? "done" : "held",
    firedAt: seen.at,
    firedBar: seen.bar,
    firedInBar: ordinal + 1,
  };
  const dueAt = dueTime(terms, seen.now);
  return { state, firing: { bar: seen.bar, ordinal, at: seen.at, dueAt }, suppressed: null, gates };
}

/**
 * When a firing is told: at the next digest, without one at once; where that lies in quiet hours, when they are over. That holds
 * also where quiet hours drop firings: one that happens outside them is not dropped for the time of its digest.
 */
function dueTime({ digest, quiet }: Pick<TriggerTerms, "digest" | "quiet">, now: number): number | null {
  const due = digest === null ? now : nextClockTime(digest.zone, digest.minute, now);
  if (quiet !== null && isQuiet(quiet, due)) return quietUntil(quiet, due);
  return digest === null ? null : due;
}

const quietly = (state: TriggerState): TriggerStep => ({
  state,
  firing: null,
  suppressed: null,
  gates: null,
});
