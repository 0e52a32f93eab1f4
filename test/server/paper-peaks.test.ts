import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { barOpensBetween } from "../../src/core/market/bar-times.js";
import { calendarOf } from "../../src/core/market/session.js";
import { createManualClock, type ManualClock } from "../fixtures/clock.js";
import { createTestDatabase, type TestDatabase } from "../fixtures/database.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";
import { ROOMY } from "../fixtures/roomy-settings.js";

const MINUTE = 60_000;
const DAY = 86_400_000;
/** A Thursday, and when it rises and falls: New York trades from 14:30 to 21:00 UTC. */
const BEGIN = Date.UTC(2024, 2, 7, 14, 50, 30);
const HIGH = Date.UTC(2024, 2, 7, 15);
const LOW = Date.UTC(2024, 2, 7, 15, 30);
const at = (clockTime: string, day = "2024-03-07") => `${day}T${clockTime}:00.000Z`;

let folder = "";
let database: TestDatabase;
let clock: ManualClock;
let program: TestProgram;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tx-paper-peaks-"));
  database = await createTestDatabase();
  // The clock of the machine is that of the market.
  clock = createManualClock(BEGIN);
  writeMinutes("AAPL", (time) => (time < HIGH ? 100 : time < LOW ? 120 : 114));
  writeMinutes("MSFT", () => 50);
  program = await start();
});
afterAll(async () => {
  await program.close();
  await database.drop();
  rmSync(folder, { recursive: true });
});

function writeMinutes(symbol: string, priceAt: (timeMs: number) => number): void {
  const days = barOpensBetween(calendarOf("XNYS"), "1d", Date.UTC(2024, 2, 4), Date.UTC(2024, 2, 9));
  const times = [...days].flatMap((open) => Array.from({ length: 390 }, (_, k) => open + k * MINUTE));
  const rows = times.map((time) => {
    const price = priceAt(time);
    return `${new Date(time).toISOString()},${price},${price + 0.1},${price - 0.1},${price},${100_000 + (time % 7)}`;
  });
  const lines = ["timestamp,open,high,low,close,volume", ...rows, ""];
  writeFileSync(join(folder, `${symbol}-1m.csv`), lines.join("\n"));
}

/** A process over the same database, the replay going on at the pace of the clock. */
function start(): Promise<TestProgram> {
  const replay = { FILES_REPLAY_SPEED: "1", FILES_REPLAY_FROM: new Date(BEGIN).toISOString() };
  const environment = { MARKET_DATA: "files", FILES_DIR: folder, SCAN_SYMBOLS: "MSFT", ...replay };
  return startTestProgram({ database, clock, environment });
}
async function restart(): Promise<void> {
  await program.close();
  program = await start();
}

type Method = "GET" | "POST";
async function call(method: Method, url: string, payload?: object, process = program) {
  const answer = await process.call({ method, url, ...(payload === undefined ? {} : { payload }) });
  return { status: answer.statusCode, ...(await answer.json()) };
}
const allow = (change: object) => call("POST", "/api/risk-settings", { ...ROOMY, ...change });
const match = () => program.parts.paper.matching.loop.run(clock.now(), new AbortController().signal);
const equityOf = async (id: string): Promise<number> =>
  (await call("GET", `/api/paper-trades?account_id=${id}`)).portfolio.equity;

/** What becomes of an order on shares that stand still: the codes of what refuses it, or `taken`. */
async function tried(account_id: string, process = program): Promise<string> {
  const terms = { account_id, symbol: "MSFT", side: "buy", quantity: 1, time_in_force: "gtc" };
  const answer = await call("POST", "/api/paper-trade/orders", terms, process);
  const problems: { code: string }[] = answer.problems ?? [];
  return answer.status === 201 ? "taken" : problems.map(({ code }) => code).join(" ");
}
const kept = async (id: string) =>
  program.parts.database.query<{ version: string; peak: string | null }>(
    "select xmin::text as version, peak_equity::text as peak from paper_accounts where id = $1",
    [id],
  );

let opened = 0;
/** Ten thousand, of which nine are in shares that rise to 11,800 in all and fall to 11,260: 4.6 % below. */
async function openRising(): Promise<string> {
  clock.set(BEGIN);
  const terms = { name: `Rising ${++opened}`, cash: 10_000, leverage: 1, spread_bps: 0 };
  const { data } = await call("POST", "/api/paper-trade/accounts", terms);
  const bought = { account_id: data.id, symbol: "AAPL", side: "buy", quantity: 90 };
  expect((await call("POST", "/api/paper-trade/orders", bought)).status).toBe(201);
  clock.set(BEGIN + 3 * MINUTE);
  await match();
  expect(await equityOf(data.id)).toBe(10_000);
  const { data: all } = await call("GET", `/api/paper-trade/orders?status=all&account_id=${data.id}`);
  expect(all[0].state).toBe("filled");
  return data.id;
}

describe("the highest equity of a day", () => {
  it("422 is that of a closed bar, and stays through a restart, the kill switch and another process until the day ends", async () => {
    await allow({ max_drawdown_limit: 4 });
    const id = await openRising();
    // Another process has the account at hand as it was before it rose.
    const other = await start();
    expect((await call("GET", `/api/paper-trades?account_id=${id}`, undefined, other)).status).toBe(200);
    // Nobody looks while it is high: bars tell of it.
    clock.set(LOW + 10 * MINUTE);
    await match();
    expect(await equityOf(id)).toBe(11_260);
    expect(await tried(id)).toBe("drawdown_reached");
    expect(await tried(id, other)).toBe("drawdown_reached");
    await other.close();
    await restart();
    expect(await tried(id)).toBe("drawdown_reached");
    expect((await call("POST", `/api/paper-trade/accounts/${id}/halt`)).status).toBe(200);
    expect((await call("POST", `/api/paper-trade/accounts/${id}/resume`)).status).toBe(200);
    expect(await tried(id)).toBe("drawdown_reached");
    program.parts.paper.ledger.forget();
    expect(await tried(id)).toBe("drawdown_reached");
    // What raises nothing writes nothing.
    const before = await kept(id);
    expect(before).toMatchObject([{ peak: "11800.000000" }]);
    expect(await tried(id)).toBe("drawdown_reached");
    expect(await kept(id)).toEqual(before);
    await allow({ max_drawdown_limit: 5 });
    // A desk that is made anew is shown the prices of now first, whatever the one before was shown.
    program.parts.paper.ledger.forget();
    expect(await tried(id)).toBe("taken");

    await allow({ max_drawdown_limit: 4 });
    clock.set(BEGIN + DAY);
    await match();
    await restart();
    expect(await equityOf(id)).toBe(11_260);
    expect(await tried(id)).toBe("taken");
  });

  it("422 is that of a quote, too, also where it refuses an order", async () => {
    await allow({ max_drawdown_limit: 4, max_open_positions: 1 });
    const id = await openRising();
    clock.set(HIGH + 5 * MINUTE);
    expect(await tried(id)).toBe("open_positions_exceeded");
    expect(await kept(id)).toMatchObject([{ peak: "11800.000000" }]);
    await allow({ max_drawdown_limit: 4 });
    await restart();
    // As one that begins to look now.
    clock.set(LOW + 5 * MINUTE);
    expect(await tried(id)).toBe("drawdown_reached");
    // The account in its stead is as far below.
    const { data } = await call("POST", `/api/paper-trade/accounts/${id}/reset`, { cash: 1_000 });
    expect(await tried(data.id)).toBe("drawdown_reached");
    await allow({ max_drawdown_limit: 5 });
    expect(await tried(data.id)).toBe("taken");
    await allow({ max_drawdown_limit: 4 });
    clock.set(BEGIN + DAY);
    expect(await tried(data.id)).toBe("taken");
  });
});

describe("the highest equity of an account that is imported", () => {
  const paid = (amount: number, time = at("14:31")) => ({ at: time, kind: "transfer", amount });
  let orders = 0;
  const fill = (side: "buy" | "sell", quantity: number, price: number, time: string) => ({
    ...{ at: time, kind: "fill", symbol: "AAPL", order: `o${++orders}`, side, quantity, price },
    amount: (side === "buy" ? -1 : 1) * quantity * price,
  });
  async function imported(...transactions: object[]): Promise<string> {
    const body = { name: `Imported ${++opened}`, leverage: 1, spread_bps: 0, transactions };
    const answer = await call("POST", "/api/paper-trade/accounts/import", body);
    expect(answer, answer.detail).toMatchObject({ status: 201 });
    return answer.data.id;
  }

  it("422 is what its fills of the day came to", async () => {
    clock.set(LOW + 10 * MINUTE);
    await allow({ max_drawdown_limit: 12 });
    const rises = [fill("buy", 100, 100, at("14:40")), fill("sell", 100, 120, at("15:10"))];
    const falls = [fill("buy", 100, 120, at("15:20")), fill("sell", 100, 105, at("15:32"))];
    const up = await imported(paid(10_000), ...rises);
    expect([await equityOf(up), await tried(up)]).toEqual([12_000, "taken"]);
    const down = await imported(paid(10_000), ...rises, ...falls);
    expect([await equityOf(down), await tried(down)]).toEqual([10_500, "drawdown_reached"]);
    await restart();
    expect(await tried(down)).toBe("drawdown_reached");
    // By prices of what was held as well: 12,100 with a hundred shares at 120, 11,500 with as many at 114.
    await allow({ max_drawdown_limit: 4.5 });
    const part = [fill("buy", 99, 100, at("14:40")), fill("buy", 1, 120, at("15:10"))];
    const held = await imported(paid(10_120), ...part);
    clock.set(LOW + 15 * MINUTE);
    await match();
    expect([await equityOf(held), await tried(held)]).toEqual([11_500, "drawdown_reached"]);
    await allow({ max_drawdown_limit: 5.5 });
    expect(await tried(held)).toBe("taken");
  });

  it("201 is no money that came and went, nothing of the day before, and not what nobody tells the worth of", async () => {
    clock.set(LOW + 10 * MINUTE);
    await allow({ max_drawdown_limit: 1 });
    const flows = await imported(paid(10_000), paid(2_000, at("14:40")), paid(-1_500, at("15:10")));
    expect([await equityOf(flows), await tried(flows)]).toEqual([10_500, "taken"]);
    const before = [paid(10_000, at("14:31", "2024-03-06")), fill("buy", 10, 160, at("15:00", "2024-03-06"))];
    // At 160 a share it would begin the day with 10,000, and 460 less than that now.
    const carried = await imported(...before, paid(100, at("15:10")));
    expect(await equityOf(carried)).toBe(9_640);
    expect((await kept(carried))[0].peak).toBeNull();
  });
});
