import type { z } from "zod";
import { isoTime } from "../../platform/http.js";
import type { outcomeCountsSchema, outcomeSchema } from "./schema.js";

/** What became of an alert by one policy. Prices on the scale that they had at the alert, times in epoch ms. */
export interface AlertOutcome {
  /** sltp by its stop, target and time; horizon after a number of bars. */
  readonly policy: "sltp" | "horizon";
  readonly terms: string;
  readonly ending: "target" | "stop" | "time" | "void" | "unsettled";
  /** After costs; null for one that is void or unsettled. */
  readonly outcome: "profit" | "loss" | "breakeven" | null;
  readonly reason: string | null;
  readonly entry: number | null;
  readonly exit: number | null;
  /** Opens of the bars of entry and exit. */
  readonly enteredAt: number | null;
  readonly exitedAt: number | null;
  readonly barsHeld: number | null;
  readonly costBps: number | null;
  /** After costs, as a share of the entry; the rest in units of the planned risk. */
  readonly gain: number | null;
  readonly r: number | null;
  readonly mfe: number | null;
  readonly mae: number | null;
  readonly ambiguous: boolean;
  readonly settledAt: number;
}

export interface WinsAndLosses {
  readonly wins: number;
  readonly losses: number;
  /** 0..1; null without either. */
  readonly winRate: number | null;
}

export interface OutcomeCounts {
  /** As users told of their trades. */
  readonly reported: WinsAndLosses;
  /** Alerts that were settled by their stop, target and time. */
  readonly settled: WinsAndLosses & {
    readonly breakEvens: number;
    readonly voids: number;
    readonly unsettled: number;
    /** Mean of those that were traded; null without one. */
    readonly meanR: number | null;
  };
}

/** How alerts learn what became of them. */
export interface AlertOutcomes {
  /** By policy, sltp first; empty while nothing is settled. */
  ofAlert(alertId: number): Promise<readonly AlertOutcome[]>;
  /** Of outcomes that were written since a moment. */
  counts(sinceMs: number): Promise<OutcomeCounts>;
}

const timeOf = (ms: number | null) => (ms === null ? null : isoTime(ms));

export function outcomeView(outcome: AlertOutcome): z.output<typeof outcomeSchema> {
  const { policy, terms, ending, reason, entry, exit, gain, r, mfe, mae, ambiguous } = outcome;
  return {
    policy,
    terms,
    ending,
    outcome: outcome.outcome,
    reason,
    entry,
    exit,
    entered_at: timeOf(outcome.enteredAt),
    exited_at: timeOf(outcome.exitedAt),
    bars_held: outcome.barsHeld,
    cost_bps: outcome.costBps,
    gain,
    r,
    mfe,
    mae,
    ambiguous,
    settled_at: isoTime(outcome.settledAt),
  };
}

export function outcomeCountsView({
  reported,
  settled,
}: OutcomeCounts): z.output<typeof outcomeCountsSchema> {
  const { wins, losses, winRate } = reported;
  return {
    basis: "reported",
    wins,
    losses,
    win_rate: winRate,
    settled: {
      wins: settled.wins,
      losses: settled.losses,
      break_evens: settled.breakEvens,
      voids: settled.voids,
      unsettled: settled.unsettled,
      win_rate: settled.winRate,
      mean_r: settled.meanR,
    },
  };
}
