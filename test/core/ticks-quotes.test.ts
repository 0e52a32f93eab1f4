import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRng } from "../../src/core/base/rng.js";
import { calendarOf } from "../../src/core/market/session.js";
import { TickIntake } from "../../src/core/ticks/intake.js";
import { allocateQuotes, QUOTE_KINDS, QuoteMids } from "../../src/core/ticks/quotes.js";
import { allocateTicks } from "../../src/core/ticks/tick.js";
import { readClosed, type TickBar } from "../fixtures/tick-bars.js";

const AT = Date.UTC(2024, 2, 4, 15, 0);
type Row = readonly [bid: number, ask: number, afterMs?: number];

function quotesOf(rows: readonly Row[]) {
  const quotes = allocateQuotes(rows.length);
  rows.forEach(([bid, ask, afterMs], i) => {
    quotes.time[i] = AT + (afterMs ?? i);
    quotes.bid[i] = bid;
    quotes.ask[i] = ask;
  });
  return quotes;
}

/** The kind of each quote, with its mid where it has one. */
function told(rows: readonly Row[]): string[] {
  const mids = new QuoteMids(1);
  const quotes = quotesOf(rows);
  const ticks = allocateTicks(1);
  return rows.map((_, i) => {
    const kind = mids.take(quotes, i, ticks, 0);
    return kind > 1 ? QUOTE_KINDS[kind] : `${QUOTE_KINDS[kind]} ${ticks.price[0]}`;
  });
}

describe("a quote", () => {
  const cases: readonly [string, readonly Row[], readonly string[]][] = [
    ["of both sides makes their mid", [[10, 11]], ["mid 10.5"]],
    [
      "of one side waits for the other",
      [
        [10, 0],
        [0, 11],
      ],
      ["one_sided", "mid 10.5"],
    ],
    [
      "leaves as it was the side that is 0",
      [
        [10, 11],
        [0, 12],
        [11, 0],
      ],
      ["mid 10.5", "mid 11", "mid 11.5"],
    ],
    ["that is locked makes a mid", [[10, 10]], ["locked 10"]],
    [
      "that is crossed makes none, until a side moves",
      [
        [10, 11],
        [12, 0],
        [0, 13],
      ],
      ["mid 10.5", "crossed", "mid 12.5"],
    ],
    [
      "of no side says nothing",
      [
        [10, 11],
        [0, 0],
        [0, 12],
      ],
      ["mid 10.5", "empty", "mid 11"],
    ],
    [
      "below 0 is not remembered",
      [
        [10, 11],
        [-1, 20],
        [0, 12],
      ],
      ["mid 10.5", "negative", "mid 11"],
    ],
    [
      "that is no number is not remembered",
      [
        [10, 11],
        [Number.NaN, 20],
        [12, Number.POSITIVE_INFINITY],
        [0, 12],
      ],
      ["mid 10.5", "not_finite", "not_finite", "mid 11"],
    ],
    [
      "that is older than what is known leaves it as it is",
      [
        [100, 101, 10],
        [50, 51, 5],
        [100, 0, 11],
        [0, 103, 9],
        [99, 0, 12],
      ],
      ["mid 100.5", "mid 50.5", "mid 100.5", "mid 101.5", "mid 100"],
    ],
    ["as large as can be has a mid", [[1.7e308, 1.7e308]], ["locked 1.7e+308"]],
  ];
  it.each(cases)("%s", (_, rows, expected) => {
    expect(told(rows)).toEqual(expected);
  });
});

it("bars of mids have no volume and count quotes", () => {
  const intake = new TickIntake([calendarOf("XNYS")]);
  const mids = new QuoteMids(1);
  const quotes = quotesOf([
    [10, 11],
    [0, 11.1],
    [12, 0],
    [10.4, 0],
    [10.4, 10.6],
  ]);
  const ticks = allocateTicks(1);
  for (let i = 0; i < 5; i++) if (mids.take(quotes, i, ticks, 0) <= 1) intake.take(ticks, 0);
  // The mid of 10.75 is off by more than 1 % of both of its neighbours, and confirmed by none.
  intake.closeUntil(0, Float64Array.of(AT + 300_000));
  const bars: TickBar[] = [];
  readClosed(intake.builder.closed, bars);
  expect(bars).toMatchObject([{ volume: 0, open: 10.5, high: 10.55, low: 10.5, close: 10.5, count: 3 }]);
  expect(mids.count(0, 3)).toBe(1);
});

it("counts every quote once, and what is saved goes on elsewhere as it would here", () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 0, max: 200 }), (seed, cut) => {
      const rng = createRng(seed);
      const odd = [0, 0, -1, Number.NaN];
      const side = () => (rng.below(3) === 0 ? odd[rng.below(4)] : 100 + rng.below(5));
      const quotes = quotesOf(Array.from({ length: 200 }, () => [side(), side()] as const));
      const ticks = allocateTicks(1);
      const whole = new QuoteMids(1);
      let part = new QuoteMids(1);
      for (let i = 0; i < 200; i++) {
        if (i === cut) {
          const state = new Float64Array(part.stateLength);
          part.save(0, state);
          part = new QuoteMids(1);
          part.load(0, state);
        }
        const kind = whole.take(quotes, i, ticks, 0);
        const price = ticks.price[0];
        expect([part.take(quotes, i, ticks, 0), ticks.price[0]]).toEqual([kind, price]);
      }
      const counts = QUOTE_KINDS.map((_, kind) => part.count(0, kind));
      expect(counts).toEqual(QUOTE_KINDS.map((_, kind) => whole.count(0, kind)));
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(200);
    }),
    { numRuns: 50 },
  );
});
