import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { marginRules } from "../../src/core/execution/account.js";
import { candlesFromRows } from "../../src/core/market/candles.js";
import type { AdjustedCandles } from "../../src/features/candles/adjusted.js";
import { createDays, type Days } from "../../src/features/paper-trades/days.js";
import { createStandings } from "../../src/features/paper-trades/standings.js";
import { type AccountRow, createLedgerStore } from "../../src/features/paper-trades/store.js";
import type { Database } from "../../src/platform/database.js";
import { AppError } from "../../src/platform/errors.js";
import { createTestDatabase, openTestDatabase, type TestDatabase } from "../fixtures/database.js";
import { APPLE } from "../fixtures/detections.js";
import { createOpening, rulesOf, trade } from "../fixtures/ledger.js";
import { ledgerOver } from "../fixtures/rollups.js";

const midnight = (day: number) => Date.UTC(2024, 0, day);
/** Closes from the 2nd on, as they traded and divided by the split before the 4th. */
const CLOSES = { raw: [100, 110, 60], given: [50, 55, 60] };

let server: TestDatabase;
let database: Database;
let account: AccountRow;
let open: ReturnType<typeof createOpening>;
let ledger: ReturnType<typeof ledgerOver>;
let daysOf: (adjusted: Pick<AdjustedCandles, "loadRange">) => Days;

beforeAll(async () => {
  server = await createTestDatabase();
  database = await openTestDatabase(server);
  ledger = ledgerOver(database);
  open = createOpening(createLedgerStore(database), ledger);
  account = await open(1_000);
  await ledger.act(account.id, {
    run(desk) {
      expect(trade(desk, "a", "buy", 10, 100)).toEqual([]);
      desk.split("AAA", 2, midnight(4));
    },
  });
  daysOf = (adjusted) => createDays({ ledger, adjusted, instruments: { resolve: async () => APPLE } });
});
afterAll(async () => {
  await database.close();
  await server.drop();
});

/** A source that gives prices divided by the split, and can tell what was traded or not. */
function sourceOf(knowsSplits: boolean): Pick<AdjustedCandles, "loadRange"> {
  return {
    async loadRange(instrument, interval, _stretch, _limit, { view }) {
      if (view !== "given" && view !== "raw") throw new Error(`${view} is not asked for`);
      if (view === "raw" && !knowsSplits) throw new AppError("adjustment_unavailable", "no splits are known");
      const rows = CLOSES[view].map((close, k) => {
        return { time: midnight(2 + k), open: close, high: close, low: close, close, volume: 1 };
      });
      return {
        instrument,
        candles: candlesFromRows(instrument.symbol, interval, rows),
        adjustedAt: new Float64Array(rows.length),
        knownAtMs: null,
        source: "file",
        synthetic: false,
        asOfMs: midnight(5),
        stale: false,
        ageMs: 0,
        trouble: null,
        note: null,
        adjustment: null,
      };
    },
  };
}

describe("an account that held a share over its split", () => {
  const instants = Float64Array.of(midnight(3), midnight(4) - 1, midnight(4), midnight(5));

  it("is worth what its shares traded at on both sides of it", async () => {
    const { equity } = await daysOf(sourceOf(true)).at(account, instants, "1d");
    // Of the 3rd the close is known at midnight, where the shares are twice as many already.
    expect([...equity].map((micros) => micros / 1e6)).toEqual([1_000, 1_000, 1_100, 1_200]);
    const { days, unpriced } = await daysOf(sourceOf(true)).load(account, midnight(5));
    expect([...days.equity].map((micros) => micros / 1e6)).toEqual([1_000, 1_100, 1_200]);
    expect(unpriced).toEqual([]);
  });

  it("is worth what its source gives where that is all there is", async () => {
    const { equity } = await daysOf(sourceOf(false)).at(account, instants, "1d");
    expect(equity.at(-1)).toBe(1_200e6);
  });
});

describe("the day of an account", () => {
  it("begins with what was to stay of its equity at the close before, and nothing on its first", async () => {
    const lent = await open(1_000, rulesOf(marginRules("USD")));
    const standings = createStandings({ days: daysOf(sourceOf(true)) });
    expect(await standings.today(lent, midnight(2) + 16 * 3_600_000)).toMatchObject({ startMaintenance: 0 });
    await ledger.act(lent.id, { run: (desk) => trade(desk, "b", "buy", 8, 100) });
    // Eight at the close of the 3rd, 110, of which a quarter is to stay.
    const today = await standings.today(lent, midnight(4) + 16 * 3_600_000);
    expect(today).toMatchObject({ startEquity: 1_080, startMaintenance: 220 });
  });
});
