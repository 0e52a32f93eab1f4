import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRng } from "../../src/core/base/rng.js";
import { TickIntake } from "../../src/core/ticks/intake.js";
import { MOST_IDS, TradeIds } from "../../src/core/ticks/trade-ids.js";
import { VERDICTS } from "../../src/core/ticks/verdict.js";
import { readClosed, type TickBar, type Trade, ticksOf } from "../fixtures/tick-bars.js";
import { AT, endsOf, guardOf, judgeAll, newYork, pricesOf } from "../fixtures/tick-guards.js";

describe("numbers of the source", () => {
  it("tell a trade that is sent again, by number and time, in whatever order", () => {
    fc.assert(
      fc.property(fc.integer(), fc.constantFrom(20, 300, 2_000), (seed, range) => {
        const rng = createRng(seed);
        const ticks = ticksOf(
          Array.from({ length: 1_200 }, (_, i) => ({
            symbol: rng.below(2),
            time: AT + rng.below(3),
            price: 100,
            ...(rng.below(10) === 0 ? {} : { id: rng.below(4) === 0 ? range + i : rng.below(range) }),
          })),
        );
        const known = new Set<string>();
        const expected = Array.from(ticks.id, (id, i) => {
          const trade = `${ticks.symbol[i]} ${id} ${ticks.time[i]}`;
          if (Number.isNaN(id)) return "accepted";
          if (known.has(trade)) return "duplicate";
          known.add(trade);
          return "accepted";
        });
        expect(judgeAll(guardOf(2).guard, ticks)).toEqual(expected);
      }),
      { numRuns: 40 },
    );
  });

  it("are known while their bar is open: what is sent again adds nothing, then or later", () => {
    const batch = Array.from({ length: 1_000 }, (_, i) => ({ time: AT + i, price: 100, size: 1, id: i + 1 }));
    const volumes = (rows: readonly Partial<Trade>[]) => {
      const intake = new TickIntake([newYork]);
      const ticks = ticksOf(rows.map((row) => ({ time: AT, price: 100, ...row })));
      const verdicts = Array.from(ticks.time, (_, i) => VERDICTS[intake.take(ticks, i)]);
      intake.closeUntil(0, Float64Array.of(AT + 1e9));
      const bars: TickBar[] = [];
      readClosed(intake.builder.closed, bars);
      const five = bars.filter(({ interval }) => interval === 0);
      return { verdicts, volumes: five.map(({ volume }) => volume) };
    };
    const again = volumes([...batch, ...batch]);
    expect(again.volumes).toEqual([1_000]);
    expect(again.verdicts.slice(1_000)).toEqual(Array(1_000).fill("duplicate"));
    const next = { time: AT + 300_000, size: 5, id: 1_001 };
    const late = volumes([...batch, next, ...batch, next]);
    expect(late.volumes).toEqual([1_000, 5]);
    expect(late.verdicts.slice(1_001)).toEqual([...Array(1_000).fill("late"), "duplicate"]);
  });

  it("may begin again each day, and two senders may count for themselves", () => {
    const days = [0, 1, 2].flatMap((day) =>
      Array.from({ length: 120 }, (_, i) => ({
        time: AT + 86_400_000 * day + 1_000 * i,
        price: 100,
        id: i + 1,
      })),
    );
    expect(endsOf(days)).toEqual(Array(360).fill("accepted"));
    const two = Array.from({ length: 40 }, (_, i) => ({ time: AT + i, price: 100, id: i >> 1 }));
    expect(endsOf(two)).toEqual(Array(40).fill("accepted"));
  });

  it("of which there are more than are remembered: the highest are, and those in the end were accepted", () => {
    const ids = new TradeIds(1);
    const ticks = ticksOf(Array.from({ length: MOST_IDS + 1 }, (_, i) => ({ time: AT, price: 1, id: i })));
    ids.append(0, ticks.id, ticks.time, 0, MOST_IDS, new Float64Array(1), 0);
    ids.add(0, ticks.id, ticks.time, MOST_IDS);
    const known = [0, MOST_IDS / 4 - 1, MOST_IDS / 4, MOST_IDS].map((i) => ids.has(0, ticks, i));
    expect(known).toEqual([false, false, true, true]);
    expect(ids.count(0)).toBe(MOST_IDS - MOST_IDS / 4 + 1);
  });

  it("of a tick that is held: sent again it confirms nothing, and once it is refuted it may be mended", () => {
    const held = { time: AT + 1, price: 200, id: 77 };
    const ends = endsOf([{}, held, held, { price: 100 }, { ...held, price: 100 }, { ...held, price: 100 }]);
    expect(ends).toEqual(["accepted", "outlier", "duplicate", "accepted", "accepted", "duplicate"]);
    const jump = endsOf([{}, held, { price: 200.1 }, held]);
    expect(jump).toEqual(["accepted", "accepted", "accepted", "duplicate"]);
  });

  it("of a refused tick are free: what is mended and sent again is accepted", () => {
    const trades = [
      { price: Number.NaN, id: 4 },
      { price: 100, id: 4 },
    ];
    expect(endsOf(trades)).toEqual(["not_finite", "accepted"]);
  });

  it("are not needed: equal trades without one are trades of their own", () => {
    expect(endsOf(pricesOf(100, 100, 100).map((trade) => ({ ...trade, time: AT })))).toEqual([
      "accepted",
      "accepted",
      "accepted",
    ]);
  });
});
