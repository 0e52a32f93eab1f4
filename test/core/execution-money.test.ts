import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isOnLot, roundQuantity } from "../../src/core/execution/money.js";

describe("quantities", () => {
  it("that are decimals of as many places as are told stay as they are, also large ones", () => {
    for (const quantity of [500_000, 1_000_000, 3_999_999, 4e6, 5e8, 1e9, 4e9, 1e11, 1e12]) {
      expect(roundQuantity(quantity)).toBe(quantity);
      expect(roundQuantity(-quantity)).toBe(-quantity);
      expect(isOnLot(quantity, 1)).toBe(true);
    }
    const whole = fc.integer({ min: 0, max: 4e15 });
    fc.assert(
      fc.property(whole, (units) => {
        expect(roundQuantity(units / 1e9)).toBe(units / 1e9);
      }),
      { numRuns: 20_000, examples: [[2_103_866_387_338_273]] },
    );
    expect(roundQuantity(1_000_000.0000000002)).toBe(1_000_000);
    expect(roundQuantity(0.1 + 0.2)).toBe(0.3);
    expect(roundQuantity(1.0000000005)).toBe(1.000000001);
  });
});
