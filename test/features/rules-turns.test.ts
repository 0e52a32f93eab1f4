import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { inTurns } from "../../src/features/rules/turns.js";
import type { Watched } from "../../src/features/rules/watch-store.js";

/** As much of a watched rule as turns depend on. */
function watched(userId: string, instrumentId: number, seenAt: number): Watched {
  const nothing = { condition: null, rearm: null, terms: null, lacks: [] };
  return {
    ...nothing,
    ruleId: `${userId} ${instrumentId}`,
    userId,
    instrumentId,
    interval: "1m",
    sinceAt: 0,
    before: { seenAt },
  } as unknown as Watched;
}

const rules = fc.array(
  fc.record({ user: fc.integer({ min: 0, max: 5 }), instrument: fc.nat(40), seen: fc.nat(1_000) }),
  { minLength: 1, maxLength: 120 },
);

describe("turns of rules", () => {
  it("have every rule once, with all others of its symbol and interval", () => {
    fc.assert(
      fc.property(rules, (given) => {
        const all = given.map(({ user, instrument, seen }) => watched(`u${user}`, instrument, seen));
        const groups = inTurns(all);
        expect(new Set(groups.flat())).toEqual(new Set(all));
        expect(groups.flat()).toHaveLength(all.length);
        const instruments = groups.map((group) => new Set(group.map(({ instrumentId }) => instrumentId)));
        expect(instruments.every(({ size }) => size === 1)).toBe(true);
        expect(new Set(instruments.map(([each]) => each)).size).toBe(groups.length);
      }),
    );
  });

  it("come to each user before any other has two more, what was seen longest ago first", () => {
    fc.assert(
      fc.property(rules, (given) => {
        // Each symbol is of one user alone.
        const own = given.map(({ user, seen }, n) => watched(`u${user}`, n, seen));
        const order = inTurns(own).map(([first]) => first);
        const users = new Set(own.map(({ userId }) => userId));
        for (const user of users) {
          const theirs = order.filter(({ userId }) => userId === user);
          theirs.forEach((each, k) => {
            expect(order.indexOf(each)).toBeLessThan((k + 1) * users.size);
          });
          const seen = theirs.map(({ before }) => before.seenAt ?? 0);
          expect(seen).toEqual([...seen].sort((a, b) => a - b));
        }
      }),
    );
  });

  it("keep nobody waiting for thousands of one other", () => {
    const crowd = Array.from({ length: 3_000 }, (_, n) => watched("crowd", n, n));
    const order = inTurns([...crowd, watched("one", 9_000, 999_999)]).map(([first]) => first.userId);
    expect(order.indexOf("one")).toBe(1);
  });
});
