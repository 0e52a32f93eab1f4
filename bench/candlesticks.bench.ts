import { CANDLESTICKS } from "../src/core/patterns/candlestick/index.js";
import { extendSignals } from "../src/core/patterns/candlestick/signals.js";
import { createPatternSeries } from "../src/core/patterns/series.js";
import { loadOracle, REGIMES } from "../test/fixtures/candlestick-oracle.js";
import { sharedPath } from "../test/fixtures/shared.js";
import { runCompiled } from "./compiled.js";
import { IN_TALIB } from "./talib-candlesticks.js";
import type { Bench, Section } from "./time.js";

function correctness(): Section {
  const title = "All 61 functions against the oracle";
  if (sharedPath("oracle") === null)
    return { row: "C1", title, notes: ["The oracle is not beside this checkout."], figures: [] };
  let cells = 0;
  let different = 0;
  for (const regime of REGIMES) {
    const { candles, expected } = loadOracle(regime);
    const { length } = candles.time;
    const columns = CANDLESTICKS.map(() => new Int16Array(length));
    extendSignals(createPatternSeries(candles), columns, 0, length);
    for (const { talib, column } of IN_TALIB) {
      const { values } = expected(talib);
      cells += values.length;
      for (let i = 0; i < values.length; i++) different += Number(values[i] !== columns[column][i]);
    }
  }
  const target = { text: "0", met: different === 0 };
  return {
    row: "C1",
    title,
    notes: [],
    figures: [
      { name: "cells", value: cells, unit: "bars x functions" },
      { name: "different", value: different, unit: "cells", target },
    ],
  };
}

export const bench: Bench = {
  name: "candlesticks",
  run() {
    const printed = runCompiled(["candlesticks-measure"]);
    return [correctness(), ...printed.flatMap((text) => JSON.parse(text) as Section[])];
  },
};
