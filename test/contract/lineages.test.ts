import { describe, expect, it } from "vitest";
import { hash32 } from "../../src/core/base/rng.js";
import { AGENT_LINEAGE } from "../../src/core/learning/agent/candidate.js";
import { flatHolding, marketOf, STATE_LENGTH, writeState } from "../../src/core/learning/agent/state.js";
import { computeFeatures, FEATURE_SCHEMA } from "../../src/core/learning/features/index.js";
import { SAMPLE_SCHEMA, samplesOf } from "../../src/core/learning/samples.js";
import { NET_LINEAGE } from "../../src/core/learning/sequence-net/candidate.js";
import { WINDOW_BARS, WINDOW_VALUES, writeWindow } from "../../src/core/learning/sequence-net/columns.js";
import { featureCase, stormy } from "../fixtures/feature-series.js";

const cases = [
  featureCase("24x7", "1h", 700, 21),
  featureCase("XNYS", "5m", 700, 22),
  featureCase("XNYS", "1d", 700, 23, { tick: 0.5, quiet: true }),
  stormy(featureCase("24x7", "1h", 700, 24), 500),
];

/** Of values to five digits, beyond which machines may differ. */
function digestOf(values: Iterable<number>): string {
  return hash32(Array.from(values, (value) => value.toPrecision(5)).join(" ")).toString(16);
}

/** Who changes how a column is computed raises its revision, and with it what models must have learned from. */
describe("what a schema stands for, on fixed bars", () => {
  it("is the same features at every bar", () => {
    const columns = cases.map(({ candles, context }) => computeFeatures(candles, context).columns);
    const digests = columns.map((each) => digestOf(each.flatMap((column) => Array.from(column))));
    expect([FEATURE_SCHEMA, ...digests]).toEqual(["6af28dd6", "7677a777", "239b5be", "b29b7121", "d29a2277"]);
  });

  it("is the same rows of decisions", () => {
    const terms = { costBps: 10, policy: { kind: "barriers" } } as const;
    const rows = cases.map(({ candles, context }) => samplesOf(candles, context, terms).samples);
    const digests = rows.map(({ columns }) => digestOf(columns.flatMap((column) => Array.from(column))));
    expect([SAMPLE_SCHEMA, ...digests]).toEqual(["05925633", "62a8a923", "dcf20a5c", "3ea228e", "1fdc414f"]);
  });

  it("is the same windows of the sequence net", () => {
    const digests = cases.map(({ candles }) => {
      const values = new Float64Array(WINDOW_VALUES);
      const all: number[] = [];
      for (let end = WINDOW_BARS - 1; end < candles.time.length; end += 40)
        if (writeWindow(candles, end, values)) all.push(...values);
      return digestOf(all);
    });
    expect([NET_LINEAGE, ...digests]).toEqual(["dfdd9006", "84ad49eb", "bc82247a", "ff185f03", "73b6e2bb"]);
  });

  it("is the same states of the agent", () => {
    const digests = cases.map(({ candles }) => {
      const market = marketOf(candles);
      const state = new Float64Array(STATE_LENGTH);
      const all: number[] = [];
      for (let at = market.first + 1; at < candles.time.length; at += 20) {
        writeState(market, at, flatHolding(), state);
        all.push(...state);
        const filledAt = at - 5;
        if (filledAt <= market.first) continue;
        const held = { ...flatHolding(), position: 1 as const, entry: candles.open[filledAt], filledAt };
        writeState(market, at, held, state);
        all.push(...state);
      }
      return digestOf(all);
    });
    expect([AGENT_LINEAGE, ...digests]).toEqual(["820e10f2", "493ea5f5", "be15b8aa", "1ff5931e", "e2d198bd"]);
  });
});
