import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { calendarOf, sessionsBetween } from "../../src/core/market/session.js";
import { createManualClock } from "../fixtures/clock.js";
import { wanderingCandles } from "../fixtures/market-walks.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";

const NOW = Date.parse("2024-07-16T12:00Z");
const DAYS = sessionsBetween(calendarOf("XNYS"), Date.parse("2019-07-01"), Date.parse("2024-07-13"));
/** Four for one; amounts are a share as it was then. */
const SPLIT = "2022-08-31";
const DIVIDENDS = ["2020", "2021", "2022", "2023"].flatMap((year) =>
  ["02-10", "05-12", "08-10", "11-10"].map((day) => {
    const date = `${year}-${day}`;
    return { date, amount: date < SPLIT ? 2 : 0.6 };
  }),
);

/** Prices as they traded: those before the split are four times what they are now. */
function writeCandles(folder: string, symbol: string): void {
  const { open, high, low, close } = wanderingCandles(symbol, "1d", DAYS.length, 12);
  const lines = DAYS.map(({ date }, i) => {
    const [times, volume] = date < SPLIT ? [4, 1_000_000] : [1, 4_000_000];
    return [date, ...[open[i], high[i], low[i], close[i]].map((each) => each * times), volume].join(",");
  });
  writeFileSync(
    join(folder, `${symbol}-1d.csv`),
    ["date,open,high,low,close,volume", ...lines, ""].join("\n"),
  );
}

async function start(folder: string): Promise<TestProgram> {
  const environment = { MARKET_DATA: "files", FILES_DIR: folder };
  return startTestProgram({ clock: createManualClock(NOW), environment });
}

interface Trade {
  readonly entry_date: string;
  readonly exit_date: string | null;
  readonly quantity: number;
  readonly dividends: number;
  readonly pnl: number | null;
  readonly unrealized_pnl: number | null;
}

const STRETCH = { symbol: "AAPL", start_date: "2021-07-01", end_date: "2024-07-01" };

let folder = "";
let program: TestProgram;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tx-dividends-"));
  writeCandles(folder, "AAPL");
  const lines = DIVIDENDS.map(({ date, amount }) => `AAPL,${date},dividend,,${amount},USD`);
  const head = "symbol,ex_date,kind,ratio,amount,currency";
  writeFileSync(join(folder, "actions.csv"), [head, `AAPL,${SPLIT},split,4:1,,`, ...lines, ""].join("\n"));
  program = await start(folder);
});
afterAll(async () => {
  await program.close();
  rmSync(folder, { recursive: true, force: true });
});

/** What is due to a trade, in shares as they are now: held before the open of the ex-day. */
function dueTo({ entry_date, exit_date, quantity }: Trade): number {
  return DIVIDENDS.filter(({ date }) => {
    const open = DAYS.find((session) => session.date === date)?.open ?? Number.NaN;
    return Date.parse(entry_date) < open && (exit_date === null || Date.parse(exit_date) >= open);
  }).reduce((sum, { date, amount }) => sum + (quantity * amount) / (date < SPLIT ? 4 : 1), 0);
}

describe("dividends in a backtest", () => {
  it("200 are paid on what was held before the ex-day, in shares as they are after the split", async () => {
    let [paid, across] = [0, 0];
    for (const strategy_id of ["donchian_breakout", "golden_cross", "bollinger_reversal"]) {
      const payload = { ...STRETCH, strategy_id };
      const { data } = (await program.call({ method: "POST", url: "/api/backtest", payload })).json();
      const trades = data.trades as Trade[];
      for (const trade of trades) {
        expect(trade.dividends).toBeCloseTo(dueTo(trade), 4);
        paid += trade.dividends;
        if (trade.entry_date < SPLIT && (trade.exit_date ?? "9") > SPLIT) across++;
      }
      const gained = trades.reduce((sum, { pnl, unrealized_pnl }) => sum + (pnl ?? unrealized_pnl ?? 0), 0);
      expect(data.total_return).toBeCloseTo(gained, 2);
      expect(data.notes.join()).toContain("one at start_date has become 4");
    }
    expect(paid).toBeGreaterThan(1_000);
    expect(across).toBeGreaterThan(0);
  });

  it("200 are told to be unknown where nobody tells of them, and none are paid", async () => {
    const other = mkdtempSync(join(tmpdir(), "tx-mute-"));
    writeCandles(other, "AAPL");
    const mute = await start(other);
    const payload = { ...STRETCH, strategy_id: "donchian_breakout" };
    const { data } = (await mute.call({ method: "POST", url: "/api/backtest", payload })).json();
    await mute.close();
    rmSync(other, { recursive: true, force: true });
    expect(data.notes.join()).toMatch(/dividends are not known .*none are paid/);
    expect((data.trades as Trade[]).every(({ dividends }) => dividends === 0)).toBe(true);
  });
});
