import { describe, expect, it } from "vitest";
import { INTERVALS, parseInterval } from "../../src/core/market/interval.js";

describe("parseInterval", () => {
  it("knows every interval and the usual spellings", () => {
    for (const interval of INTERVALS) expect(parseInterval(` ${interval.toUpperCase()} `)).toBe(interval);
    expect(["60m", "1D", "1wk", "daily", "240m"].map(parseInterval)).toEqual(["1h", "1d", "1w", "1d", "4h"]);
  });

  it.each(["", "2h", "constructor", "__proto__", "toString", "hasOwnProperty", "1", "NaN"])(
    "refuses %j",
    (text) => {
      expect(parseInterval(text)).toBeNull();
    },
  );
});
