import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { tradedShare } from "../../src/core/execution/instrument.js";
import {
  type AccountFacts,
  checkOrder,
  type HistoryFacts,
  type MarketFacts,
  type PlannedOrder,
  REFUSALS,
  type Refusal,
  type RiskLimits,
  riskScore,
  UNKNOWN_ACCOUNT,
  WARNINGS,
  type Warning,
} from "../../src/core/risk/limits.js";
import { type SizingRequest, sizePosition } from "../../src/core/risk/size.js";

const order: PlannedOrder = { side: "buy", quantity: 10, entry: 100, stop: 95, target: 110 };
const limits: RiskLimits = {
  maxPositionSize: 10_000,
  maxDailyLoss: 500,
  riskPerTrade: 1,
  maxPortfolioRisk: 6,
  maxDrawdown: 20,
  maxOpenPositions: 5,
  maxDailyTrades: 20,
  diversification: 3,
  needsStop: true,
  needsTarget: true,
  checksSize: true,
  confidence: 0.3,
};
const market: MarketFacts = { price: 100, stale: false, ageMs: 0, range: 2, spreadBps: 5, slippageBps: 3 };
const history: HistoryFacts = { hitRate: 0.45, least: 0.4, most: 0.5, count: 400 };
const account: AccountFacts = {
  equity: 10_000,
  buyingPower: 10_000,
  openPositions: 0,
  positionsInSymbol: 0,
  dayLoss: 0,
  dayTrades: 0,
  drawdown: 0,
  openRisk: 0,
  symbolValue: null,
};

interface Change {
  readonly order?: Partial<PlannedOrder>;
  readonly limits?: Partial<RiskLimits>;
  readonly market?: Partial<MarketFacts>;
  readonly history?: Partial<HistoryFacts> | null;
  readonly account?: Partial<AccountFacts>;
}

const check = (change: Change = {}) =>
  checkOrder(
    { ...order, ...change.order },
    { ...limits, ...change.limits },
    { ...market, ...change.market },
    change.history === null ? null : { ...history, ...change.history },
    { ...account, ...change.account },
    tradedShare("ACME"),
  );

const refused: Record<Refusal, [Change, value: number | null, limit: number | null]> = {
  quantity_off_lot: [{ order: { quantity: 9.00000000000001 } }, 9.00000000000001, 1e-9],
  fraction_not_allowed: [{ order: { quantity: 9.5 } }, 9.5, 1],
  price_off_tick: [{ order: { stop: 95.001 } }, 95.001, 0.01],
  stop_missing: [{ order: { stop: null } }, null, null],
  target_missing: [{ order: { target: null } }, null, null],
  stop_on_wrong_side: [{ order: { stop: 100 } }, 100, 100],
  target_on_wrong_side: [{ order: { target: 99 } }, 99, 100],
  price_too_old: [{ market: { ageMs: 365 * 86_400_000 } }, 365, 14],
  entry_far_from_market: [{ market: { price: 80 } }, 0.25, 0.2],
  position_too_large: [{ limits: { maxPositionSize: 999 } }, 1_000, 999],
  risk_per_trade_exceeded: [{ limits: { riskPerTrade: 0.4 } }, 50, 40],
  confidence_too_low: [{ limits: { confidence: 0.5 } }, 0.45, 0.5],
  confidence_unknown: [{ history: null }, null, 0.3],
  buying_power_exceeded: [{ account: { buyingPower: 999 } }, 1_000, 999],
  open_positions_exceeded: [{ account: { openPositions: 5 } }, 6, 5],
  positions_in_symbol_exceeded: [{ account: { positionsInSymbol: 3 } }, 4, 3],
  daily_loss_reached: [{ account: { dayLoss: 500 } }, 500, 500],
  daily_trades_exceeded: [{ account: { dayTrades: 20 } }, 21, 20],
  drawdown_reached: [{ account: { drawdown: 20 } }, 20, 20],
  portfolio_risk_exceeded: [{ account: { openRisk: 551 } }, 601, 600],
};

const warned: Record<Warning, [Change, level: "caution" | "high_risk"]> = {
  reward_risk_low: [{ order: { target: 105.9 } }, "caution"],
  stop_within_noise: [{ market: { range: 6.5 } }, "caution"],
  spread_wide: [{ market: { spreadBps: 15.1 } }, "caution"],
  slippage_high: [{ market: { slippageBps: 20.1 } }, "caution"],
  history_loses: [{ history: { most: 0.333 } }, "high_risk"],
  pattern_against: [{ order: { expects: -1 }, limits: { confidence: null } }, "high_risk"],
  price_stale: [{ market: { stale: true } }, "caution"],
};

describe("an order within every limit", () => {
  it("is refused nothing and warned of nothing", () => {
    const found = check();
    expect(found).toEqual({ rewardRisk: 2, refusals: [], warnings: [], level: "info", unchecked: [] });
    expect(riskScore(found)).toBe(10);
  });

  it("stands at each limit that may be reached", () => {
    const at: Change = {
      limits: { maxPositionSize: 1_000, riskPerTrade: 0.5, confidence: 0.45 },
      account: { buyingPower: 1_000, openPositions: 4, positionsInSymbol: 2, dayTrades: 19, openRisk: 550 },
    };
    expect(check(at).refusals).toEqual([]);
    const below: Change = { account: { dayLoss: 499.99, drawdown: 19.99 } };
    expect(check(below).refusals).toEqual([]);
  });
});

describe("each refusal", () => {
  it.each(REFUSALS)("%s is given, alone and with what was compared", (code) => {
    const [change, value, limit] = refused[code];
    const found = check(change);
    expect(found.refusals).toEqual([{ code, value, limit }]);
    expect(found.level).toBe("high_risk");
    expect(riskScore(found)).toBe(100);
  });

  it("is given on the other side alike", () => {
    const short: Partial<PlannedOrder> = { side: "sell", stop: 105, target: 90 };
    expect(check({ order: short }).refusals).toEqual([]);
    expect(check({ order: { ...short, stop: 99 } }).refusals.map(({ code }) => code)).toEqual([
      "stop_on_wrong_side",
    ]);
    expect(check({ order: { ...short, target: 101 } }).refusals.map(({ code }) => code)).toEqual([
      "target_on_wrong_side",
    ]);
  });

  it("is left open, by name, where what it compares is not known", () => {
    const found = checkOrder(order, limits, market, history, UNKNOWN_ACCOUNT);
    expect(found.refusals).toEqual([]);
    expect([...found.unchecked].sort()).toEqual(
      REFUSALS.filter(
        (code) => !/_off_|fraction|stop_|target_|far|too_large|too_old|confidence/.test(code),
      ).sort(),
    );
    expect(found.level).toBe("caution");
    expect(check({ market: { ageMs: null } })).toMatchObject({
      level: "caution",
      unchecked: ["price_too_old"],
    });
    const shares = { ...limits, maxPositionSize: 99 };
    expect(checkOrder(order, shares, market, null, UNKNOWN_ACCOUNT).unchecked).toContain(
      "position_too_large",
    );
    expect(check({ limits: { maxPositionSize: 5 } }).refusals).toEqual([
      { code: "position_too_large", value: 1_000, limit: 500 },
    ]);
  });

  it("is left open for a size that is not known", () => {
    const found = check({ order: { quantity: null } });
    expect(found.refusals).toEqual([]);
    expect(found.unchecked).toEqual([
      "position_too_large",
      "risk_per_trade_exceeded",
      "buying_power_exceeded",
      "portfolio_risk_exceeded",
    ]);
  });

  it("is not given for what the settings do not demand", () => {
    const lax: Partial<RiskLimits> = {
      needsStop: false,
      needsTarget: false,
      checksSize: false,
      confidence: null,
    };
    const found = check({ limits: { ...lax, riskPerTrade: 0.01 }, order: { stop: null, target: null } });
    expect(found.refusals).toEqual([]);
    expect(found.rewardRisk).toBeNull();
    expect(found.unchecked).toEqual(["portfolio_risk_exceeded"]);
  });
});

describe("each warning", () => {
  it.each(WARNINGS)("%s is given, alone", (code) => {
    const [change, level] = warned[code];
    const found = check(change);
    expect(found.refusals).toEqual([]);
    expect(found.warnings.map((warning) => warning.code)).toEqual([code]);
    expect(found.level).toBe(level);
  });

  it("and what was measured of a pattern that expects the other way is not its history", () => {
    expect(check({ order: { expects: 1 } }).refusals).toEqual([]);
    expect(check({ order: { expects: 0 } }).warnings).toEqual([]);
    expect(check({ order: { expects: -1 } }).refusals.map(({ code }) => code)).toEqual([
      "confidence_unknown",
    ]);
  });

  it("is graver for slippage beyond 35 basis points", () => {
    expect(check({ market: { slippageBps: 35 } }).level).toBe("caution");
    expect(check({ market: { slippageBps: 35.1 } }).level).toBe("high_risk");
  });
});

describe("sizes", () => {
  const request: SizingRequest = {
    method: "fixed_fraction",
    equity: 10_000,
    riskShare: 0.02,
    entry: 100,
    stop: 95,
    caps: { positionValue: null, positionShare: null, buyingPower: null },
  };

  it("lose the share of the equity at the stop", () => {
    expect(sizePosition(request)).toEqual({
      method: "fixed_fraction",
      uncapped: 40,
      quantity: 40,
      notional: 4_000,
      riskAmount: 200,
      stopDistance: 5,
      kelly: null,
      caps: [],
    });
    expect(sizePosition({ ...request, stop: 100 })).toBeNull();
  });

  it("by volatility lose it in two average ranges, or at a stop beyond them", () => {
    expect(sizePosition({ ...request, method: "volatility", range: 5 })).toMatchObject({
      quantity: 20,
      stopDistance: 10,
      riskAmount: 100,
    });
    expect(sizePosition({ ...request, method: "volatility", range: 1 })).toMatchObject({ quantity: 40 });
  });

  it("by Kelly stake a quarter of p - (1 - p) / b, nothing on odds that lose, and no more than the share", () => {
    const kelly = (winRate: number, payoff: number) =>
      sizePosition({ ...request, method: "kelly", winRate, payoff });
    expect(kelly(0.5, 1.2)?.kelly?.full).toBeCloseTo(0.5 - 0.5 / 1.2, 12);
    expect(kelly(0.5, 1.1)?.kelly?.used).toBeCloseTo((0.5 - 0.5 / 1.1) / 4, 12);
    expect(kelly(0.4, 1)).toMatchObject({ quantity: 0, kelly: { used: 0 } });
    expect(kelly(0.9, 3)?.kelly?.used).toBe(0.02);
  });

  it("never pass a cap, and say which binds", () => {
    const caps = { positionValue: 3_000, positionShare: 0.35, buyingPower: 50_000 };
    expect(sizePosition({ ...request, caps })).toMatchObject({
      uncapped: 40,
      quantity: 30,
      caps: [
        { name: "position_value", quantity: 30, binding: true },
        { name: "position_share", quantity: 35, binding: false },
        { name: "buying_power", quantity: 500, binding: false },
      ],
    });
    const amount = fc.double({ min: 1, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(
        amount,
        amount,
        amount,
        amount,
        fc.double({ min: 0.001, max: 1, noNaN: true }),
        (...given) => {
          const [equity, entry, stop, positionValue, positionShare] = given;
          fc.pre(entry !== stop);
          const size = sizePosition({
            ...request,
            ...{ equity, entry, stop },
            caps: { positionValue, positionShare, buyingPower: equity },
          });
          const most = Math.min(positionValue, positionShare * equity, equity);
          expect(size?.notional ?? 0).toBeLessThanOrEqual(most * (1 + 1e-9));
          expect(size?.riskAmount ?? 0).toBeLessThanOrEqual(0.02 * equity * (1 + 1e-9));
        },
      ),
    );
  });
});
