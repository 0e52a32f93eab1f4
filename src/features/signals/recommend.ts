import { quotedSpreadBps } from "../../core/market/quote.js";
import {
  type AccountFacts,
  checkOrder,
  MONEY_FROM,
  type OrderCheck,
  type Refusal,
  type RiskLimits,
  riskScoreOf,
  UNKNOWN_ACCOUNT,
  type Warning,
} from "../../core/risk/limits.js";
import { type Size, sizePosition } from "../../core/risk/size.js";
import type { Levels } from "../../core/signals/levels.js";
import type { Action, ActionReason } from "../../core/signals/signal.js";
import type { Confidence } from "../evidence/evidence.js";
import { historyOf } from "../evidence/history.js";
import { tradedIfAny } from "../instruments/traded.js";
import { evidenceOf, priceOf, type Reading } from "./reading.js";

/** Something that was compared and speaks for the action or for risk. */
export interface Factor {
  readonly code: ActionReason | Refusal | Warning | ConditionCode;
  readonly value: number | null;
  readonly limit: number | null;
}
export const CONDITIONS = [
  "volatility_high",
  "timeframes_diverge",
  "no_evidence",
  "other_direction",
  "layers_against",
] as const;
type ConditionCode = (typeof CONDITIONS)[number];

export interface Sizing {
  /** Percentage of the equity in the position, and the most that the limits allow. */
  readonly percent: number;
  readonly mostPercent: number;
  /** Null where no equity is known. */
  readonly size: Size | null;
  readonly riskPercent: number;
  /** Kelly's share of the equity, 0 while no edge is measured. */
  readonly kelly: number;
  readonly kellyMeasured: boolean;
}

export interface Recommendation {
  readonly reading: Reading;
  readonly action: Action;
  readonly reasons: readonly Factor[];
  readonly price: number;
  /** Of the direction that the layers lean to. */
  readonly levels: Levels | null;
  readonly confidence: Confidence | null;
  readonly equity: number | null;
  /** Nothing where there is no trade. */
  readonly sizing: Sizing;
  readonly check: OrderCheck | null;
  readonly factors: readonly Factor[];
  /** 0..100, counted as a pre-trade check does: by the factors, 100 where the limits refuse the trade. */
  readonly riskScore: number;
}

/** What to do with a symbol, within the limits and the account of somebody. */
export function recommend(
  reading: Reading,
  limits: RiskLimits,
  account: AccountFacts = UNKNOWN_ACCOUNT,
): Recommendation {
  const { decision, levels, leading } = reading;
  const price = priceOf(reading);
  const { equity } = account;
  const trades = decision.action === "BUY" || decision.action === "SELL";
  const planned = sizingOf(reading, limits, account, trades);
  const check =
    levels === null
      ? null
      : checkOrder(
          orderOf(reading, levels, planned),
          limits,
          marketOf(reading),
          measuredOf(reading),
          account,
          tradedIfAny(reading.main.set.instrument),
        );
  const refusals = check?.refusals ?? [];
  const refused = trades && refusals.length > 0;
  const factors = factorsOf(reading, check);
  return {
    reading,
    action: refused ? "AVOID" : decision.action,
    reasons: refused ? refusals : decision.reasons,
    price,
    levels,
    confidence: leading?.confidence ?? null,
    equity,
    sizing: refused ? { ...planned, percent: 0, size: null, riskPercent: 0 } : planned,
    check,
    factors,
    riskScore: riskScoreOf(refusals.length > 0, factors.length),
  };
}

function orderOf({ fusion }: Reading, { entry, stop, target }: Levels, { size }: Sizing) {
  const side = fusion.direction > 0 ? ("buy" as const) : ("sell" as const);
  return { side, quantity: size?.quantity ?? null, entry, stop, target };
}

const measuredOf = ({ leading }: Reading) => (leading === null ? null : historyOf(leading.confidence));

export function marketOf(reading: Reading) {
  const { main, quote } = reading;
  return {
    price: priceOf(reading),
    stale: main.set.stale || (quote.value?.stale ?? false),
    ageMs: quote.value === null ? main.set.ageMs : quote.value.ageMs,
    range: main.range,
    spreadBps: quote.value === null ? null : quotedSpreadBps(quote.value),
    slippageBps: null,
  };
}

/** Share of the equity that a position in the symbol may be at most, and that is left of it beside what is held. */
function sharesOf({ fusion }: Reading, { maxPositionSize }: RiskLimits, account: AccountFacts) {
  const { equity, symbolValue } = account;
  const isKnown = equity !== null && equity > 0;
  const share = maxPositionSize < MONEY_FROM ? maxPositionSize / 100 : isKnown ? maxPositionSize / equity : 1;
  const most = Math.min(1, share);
  const held =
    isKnown && symbolValue !== null ? symbolValue[fusion.direction > 0 ? "buy" : "sell"] / equity : 0;
  // Where nothing is left it is planned in full, and refused with what is held.
  return { most, left: held < most ? most - held : most };
}

/** @param trades whether there is a trade to be sized. */
function sizingOf(reading: Reading, limits: RiskLimits, account: AccountFacts, trades: boolean): Sizing {
  const { levels, leading } = reading;
  const { equity } = account;
  const shares = sharesOf(reading, limits, account);
  const measured = evidenceOf(leading);
  const none = {
    percent: 0,
    mostPercent: 100 * shares.most,
    size: null,
    riskPercent: 0,
    kelly: 0,
    kellyMeasured: measured !== null && levels !== null,
  };
  if (levels === null) return none;
  const { entry, stop, rewardRisk } = levels;
  // Without an equity, of a hundred: sizes are then shares alone.
  const base = equity ?? 100;
  const request = {
    equity: base,
    riskShare: limits.riskPerTrade / 100,
    entry,
    stop,
    caps: { positionValue: null, positionShare: shares.left, buyingPower: base },
    traded: equity === null ? null : tradedIfAny(reading.main.set.instrument),
  };
  const staked =
    measured === null
      ? null
      : sizePosition({ ...request, method: "kelly", winRate: measured.confidence, payoff: rewardRisk });
  const kelly = Math.max(0, staked?.kelly?.full ?? 0);
  const stakes = trades && (staked === null || kelly > 0);
  const size = stakes ? sizePosition({ ...request, method: "fixed_fraction" }) : null;
  if (size === null || base === 0) return { ...none, kelly };
  return {
    ...none,
    kelly,
    percent: (100 * size.notional) / base,
    size: equity === null ? null : size,
    riskPercent: (100 * size.riskAmount) / base,
  };
}

/** Reasons that say that there is a trade, or that nothing asks for one. */
const NEUTRAL: ReadonlySet<ActionReason> = new Set(["layers_agree", "undecided", "nothing_known"]);

/** Everything that speaks of risk. */
function factorsOf(reading: Reading, check: OrderCheck | null): Factor[] {
  const { decision, main, timeframes, leading } = reading;
  const condition = (code: ConditionCode, value: number | null = null): Factor => ({
    code,
    value,
    limit: null,
  });
  const against = decision.reasons.filter(({ code }) => !NEUTRAL.has(code));
  const known = new Set<string>(against.map(({ code }) => code));
  const factors: Factor[] = [...(check?.refusals ?? []), ...against];
  for (const warning of check?.warnings ?? []) {
    const told = warning.code === "price_stale" ? "prices_stale" : warning.code;
    if (!known.has(told)) factors.push(warning);
  }
  if (main.volatility === "high") factors.push(condition("volatility_high"));
  if (timeframes.divergence === true) factors.push(condition("timeframes_diverge"));
  if (evidenceOf(leading) === null) factors.push(condition("no_evidence", leading?.confidence.n ?? null));
  return factors;
}
