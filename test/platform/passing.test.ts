import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PassingMap } from "../../src/platform/passing.js";

const steps = fc.array(
  fc.record({
    act: fc.constantFrom("set", "delete", "get"),
    key: fc.constantFrom("a", "b", "c", "__proto__"),
    value: fc.option(fc.nat(9), { nil: undefined }),
  }),
);

describe("a map of what is under way", () => {
  it("answers as a Map does", () => {
    fc.assert(
      fc.property(steps, (all) => {
        const passing = new PassingMap<number | undefined>();
        const known = new Map<string, number | undefined>();
        for (const { act, key, value } of all) {
          if (act === "set") {
            passing.set(key, value);
            known.set(key, value);
          } else if (act === "delete") {
            passing.delete(key);
            known.delete(key);
          }
          expect(passing.get(key)).toBe(known.get(key));
        }
      }),
    );
  });
});
