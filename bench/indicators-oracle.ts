import { ensure } from "../src/core/base/assert.js";
import { readBars, readColumns } from "../test/fixtures/series.js";
import { sharedPath } from "../test/fixtures/shared.js";
import {
  BY_CHOICE,
  COLUMNS,
  computeColumn,
  firstDefined,
  mismatches,
  SERIES,
} from "../test/reference/oracle.js";
import type { Section } from "./time.js";

/** Cells of TA-Lib's columns over the reference series, and how many of ours are not theirs. */
export function oracleSection(): Section {
  const title = "equality with TA-Lib";
  if (sharedPath("oracle") === null) {
    return {
      row: "I1",
      title,
      notes: ["Skipped: the reference series are not beside this checkout."],
      figures: [],
    };
  }
  let cells = 0;
  let different = 0;
  let shifted = 0;
  for (const series of SERIES) {
    const bars = readBars(`${sharedPath("oracle", `${series}.ohlcv.csv`)}`);
    const oracle = readColumns(`${sharedPath("oracle", `${series}.indicators.csv.gz`)}`);
    for (const row of COLUMNS) {
      const theirs = ensure(oracle.get(row.column), row.column);
      const { ours } = computeColumn(row, bars);
      if (firstDefined(ours) !== firstDefined(theirs)) shifted++;
      if (BY_CHOICE.some((choice) => choice.series === series && choice.column === row.column)) continue;
      cells += theirs.length;
      different += mismatches(ours, theirs).length;
    }
  }
  const zero = (name: string, value: number) => ({
    name,
    value,
    unit: "",
    target: { text: "0", met: value === 0 },
  });
  return {
    row: "I1",
    title,
    notes: [
      `${COLUMNS.length} columns, ${SERIES.length} series; by choice: ${BY_CHOICE.map((choice) => `${choice.column} on ${choice.series}`).join(", ")}.`,
    ],
    figures: [
      { name: "cells compared", value: cells, unit: "" },
      zero("cells off by more than 1e-9", different),
      zero("columns with another look-back", shifted),
    ],
  };
}
