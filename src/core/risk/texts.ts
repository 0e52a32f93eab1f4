import type { Refusal, Warning } from "./limits.js";

/** What a refusal of an order says. */
export const REFUSAL_TEXTS: Readonly<Record<Refusal, string>> = {
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

/** What a warning about one says. */
export const WARNING_TEXTS: Readonly<Record<Warning, string>> = {
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
