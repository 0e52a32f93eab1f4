import { describe, expect, it } from "vitest";
import { FEATURE_WARMUP } from "../../src/core/learning/features/index.js";
import { contextOf } from "../../src/core/learning/features/knowledge.js";
import { patternRows } from "../../src/core/learning/samples.js";
import { encodeTabular, scoreTabular } from "../../src/core/learning/tabular.js";
import { sliceCandles } from "../../src/core/market/candles.js";
import { calendarOf } from "../../src/core/market/session.js";
import { barScoresOf } from "../../src/features/models/bar-scores-worker.js";
import { groupOf } from "../../src/features/models/choosing.js";
import showPatterns from "../../src/features/models/show-worker.js";
import { wanderingCandles } from "../fixtures/market-walks.js";
import { PURPOSE } from "../fixtures/models.js";
import { telling } from "../fixtures/trained.js";

const LENGTH = FEATURE_WARMUP + 120;
const candles = wanderingCandles("AAPL", "1d", LENGTH, 6);
const knowledge = { edges: [], texts: [] };
const terms = { calendar: "24x7", costBps: 10, knowledge } as const;
const bars = Array.from({ length: 120 }, (_, k) => FEATURE_WARMUP + k);

describe("rows of the patterns of a whole series", () => {
  it("are those that models are shown bar by bar, to the last bit", () => {
    const shown = showPatterns({ candles, ...terms, bars });
    const whole = patternRows(candles, contextOf(calendarOf("24x7"), knowledge), terms);
    expect(shown.length).toBeGreaterThan(30);
    const rows = whole.map(({ occasion: { at, direction, hits }, regime, row: values }) => ({
      ...{ at, pattern: hits[0].hit.variant.id, direction, regime, values },
    }));
    expect(rows).toEqual(shown);
  });
});

describe("scores of bars", () => {
  const model = telling(1);
  const versions = [{ version: PURPOSE, weights: encodeTabular(model) }];
  const scores = barScoresOf({ candles, ...terms, versions });

  it("are those of the best chance that live scoring tells at each close, and none without a pattern", () => {
    const shown = showPatterns({ candles, ...terms, bars });
    let [said, below] = [0, 0];
    for (let at = 0; at < LENGTH; at++) {
      const own = shown
        .filter((each) => each.at === at)
        .map(({ direction, values, ...moment }) => {
          const { score } = scoreTabular(model, values, groupOf(model, "regime", moment));
          return { direction, score };
        });
      const best = Math.max(...own.map(({ score }) => score));
      const first = own.find(({ score }) => score === best);
      if (first === undefined) {
        expect(scores[at], `bar ${at}`).toBeNaN();
        continue;
      }
      said++;
      if (best <= 0.5) below++;
      const side = first.direction > 0 ? best : 1 - best;
      expect(scores[at], `bar ${at}`).toBeCloseTo(best <= 0.5 ? 0.5 : side, 12);
    }
    expect([said > 20, below > 0, said > below]).toEqual([true, true, true]);
  });

  it("are the same whatever comes after them", () => {
    const cut = barScoresOf({ candles: sliceCandles(candles, 0, LENGTH - 40), ...terms, versions });
    expect(cut).toEqual(scores.subarray(0, LENGTH - 40));
  });
});
