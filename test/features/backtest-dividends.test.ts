import { describe, expect, it } from "vitest";
import { type BacktestRules, type Happening, PLAIN_RULES, SIZINGS } from "../../src/core/backtest/rules.js";
import { runBacktest } from "../../src/core/backtest/run.js";
import { createRng } from "../../src/core/base/rng.js";
import type { CorporateAction } from "../../src/core/market/actions.js";
import { startOfDay } from "../../src/core/market/adjust.js";
import type { Candles } from "../../src/core/market/candles.js";
import { calendarOf, sessionsBetween } from "../../src/core/market/session.js";
import { STRATEGIES } from "../../src/core/strategies/index.js";
import { dividendsOf } from "../../src/features/backtests/corporate-actions.js";
import type { CandleSet } from "../../src/features/candles/candles.js";
import { wanderingCandles } from "../fixtures/market-walks.js";

const calendar = calendarOf("XNYS");
const SESSIONS = sessionsBetween(calendar, Date.parse("2018-01-01"), Date.parse("2020-12-01"));
const dayOf = (i: number) => Math.floor(SESSIONS[i].open / 86_400_000);
const ALL: BacktestRules = { ...PLAIN_RULES, sizing: SIZINGS.fractional, calendar };

function setOf(candles: Candles, actions: readonly CorporateAction[], basis: string): CandleSet {
  const effects = actions.map((action) => ({ action, effect: "applied", reason: null }));
  const instrument = { symbol: "AAA", currency: "USD", calendar: "XNYS" };
  const adjustment = { view: "split", basis, effects, source: "test", trouble: null };
  return { candles, instrument, adjustment } as unknown as CandleSet;
}

const known = (actions: readonly CorporateAction[]) => ({
  actions,
  source: "test",
  known: true,
  trouble: null,
  notes: [],
});
const EVER = { fromMs: 0, toMs: Number.POSITIVE_INFINITY };

describe("dividends of bars that are adjusted for splits", () => {
  it("come to what shares as they traded come to, through splits and dividends at random", () => {
    const rows = STRATEGIES.filter(({ id }) => ["donchian_breakout", "bollinger_reversal"].includes(id));
    let paid = 0;
    for (let seed = 0; seed < 12; seed++) {
      const rng = createRng(seed, 8);
      const adjusted = {
        ...wanderingCandles("AAA", "1d", SESSIONS.length, seed),
        time: Float64Array.from(SESSIONS, ({ open }) => open),
      };
      const splitAt = [150 + rng.below(100), 400 + rng.below(100)];
      const ratios = [2, 0.5 + rng.below(6)];
      const actions: CorporateAction[] = splitAt.map((i, k) => ({
        kind: "split",
        exDay: dayOf(i),
        ratio: ratios[k],
      }));
      const times = adjusted.time.map((_, i) =>
        splitAt.reduce((by, at, k) => (i < at ? by * ratios[k] : by), 1),
      );
      for (let i = 40; i < SESSIONS.length; i += 30 + rng.below(40))
        actions.push({
          kind: "dividend",
          exDay: dayOf(i),
          amount: times[i] * (0.2 + rng.below(100) / 100),
          currency: "USD",
        });
      const traded: Candles = {
        ...adjusted,
        open: adjusted.open.map((each, i) => each * times[i]),
        high: adjusted.high.map((each, i) => each * times[i]),
        low: adjusted.low.map((each, i) => each * times[i]),
        close: adjusted.close.map((each, i) => each * times[i]),
      };
      const asTraded = actions
        .map((action): Happening => {
          if (action.kind === "split")
            return { at: startOfDay(calendar, action.exDay), kind: "split", ratio: action.ratio };
          return {
            at: adjusted.time[SESSIONS.findIndex((_, i) => dayOf(i) === action.exDay)],
            kind: "dividend",
            amount: action.amount,
          };
        })
        .sort((a, b) => a.at - b.at);
      const { happenings, notes } = dividendsOf(setOf(adjusted, actions, "none"), known(actions), EVER);
      expect(notes).toHaveLength(1);
      for (const row of rows) {
        const raw = runBacktest(row, [{ candles: traded, seen: adjusted, happenings: asTraded }], {}, ALL);
        const whole = runBacktest(row, [{ candles: adjusted, happenings }], {}, ALL);
        expect(whole.trades.length).toBe(raw.trades.length);
        // Units are cut to a millionth and prices to as much, of shares that differ.
        expect(whole.bounds.equity / raw.bounds.equity).toBeCloseTo(1, 5);
        paid += whole.trades.reduce((sum, { dividends }) => sum + dividends, 0);
        expect(whole.bounds.equity).not.toBe(
          runBacktest(row, [{ candles: adjusted }], {}, ALL).bounds.equity,
        );
      }
    }
    expect(paid).toBeGreaterThan(0);
  });

  it("are not paid where prices have them, where nobody knows of them, and in another currency", () => {
    const candles = wanderingCandles("AAA", "1d", 300, 1);
    const action: CorporateAction = { kind: "dividend", exDay: 100, amount: 1, currency: "USD" };
    const rupees: CorporateAction = { ...action, currency: "INR" };
    const told = known([action]);
    expect(dividendsOf(setOf(candles, [], "none"), told, EVER).happenings).toHaveLength(1);
    expect(dividendsOf(setOf(candles, [], "all"), told, EVER)).toEqual({
      happenings: [],
      notes: ["AAA: prices have dividends in them already, and none are paid beside them"],
    });
    expect(dividendsOf(setOf(candles, [], "unknown"), told, EVER)).toMatchObject({ happenings: [] });
    const unknown = { ...told, known: false, trouble: "no source for corporate actions" };
    expect(dividendsOf(setOf(candles, [], "none"), unknown, EVER)).toEqual({
      happenings: [],
      notes: ["AAA: dividends are not known (no source for corporate actions), and none are paid"],
    });
    expect(dividendsOf(setOf(candles, [], "none"), known([rupees]), EVER)).toEqual({
      happenings: [],
      notes: ["AAA: dividends in INR are not paid"],
    });
  });
});
