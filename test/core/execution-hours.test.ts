import { describe, expect, it } from "vitest";
import { factsOf } from "../../src/core/execution/facts.js";
import { calendarOf } from "../../src/core/market/session.js";
import { expectEnd, MINUTE_MS, Scene } from "../fixtures/execution-scene.js";

describe("hours", () => {
  it("before the open are for orders that allow them", () => {
    const scene = new Scene();
    const limit = { quantity: 5, type: "limit", limitPrice: 99 } as const;
    scene.submit({ id: "a", ...limit, extendedHours: true });
    scene.submit({ id: "b", ...limit });
    scene.bar(98, 98, 98, 98, { regular: false });
    expectEnd(scene, ["a filled 5/5", "b new 0/5"], ["a 5 at 98 taker open"], 10_000);
    expect(scene.hash).toBe("e039f890f90e");
    scene.bar(97, 97, 97, 97);
    expectEnd(
      scene,
      ["a filled 5/5", "b filled 5/5"],
      ["a 5 at 98 taker open", "b 5 at 97 taker open"],
      9_995,
    );
    expect(scene.hash).toBe("e06d5bd29804");
  });

  it("after the close are for orders that allow them, until the day is ended", () => {
    const scene = new Scene();
    const limit = { quantity: 5, type: "limit", limitPrice: 99 } as const;
    scene.submit({ id: "a", ...limit, extendedHours: true });
    scene.submit({ id: "b", ...limit });
    scene.bar(100, 100, 100, 100, { last: true });
    expect(scene.orders).toEqual(["a new 0/5", "b expired 0/5"]);
    scene.bar(100, 100, 100, 100, { regular: false });
    scene.desk.endOfDay({ at: scene.time, nights: 1 });
    expectEnd(scene, ["a expired 0/5", "b expired 0/5"], [], 10_000);
    expect(scene.hash).toBe("d25ff625159b");
  });

  it("of a half day end orders for the day at 13:00", () => {
    // The day after Thanksgiving of 2024: 14:30 to 18:00 UTC.
    const calendar = calendarOf("XNYS");
    const scene = new Scene({ at: Date.UTC(2024, 10, 29, 17, 58) });
    scene.submit({ id: "a", quantity: 5, type: "limit", limitPrice: 90 });
    for (const minute of [58, 59]) {
      const facts = factsOf(calendar, "1m", Date.UTC(2024, 10, 29, 17, minute));
      expect(facts.last).toBe(minute === 59);
      scene.bar(100, 100, 100, 100, facts);
    }
    expectEnd(scene, ["a expired 0/5"], [], 10_000);
    expect(scene.hash).toBe("5482a23093c3");
    expect(scene.events.at(-1)?.at).toBe(Date.UTC(2024, 10, 29, 18));
  });

  it("move with summer time: an order of Friday's evening fills at 13:30 UTC on Monday", () => {
    // Clocks in New York went forward on Sunday, 10 March 2024; Friday's session was 14:30 to 21:00 UTC.
    const calendar = calendarOf("XNYS");
    const scene = new Scene({ at: Date.UTC(2024, 2, 8, 21, 5) });
    scene.submit({ id: "a", quantity: 5, timeInForce: "opg" }, false);
    const monday = Date.UTC(2024, 2, 11, 13, 30);
    scene.time = monday - MINUTE_MS;
    scene.bar(101, 101, 101, 101, factsOf(calendar, "1m", monday - MINUTE_MS));
    expect(scene.fills).toEqual([]);
    const facts = factsOf(calendar, "1m", monday);
    expect(facts).toMatchObject({ regular: true, first: true, last: false, until: monday + MINUTE_MS });
    scene.bar(102, 102, 102, 102, facts);
    expectEnd(scene, ["a filled 5/5"], ["a 5 at 102 taker open"], 10_000);
    expect(scene.hash).toBe("4fa85b20cd0a");
    expect(factsOf(calendar, "1m", Date.UTC(2024, 2, 11, 19, 59))).toMatchObject({ last: true });
  });
});

describe("a quote", () => {
  const quote = { price: 100, bid: 99.9, ask: 100.2, regular: true };

  it("sells at the bid and buys at the ask, to orders that came before it", () => {
    const scene = new Scene();
    scene.submit({ id: "a", quantity: 10 });
    scene.desk.quote("AAA", { ...quote, time: scene.time });
    expect(scene.fills).toEqual([]);
    scene.desk.quote("AAA", { ...quote, time: scene.time + 1 });
    scene.time += 2;
    scene.submit({ id: "b", side: "sell", quantity: 10, type: "limit", limitPrice: 99.5 });
    scene.desk.quote("AAA", { ...quote, time: scene.time + 1 });
    const fills = ["a 10 at 100.2 taker quote", "b 10 at 99.9 taker quote"];
    expectEnd(scene, ["a filled 10/10", "b filled 10/10"], fills, 9_997);
    expect(scene.hash).toBe("06cde21956a1");
  });

  it("moves a trailing stop by its price", () => {
    const scene = new Scene();
    scene.hold(10);
    scene.submit({ id: "a", side: "sell", quantity: 10, type: "trailing_stop", trailAmount: 1 });
    for (const [k, price] of [101, 103, 102.5, 101.9].entries()) {
      scene.desk.quote("AAA", {
        price,
        bid: price - 0.1,
        ask: price + 0.1,
        regular: true,
        time: scene.time + 1 + k,
      });
    }
    // Best 103, level 102; hit by 101.9, sold at the bid of 101.8.
    expectEnd(scene, ["a filled 10/10"], ["a 10 at 101.8 taker quote"], 10_018);
    expect(scene.hash).toBe("aeb97831d4bd");
  });
});
