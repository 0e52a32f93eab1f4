import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { returnsOn, sharedDays } from "../../src/features/backtests/shared-days.js";
import type { TrialFamily } from "../../src/features/backtests/store.js";

/** One trial of each data set, which has a return on each of its days. */
function familyOf(days: readonly (Int32Array | null)[]): TrialFamily {
  return {
    datasets: days.map((each, k) => ({ id: 10 + k, days: each })),
    ids: Float64Array.from(days, (_, k) => 100 + k),
    datasetIds: Float64Array.from(days, (_, k) => 10 + k),
    sharpe: new Float64Array(days.length),
    deviation: new Float64Array(days.length),
    n: Float64Array.from(days, (each) => each?.length ?? 7),
    sketches: new Int8Array(0),
  };
}

const all = (family: TrialFamily) => Int32Array.from(family.ids, (_, k) => k);
const range = (from: number, to: number) => Int32Array.from({ length: to - from }, (_, i) => from + i);

describe("days that trials share", () => {
  it("are those that all have who have nine of ten, and each return is of its day", () => {
    fc.assert(
      fc.property(
        fc.array(fc.uniqueArray(fc.nat(40), { minLength: 5 }), { minLength: 1, maxLength: 6 }),
        (lists) => {
          const days = lists.map((list) => Int32Array.from(list).sort());
          const family = familyOf(days);
          const found = sharedDays(family, all(family), 10, days[0].length);
          const sets = days.map((each) => new Set(each));
          const sharing = sets.flatMap((set, k) => {
            const shared = [...days[0]].filter((day) => set.has(day)).length;
            return shared >= 0.9 * days[0].length ? [k] : [];
          });
          expect(found.places).toEqual(sharing);
          const common = [...days[0]].filter((day) => sharing.every((k) => sets[k].has(day)));
          expect([...(found.days ?? [])]).toEqual(common);
          for (const k of sharing) {
            const returns = Float64Array.from(days[k], (day) => day / 7);
            expect([...returnsOn(returns, days[k], found.days)]).toEqual(common.map((day) => day / 7));
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it("are not asked of trials that ended before their bars, nor of those whose days were not kept", () => {
    const family = familyOf([range(0, 100), range(1, 101), null]);
    expect(sharedDays(family, all(family), 10, 100).places).toEqual([0, 1]);
    const lost = { ...family, n: Float64Array.of(60, 100, 7) };
    expect(sharedDays(lost, all(family), 11, 100).places).toEqual([1]);
    expect(sharedDays(lost, all(family), 10, 60)).toEqual({ days: null, places: [0] });
    expect(sharedDays(family, all(family), 12, 7)).toEqual({ days: null, places: [2] });
  });

  it("are told of one trial of many data sets alone where it is the only one that is looked at", () => {
    const family = familyOf([range(0, 100), range(2, 102)]);
    expect(sharedDays(family, Int32Array.of(1), 10, 100).places).toEqual([1]);
  });
});
