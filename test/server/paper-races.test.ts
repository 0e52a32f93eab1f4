import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createManualClock } from "../fixtures/clock.js";
import { createTestDatabase, type TestDatabase } from "../fixtures/database.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";
import { ROOMY } from "../fixtures/roomy-settings.js";

/** A Wednesday: New York trades from 14:30 to 21:00 UTC. */
const NOW = Date.UTC(2024, 10, 6, 16, 7, 30);
const SYMBOLS =
  "AAPL MSFT GOOGL AMZN NVDA TSLA META NFLX AMD INTC IBM ORCL CSCO QCOM TXN ADBE CRM PYPL DIS NKE".split(" ");

let database: TestDatabase;
/** As two processes over one database. */
let programs: TestProgram[];

beforeAll(async () => {
  database = await createTestDatabase();
  const start = () => startTestProgram({ database, clock: createManualClock(NOW) });
  programs = [await start(), await start()];
  await post("/api/risk-settings", ROOMY);
  // The first look at a market takes longest.
  for (const { server } of programs)
    for (const symbol of SYMBOLS) await server.inject(`/api/market/${symbol}`);
});
afterAll(async () => {
  for (const program of programs) await program.close();
  await database.drop();
});

const post = async (url: string, payload: object, which = 0) => {
  const answer = await programs[which % 2].server.inject({ method: "POST", url, payload });
  return { status: answer.statusCode, body: answer.json() };
};

async function openAccount(name: string): Promise<string> {
  const account = { name, cash: 100_000, leverage: 1, spread_bps: 0 };
  return (await post("/api/paper-trade/accounts", account)).body.data.id;
}

async function standing(id: string): Promise<{ cash: number; spent: number; fills: number; held: number }> {
  const [row] = await programs[0].parts.database.query<{
    cash: number;
    spent: number;
    fills: number;
    held: number;
  }>(
    `select cash::float8, (select coalesce(sum(way * amount), 0)::float8 from paper_fills where account_id = $1) as spent,
       (select count(*)::int from paper_fills where account_id = $1) as fills,
       (select count(*)::int from paper_positions where account_id = $1) as held from paper_accounts where id = $1`,
    [id],
  );
  return row;
}

async function expectSound(id: string): Promise<void> {
  for (const { parts } of programs) expect(await parts.paper.ledger.verify(id)).toEqual([]);
}

describe("200 orders at once, for which there is money for half", () => {
  it("201 while there is money, 422 without, and not a cent below 0", async () => {
    const account_id = await openAccount("Debits");
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, n) => {
        const symbol = SYMBOLS[n % SYMBOLS.length];
        return post("/api/paper-trade/orders", { symbol, side: "buy", notional: 1_000, account_id }, n >> 1);
      }),
    );
    const bought = answers.filter(({ status }) => status === 201);
    const refused = answers.filter(({ status }) => status !== 201);
    expect(new Set(refused.map(({ status, body }) => `${status} ${body.problems?.[0]?.code}`))).toEqual(
      new Set(["422 insufficient_buying_power"]),
    );
    const { cash, spent, fills } = await standing(account_id);
    expect(fills).toBe(bought.length);
    expect(cash).toBeGreaterThanOrEqual(0);
    expect(cash).toBeCloseTo(100_000 - spent, 6);
    // Another one would not have been paid for.
    expect(cash).toBeLessThan(1_010);
    await expectSound(account_id);
  }, 60_000);
});

describe("50 closes of one position at once", () => {
  it("200 for one of them, and a code for each of the others", async () => {
    const account_id = await openAccount("Closes");
    const bought = await post("/api/paper-trade/orders", {
      symbol: "AAPL",
      side: "buy",
      quantity: 10,
      account_id,
    });
    expect(bought).toMatchObject({ status: 201, body: { data: { state: "filled" } } });
    const body = { symbol: "AAPL", account_id };
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, n) => post("/api/close-position", body, n)),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    const others = answers
      .filter(({ status }) => status !== 200)
      .map((answer) => `${answer.status} ${answer.body.code}`);
    expect(others).toHaveLength(49);
    for (const other of others)
      expect(["404 position_not_found", "409 conflict", "422 order_refused"]).toContain(other);
    expect(await standing(account_id)).toMatchObject({ fills: 2, held: 0 });
    await expectSound(account_id);
  });
});
