import type { Traded } from "../../core/execution/instrument.js";
import { MONEY_FROM } from "../../core/risk/limits.js";
import { type Size, type SizingMethod, sizePosition } from "../../core/risk/size.js";
import { TRADE_POLICY } from "../../core/signals/levels.js";
import { AppError } from "../../platform/errors.js";
import type { RiskSettings } from "./settings.js";

export interface SizePlan {
  readonly symbol: string | null;
  readonly method: SizingMethod;
  readonly equity: number;
  /** Percentage of the equity at risk; null for that of the settings. */
  readonly riskPercent: number | null;
  /** Null for the price now. */
  readonly entry: number | null;
  /** Null for that of the policy, of a long trade. */
  readonly stop: number | null;
  readonly range: number | null;
  readonly winRate: number | null;
  readonly payoff: number | null;
}

/** A size with the entry and the stop that it is of. */
export interface PlannedSize {
  readonly entry: number;
  readonly stop: number;
  readonly size: Size;
}

/** What is known of a symbol now. */
export interface SizeMarket {
  priceOf(symbol: string): Promise<number>;
  /** Average true range of its daily bars; null with too few. */
  rangeOf(symbol: string): Promise<number | null>;
  /** What its trading obeys; null for what is not traded here. */
  tradedOf(symbol: string): Promise<Traded | null>;
}

/** @throws {AppError} `invalid_request` where the method lacks what it needs; as the market does. */
export async function sizePlan(
  plan: SizePlan,
  allowed: RiskSettings,
  market: SizeMarket,
): Promise<PlannedSize> {
  const { symbol, method } = plan;
  const needsRange = method === "volatility" || plan.stop === null;
  const range = plan.range ?? (symbol === null || !needsRange ? null : await market.rangeOf(symbol));
  requireFor(plan, range);
  if (plan.entry === null && symbol === null) {
    throw new AppError("invalid_request", "body entry: is needed without a symbol");
  }
  const entry = plan.entry ?? (await market.priceOf(symbol ?? ""));
  const stop = plan.stop ?? stopByPolicy(entry, range);
  const size = sizePosition({
    method,
    equity: plan.equity,
    riskShare: (plan.riskPercent ?? allowed.risk_per_trade) / 100,
    entry,
    stop,
    range: range ?? undefined,
    winRate: plan.winRate ?? undefined,
    payoff: plan.payoff ?? undefined,
    caps: capsOf(allowed, plan.equity),
    traded: symbol === null ? null : await market.tradedOf(symbol),
  });
  if (size === null) throw new AppError("invalid_request", "body stop_loss: lies at the entry");
  return { entry, stop, size };
}

/** A long trade's stop, as far below its entry as the policy has it. @throws {AppError} `invalid_request`. */
function stopByPolicy(entry: number, range: number | null): number {
  const stop = range === null ? Number.NaN : entry - TRADE_POLICY.stopRanges * range;
  if (stop > 0) return stop;
  throw new AppError(
    "invalid_request",
    "body stop_loss: is needed, since no average range tells where it would lie",
  );
}

function requireFor({ method, winRate, payoff }: SizePlan, range: number | null): void {
  if (method === "volatility" && range === null) {
    throw new AppError("invalid_request", "body atr: is needed, or a symbol whose daily candles tell it");
  }
  if (method === "kelly" && (winRate === null || payoff === null)) {
    throw new AppError("invalid_request", "body: kelly needs win_rate and payoff");
  }
}

/** A position takes no more than the settings allow, and no more than there is. */
function capsOf({ max_position_size: size }: RiskSettings, equity: number) {
  const isMoney = size >= MONEY_FROM;
  return {
    positionValue: isMoney ? size : null,
    positionShare: isMoney ? null : size / 100,
    buyingPower: equity,
  };
}
