import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { barOpensBetween } from "../../src/core/market/bar-times.js";
import { calendarOf } from "../../src/core/market/session.js";
import { createManualClock, type ManualClock } from "../fixtures/clock.js";
import { createTestDatabase, type TestDatabase } from "../fixtures/database.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";
import { ROOMY } from "../fixtures/roomy-settings.js";

/** The clock of this machine is as far from that of the replay as it likes. */
const STARTED = Date.UTC(2026, 9, 1, 12);
const at = (text: string) => Date.parse(text);
const MINUTE = 60_000;

let folder = "";
let database: TestDatabase;
let clock: ManualClock;
let program: TestProgram;
let from = "";
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "tx-paper-past-"));
  database = await createTestDatabase();
});
afterEach(async () => {
  await program.close();
  await database.drop();
  rmSync(folder, { recursive: true });
});

/** Closes of the minutes of sessions [from, to), days of New York, each bar a price alone. */
function writeMinutes(
  symbol: string,
  first: string,
  last: string,
  priceAt: (timeMs: number) => number,
): void {
  const days = barOpensBetween(calendarOf("XNYS"), "1d", at(first), at(last));
  const times = [...days].flatMap((open) => Array.from({ length: 390 }, (_, k) => open + k * MINUTE));
  const rows = times.map((time) => {
    const price = priceAt(time);
    return `${new Date(time).toISOString()},${price},${price + 0.1},${price - 0.1},${price},${100_000 + (time % 7)}`;
  });
  writeFileSync(
    join(folder, `${symbol}-1m.csv`),
    ["timestamp,open,high,low,close,volume", ...rows, ""].join("\n"),
  );
}

/** A replay at the pace of the clock. */
async function replay(begin: string, speed = 1): Promise<void> {
  from = begin;
  clock = createManualClock(STARTED);
  await start(speed);
  await call("POST", "/api/risk-settings", { ...ROOMY, max_drawdown_limit: 20 });
}

/** As a process that has just started, the replay going on. */
async function start(speed = 1): Promise<void> {
  program = await startTestProgram({
    database,
    clock,
    environment: {
      MARKET_DATA: "files",
      FILES_DIR: folder,
      SCAN_SYMBOLS: "MSFT",
      FILES_REPLAY_SPEED: String(speed),
      FILES_REPLAY_FROM: from,
    },
  });
}

async function call(method: "GET" | "POST" | "DELETE" | "PUT" | "PATCH", url: string, payload?: object) {
  const answer = await program.call({ method, url, ...(payload === undefined ? {} : { payload }) });
  return { status: answer.statusCode, ...(await answer.json()) };
}
const match = () => program.parts.paper.matching.loop.run(clock.now(), new AbortController().signal);

async function open(name: string, leverage = 1): Promise<string> {
  return (await call("POST", "/api/paper-trade/accounts", { name, cash: 100_000, leverage })).data.id;
}
const order = (account: string, terms: object) =>
  call("POST", "/api/paper-trade/orders", { account_id: account, ...terms });
const portfolioOf = async (account: string) =>
  (await call("GET", `/api/paper-trades?account_id=${account}`)).portfolio;

describe("the midnight of a split", () => {
  it("changes no equity and stops no entry, whatever shares the newest price is of", async () => {
    const split = at("2024-03-08T05:00Z");
    writeMinutes("AAPL", "2024-03-07", "2024-03-09", (time) => (time < split ? 200 : 50));
    writeMinutes("MSFT", "2024-03-07", "2024-03-09", () => 400);
    writeFileSync(
      join(folder, "actions.csv"),
      "symbol,ex_date,kind,ratio,amount,currency\nAAPL,2024-03-08,split,4:1,,\n",
    );
    await replay("2024-03-07T20:50:30Z");
    const [long, short] = [await open("Long"), await open("Short", 2)];
    const bought = await order(long, { symbol: "AAPL", side: "buy", quantity: 101 });
    expect(bought.status).toBe(201);
    await order(short, { symbol: "AAPL", side: "sell", quantity: 300 });
    clock.advance(3 * MINUTE);
    await match();
    expect((await portfolioOf(long)).positions.AAPL.quantity).toBe(101);
    expect((await portfolioOf(short)).positions.AAPL.quantity).toBe(-300);
    const before = new Map<string, number>();
    for (const account of [long, short]) before.set(account, (await portfolioOf(account)).equity);
    clock.advance(at("2024-03-08T04:59:55Z") - at("2024-03-07T20:53:30Z"));
    for (let n = 0; n < 8; n++) {
      await match();
      for (const [account, quantity] of [
        [long, n === 0 ? 101 : 404],
        [short, n === 0 ? -300 : -1_200],
      ] as const) {
        const { equity, buying_power: power, positions } = await portfolioOf(account);
        // A short one pays for the night.
        expect(Math.abs(equity - (before.get(account) ?? 0)), `equity ${equity} at look ${n}`).toBeLessThan(
          10,
        );
        expect(power).toBeGreaterThan(0);
        expect(positions.AAPL.quantity).toBe(quantity);
        expect(positions.AAPL.price).toBe(n === 0 ? 200 : 50);
      }
      clock.advance(10_000);
    }
    expect(
      (await order(long, { symbol: "MSFT", side: "buy", quantity: 1, time_in_force: "gtc" })).status,
    ).toBe(201);
  });
});

describe("a dip while nothing ran", () => {
  const dip = (low: number, from: string, to: string) => (time: number) =>
    time >= at(from) && time < at(to) ? low : 100;

  /** The days of the same prices. */
  function writeDays(symbol: string, first: string, last: string, lowOn: string, low: number): void {
    const days = [...barOpensBetween(calendarOf("XNYS"), "1d", at(first), at(last))];
    const rows = days.map((open) => {
      const date = new Date(open).toISOString().slice(0, 10);
      return `${date},100,100.1,${date === lowOn ? low : 99.9},100,39000000`;
    });
    writeFileSync(
      join(folder, `${symbol}-1d.csv`),
      ["date,open,high,low,close,volume", ...rows, ""].join("\n"),
    );
  }

  async function ordersOf(account: string): Promise<Record<string, string>> {
    const { data } = await call("GET", `/api/paper-trade/orders?status=all&account_id=${account}`);
    return Object.fromEntries(
      data.map((each: { client_order_id: string; state: string }) => [each.client_order_id, each.state]),
    );
  }

  const resting = { symbol: "GE", time_in_force: "gtc", quantity: 10 };
  const stop = { ...resting, side: "sell", type: "stop", stop_price: 90, client_order_id: "stop" };
  const limit = { ...resting, side: "buy", type: "limit", limit_price: 89, client_order_id: "limit" };

  async function hold(): Promise<string> {
    const account = await open("Held");
    await order(account, { symbol: "GE", side: "buy", quantity: 10 });
    clock.advance(3 * MINUTE);
    await match();
    expect((await order(account, stop)).status).toBe(201);
    return account;
  }

  it.each([
    ["two hours", "2024-03-07T20:30Z"],
    ["six days", "2024-03-13T17:52Z"],
  ])("is met by what rested, also in the rest of its day, after %s", async (_title, back) => {
    const price = dip(88, "2024-03-07T19:00Z", "2024-03-07T19:30Z");
    writeMinutes("GE", "2024-03-07", "2024-03-15", price);
    writeMinutes("MSFT", "2024-03-07", "2024-03-08", () => 400);
    writeDays("GE", "2024-03-04", "2024-04-10", "2024-03-07", 87.9);
    await replay("2024-03-07T17:45:30Z");
    const account = await hold();
    expect((await order(account, limit)).status).toBe(201);
    await program.close();
    clock.advance(at(back) - at("2024-03-07T17:48:30Z"));
    await start();
    await match();
    expect(await ordersOf(account)).toMatchObject({ stop: "filled", limit: "filled" });
  });

  it("has filled what a command is for in the first moment after it", async () => {
    writeMinutes("GE", "2024-03-07", "2024-03-08", dip(88, "2024-03-07T19:00Z", "2024-03-07T19:30Z"));
    writeMinutes("MSFT", "2024-03-07", "2024-03-08", () => 400);
    await replay("2024-03-07T17:45:30Z");
    const commands: Record<string, (id: string, account: string) => Promise<unknown>> = {
      "cancel all": () => call("DELETE", "/v2/orders"),
      cancel: (id, account) => call("DELETE", `/api/paper-trade/orders/${id}?account_id=${account}`),
      replace: (id, account) =>
        call("PATCH", `/api/paper-trade/orders/${id}`, { limit_price: 80, account_id: account }),
      halt: (_id, account) => call("POST", `/api/paper-trade/accounts/${account}/halt`),
      reset: (_id, account) => call("POST", `/api/paper-trade/accounts/${account}/reset`),
      close: (_id, account) => call("POST", `/api/paper-trade/accounts/${account}/close`),
    };
    const placed: { name: string; id: string; account: string }[] = [];
    for (const name of Object.keys(commands)) {
      const account = await open(name);
      placed.push({ name, account, id: (await order(account, limit)).data.id });
    }
    await program.close();
    clock.advance(2.5 * 60 * MINUTE);
    await start();
    const states: string[][] = [];
    for (const { name, account, id } of placed) {
      await commands[name](id, account);
      const { data } = await call("GET", `/api/paper-trade/orders/${id}?account_id=${account}`);
      states.push([name, data.state]);
    }
    expect(states).toEqual(placed.map(({ name }) => [name, "filled"]));
  });

  it("has stopped out what is closed in the first moment after it", async () => {
    writeMinutes("GE", "2024-03-07", "2024-03-08", dip(88, "2024-03-07T19:00Z", "2024-03-07T19:30Z"));
    writeMinutes("MSFT", "2024-03-07", "2024-03-08", () => 400);
    await replay("2024-03-07T17:45:30Z");
    const account = await hold();
    await program.close();
    clock.advance(2 * 60 * MINUTE);
    await start();
    const closed = await call("POST", "/api/close-position", { symbol: "GE", account_id: account });
    expect(closed).toMatchObject({ status: 404, code: "position_not_found" });
    expect(await ordersOf(account)).toMatchObject({ stop: "filled" });
  });
});
