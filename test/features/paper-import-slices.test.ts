import { describe, expect, it } from "vitest";
import { checkedRows, csvOf, type Row, rowsOf } from "../../src/features/paper-trades/transfer-file.js";
import { createTransfers } from "../../src/features/paper-trades/transfers.js";
import type { Written } from "../../src/features/paper-trades/writes.js";
import { within } from "../../src/platform/deadline.js";
import { inSlices } from "../../src/platform/slices.js";
import { checkingInput } from "../../src/server/input.js";

const START = Date.UTC(2024, 0, 2, 15);
const TRADES = 1_500;

/** Rows as clients send them: what is paid in, and a share that is bought and sold. */
function sentRows(): object[] {
  const at = (minute: number) => new Date(START + minute * 60_000).toISOString();
  const rows: object[] = [{ at: at(0), kind: "transfer", amount: 100_000 }];
  for (let n = 0; n < TRADES; n++) {
    const fill = { kind: "fill", symbol: "AAPL", quantity: 1, price: 100, strategy: `s${n % 3}` };
    rows.push({ ...fill, at: at(2 * n + 1), order: `b${n}`, side: "buy", amount: -100 });
    rows.push({ ...fill, at: at(2 * n + 2), order: `s${n}`, side: "sell", amount: 100 });
  }
  return rows;
}

/** How often others had their turn while work was done that waits for nothing. */
async function turnsDuring<T>(work: () => Promise<T>): Promise<{ turns: number; result: T }> {
  let turns = 0;
  let over = false;
  const turn = () => {
    turns++;
    if (!over) setImmediate(turn);
  };
  setImmediate(turn);
  const result = await work();
  over = true;
  return { turns, result };
}

function createStillTransfers() {
  const written: Written[] = [];
  const refuse = () => {
    throw new Error("is not asked");
  };
  const row = { userId: "u", synthetic: true, seq: 0, cash: 0, halt: null, closedAt: null, createdAt: START };
  const store = {
    open: async (account: object) => ({ ...row, ...account }) as never,
    // The state goes on after it is written, as the account does.
    write: async (_sql: unknown, part: Written) => {
      const { state } = part;
      return written.push({ ...part, state: { ...state, orders: new Map(state.orders) } }) > 0;
    },
  };
  const transfers = createTransfers({
    store: new Proxy(store as never, { get: (target, name) => Reflect.get(target, name) ?? refuse }),
    database: { transaction: (work: (sql: never) => unknown) => work(null as never) } as never,
    ledger: {} as never,
    instruments: { identify: (symbol) => ({ symbol, currency: "USD" }) as never },
    synthetic: true,
    now: () => START + 100 * 86_400_000,
  });
  return { transfers, written };
}

describe("an account of many transactions", () => {
  it("lets others have their turn while its rows are read, checked and booked", async () => {
    const sent = sentRows();
    const json = await turnsDuring(() => checkedRows(sent));
    expect(json.turns).toBeGreaterThanOrEqual(sent.length / 200);
    const text = csvOf(json.result);
    const csv = await turnsDuring(() => rowsOf(text));
    expect(csv.result).toEqual(json.result);
    expect(csv.turns).toBeGreaterThanOrEqual(sent.length / 200);
    const walk = await turnsDuring(() => inSlices(checkingInput("body", { transactions: sent })));
    expect(walk.turns).toBeGreaterThanOrEqual(sent.length / 2_000);

    const { transfers, written } = createStillTransfers();
    const made = await turnsDuring(() => transfers.import("u", { name: "Many" }, json.result));
    expect(made.turns).toBeGreaterThanOrEqual(sent.length / 50);
    expect(made.result).toMatchObject({ seq: 1 + 4 * TRADES, cash: 100_000e6 });
    expect(written.length).toBeGreaterThan(10);
    expect(written.map(({ since }) => since)).toEqual([
      0,
      ...written.slice(0, -1).map(({ state }) => state.seq),
    ]);
    expect(written.flatMap(({ events }) => events.map(({ seq }) => seq))).toEqual(
      Array.from({ length: 1 + 4 * TRADES }, (_, n) => n + 1),
    );
    expect(new Map(written.flatMap(({ causes }) => [...causes])).size).toBe(2 * TRADES);
    expect(Math.max(...written.map(({ events }) => events.length))).toBeLessThanOrEqual(500);
  });

  it("is rolled back where its caller waits no longer", async () => {
    const rows = await checkedRows(sentRows());
    const { transfers, written } = createStillTransfers();
    await expect(within(0, () => transfers.import("u", { name: "Late" }, rows))).rejects.toMatchObject({
      code: "timed_out",
    });
    expect(written.length).toBeGreaterThan(10);
  });

  it("is refused by the row that is wrong, wherever it stands", async () => {
    const sent = sentRows();
    const wrong = sent.map((row, place) => (place === 1_234 ? { ...row, price: -1 } : row));
    await expect(checkedRows(wrong)).rejects.toMatchObject({
      code: "invalid_request",
      message: expect.stringMatching(/^body transactions\.1234\.price: /),
      problems: [{ path: "transactions.1234.price" }],
    });
    const rows = await checkedRows(sent);
    const { transfers, written } = createStillTransfers();
    const swapped = rows.map((row, place): Row => (place === 777 ? { ...row, amount: 1 } : row));
    await expect(transfers.import("u", { name: "Many" }, swapped)).rejects.toThrow(
      /row 778: its amount is 1/,
    );
    expect(written).toEqual([]);
    await expect(rowsOf(`at,kind\n"${"x".repeat(40_000)}`)).rejects.toThrow(/csv_content: Quote Not Closed/);
  });
});
