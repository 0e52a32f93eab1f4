import { describe, expect, it } from "vitest";
import { barOpensBetween } from "../../src/core/market/bar-times.js";
import { BAR_COLUMNS, type Candles, sliceCandles } from "../../src/core/market/candles.js";
import { DAY_MS } from "../../src/core/market/day.js";
import { missingBars } from "../../src/core/market/owed-bars.js";
import { calendarOf } from "../../src/core/market/session.js";
import { createBacktestAnswers } from "../../src/features/backtests/answers.js";
import { singleOrder } from "../../src/features/backtests/order.js";
import { stretchProvenance } from "../../src/features/backtests/provenance.js";
import type { Database } from "../../src/platform/database.js";
import type { Workers } from "../../src/platform/workers.js";
import { backtestParts, candlesOfCloses, FIRST_DAY, useBacktests } from "../fixtures/backtests.js";

let database: Database;
let workers: Workers;
useBacktests((parts) => {
  ({ database, workers } = parts);
});

const LENGTH = 700;
const whole = candlesOfCloses(Array.from({ length: LENGTH }, (_, i) => 100 + 20 * Math.sin(i / 15)));
const LATER_MS = FIRST_DAY + 3_000 * DAY_MS;

/** The candles without those of some places. */
function without(from: number, to: number): Candles {
  const [first, second] = [sliceCandles(whole, 0, from), sliceCandles(whole, to)];
  const columns = BAR_COLUMNS.map((name) => [name, Float64Array.of(...first[name], ...second[name])]);
  return { ...whole, ...Object.fromEntries(columns) };
}

/** What is said of a run long after its source has ended. */
async function toldOf(candles: Candles, order: object) {
  const parts = { ...backtestParts(database, workers, candles), now: () => LATER_MS };
  const answers = createBacktestAnswers(parts);
  const { data } = await answers.runSingle("ann", singleOrder.parse({ symbol: "BTC-USD", ...order }));
  const { stale } = stretchProvenance(data, LATER_MS);
  return { stale, notes: data.notes.filter((note) => /stretch on|missing/.test(note)) };
}

describe("a run of a source that has ended", () => {
  it("is stale up to now, and says where its bars end", async () => {
    const { stale, notes } = await toldOf(whole, { start_date: "2015-01-01" });
    expect(stale).toBe(true);
    expect(notes).toEqual([
      "BTC-USD: its bars end on 2016-11-30 and the stretch on 2023-03-19, 2300 bars after",
    ]);
  });

  it("is neither up to an end that it reaches, and both up to one that it does not", async () => {
    const within = await toldOf(whole, { start_date: "2015-01-01", end_date: "2016-11-30" });
    expect(within).toEqual({ stale: false, notes: [] });
    const beyond = await toldOf(whole, { start_date: "2014-01-01", end_date: "2017-12-31" });
    expect(beyond.stale).toBe(true);
    expect(beyond.notes).toEqual([
      "BTC-USD: its bars begin on 2015-01-01 and the stretch on 2014-01-01, 365 bars before",
      "BTC-USD: its bars end on 2016-11-30 and the stretch on 2017-12-31, 396 bars after",
    ]);
  });

  it("says what is missing in the middle", async () => {
    const order = { start_date: "2015-01-01", end_date: "2016-11-30" };
    const { stale, notes } = await toldOf(without(300, 500), order);
    expect(stale).toBe(false);
    expect(notes).toEqual([
      "BTC-USD: 200 of 700 bars are missing by the calendar of its market, at most 200 in a row, from 2015-10-28 to 2016-05-14",
    ]);
  });
});

describe("missing bars", () => {
  const calendar = calendarOf("XNYS");
  const [from, to] = [Date.UTC(2022, 9, 1), Date.UTC(2023, 2, 1)];

  it.each(["5m", "1h", "1d", "1w"] as const)("are those that the calendar has: %s", (interval) => {
    const time = barOpensBetween(calendar, interval, from, to);
    expect(missingBars(calendar, interval, time)).toBeNull();
    const cut = time.filter((_, i) => i !== 5 && (i < 9 || i > 11));
    const found = { count: 4, longest: 3, fromMs: time[9], toMs: time[11] };
    expect(missingBars(calendar, interval, cut)).toEqual(found);
    expect(missingBars(calendar, interval, new Float64Array(0))).toBeNull();
  });

  it("are not those that a vendor has by another grid", () => {
    const time = barOpensBetween(calendar, "1h", from, to);
    const moved = time.map((each) => each + 30 * 60_000);
    expect(missingBars(calendar, "1h", moved)).toBeNull();
  });
});
