import type { GateVerdict, TriggerGate } from "./trigger.js";

/** What was decided about a user's rule when its condition became true, held from the start, or was not known. */
export interface RuleDecision {
  readonly id: number;
  readonly symbol: string;
  readonly interval: string;
  readonly ruleId: string;
  readonly name: string;
  /** Open of the bar, epoch ms. */
  readonly barTime: number;
  readonly accepted: boolean;
  /** First gate that refused; null when accepted. */
  readonly gate: TriggerGate | null;
  readonly verdicts: readonly GateVerdict[];
  /** Epoch ms. */
  readonly decidedAt: number;
}

/** Of decisions, whatever they are about: those that are not undefined must hold. */
export interface DecisionWindow {
  readonly symbol?: string | undefined;
  readonly interval?: string | undefined;
  /** Name of the first gate that refused. */
  readonly rule?: string | undefined;
  readonly accepted?: boolean | undefined;
  /** Decided in [from, to), epoch ms. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  /** Only those with a smaller id: the next page. */
  readonly before?: number | undefined;
}

/** Decisions about the rules of one user, newest first. */
export type LoadRuleDecisions = (
  userId: string,
  filter: DecisionWindow & { readonly ruleId?: string | undefined },
  limit: number,
) => Promise<RuleDecision[]>;
