import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { hash32 } from "../../src/core/base/rng.js";
import { computeIndicator } from "../../src/core/indicators/define.js";
import { INDICATORS } from "../../src/core/indicators/index.js";
import { createStream, Follower } from "../../src/core/indicators/stream.js";
import { allocateBars, BAR_COLUMNS, barAt } from "../../src/core/market/candles.js";
import { walkBars } from "../fixtures/series.js";

/** Long enough for the columns of a stream to be moved several times, and for sums to be rebuilt. */
const LENGTH = 2_500;

describe.each(INDICATORS.map((indicator) => ({ name: indicator.name, indicator })))(
  "$name",
  ({ name, indicator }) => {
    const values = Object.fromEntries(indicator.parameters.map((row) => [row.name, row.default]));
    const bars = walkBars(indicator.origin === "tx" ? LENGTH : 700, hash32(name), {
      tick: 0.25,
      quiet: true,
    });
    const batch = computeIndicator(indicator, bars, values);

    it.each(["update", "updateFrom"] as const)("%s gives the bits of the batch form", (method) => {
      const stream = createStream(indicator, values);
      for (const output of batch.keys()) expect(stream.value(output)).toBeNaN();
      for (let i = 0; i < bars.time.length; i++) {
        if (method === "update") stream.update(barAt(bars, i));
        else stream.updateFrom(bars, i);
        const wrong = batch.findIndex((column, output) => !Object.is(column[i], stream.value(output)));
        if (wrong >= 0) expect(stream.value(wrong), `bar ${i} output ${wrong}`).toBe(batch[wrong][i]);
      }
    });

    it("gives them in columns that others fill and move", () => {
      const lookback = indicator.lookback(values);
      const kept = allocateBars(lookback + 301);
      const outputs = indicator.outputs.map(() => new Float64Array(lookback + 301));
      const follower = new Follower(indicator, values, kept, outputs);
      for (let i = 0; i < bars.time.length; i++) {
        if (follower.next === lookback + 301) {
          for (const column of [...BAR_COLUMNS.map((name) => kept[name]), ...outputs])
            column.copyWithin(0, 301);
          follower.moved(301);
        }
        const at = follower.next;
        for (const name of BAR_COLUMNS) kept[name][at] = bars[name][i];
        follower.update();
        const wrong = batch.findIndex((column, output) => !Object.is(column[i], outputs[output][at]));
        if (wrong >= 0) expect(outputs[wrong][at], `bar ${i} output ${wrong}`).toBe(batch[wrong][i]);
      }
    });
  },
);

it("follows no columns that do not fit", () => {
  const [indicator] = INDICATORS;
  const values = Object.fromEntries(indicator.parameters.map((row) => [row.name, row.default]));
  const outputs = indicator.outputs.map(() => new Float64Array(10));
  expect(() => new Follower(indicator, values, allocateBars(11), outputs)).toThrow("as long as the bars");
  expect(() => new Follower(indicator, values, allocateBars(10), [])).toThrow("outputs");
  const follower = new Follower(indicator, values, allocateBars(10), outputs);
  follower.update();
  expect(() => follower.moved(2)).toThrow("moved by 2 of 1 bars");
});

it("leaves the garbage collector nothing to do", () => {
  const script = fileURLToPath(new URL("../fixtures/stream-collections.ts", import.meta.url));
  const flags = ["--max-semi-space-size=1", "--import", "tsx"];
  const counts = JSON.parse(execFileSync(process.execPath, [...flags, script], { encoding: "utf8" }));
  expect(Object.keys(counts).length).toBe(2 * INDICATORS.filter((row) => row.origin === "tx").length);
  expect(Object.entries(counts).filter(([, count]) => count !== 0)).toEqual([]);
}, 120_000);
