import { isOnTick, type Traded, tickAt } from "../execution/instrument.js";
import { isOnLot } from "../execution/money.js";
import type { Direction } from "../patterns/define.js";
import { breakEvenOf } from "../signals/signal.js";

/** What a user allows. Percentages are of the equity unless they say otherwise; null where nothing is demanded. */
export interface RiskLimits {
  /** Most money in one position; below 100 it is a percentage of the equity. */
  readonly maxPositionSize: number;
  /** Most money that may be lost in a day. */
  readonly maxDailyLoss: number;
  /** Most that one trade may lose, as a percentage of the equity. */
  readonly riskPerTrade: number;
  /** Most that all open positions may lose together at their stops, as a percentage of the equity. */
  readonly maxPortfolioRisk: number;
  /** Most that the equity may be below its peak, in percent. */
  readonly maxDrawdown: number;
  readonly maxOpenPositions: number;
  readonly maxDailyTrades: number;
  /** Most positions in one symbol. */
  readonly diversification: number;
  readonly needsStop: boolean;
  readonly needsTarget: boolean;
  /** Whether size is checked against `riskPerTrade`. */
  readonly checksSize: boolean;
  /** Least measured hit rate of the pattern behind a trade, 0..1. */
  readonly confidence: number | null;
}

/** An order before it is given; prices in the currency of the account. */
export interface PlannedOrder {
  readonly side: "buy" | "sell";
  /** Units; null while they are not known. */
  readonly quantity: number | null;
  readonly entry: number;
  readonly stop: number | null;
  readonly target: number | null;
  /** Way that the pattern behind it expects; a trade the other way is none of those that were measured. */
  readonly expects?: Direction | undefined;
}

/** The market as it is known; null for what is not. */
export interface MarketFacts {
  readonly price: number;
  /** True when the price is old while its exchange trades. */
  readonly stale: boolean;
  /** Since the price was made, ms. */
  readonly ageMs: number | null;
  /** Average true range of 14 daily bars. */
  readonly range: number | null;
  readonly spreadBps: number | null;
  readonly slippageBps: number | null;
}

/** What is known of earlier trades on the pattern behind an order. */
export interface HistoryFacts {
  /** Hit rate to be expected, measured and shrunk by sample size, and the ends of the measured one's interval, 0..1. */
  readonly hitRate: number;
  readonly least: number;
  readonly most: number;
  readonly count: number;
}

/** The account as it stands; money in its currency, null for what is not known. */
export interface AccountFacts {
  readonly equity: number | null;
  readonly buyingPower: number | null;
  readonly openPositions: number | null;
  readonly positionsInSymbol: number | null;
  /** Lost since the session began, 0 or more. */
  readonly dayLoss: number | null;
  readonly dayTrades: number | null;
  /** Below its peak, in percent. */
  readonly drawdown: number | null;
  /** What the open positions lose at their stops. */
  readonly openRisk: number | null;
  /** Money in the symbol that an order of either side adds to: in what is held, and in what open orders would open. */
  readonly symbolValue: { readonly buy: number; readonly sell: number } | null;
}

export const UNKNOWN_ACCOUNT: AccountFacts = Object.freeze({
  equity: null,
  buyingPower: null,
  openPositions: null,
  positionsInSymbol: null,
  dayLoss: null,
  dayTrades: null,
  drawdown: null,
  openRisk: null,
  symbolValue: null,
});

export const REFUSALS = [
  "quantity_off_lot",
  "fraction_not_allowed",
  "price_off_tick",
  "stop_missing",
  "target_missing",
  "stop_on_wrong_side",
  "target_on_wrong_side",
  "entry_far_from_market",
  "price_too_old",
  "position_too_large",
  "risk_per_trade_exceeded",
  "confidence_too_low",
  "confidence_unknown",
  "buying_power_exceeded",
  "open_positions_exceeded",
  "positions_in_symbol_exceeded",
  "daily_loss_reached",
  "daily_trades_exceeded",
  "drawdown_reached",
  "portfolio_risk_exceeded",
] as const;
export type Refusal = (typeof REFUSALS)[number];

export const WARNINGS = [
  "reward_risk_low",
  "stop_within_noise",
  "spread_wide",
  "slippage_high",
  "history_loses",
  "pattern_against",
  "price_stale",
] as const;
export type Warning = (typeof WARNINGS)[number];

/** What was compared: a value on the wrong side of its limit. */
export interface Finding<Code extends string> {
  readonly code: Code;
  readonly value: number | null;
  readonly limit: number | null;
}

export interface OrderCheck {
  /** Reward per unit of risk; null without stop and target. */
  readonly rewardRisk: number | null;
  readonly refusals: readonly Finding<Refusal>[];
  readonly warnings: readonly Finding<Warning>[];
  readonly level: "info" | "caution" | "high_risk";
  /** Refusals that could not be looked at, because what they compare is not known. */
  readonly unchecked: readonly Refusal[];
}

const LEAST_REWARD_RISK = 1.2;
/** A stop nearer than this many average ranges is reached by a day that means nothing. */
const NOISE_RANGES = 0.8;
const SPREAD_BPS = 15;
const SLIPPAGE_BPS = 20;
const HIGH_SLIPPAGE_BPS = 35;
/** An entry further from the price than this share of it is a slip of the pen. */
const FAR_SHARE = 0.2;
/** A price older than this is none to trade by: no exchange is closed for longer. */
const PRICE_DAYS = 14;
const DAY_MS = 86_400_000;
/** A size that was made to stand at a limit may pass it by this share of it, which is rounding. */
const ROUNDING = 1e-9;
/** A position size under this is a percentage. */
export const MONEY_FROM = 100;

/**
 * Checks an order against the market, the account and what its user allows. Every finding is listed, not the first alone.
 * @param traded what the trading of the symbol obeys; null where lots and ticks are not looked at.
 */
export function checkOrder(
  order: PlannedOrder,
  limits: RiskLimits,
  market: MarketFacts,
  history: HistoryFacts | null,
  account: AccountFacts,
  traded: Traded | null = null,
): OrderCheck {
  const refusals: Finding<Refusal>[] = traded === null ? [] : stepsBroken(order, traded);
  const warnings: Finding<Warning>[] = [];
  const unchecked: Refusal[] = [];
  const rewardRisk = checkPrices(order, limits, market, refusals, warnings);
  checkMarket(market, { refusals, warnings, unchecked });
  const isAgainst = order.expects === -wayOf(order);
  if (isAgainst) warnings.push({ code: "pattern_against", value: null, limit: null });
  checkHistory(limits, isAgainst ? null : history, rewardRisk, { refusals, warnings });
  for (const rule of accountRules(order, limits, account)) {
    if (rule.value === null || rule.limit === null) unchecked.push(rule.code);
    else if (isBroken(rule)) refusals.push(findingOf(rule));
  }
  return { rewardRisk, refusals, warnings, level: levelOf(refusals, warnings, unchecked), unchecked };
}

const wayOf = ({ side }: PlannedOrder) => (side === "buy" ? 1 : -1);

/**
 * What no desk takes: quantities between lots, fractions that wait for a stop or a target, stops and targets between
 * ticks. The entry is no price that is given where it is the market's.
 */
function stepsBroken({ quantity, stop, target }: PlannedOrder, traded: Traded): Finding<Refusal>[] {
  const broken: Finding<Refusal>[] = [];
  const { lot, fractions } = traded;
  if (quantity !== null && !isOnLot(quantity, lot)) {
    broken.push({ code: "quantity_off_lot", value: quantity, limit: lot });
  } else if (quantity !== null && !Number.isInteger(quantity) && fractions !== "free") {
    if (fractions === "none" || stop !== null || target !== null) {
      broken.push({ code: "fraction_not_allowed", value: quantity, limit: 1 });
    }
  }
  for (const price of [stop, target]) {
    if (price === null || !(price > 0) || isOnTick(price, traded)) continue;
    broken.push({ code: "price_off_tick", value: price, limit: tickAt(traded, price) });
  }
  return broken;
}

/** A value that may not pass its limit, or not even reach it. */
interface AccountRule extends Finding<Refusal> {
  readonly reached: boolean;
}

function isBroken({ value, limit, reached }: AccountRule): boolean {
  if (value === null || limit === null) return false;
  return reached ? value >= limit : value > limit * (1 + ROUNDING);
}

const findingOf = ({ code, value, limit }: AccountRule): Finding<Refusal> => ({ code, value, limit });

/** What an account's owner allows no order to pass, whether or not it was checked before. */
export const ENFORCED_LIMITS = [
  "position_too_large",
  "open_positions_exceeded",
  "positions_in_symbol_exceeded",
  "daily_trades_exceeded",
  "daily_loss_reached",
  "drawdown_reached",
] as const satisfies readonly Refusal[];
export type EnforcedLimit = (typeof ENFORCED_LIMITS)[number];

/** The limits that an order which opens something breaks. */
export function limitsBroken(
  order: PlannedOrder,
  limits: RiskLimits,
  account: AccountFacts,
): Finding<EnforcedLimit>[] {
  return accountRules(order, limits, account).flatMap((rule) => {
    const code = ENFORCED_LIMITS.find((each) => each === rule.code);
    return code === undefined || !isBroken(rule) ? [] : [{ ...findingOf(rule), code }];
  });
}

function accountRules(order: PlannedOrder, limits: RiskLimits, account: AccountFacts): AccountRule[] {
  const { quantity, entry, stop } = order;
  const { equity, openRisk } = account;
  const share = (percent: number) => (equity === null ? null : (percent / 100) * equity);
  const { maxPositionSize: size } = limits;
  const held = account.symbolValue?.[order.side] ?? 0;
  const value = quantity === null ? null : quantity * entry;
  const risk = stop === null || quantity === null ? null : quantity * Math.abs(entry - stop);
  const together = risk === null || openRisk === null ? null : openRisk + risk;
  const one = (count: number | null) => (count === null ? null : count + 1);
  const most = (code: Refusal, found: number | null, limit: number | null) => ({
    code,
    value: found,
    limit,
    reached: false,
  });
  return [
    most("position_too_large", value === null ? null : value + held, size >= MONEY_FROM ? size : share(size)),
    ...(limits.checksSize ? [most("risk_per_trade_exceeded", risk, share(limits.riskPerTrade))] : []),
    most("buying_power_exceeded", value, account.buyingPower),
    most("open_positions_exceeded", one(account.openPositions), limits.maxOpenPositions),
    most("positions_in_symbol_exceeded", one(account.positionsInSymbol), limits.diversification),
    most("daily_trades_exceeded", one(account.dayTrades), limits.maxDailyTrades),
    most("portfolio_risk_exceeded", together, share(limits.maxPortfolioRisk)),
    { ...most("daily_loss_reached", account.dayLoss, limits.maxDailyLoss), reached: true },
    { ...most("drawdown_reached", account.drawdown, limits.maxDrawdown), reached: true },
  ];
}

function checkPrices(
  { side, entry, stop, target }: PlannedOrder,
  { needsStop, needsTarget }: RiskLimits,
  { price, range }: MarketFacts,
  refusals: Finding<Refusal>[],
  warnings: Finding<Warning>[],
): number | null {
  const up = side === "buy" ? 1 : -1;
  if (stop === null && needsStop) refusals.push({ code: "stop_missing", value: null, limit: null });
  if (target === null && needsTarget) refusals.push({ code: "target_missing", value: null, limit: null });
  const risk = stop === null ? Number.NaN : up * (entry - stop);
  const reward = target === null ? Number.NaN : up * (target - entry);
  if (risk <= 0) refusals.push({ code: "stop_on_wrong_side", value: stop, limit: entry });
  if (reward <= 0) refusals.push({ code: "target_on_wrong_side", value: target, limit: entry });
  const far = Math.abs(entry / price - 1);
  if (far > FAR_SHARE) refusals.push({ code: "entry_far_from_market", value: far, limit: FAR_SHARE });
  if (risk > 0 && range !== null && risk < NOISE_RANGES * range) {
    warnings.push({ code: "stop_within_noise", value: risk, limit: NOISE_RANGES * range });
  }
  if (!(risk > 0 && reward > 0)) return null;
  const ratio = reward / risk;
  if (ratio < LEAST_REWARD_RISK) {
    warnings.push({ code: "reward_risk_low", value: ratio, limit: LEAST_REWARD_RISK });
  }
  return ratio;
}

function checkMarket(
  { stale, ageMs, spreadBps, slippageBps }: MarketFacts,
  found: { refusals: Finding<Refusal>[]; warnings: Finding<Warning>[]; unchecked: Refusal[] },
): void {
  const { refusals, warnings, unchecked } = found;
  if (ageMs === null) unchecked.push("price_too_old");
  else if (ageMs > PRICE_DAYS * DAY_MS) {
    refusals.push({ code: "price_too_old", value: ageMs / DAY_MS, limit: PRICE_DAYS });
  }
  if (stale) warnings.push({ code: "price_stale", value: null, limit: null });
  if (spreadBps !== null && spreadBps > SPREAD_BPS) {
    warnings.push({ code: "spread_wide", value: spreadBps, limit: SPREAD_BPS });
  }
  if (slippageBps !== null && slippageBps > SLIPPAGE_BPS) {
    warnings.push({ code: "slippage_high", value: slippageBps, limit: SLIPPAGE_BPS });
  }
}

/** A history loses when even the upper end of its hit rate is below what the reward needs to break even. */
function checkHistory(
  { confidence }: RiskLimits,
  history: HistoryFacts | null,
  rewardRisk: number | null,
  { refusals, warnings }: { refusals: Finding<Refusal>[]; warnings: Finding<Warning>[] },
): void {
  if (history === null) {
    // A demand that nothing measured can meet is not met.
    if (confidence !== null) refusals.push({ code: "confidence_unknown", value: null, limit: confidence });
    return;
  }
  if (confidence !== null && history.hitRate < confidence) {
    refusals.push({ code: "confidence_too_low", value: history.hitRate, limit: confidence });
  }
  if (rewardRisk === null) return;
  const breakEven = breakEvenOf(rewardRisk);
  if (history.most < breakEven) {
    warnings.push({ code: "history_loses", value: history.most, limit: breakEven });
  }
}

function levelOf(
  refusals: readonly Finding<Refusal>[],
  warnings: readonly Finding<Warning>[],
  unchecked: readonly Refusal[],
): OrderCheck["level"] {
  const grave = warnings.some(
    ({ code, value }) =>
      code === "history_loses" ||
      code === "pattern_against" ||
      (code === "slippage_high" && (value ?? 0) > HIGH_SLIPPAGE_BPS),
  );
  if (refusals.length > 0 || grave) return "high_risk";
  return warnings.length > 0 || unchecked.length > 0 ? "caution" : "info";
}

/** From 10, nothing speaks against it, by 15 for each warning to 90; 100 for an order that is refused. */
export function riskScore({ refusals, warnings }: OrderCheck): number {
  return riskScoreOf(refusals.length > 0, warnings.length);
}

export function riskScoreOf(refused: boolean, concerns: number): number {
  return refused ? 100 : Math.min(90, 10 + 15 * concerns);
}
