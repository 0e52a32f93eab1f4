import { describe, expect, it } from "vitest";
import { INTERVALS, parseInterval } from "../../src/core/market/interval.js";

describe("parseInterval", () => {
  it("knows every interval and the usual spellings", () => {
    for (const interval of INTERVALS) expect(parseInterval(` ${interval} `)).toBe(interval);
    expect(["60m", "1D", "1wk", "daily", "240m"].map(parseInterval)).toEqual(["1h", "1d", "1w", "1d", "4h"]);
    expect(["1H", "4H", "1W", "15Min", "DAILY"].map(parseInterval)).toEqual(["1h", "4h", "1w", "15m", "1d"]);
  });

  it.each(["", "1M", "3M", "2h", "constructor", "__proto__", "toString", "hasOwnProperty", "1", "NaN"])(
    "refuses %j",
    (text) => {
      expect(parseInterval(text)).toBeNull();
    },
  );
});
