import { expect, it } from "vitest";
import type { Bar } from "../../src/core/market/candles.js";
import { collectCandles, MISPLACED } from "../../src/core/market/collect.js";
import { rejectedIssues } from "../../src/features/quality/rejected.js";

const DAY = 86_400_000;
const row = (change: Partial<Bar> = {}): Bar => {
  return { time: DAY, open: 10, high: 11, low: 9, close: 10, volume: 5, ...change };
};
const issuesOf = (...rows: Bar[]) => rejectedIssues("X", collectCandles("X", "1d", rows).rejected);

it.each([
  ["price_not_positive", "price is not positive", { close: -1 }],
  ["price_not_positive", "price is not positive", { low: 0 }],
  ["high_below_low", "low is above open, close or high", { low: 12 }],
  ["price_out_of_range", "low is above open, close or high", { close: 8 }],
  ["price_out_of_range", "high is below open or close", { open: 12 }],
  ["price_not_finite", "price is not finite", { high: Number.NaN }],
  ["volume_invalid", "volume is negative or not finite", { volume: -1 }],
  ["time_invalid", "time is not a number", { time: Number.NaN }],
])("a row is told of as %s in the words that it was rejected with: %s", (code, reason, change) => {
  const [issue, ...others] = issuesOf(row(change));
  expect(others).toEqual([]);
  expect(issue).toMatchObject({ code, severity: "critical", subject: "X", count: 1 });
  expect(issue.detail).toMatch(new RegExp(`^${reason}: .*; held back$`));
});

it("rows of one time are told of by what became of them", () => {
  expect(issuesOf(row(), row({ close: 10.05 }))).toMatchObject([
    { code: "contradicting_rows", severity: "warning", detail: expect.stringMatching(/; the later stands$/) },
  ]);
  expect(issuesOf(row(), row({ close: 11 }))).toMatchObject([
    {
      code: "contradicting_rows",
      severity: "critical",
      detail: expect.stringMatching(/; both are held back$/),
    },
  ]);
});

it("what is rejected in words alone has no code that those words might mean", () => {
  const reason = "volume of the future is not positive";
  expect(
    rejectedIssues("X", [
      { time: DAY, ...MISPLACED },
      { time: DAY, reason },
    ]),
  ).toMatchObject([
    { code: "off_session", severity: "warning", detail: "time is not that of a bar; held back" },
    { code: "row_refused", severity: "warning", detail: `${reason}; held back` },
  ]);
});
