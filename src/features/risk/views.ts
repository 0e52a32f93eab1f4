import type { z } from "zod";
import { spoken } from "../../core/base/words.js";
import type { Finding, OrderCheck, Refusal, Warning } from "../../core/risk/limits.js";
import { riskScore } from "../../core/risk/limits.js";
import type { Size } from "../../core/risk/size.js";
import { eastAfricaTime, isoTime } from "../../platform/http.js";
import type { PreTradeCheck } from "./risk.js";
import type { checkSchema, sizeSchema } from "./schema.js";

const REFUSAL_TEXTS: Readonly<Record<Refusal, string>> = {
  quantity_off_lot: "The quantity is no multiple of the lot",
  fraction_not_allowed: "A fraction of a unit cannot be traded with a stop or a target",
  price_off_tick: "A price is no multiple of the tick",
  stop_missing: "The settings demand a stop",
  target_missing: "The settings demand a target",
  stop_on_wrong_side: "The stop is not on the losing side of the entry",
  target_on_wrong_side: "The target is not on the winning side of the entry",
  entry_far_from_market: "The entry is far from the price",
  price_too_old: "The price is older in days than one may be that is traded by",
  position_too_large: "The position is larger than the settings allow",
  risk_per_trade_exceeded: "The trade may lose more than the settings allow",
  confidence_too_low: "The pattern's measured hit rate is below what the settings demand",
  confidence_unknown:
    "The settings demand a measured hit rate, and none is known of a pattern behind the order",
  buying_power_exceeded: "The account cannot pay for the position",
  open_positions_exceeded: "Too many positions are open",
  positions_in_symbol_exceeded: "Too many positions are open in the symbol",
  daily_loss_reached: "The loss of the day has reached its limit",
  daily_trades_exceeded: "Too many trades were made today",
  drawdown_reached: "The equity is as far below its peak as the settings allow",
  portfolio_risk_exceeded: "Open positions and this one may lose more than the settings allow",
};
const WARNING_TEXTS: Readonly<Record<Warning, string>> = {
  reward_risk_low: "The reward is small for the risk",
  stop_within_noise: "The stop is nearer than an ordinary day's range",
  spread_wide: "The spread is wide",
  slippage_high: "The expected slippage is high",
  history_loses:
    "Even at the upper end of its measured hit rate the pattern wins less often than this reward needs to break even",
  pattern_against:
    "The pattern expects the other direction: what was measured of it says nothing of this order",
  price_stale: "The price is old",
};

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
