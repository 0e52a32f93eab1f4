import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import type { CorporateAction } from "../../src/core/market/actions.js";
import { stepsOf, viewCandles } from "../../src/core/market/adjust.js";
import { candlesFromRows } from "../../src/core/market/candles.js";
import { dayOf } from "../../src/core/market/day.js";
import { calendarOf } from "../../src/core/market/session.js";
import { sharedPath } from "../fixtures/shared.js";

const root = sharedPath("data", "bad-input");
const DAY_MS = 86_400_000;
/** Its rows are days of UTC, as the files' dates are taken here. */
const calendar = calendarOf("24x7");

/** A file in yfinance's columns: raw bars, what was paid, and the vendor's adjusted closes. */
function read(name: string) {
  const bytes = readFileSync(`${root}/yfinance-${name}.csv.gz`);
  const [head, ...lines] = gunzipSync(bytes).toString("utf8").trimEnd().split(/\r?\n/);
  const names = head.toLowerCase().split(",");
  const rows = lines
    .map((line) => line.split(","))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map((cells) => (column: string) => Number(cells[names.indexOf(column)]) || 0);
  const days = lines.map((line) => ensure(dayOf(line.slice(0, 10)), "a day")).sort((a, b) => a - b);
  const bars = rows.map((cell, i) => ({
    ...{ time: days[i] * DAY_MS, open: cell("open"), high: cell("high"), low: cell("low") },
    ...{ close: cell("close"), volume: cell("volume") },
  }));
  const paid = rows.flatMap((cell, i): CorporateAction[] => {
    const amount = cell("dividends");
    return amount > 0 ? [{ kind: "dividend", exDay: days[i], amount, currency: "EUR" }] : [];
  });
  const adjusted = rows.map((cell) => cell("adj close"));
  return { candles: candlesFromRows(name, "1d", bars), paid, adjusted };
}

/** Greatest relative difference of our closes, adjusted for dividends, from those of a vendor. */
function worst({ candles, paid }: ReturnType<typeof read>, adjusted: readonly number[]): number {
  const closes = { day: candles.time.map((time) => time / DAY_MS), close: candles.close };
  const steps = stepsOf(paid, calendar, "EUR", closes);
  expect(steps.unapplied).toEqual([]);
  const horizonMs = Number.POSITIVE_INFINITY;
  const { close } = viewCandles(candles, null, steps, { adjustment: "all", horizonMs });
  return adjusted.reduce((most, value, i) => Math.max(most, Math.abs(close[i] / value - 1)), 0);
}

describe.skipIf(root === null)("adjusted closes that a vendor got wrong", () => {
  it.each([
    ["8TRA-DE-1d-missing-div-adjust", 5, 1],
    ["ADIG-L-1d-bad-div", 665, 11],
    ["DODFX-1d-cg-double-count", 502, 2],
  ])("%s: ours are those of the mended twin", (name, bars, dividends) => {
    const flawed = read(name);
    const mended = read(`${name}-fixed`);
    expect(flawed.candles.time).toHaveLength(bars);
    expect(flawed.paid).toHaveLength(dividends);
    expect(worst(flawed, mended.adjusted)).toBeLessThan(1e-6);
    expect(worst(mended, mended.adjusted)).toBeLessThan(1e-6);
    expect(worst(flawed, flawed.adjusted)).toBeGreaterThan(0.02);
  });

  it("CALM, of which nothing is wrong: ours are the vendor's", () => {
    const clean = read("CALM-1d-no-bad-divs");
    expect(clean.paid).toHaveLength(10);
    expect(worst(clean, clean.adjusted)).toBeLessThan(1e-6);
  });
});
