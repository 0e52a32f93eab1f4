import type { z } from "zod";
import { spoken } from "../../core/base/words.js";
import type { Finding, OrderCheck } from "../../core/risk/limits.js";
import { riskScore } from "../../core/risk/limits.js";
import type { Size } from "../../core/risk/size.js";
import { REFUSAL_TEXTS, WARNING_TEXTS } from "../../core/risk/texts.js";
import { eastAfricaTime, isoTime } from "../../platform/http.js";
import type { PreTradeCheck } from "./risk.js";
import type { checkSchema, sizeSchema } from "./schema.js";

function findings<Code extends string>(
  list: readonly Finding<Code>[],
  texts: Readonly<Record<Code, string>>,
) {
  return list.map(({ code, value, limit }) => ({ code, message: texts[code], value, limit }));
}

export function checkView(found: PreTradeCheck, nowMs: number): z.input<typeof checkSchema> {
  const { quote, order, stopFrom, range, costs, history, check, confirmation } = found;
  return {
    symbol: order.symbol,
    side: order.side,
    current_price: quote.price,
    entry: order.entry,
    stop_loss: order.stop,
    stop_loss_from: stopFrom,
    take_profit: order.target,
    quantity: order.quantity,
    atr: range,
    rr: check.rewardRisk,
    spread_estimate_bps: costs.spreadBps,
    spread_from: costs.spreadFrom,
    slippage_estimate_bps: costs.slippageBps,
    historical: historyView(history),
    ...verdictView(check),
    risk_confirmation_token: confirmation?.token ?? null,
    token_expires_at: confirmation === null ? null : isoTime(confirmation.expiresAt),
    source: quote.source,
    stale: quote.stale,
    synthetic: quote.synthetic,
    timestamp: isoTime(nowMs),
    timestamp_eat: eastAfricaTime(nowMs),
  };
}

function historyView(history: PreTradeCheck["history"]) {
  return {
    failure_rate: history === null ? null : 1 - history.hitRate,
    sample_size: history?.count ?? null,
    avg_win_pnl: null,
    avg_loss_pnl: null,
    median_hold_time_days: null,
    reason:
      history === null
        ? "no pattern was named, or too few cases of it are known"
        : "gains, losses and times are known once trades have been closed on it",
  };
}

/** The verdict in words, with what was not looked at. */
function summaryOf({ refusals, unchecked }: OrderCheck): string {
  const verdict =
    refusals.length === 0
      ? "Nothing that was looked at refuses it"
      : `Refused: ${refusals.map(({ code }) => REFUSAL_TEXTS[code]).join("; ")}`;
  if (unchecked.length === 0) return `${verdict}.`;
  const rules = unchecked.map(spoken).join(", ");
  return `${verdict}. Not looked at, for what they compare is not known: ${rules}.`;
}

function verdictView(check: OrderCheck) {
  const approved = check.refusals.length === 0;
  const complete = check.unchecked.length === 0;
  return {
    approved,
    complete,
    verdict: !approved
      ? ("refused" as const)
      : complete
        ? ("approved" as const)
        : ("approved_in_part" as const),
    summary: summaryOf(check),
    refusals: findings(check.refusals, REFUSAL_TEXTS),
    warnings: findings(check.warnings, WARNING_TEXTS),
    unchecked: [...check.unchecked],
    recommendation_level: check.level,
    risk_score: riskScore(check),
  };
}

export function sizeView(size: Size): Omit<z.input<typeof sizeSchema>, "entry" | "stop_loss"> {
  return {
    quantity: size.quantity,
    uncapped_quantity: size.uncapped,
    notional: size.notional,
    risk_amount: size.riskAmount,
    stop_distance: size.stopDistance,
    method: size.method,
    caps: size.caps.map((cap) => ({ ...cap })),
    kelly: size.kelly,
  };
}
