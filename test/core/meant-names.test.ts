import { describe, expect, it } from "vitest";
import { CANDLESTICKS } from "../../src/core/patterns/candlestick/index.js";
import { meantVariants } from "../../src/core/patterns/near-names.js";

describe("a pattern's name", () => {
  it.each([
    ["H&S", ["head_and_shoulders"]],
    ["HS", ["head_and_shoulders"]],
    ["reverse head and shoulders", ["inverse_head_and_shoulders"]],
    ["CupAndHandle", ["cup_with_handle"]],
    ["Cup & Handle", ["cup_with_handle"]],
    ["3 white soldiers", ["three_white_soldiers"]],
    ["2 Crows", ["two_crows"]],
    ["wedge", ["rising_wedge", "falling_wedge"]],
  ])("%s is understood", (text, variants) => {
    expect(meantVariants(text)).toEqual(variants);
  });

  it("may be that of TA-Lib", () => {
    for (const { talib, variants } of CANDLESTICKS) {
      if (talib === null) continue;
      const ids = variants.map(({ id }) => id);
      expect([talib, meantVariants(talib)]).toEqual([talib, ids]);
      expect(meantVariants(talib.toLowerCase())).toEqual(ids);
    }
    expect(meantVariants("CDLNOTHING")).toEqual([]);
  });
});
