import { expect, it } from "vitest";
import { cashRules } from "../../src/core/execution/account.js";
import { GTC_DAYS } from "../../src/core/execution/context.js";
import { NO_COSTS } from "../../src/core/execution/costs.js";
import { termsOf } from "../../src/core/execution/order.js";
import { tradedAs } from "../../src/features/instruments/traded.js";
import { createBook } from "../../src/features/paper-trades/book.js";
import { tradeView } from "../../src/features/paper-trades/views.js";
import { useDatabase } from "../fixtures/database.js";
import { feed, instruments, MINUTE, market, START, startDesk } from "../fixtures/written-market.js";

const database = useDatabase();

it("a paper trade tells its bounds where one bar held stop and target, also after a restart", async () => {
  market.begin();
  const { store, ledger } = startDesk(database());
  const rules = { account: cashRules("USD"), costs: NO_COSTS, volumeShare: null, gtcDays: GTC_DAYS };
  const row = await store.open({
    ...{ userId: "ann", name: "Bounds", rules, synthetic: true },
    ...{ cashFloor: 0, openedAt: START },
  });
  const bracket = (id: string, symbol: string) =>
    termsOf({
      ...{ id, symbol, side: "buy", quantity: 10, timeInForce: "gtc", orderClass: "bracket" },
      takeProfit: { limitPrice: 110 },
      stopLoss: { stopPrice: 95, limitPrice: null },
    });
  await ledger.act(row.id, {
    run(desk, { cursors }) {
      desk.transfer(10_000, START);
      for (const symbol of ["AAPL", "MSFT"]) {
        desk.list(tradedAs(symbol));
        desk.mark(symbol, 100);
        cursors.set(symbol, START);
        expect(desk.submit(bracket(symbol, symbol), { at: START, open: true })).toEqual([]);
      }
    },
  });
  market.bars.set("AAPL", [
    [1, 100, 101, 99, 100],
    [2, 100, 111, 94, 100],
  ]);
  market.bars.set("MSFT", [
    [1, 100, 101, 99, 100],
    [2, 100, 101, 94, 100],
  ]);
  market.now = START + 3 * MINUTE;
  await startDesk(database()).matching.run(row.id);
  const again = startDesk(database());
  const quotes = { loadMany: async () => ({ quotes: [], missing: [] }) };
  const book = createBook({ ...again, feed, instruments, quotes });
  const { rows } = await book.trades(row, { status: "all", limit: 10, offset: 0 });
  const told = rows.map((now) => {
    const { symbol, pnl, ambiguous, bounds } = tradeView(row, now);
    return { symbol, pnl, ambiguous, bounds };
  });
  // Ten bought at 100 and sold at the stop of 95, where the target of 110 may have been met first.
  expect(told.sort((a, b) => (a.symbol < b.symbol ? -1 : 1))).toEqual([
    { symbol: "AAPL", pnl: -50, ambiguous: true, bounds: { optimistic: 100, pessimistic: -50 } },
    { symbol: "MSFT", pnl: -50, ambiguous: false, bounds: null },
  ]);
});
