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
    const missed = phase === "armed" && seen.verdict === TRUE ? "expired" : null;
    return { state: { ...state, phase: "done" }, firing: null, suppressed: missed };
  }
  if (phase !== "armed") return quietly({ ...state, phase: waiting(phase, seen) });
  if (seen.verdict !== TRUE) return quietly(state);
  return atEdge(terms, { ...state, phase: "held" }, seen);
}

/** The phase of what does not wait for an edge. */
function waiting(phase: "new" | "held", { verdict, rearm }: Observation): TriggerPhase {
  const over = rearm === null ? verdict === FALSE : rearm === TRUE && verdict !== TRUE;
  if (over || (phase === "new" && verdict === FALSE)) return "armed";
  return phase === "new" && verdict === UNKNOWN ? "new" : "held";
}

function atEdge(terms: TriggerTerms, held: TriggerState, seen: Observation): TriggerStep {
  const { frequency, cooldownMs, quiet, digest } = terms;
  const { firedAt, firedBar, firedInBar } = held;
  const suppress = (suppressed: Suppression): TriggerStep => ({ state: held, firing: null, suppressed });
  if (firedAt !== null && seen.at - firedAt < cooldownMs) return suppress("cooldown");
  if (frequency === "once_per_bar" && firedBar === seen.bar) return suppress("bar");
  const inQuiet = quiet !== null && isQuiet(quiet, seen.now);
  if (inQuiet && quiet.policy === "drop") return suppress("quiet_hours");
  const ordinal = firedBar === seen.bar ? firedInBar : 0;
  const state: TriggerState = {
    ...held,
    phase: frequency === "once" ? "done" : "held",
    firedAt: seen.at,
    firedBar: seen.bar,
    firedInBar: ordinal + 1,
  };
  const dueAt = dueTime(digest, inQuiet ? quiet : null, seen.now);
  return { state, firing: { bar: seen.bar, ordinal, at: seen.at, dueAt }, suppressed: null };
}

/** The next digest; without one the end of the quiet hours. */
function dueTime(digest: TriggerTerms["digest"], quiet: QuietHours | null, now: number): number | null {
  if (digest !== null) return nextClockTime(digest.zone, digest.minute, now);
  return quiet === null ? null : quietUntil(quiet, now);
}

const quietly = (state: TriggerState): TriggerStep => ({ state, firing: null, suppressed: null });
