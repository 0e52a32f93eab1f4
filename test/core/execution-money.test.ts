import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  floorToLot,
  isOnLot,
  roundQuantity,
  TOO_MUCH_MONEY,
  timesMicros,
} from "../../src/core/execution/money.js";
import { sized } from "../fixtures/sizes.js";

const PRODUCTS = sized({ usual: 10_000, full: 50_000 });
const QUANTITIES = sized({ usual: 8_000, full: 20_000 });
const LOTS = sized({ usual: 10_000, full: 50_000 });

/** A decimal of some places with its double and its billionths. */
const decimal = (most: number, places: number) =>
  fc.tuple(fc.integer({ min: 0, max: most }), fc.integer({ min: 0, max: places })).map(([units, digits]) => ({
    value: Number(`${units}e-${digits}`),
    nanos: BigInt(units) * 10n ** BigInt(9 - digits),
  }));

describe("price times quantity", () => {
  it("is the product of the decimals, rounded once, half away from zero, of either sign", () => {
    const price = decimal(900_000_000, 8);
    const quantity = decimal(900_000_000, 4);
    fc.assert(
      fc.property(price, quantity, fc.boolean(), (one, other, isShort) => {
        const exact = (one.nanos * other.nanos * 2n + 10n ** 12n) / (2n * 10n ** 12n);
        fc.pre(exact < 9_000_000_000_000_000n);
        const micros = Number(exact);
        const sign = isShort && micros !== 0 ? -1 : 1;
        expect(timesMicros(one.value, isShort ? -other.value : other.value)).toBe(sign * micros);
      }),
      { numRuns: PRODUCTS },
    );
    expect(timesMicros(0.00001, 8_568_242.95)).toBe(85_682_430);
    expect(timesMicros(0.0001, -8_775_062.655)).toBe(-877_506_266);
    expect(timesMicros(8_502_930.7, 717.0225423)).toBe(6_096_792_987_514_719);
  });

  it("is refused beyond what doubles count exactly, and of what is no number", () => {
    expect(() => timesMicros(1e6, 9e3)).toThrow(new RangeError(TOO_MUCH_MONEY));
    expect(() => timesMicros(1e300, 1e300)).toThrow(new RangeError(TOO_MUCH_MONEY));
    expect(() => timesMicros(Number.NaN, 1)).toThrow(/no number/);
  });
});

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
      { numRuns: QUANTITIES, examples: [[2_103_866_387_338_273]] },
    );
    expect(roundQuantity(1_000_000.0000000002)).toBe(1_000_000);
    expect(roundQuantity(0.1 + 0.2)).toBe(0.3);
    expect(roundQuantity(1.0000000005)).toBe(1.000000001);
  });

  it("in whole lots are whole lots, however many, and no more than there were", () => {
    const size = fc.double({ min: 0, max: 1e12, noNaN: true });
    const lot = fc.constantFrom(1e-9, 1e-8, 1e-6, 1e-4, 0.01, 1, 100);
    fc.assert(
      fc.property(size, fc.double({ min: -12, max: 0, noNaN: true }), lot, (top, power, step) => {
        const quantity = top * 10 ** power;
        const floored = floorToLot(quantity, step);
        expect(isOnLot(floored, step)).toBe(true);
        expect(floored).toBeLessThanOrEqual(quantity * (1 + 1e-14) + 1e-9);
        expect(floored).toBeGreaterThan(quantity * (1 - 1e-12) - step);
      }),
      { numRuns: LOTS },
    );
  });
});
