import { describe, expect, it } from "vitest";
import { hash32 } from "../../src/core/base/rng.js";
import { computeIndicator } from "../../src/core/indicators/define.js";
import { INDICATORS } from "../../src/core/indicators/index.js";
import { copyBars, walkBars } from "../fixtures/series.js";

/** One bar of nonsense among bars of ordinary prices, and where it stands. */
const LENGTH = 2_600;
const AT = 300;

const rows = INDICATORS.filter(({ nanReach, origin }) => nanReach === "window" && origin === "tx");

describe.each(["high", "low", "close"] as const)("a %s that is wrong by far", (column) => {
  it.each(rows.map((row) => row.name))("is forgotten by %s when it has left the window", (name) => {
    const indicator = rows.find((row) => row.name === name) ?? rows[0];
    const values = Object.fromEntries(indicator.parameters.map((row) => [row.name, row.default]));
    const bars = walkBars(LENGTH, hash32(name), { quiet: false });
    bars[column][AT] *= column === "low" ? 1e-5 : 400;
    if (column === "close") bars.high[AT] = bars.close[AT];
    const from = AT + 1;
    const whole = computeIndicator(indicator, bars, values);
    const fresh = computeIndicator(indicator, copyBars(bars, from), values);
    const settled = from + indicator.settle(values) + 1;
    for (const [output, wanted] of fresh.entries()) {
      let size = 0;
      for (let i = settled; i < LENGTH; i++) size += Math.abs(wanted[i - from]) / (LENGTH - settled);
      for (let i = settled; i < LENGTH; i++) {
        const off = Math.abs(whole[output][i] - wanted[i - from]) / Math.max(size, 1e-300);
        if (!(off < 2e-8)) expect(off, `bar ${i} of output ${output}`).toBeLessThan(2e-8);
      }
    }
  });
});
