import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cashRules, marginRules } from "../../src/core/execution/account.js";
import { GTC_DAYS } from "../../src/core/execution/context.js";
import { NO_COSTS } from "../../src/core/execution/costs.js";
import { createDesk } from "../../src/core/execution/desk.js";
import type { DeskEvent, Fill } from "../../src/core/execution/events.js";
import { tradedShare } from "../../src/core/execution/instrument.js";
import { termsOf } from "../../src/core/execution/order.js";
import type { Bars } from "../../src/core/market/candles.js";
import { type TradePlan, tradeOutcome } from "../../src/core/signals/trade.js";

const BAR_MS = 60_000;

/** Prices in cents that often meet: gaps, touches and bars that hold both levels. */
const anyBars = fc
  .array(fc.tuple(fc.integer({ min: -4, max: 4 }), fc.nat(5), fc.nat(5), fc.nat(10)), {
    minLength: 12,
    maxLength: 12,
  })
  .map((steps): Bars => {
    let close = 10_000;
    const rows = steps.map(([gap, up, down, place]) => {
      const open = close + gap;
      const high = open + up;
      const low = open - down;
      close = low + Math.round(((high - low) * place) / 10);
      return [open, high, low, close];
    });
    const column = (k: number) => Float64Array.from(rows, (row) => row[k] / 100);
    return {
      time: Float64Array.from(rows, (_, i) => (i + 1) * BAR_MS),
      open: column(0),
      high: column(1),
      low: column(2),
      close: column(3),
      volume: new Float64Array(rows.length).fill(1_000),
    };
  });

const anyPlan = fc.record({
  at: fc.integer({ min: 0, max: 3 }),
  direction: fc.constantFrom(1 as const, -1 as const),
  stopCents: fc.integer({ min: 1, max: 8 }),
  targetCents: fc.integer({ min: 1, max: 8 }),
  horizon: fc.integer({ min: 1, max: 8 }),
});

/** The trade as a bracket on a desk: submitted when the bar of the signal closes. */
function onDesk(bars: Bars, { at, direction, stop, target, horizon }: TradePlan) {
  const events: DeskEvent[] = [];
  const rules = {
    account: direction > 0 ? cashRules("USD") : marginRules("USD"),
    costs: NO_COSTS,
    volumeShare: null,
    gtcDays: GTC_DAYS,
  };
  const desk = createDesk(rules, [tradedShare("AAA")], (event) => events.push(event));
  desk.transfer(100_000, 0);
  desk.mark("AAA", bars.close[at]);
  const terms = termsOf({
    id: "trade",
    symbol: "AAA",
    side: direction > 0 ? "buy" : "sell",
    type: "market",
    timeInForce: "gtc",
    quantity: 10,
    orderClass: "bracket",
    takeProfit: { limitPrice: target },
    stopLoss: { stopPrice: stop, limitPrice: null },
  });
  expect(desk.submit(terms, { at: bars.time[at] + BAR_MS, open: true })).toEqual([]);
  const fills: (Fill & { readonly order: string; readonly bar: number })[] = [];
  const last = Math.min(at + horizon, bars.time.length - 1);
  for (let i = at + 1; i <= last; i++) {
    const from = events.length;
    const facts = {
      until: bars.time[i] + BAR_MS,
      regular: true,
      first: false,
      last: false,
      range: Number.NaN,
    };
    desk.bar("AAA", bars, i, facts);
    for (const event of events.slice(from)) {
      if (event.kind === "order" && "fill" in event) {
        fills.push({ ...event.fill, order: event.orderId.replace("trade", ""), bar: i });
      }
    }
  }
  return fills;
}

describe("a bracket on the desk", () => {
  it("ends as the policy of signals says: same bar, same prices, same doubt", () => {
    const ends = new Map<string, number>();
    fc.assert(
      fc.property(anyBars, anyPlan, (bars, { at, direction, stopCents, targetCents, horizon }) => {
        const level = (cents: number) => (Math.round(bars.close[at] * 100) + direction * cents) / 100;
        const plan = {
          at,
          direction,
          horizon,
          stop: level(-stopCents),
          target: level(targetCents),
          costBps: 0,
        };
        const trade = tradeOutcome(bars, plan);
        const [entry, exit, ...others] = onDesk(bars, plan);
        expect(others).toEqual([]);
        if (trade === null) {
          expect(exit).toBeUndefined();
          return;
        }
        ends.set(trade.end, (ends.get(trade.end) ?? 0) + 1);
        expect(entry).toMatchObject({ order: "", price: trade.entry, bar: at + 1, ambiguous: false });
        if (trade.end === "time") {
          expect(exit).toBeUndefined();
          return;
        }
        expect(exit).toMatchObject({ price: trade.exit, bar: trade.exitAt, ambiguous: trade.ambiguous });
        if (trade.end !== "void") expect(exit?.order).toBe(`/${trade.end}`);
      }),
      { numRuns: 3_000 },
    );
    expect(Math.min(...["target", "stop", "time", "void"].map((end) => ends.get(end) ?? 0))).toBeGreaterThan(
      100,
    );
  });
});
