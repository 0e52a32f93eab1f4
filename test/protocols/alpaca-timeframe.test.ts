import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { barOpensBetween } from "../../src/core/market/bar-times.js";
import { candlesFromRows } from "../../src/core/market/candles.js";
import { INTERVALS } from "../../src/core/market/interval.js";
import { calendarOf } from "../../src/core/market/session.js";
import { barToken, pageOf, placeOfBar } from "../../src/protocols/alpaca/pages.js";
import { idOf } from "../../src/protocols/alpaca/symbols.js";
import {
  baseOf,
  framed,
  overUntil,
  parseTimeframe,
  spanOf,
  timeframeText,
} from "../../src/protocols/alpaca/timeframe.js";

const frame = (text: string) => ensure(parseTimeframe(text), text);
const NYSE = calendarOf("XNYS");
const ALWAYS = calendarOf("24x7");

describe("timeframes", () => {
  it.each(["1Min", "59T", "1Hour", "23H", "1Day", "1D", "1Week", "1W", "1Month", "12M", "6Month"])(
    "%s is one",
    (text) => {
      expect(parseTimeframe(text)).not.toBeNull();
    },
  );

  it.each([
    "",
    "Min",
    "0Min",
    "60Min",
    "24Hour",
    "2Day",
    "2Week",
    "5Month",
    "1min",
    "1.5Hour",
    "01Min",
    "1Year",
    " 1Day",
  ])("%s is none", (text) => expect(parseTimeframe(text)).toBeNull());

  it("are spelled in one way", () => {
    expect(["5T", "2H", "1D", "1W", "3M"].map((text) => timeframeText(frame(text)))).toEqual([
      "5Min",
      "2Hour",
      "1Day",
      "1Week",
      "3Month",
    ]);
  });

  it.each([
    ["1Min", "1m", "1m"],
    ["10Min", "5m", "5m"],
    ["45Min", "15m", "15m"],
    ["1Hour", "30m", "1h"],
    ["4Hour", "30m", "4h"],
    ["6Hour", "30m", "1h"],
    ["1Day", "1d", "1d"],
    ["3Month", "1d", "1d"],
  ])("%s is made of %s bars of shares and %s bars of coins", (text, share, coin) => {
    expect(baseOf(frame(text), NYSE, INTERVALS)).toBe(share);
    expect(baseOf(frame(text), ALWAYS, INTERVALS)).toBe(coin);
  });

  it("need bars that they can be made of", () => {
    expect(baseOf(frame("7Min"), NYSE, ["5m", "1d"])).toBeNull();
    expect(baseOf(frame("1Hour"), NYSE, ["1h", "1d"])).toBeNull();
    expect(baseOf(frame("1Week"), ALWAYS, ["1h"])).toBeNull();
  });

  const FRAMES = [
    "1Min",
    "7Min",
    "30Min",
    "1Hour",
    "5Hour",
    "23Hour",
    "1Day",
    "1Week",
    "1Month",
    "4Month",
    "12Month",
  ];
  it("cut time without gaps, in every zone and over changes of clocks", () => {
    const sessions = barOpensBetween(NYSE, "30m", Date.UTC(2000, 0, 1), Date.UTC(2030, 0, 1));
    fc.assert(
      fc.property(
        fc.constantFrom(...FRAMES),
        fc.nat(sessions.length - 1),
        fc.boolean(),
        (text, at, isShare) => {
          const { zone } = isShare ? NYSE : ALWAYS;
          const time = sessions[at] + (at % 1_800_000);
          const { open, close } = spanOf(frame(text), zone, time);
          expect(open).toBeLessThanOrEqual(time);
          expect(close).toBeGreaterThan(time);
          expect(spanOf(frame(text), zone, open)).toEqual({ open, close });
          expect(spanOf(frame(text), zone, close).open).toBe(close);
          expect(spanOf(frame(text), zone, close - 1)).toEqual({ open, close });
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it("sum up what lies within each of them", () => {
    const opens = barOpensBetween(NYSE, "1m", Date.parse("2024-03-07"), Date.parse("2024-03-13"));
    const price = fc.integer({ min: 100, max: 200 });
    const row = fc.record({
      open: price,
      close: price,
      up: fc.nat(20),
      down: fc.nat(20),
      volume: fc.nat(1_000),
      gap: fc.nat(3),
    });
    fc.assert(
      fc.property(
        fc.array(row, { minLength: 1, maxLength: 400 }),
        fc.constantFrom(...FRAMES),
        (rows, text) => {
          let at = 0;
          const bars = rows.map(({ open, close, up, down, volume, gap }) => {
            at += 1 + gap;
            const high = Math.max(open, close) + up;
            return { time: opens[at], open, high, low: Math.min(open, close) - down, close, volume };
          });
          const made = framed(candlesFromRows("AAPL", "1m", bars), frame(text), NYSE.zone);
          const expected = [...grouped(bars, text)].map(([time, own]) => ({
            time,
            open: own[0].open,
            high: Math.max(...own.map(({ high }) => high)),
            low: Math.min(...own.map(({ low }) => low)),
            close: ensure(own.at(-1), "a bar").close,
            volume: own.reduce((sum, { volume }) => sum + volume, 0),
          }));
          expect(made).toEqual(expected);
        },
      ),
      { numRuns: 200 },
    );
  });

  it.each([
    ["2024-07-09T15:00:30Z", "1m", "2024-07-09T15:00:00Z"],
    ["2024-07-09T19:59:00Z", "1d", "2024-07-09T13:30:00Z"],
    ["2024-07-09T20:00:00Z", "1d", "2024-07-10T13:30:00Z"],
    ["2024-07-05T20:00:00Z", "1d", "2024-07-08T13:30:00Z"],
    ["2024-07-03T17:00:00Z", "30m", "2024-07-05T13:30:00Z"],
  ] as const)("at %s no %s bar is to come that opens before %s", (reached, base, until) => {
    expect(new Date(overUntil(NYSE, base, Date.parse(reached))).toISOString()).toBe(
      `${until.replace("Z", "")}.000Z`,
    );
  });
});

function grouped<T extends { time: number }>(bars: readonly T[], text: string): Map<number, T[]> {
  const groups = new Map<number, T[]>();
  for (const bar of bars) {
    const { open } = spanOf(frame(text), NYSE.zone, bar.time);
    groups.set(open, [...(groups.get(open) ?? []), bar]);
  }
  return groups;
}

describe("pages", () => {
  const bar = (time: number) => ({ time, open: 1, high: 1, low: 1, close: 1, volume: 1 });

  it("hold every bar once, in order, whatever their size", async () => {
    const series = fc.dictionary(fc.constantFrom("A", "B", "C", "D"), fc.nat(7));
    await fc.assert(
      fc.asyncProperty(series, fc.integer({ min: 1, max: 9 }), async (counts, limit) => {
        const found: string[] = [];
        let after: { symbol: string; time: number } | null = null;
        do {
          const { bars, end } = await pageOf(
            Object.keys(counts),
            limit,
            after,
            async (symbol, most, afterMs) =>
              Array.from({ length: counts[symbol] ?? 0 }, (_, i) => bar(i))
                .filter(({ time }) => afterMs === null || time > afterMs)
                .slice(0, most),
          );
          const page = Object.entries(bars).flatMap(([symbol, each]) =>
            each.map(({ time }) => `${symbol}${time}`),
          );
          expect(page.length).toBeLessThanOrEqual(limit);
          if (end !== null) expect(page.length).toBe(limit);
          found.push(...page);
          after = end;
        } while (after !== null);
        const all = Object.keys(counts)
          .sort()
          .flatMap((symbol) => Array.from({ length: counts[symbol] ?? 0 }, (_, i) => `${symbol}${i}`));
        expect(found).toEqual(all);
      }),
    );
  });

  it("are named by tokens as the vendor's are", () => {
    const place = { symbol: "AAPL", time: Date.parse("2022-01-03T09:00:00Z") };
    const token = barToken(place, "1Min");
    expect(Buffer.from(token, "base64").toString()).toBe("AAPL|1Min|2022-01-03T09:00:00Z");
    expect(placeOfBar(token, ["AAPL", "MSFT"], "1Min")).toEqual(place);
    for (const [symbols, frame] of [
      [["MSFT"], "1Min"],
      [["AAPL"], "1Day"],
    ] as const)
      expect(() => placeOfBar(token, symbols, frame)).toThrow("invalid page_token");
  });
});

describe("ids", () => {
  // By another implementation of version 5: Python's uuid.uuid5 of urn:tx:asset and the symbol.
  it.each([
    ["AAPL", "24f9ea71-8af3-5b17-9936-344df042dba3"],
    ["BTC-USD", "26df45dc-4b25-5881-b8f5-d4bcbc23c598"],
  ])("of %s are %s for ever", (name, id) => expect(idOf(name)).toBe(id));
});
