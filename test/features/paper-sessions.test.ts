import { beforeEach, describe, expect, it } from "vitest";
import { type OrderTerms, termsOf } from "../../src/core/execution/order.js";
import { tradedAs } from "../../src/features/instruments/traded.js";
import { useDatabase } from "../fixtures/database.js";
import { MINUTE, market, openAccount, START, startDesk } from "../fixtures/written-market.js";

const DAY = 86_400_000;

const database = useDatabase();
let desk: ReturnType<typeof startDesk>;
beforeEach(() => {
  market.begin();
  desk = startDesk(database());
});

const open = () => openAccount(desk);

async function submit(id: string, terms: Pick<OrderTerms, "id" | "symbol" | "side"> & Partial<OrderTerms>) {
  const refused = await desk.ledger.act(id, {
    run(own, { cursors }) {
      if (!own.lists(terms.symbol)) own.list(tradedAs(terms.symbol));
      own.mark(terms.symbol, 100);
      if (!cursors.has(terms.symbol)) cursors.set(terms.symbol, market.now);
      return own.submit(termsOf(terms), { at: market.now, open: true });
    },
  });
  expect(refused).toEqual([]);
}

describe("orders of extended hours for the day", () => {
  const EVENING = Date.UTC(2024, 6, 10, 0);
  const limit = { symbol: "AAPL", side: "buy", quantity: 1, type: "limit", limitPrice: 1 } as const;
  const fillsOf = (id: string) =>
    desk.ledger.look(id, (_desk, { history }) =>
      history.fills.map(({ orderId, at, fill }) => [orderId, (at - START) / MINUTE, fill.price]),
    );
  const endOf = (id: string, order: string) =>
    desk.ledger.look(id, (_desk, { history }) => history.times.get(order)?.expiredAt ?? null);

  it("end four hours after the close, those that came in these hours too, and nothing else does", async () => {
    const id = await open();
    await submit(id, { id: "day", ...limit, extendedHours: true });
    market.now = Date.UTC(2024, 6, 9, 22);
    await desk.matching.run(id);
    await submit(id, { id: "late", ...limit, extendedHours: true });
    await submit(id, { id: "next", ...limit });
    await submit(id, { id: "auction", ...limit, timeInForce: "cls" });
    market.now = EVENING - 1;
    await desk.matching.run(id);
    expect([await endOf(id, "day"), await endOf(id, "late")]).toEqual([null, null]);
    market.now = EVENING + 15 * MINUTE;
    await desk.matching.run(id);
    expect([await endOf(id, "day"), await endOf(id, "late")]).toEqual([EVENING, EVENING]);
    expect([await endOf(id, "next"), await endOf(id, "auction")]).toEqual([null, null]);
  });

  it("end with their own day where nobody looked for two, before the bars of the next", async () => {
    const id = await open();
    await submit(id, { id: "day", ...limit, extendedHours: true });
    await submit(id, { id: "gtc", ...limit, timeInForce: "gtc" });
    // Half past nine of the next day.
    market.bars.set("AAPL", [[23.5 * 60, 1, 1, 1, 1]]);
    market.now = START + 2 * DAY;
    await desk.matching.run(id);
    expect(await endOf(id, "day")).toBe(EVENING);
    expect(await fillsOf(id)).toEqual([["gtc", 23.5 * 60, 1]]);
    const instants = await desk.ledger.look(id, (_desk, { history }) => history.events.map(({ at }) => at));
    expect(instants).toEqual(instants.toSorted((a, b) => a - b));
  });
});
