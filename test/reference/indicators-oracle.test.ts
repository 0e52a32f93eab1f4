import { beforeAll, describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { readBars, readColumns } from "../fixtures/series.js";
import { sharedPath } from "../fixtures/shared.js";
import { BY_CHOICE, COLUMNS, computeColumn, firstDefined, mismatches, SERIES } from "./oracle.js";

describe.skipIf(sharedPath("oracle") === null)("TA-Lib", () => {
  describe.each(SERIES)("%s", (series) => {
    let bars: ReturnType<typeof readBars>;
    let oracle: ReturnType<typeof readColumns>;
    beforeAll(() => {
      bars = readBars(`${sharedPath("oracle", `${series}.ohlcv.csv`)}`);
      oracle = readColumns(`${sharedPath("oracle", `${series}.indicators.csv.gz`)}`);
    });

    it("has no column that is not compared", () => {
      const compared = new Set(COLUMNS.map(({ column }) => column));
      expect([...oracle.keys()].filter((column) => column !== "i" && !compared.has(column))).toEqual([]);
    });

    it.each(COLUMNS)("$column", (row) => {
      const theirs = ensure(oracle.get(row.column), row.column);
      const { ours, warmup } = computeColumn(row, bars);
      expect(firstDefined(ours), "look-back").toBe(firstDefined(theirs));
      expect(warmup).toBe(firstDefined(theirs));
      if (BY_CHOICE.some((choice) => choice.series === series && choice.column === row.column)) {
        expect(theirs.every((value) => Number.isNaN(value) || value === 0)).toBe(true);
        expect(ours.some((value) => value > 0.9)).toBe(true);
        return;
      }
      expect(mismatches(ours, theirs)).toEqual([]);
    });
  });
});
