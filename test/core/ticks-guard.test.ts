import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRng } from "../../src/core/base/rng.js";
import { calendarOf } from "../../src/core/market/session.js";
import { CONFIRMED, REFUTED } from "../../src/core/ticks/guard.js";
import { GUARD_TERMS } from "../../src/core/ticks/guard-terms.js";
import { TickIntake } from "../../src/core/ticks/intake.js";
import { VERDICTS, type VerdictName } from "../../src/core/ticks/verdict.js";
import { type Trade, ticksOf, walkTicks } from "../fixtures/tick-bars.js";
import { AT, endsOf, guardOf, judgeAll, pricesOf, settledVerdicts } from "../fixtures/tick-guards.js";

describe("a recording", () => {
  /** Trades of a minute, one of them at a wrong time, through guard and bars. */
  function taken(wrong: number, received = Number.NaN) {
    const intake = new TickIntake([calendarOf("24x7")]);
    intake.guard.receivedAt(received);
    const times = Array.from({ length: 600 }, (_, i) => (i === 100 ? wrong : AT + 1_000 * i));
    const ticks = ticksOf(times.map((time) => ({ time, price: 100 })));
    return VERDICTS.map((_, code) => {
      if (code === 0) for (let i = 0; i < times.length; i++) intake.take(ticks, i);
      return intake.guard.count(0, code);
    });
  }
  const DAY = 86_400_000;
  const only = (name: VerdictName) => VERDICTS.map((verdict) => (verdict === name ? 1 : 0));

  it("is not spoilt by one wrong time, far ahead or in seconds", () => {
    const accepted = only("accepted").map((each) => 599 * each);
    const and = (name: VerdictName) => only(name).map((each, k) => each + accepted[k]);
    for (const received of [Number.NaN, AT + 60 * DAY]) {
      expect(taken(AT + 20 * DAY, received)).toEqual(and("outlier"));
      expect(taken(AT / 1_000, received)).toEqual(and("outside_session"));
      expect(taken(-1, received)).toEqual(and("outside_session"));
    }
    expect(taken(AT + 20 * DAY, AT + 600_000)).toEqual(and("from_the_future"));
  });

  it("goes on after days without a trade, and so does what is traded now", () => {
    const intake = new TickIntake([calendarOf("24x7")]);
    const days = [0, 3, 3, 9, 9, 40, 40];
    const ticks = ticksOf(days.map((day, i) => ({ time: AT + DAY * day + i, price: 100 })));
    const verdicts = days.map((_, i) => VERDICTS[intake.take(ticks, i)]);
    expect(verdicts.map((verdict) => verdict === "held")).toEqual(
      days.map((day, i) => i > 0 && day > days[i - 1]),
    );
    expect(intake.guard.count(0, VERDICTS.indexOf("accepted"))).toBe(days.length);
    const now = new TickIntake([calendarOf("24x7")]);
    for (let i = 0; i < days.length; i++) {
      now.guard.receivedAt(ticks.time[i] + 100);
      expect(VERDICTS[now.take(ticks, i)]).toBe("accepted");
    }
  });
});

describe("a tick by itself", () => {
  const cases: readonly [string, Partial<Trade>, VerdictName][] = [
    ["sound", {}, "accepted"],
    ["without size", { size: 0 }, "accepted"],
    ["of the open", { time: Date.UTC(2024, 2, 4, 14, 30) }, "accepted"],
    ["of no time", { time: Number.NaN }, "not_finite"],
    ["of no price", { price: Number.NaN }, "not_finite"],
    ["of an endless price", { price: Number.POSITIVE_INFINITY }, "not_finite"],
    ["of an endless size", { size: Number.POSITIVE_INFINITY }, "not_finite"],
    ["of no size", { size: Number.NaN }, "not_finite"],
    ["of price 0", { price: 0 }, "price_not_positive"],
    ["below 0", { price: -1 }, "price_not_positive"],
    ["of a price beyond reason", { price: 1.7e308 }, "price_too_large"],
    ["of a price that is none", { price: 1e-310 }, "price_too_small"],
    ["of the smallest price that is one", { price: 1e-9 }, "accepted"],
    ["of the largest price that is one", { price: 1e15 }, "accepted"],
    ["with less than nothing", { size: -1 }, "size_negative"],
    ["with too much", { size: 1_001 }, "size_too_large"],
    ["with as much as there may be", { size: 1_000 }, "accepted"],
    ["a little ahead of the clock", { time: AT + 4_000 }, "accepted"],
    ["far ahead of it", { time: AT + 4_001 }, "from_the_future"],
    ["before the open", { time: Date.UTC(2024, 2, 4, 14, 30) - 1 }, "outside_session"],
    ["of Sunday", { time: Date.UTC(2024, 2, 3, 15, 0) }, "outside_session"],
    ["of the year 1850", { time: Date.UTC(1850, 0, 2) }, "outside_session"],
    ["of a closed bar", { time: Date.UTC(2024, 2, 1, 15, 0) - 1 }, "late"],
  ];
  it.each(cases)("%s", (_, trade, verdict) => {
    const terms = { largestSize: 1_000, regularOnly: true };
    const { guard, closed } = guardOf(1, terms);
    guard.receivedAt(AT + 2_000);
    closed[0] = verdict === "late" ? Date.UTC(2024, 2, 1, 15, 0) : Number.NEGATIVE_INFINITY;
    const ticks = ticksOf([{ time: AT, price: 100, ...trade }]);
    expect(judgeAll(guard, ticks)).toEqual([verdict]);
    expect(VERDICTS.map((_, code) => guard.count(0, code))).toEqual(
      VERDICTS.map((name) => (name === verdict ? 1 : 0)),
    );
  });

  it("at the close is outside the hours, and the next morning within them", () => {
    const times = ["2024-03-04T20:59:59.999Z", "2024-03-04T21:00:00Z", "2024-03-05T14:30:00Z"];
    const trades = times.map((time) => ({ time: Date.parse(time) }));
    expect(endsOf(trades, { regularOnly: true })).toEqual(["accepted", "outside_session", "accepted"]);
    expect(endsOf(trades)).toEqual(["accepted", "accepted", "accepted"]);
  });

  it("is late behind the newest by more than is allowed, even in an open bar", () => {
    const trades = [{ time: AT }, { time: AT - 1_000 }, { time: AT - 1_001 }];
    expect(endsOf(trades, { latenessMs: 1_000 })).toEqual(["accepted", "accepted", "late"]);
    expect(endsOf(trades)).toEqual(["accepted", "accepted", "accepted"]);
  });

  it("is late behind a newest that was held and confirmed", () => {
    const held = [0, 10_000, 9_500].map((ms) => ({ time: AT + ms, price: ms === 0 ? 100 : 110 }));
    const ends = endsOf([...held, { time: AT + 8_900, price: 110 }], { latenessMs: 1_000 });
    expect(ends).toEqual(["accepted", "accepted", "accepted", "late"]);
  });

  it("may be of any time where nobody knows when it was received", () => {
    const { guard } = guardOf();
    guard.receivedAt(AT);
    guard.receivedAt(Number.NaN);
    expect(judgeAll(guard, ticksOf([{ time: Date.UTC(2050, 0, 3), price: 1 }]))).toEqual(["accepted"]);
  });
});

describe("a price that falls slowly", () => {
  it("is refused from where it is too small, in the midst of plain ticks", () => {
    const intake = new TickIntake([calendarOf("24x7")]);
    const prices = Array.from({ length: 1_000 }, (_, i) => 1e-7 * 0.991 ** i);
    const ticks = ticksOf(prices.map((price, i) => ({ time: AT + i, price })));
    let refused = 0;
    for (let i = 0; i < prices.length; ) {
      const taken = intake.takePlain(ticks, i, prices.length);
      if (taken < prices.length) refused += VERDICTS[intake.takeOdd(ticks, taken)] === "accepted" ? 0 : 1;
      i = taken + 1;
    }
    expect(refused).toBe(prices.filter((price) => price < 1e-9).length);
    expect(intake.guard.count(0, VERDICTS.indexOf("price_too_small"))).toBe(refused);
    expect(refused).toBeGreaterThan(400);
  });
});

describe("an outlier", () => {
  it("is far from both neighbours: held, and refused by the next", () => {
    expect(endsOf(pricesOf(100, 110))).toEqual(["accepted", "held"]);
    expect(endsOf(pricesOf(100, 110, 100.5))).toEqual(["accepted", "outlier", "accepted"]);
    expect(endsOf(pricesOf(100, 90, 100.5))).toEqual(["accepted", "outlier", "accepted"]);
    expect(endsOf(pricesOf(100, 100.9, 100))).toEqual(["accepted", "accepted", "accepted"]);
  });

  it("gives way to the next, which is judged in turn", () => {
    expect(endsOf(pricesOf(100, 110, 120, 100))).toEqual(["accepted", "outlier", "outlier", "accepted"]);
    expect(endsOf(pricesOf(100, 110, 120, 120.1))).toEqual(["accepted", "outlier", "accepted", "accepted"]);
  });

  it("is none where prices jump: the next confirms it", () => {
    const jumps = { news: 95, split: 50, "reverse split": 1_000, halt: 130 };
    for (const price of Object.values(jumps))
      expect(endsOf(pricesOf(100, price, price * 1.001, price))).toEqual(Array(4).fill("accepted"));
  });

  it("is none at the open after a gap, and comes before the tick that confirms it", () => {
    const { guard } = guardOf();
    const ticks = ticksOf([
      { time: AT, price: 100 },
      { time: AT + 86_400_000, price: 108, size: 700, id: 12 },
      { time: AT + 86_400_001, price: 108.2 },
    ]);
    expect([0, 1].map((i) => VERDICTS[guard.judge(ticks, i)])).toEqual(["accepted", "held"]);
    expect(guard.settled).toBe(0);
    expect(VERDICTS[guard.judge(ticks, 2)]).toBe("accepted");
    expect(guard.settled).toBe(CONFIRMED);
    const { time, price, size, id, symbol } = guard.held;
    expect([symbol[0], time[0], price[0], size[0], id[0]]).toEqual([0, AT + 86_400_000, 108, 700, 12]);
  });

  it("waits for its own symbol, and for a sound tick", () => {
    const { guard } = guardOf(2);
    const ticks = ticksOf([
      { symbol: 0, time: AT, price: 100 },
      { symbol: 1, time: AT, price: 10 },
      { symbol: 0, time: AT, price: 150 },
      { symbol: 1, time: AT, price: 10 },
      { symbol: 0, time: AT, price: -1 },
      { symbol: 0, time: AT, price: 101 },
    ]);
    expect(settledVerdicts(guard, ticks)).toEqual([
      "accepted",
      "accepted",
      "outlier",
      "accepted",
      "price_not_positive",
      "accepted",
    ]);
  });

  it("is refused when its bar was closed meanwhile", () => {
    const { guard, closed } = guardOf();
    const ticks = ticksOf(pricesOf(100, 110, 110).map((trade, i) => ({ ...trade, time: AT + i })));
    guard.judge(ticks, 0);
    guard.judge(ticks, 1);
    closed[0] = AT + 1;
    guard.expire(0);
    expect(guard.settled).toBe(0);
    closed[0] = AT + 2;
    guard.judge(ticks, 2);
    expect(guard.settled).toBe(REFUTED);
  });

  it("needs deviations as well as the fraction, once prices are known to move that much", () => {
    const rng = createRng(5);
    const wild = Array.from({ length: 1_500 }, () => 100 * (1 + 0.004 * rng.normal()));
    const ends = endsOf(pricesOf(...wild, 103.5, 100));
    // Warm-up has but the fraction.
    expect(ends.slice(0, 100)).toContain("outlier");
    expect(ends.slice(1_000)).toEqual(Array(502).fill("accepted"));
    const calm = Array.from({ length: 1_500 }, () => 100 * (1 + 0.0004 * rng.normal()));
    expect(endsOf(pricesOf(...calm, 103.5, 100)).at(-2)).toBe("outlier");
  });

  it("is none in the end where every second price is 2 % away: that is the market", () => {
    const bounces = Array.from({ length: 1_000 }, (_, i) => (i % 2 === 0 ? 100 : 102));
    const ends = endsOf(pricesOf(...bounces));
    expect(ends.slice(0, 100)).toContain("outlier");
    expect(ends.slice(500)).toEqual(Array(500).fill("accepted"));
  });

  it("stays one where a twentieth of all ticks are wrong", () => {
    const prices = Array.from({ length: 4_000 }, (_, i) => (i % 20 === 9 ? 103 : 100 + (i % 3) / 100));
    const ends = endsOf(pricesOf(...prices));
    expect(prices.flatMap((price, i) => (price === 103 ? [ends[i]] : []))).toEqual(
      Array(200).fill("outlier"),
    );
    expect(prices.flatMap((price, i) => (price === 103 ? [] : [ends[i]]))).toEqual(
      Array(3_800).fill("accepted"),
    );
  });

  it("is found by the rule as it is written, over any walk with wrong prices in it", () => {
    fc.assert(
      fc.property(fc.integer(), fc.constantFrom(0.002, 0.02, 0.2), (seed, share) => {
        const ticks = walkTicks(seed, 2_000);
        const rng = createRng(seed, 2);
        for (let i = 0; i < 2_000; i++)
          if (rng.next() < share) ticks.price[i] *= Math.exp(0.05 * rng.normal());
        const { ends, isClose } = plainVerdicts(ticks.price);
        fc.pre(!isClose);
        expect(settledVerdicts(guardOf().guard, ticks)).toEqual(ends);
      }),
      { numRuns: 40 },
    );
  });
});

/**
 * The rule with logarithms, over sound ticks of one symbol; and whether a price came so close to what the rule allows that
 * the guard, whose returns differ from logarithms by a twelfth of their square, may see it otherwise.
 */
function plainVerdicts(prices: Float64Array): { ends: VerdictName[]; isClose: boolean } {
  const { sigmas, fraction, warmup, weight, floor } = GUARD_TERMS;
  const ends: VerdictName[] = [];
  let last = prices[0];
  let variance = floor ** 2;
  let accepted = 1;
  let held = -1;
  ends.push("accepted");
  let isClose = false;
  const isAbove = (move: number, limit: number) => {
    if (Math.abs(move / limit - 1) < 0.0005 + move ** 2 / 6) isClose = true;
    return move > limit;
  };
  const isOff = (price: number, other: number) => {
    const move = Math.abs(Math.log(price / other));
    return isAbove(move, fraction) && (accepted < warmup || isAbove(move, sigmas * Math.sqrt(variance)));
  };
  for (let i = 1; i < prices.length; i++) {
    if (held >= 0) {
      const isRefuted = isOff(prices[i], prices[held]);
      ends[held] = isRefuted ? "outlier" : "accepted";
      if (!isRefuted) {
        last = prices[held];
        accepted++;
      }
      held = -1;
    }
    const isSuspect = isOff(prices[i], last);
    const square = Math.min(Math.log(prices[i] / last) ** 2, 9 * variance);
    variance = Math.max(floor ** 2, variance + weight * (square - variance));
    if (isSuspect) {
      ends.push("held");
      held = i;
    } else {
      ends.push("accepted");
      last = prices[i];
      accepted++;
    }
  }
  return { ends, isClose };
}

it("counts every tick once", () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const rng = createRng(seed);
      const odd = [Number.NaN, -1, 0, 70, 100, 130, Number.POSITIVE_INFINITY];
      const ticks = walkTicks(seed, 300, { symbols: 3 });
      for (let i = 0; i < 300; i++) if (rng.below(4) === 0) ticks.price[i] = odd[rng.below(odd.length)];
      const { guard } = guardOf(3);
      const ends = settledVerdicts(guard, ticks);
      for (const [code, name] of VERDICTS.entries()) {
        const counted = [0, 1, 2].reduce((sum, symbol) => sum + guard.count(symbol, code), 0);
        expect(counted).toBe(ends.filter((end) => end === name).length);
      }
    }),
    { numRuns: 60 },
  );
});
