import { describe, expect, it } from "vitest";
import { createRng } from "../../src/core/base/rng.js";
import { RegimeMatrix, StructureMatrix, TacticalMatrix } from "../../src/core/synergy/matrices.js";
import { MATRICES, type MatrixDefinition } from "../../src/core/synergy/matrix-features.js";
import { type MatrixRow, plainFeature } from "../fixtures/plain-matrices.js";

type Matrix = StructureMatrix | TacticalMatrix | RegimeMatrix;

const MAKERS: Readonly<Record<MatrixDefinition["name"], () => Matrix>> = {
  structure: () => new StructureMatrix(),
  tactical: () => new TacticalMatrix(),
  regime: () => new RegimeMatrix(),
};

/** Bars as the pipeline gives them: NaN while a row is not warm, and nodes that are not always there. */
function rowsOf(definition: MatrixDefinition, count: number, seed: number): MatrixRow[] {
  const rng = createRng(seed);
  const warm = (i: number, from: number, value: number) => (i < from ? Number.NaN : value);
  const nodes = (i: number) => {
    const has = [rng.next() < 0.7, rng.next() < 0.7];
    const of = (k: number, value: number) => warm(i, 19, has[k] ? value : 0);
    return {
      below: of(0, -rng.next()),
      below_strength: of(0, rng.next()),
      has_below: of(0, 1),
      above: of(1, rng.next()),
      above_strength: of(1, rng.next()),
      has_above: of(1, 1),
    };
  };
  let close = 50;
  let calm = 1;
  return Array.from({ length: count }, (_, i) => {
    if (i % 40 === 0) calm = 0.3 + 2 * rng.next();
    close *= Math.exp(0.003 * calm * rng.normal());
    const isOpen = rng.next() < 0.6;
    const isFilled = rng.next() < 0.2;
    const all: MatrixRow = {
      time: 1_700_000_000_000 + i * definition.minutes * 60_000 + (i > 70 ? 7_200_000 : 0),
      close,
      volume: Math.floor(1 + 1_000 * rng.next() ** 3),
      range: warm(i, definition.minutes === 5 ? 89 : 14, 0.2 + rng.next()),
      mlmi: warm(i, 39, 100 * rng.next()),
      mlmi_cross: warm(i, 39, rng.below(3) - 1),
      estimate: warm(i, 50, close + 3 * rng.normal()),
      slope: warm(i, 50, rng.normal()),
      ...nodes(i),
      session_minute: 30 * (i % 13),
      session_minutes: 390,
      gap: warm(i, 61, rng.next() < 0.1 ? 4 * rng.normal() : 0),
      bullish: warm(i, 61, isOpen ? 1 : 0),
      bearish: warm(i, 61, isOpen ? rng.below(2) : 0),
      distance: warm(i, 61, isOpen ? rng.normal() : 0),
      age: warm(i, 61, isOpen ? rng.next() : 1),
      bullish_fill: warm(i, 61, isFilled ? rng.next() : 0),
      bearish_fill: warm(i, 61, isFilled && rng.next() < 0.3 ? rng.next() : 0),
      strength: warm(i, 61, isFilled ? rng.next() : 0),
      mmd_confidence: warm(i, 105, rng.next()),
    };
    const distances = Object.fromEntries(
      definition.inputs
        .filter((name) => name.startsWith("mmd_") && name !== "mmd_confidence")
        .map((name) => [name, warm(i, 105, rng.next())]),
    );
    return { ...all, ...distances };
  });
}

function feed(matrix: Matrix, rows: readonly MatrixRow[]): void {
  for (const row of rows) {
    matrix.definition.inputs.forEach((name, k) => {
      matrix.inputs[k] = row[name];
    });
    matrix.advance();
  }
}

describe.each(Object.values(MATRICES))("the $name matrix", (definition) => {
  const make = MAKERS[definition.name];
  const rows = rowsOf(definition, 260, 7);

  it("holds its last bars, oldest first, as the whole history gives them, before it is full and after", () => {
    const { features } = definition;
    const matrix = make();
    const ends = [1, 5, definition.rows - 1, definition.rows, definition.rows + 1, 2 * definition.rows, 260];
    let fed = 0;
    for (const end of ends) {
      feed(matrix, rows.slice(fed, end));
      fed = end;
      const { time, values, filled, whole } = matrix.snapshot();
      expect(filled).toBe(Math.min(end, definition.rows));
      expect([...time]).toEqual(rows.slice(end - filled, end).map((row) => row.time));
      let lacking = -1;
      for (let k = 0; k < filled; k++) {
        features.forEach(({ name }, column) => {
          const value = values[k * features.length + column];
          const expected = plainFeature(name, rows, end - filled + k);
          if (Number.isNaN(expected)) lacking = k;
          if (Number.isNaN(expected)) expect(value, `${name} at ${end - filled + k}`).toBeNaN();
          else expect(value, `${name} at ${end - filled + k}`).toBeCloseTo(expected, 9);
        });
      }
      expect(whole).toBe(filled - 1 - lacking);
      const copied = new Float64Array(definition.rows * features.length).fill(9);
      matrix.copyTo(copied);
      expect(copied.subarray(copied.length - values.length)).toEqual(values);
      expect(copied.subarray(0, copied.length - values.length).every(Number.isNaN)).toBe(true);
    }
  });

  it("keeps every feature within its range, warm when it says so and not before", () => {
    const matrix = make();
    const { features } = definition;
    const first = features.map(() => -1);
    const seen = features.map(() => new Set<number>());
    rows.forEach((row, i) => {
      feed(matrix, [row]);
      const { values } = matrix.snapshot();
      features.forEach(({ range }, column) => {
        const value = values[values.length - features.length + column];
        if (Number.isNaN(value)) return;
        if (first[column] < 0) first[column] = i;
        expect(value).toBeGreaterThanOrEqual(range[0]);
        expect(value).toBeLessThanOrEqual(range[1]);
        seen[column].add(value);
      });
    });
    expect(first).toEqual(features.map(({ warmup }) => warmup));
    expect(seen.every((values) => values.size > 1)).toBe(true);
  });

  it("goes on from a copy of its state as if nothing had been", () => {
    const whole = make();
    feed(whole, rows);
    for (const cut of [0, 3, 31, definition.rows, 177]) {
      const before = make();
      feed(before, rows.slice(0, cut));
      const after = make();
      after.state.set(before.state);
      feed(after, rows.slice(cut));
      expect(after.state).toEqual(whole.state);
      expect(after.snapshot()).toEqual(whole.snapshot());
    }
  });

  it("does not know the scale of prices and volumes", () => {
    const [one, other] = [make(), make()];
    feed(one, rows);
    const prices = [
      "close",
      "range",
      "estimate",
      "node_below",
      "node_above",
      "below",
      "above",
      "gap",
      "distance",
      "bullish_fill",
      "bearish_fill",
    ];
    const scaled = rows.map((row) =>
      Object.fromEntries(
        Object.entries(row).map(([name, value]) => [
          name,
          prices.includes(name) ? value * 1_024 : name === "volume" ? value * 4_096 : value,
        ]),
      ),
    );
    feed(other, scaled);
    const [a, b] = [one.snapshot().values, other.snapshot().values];
    for (const [k, value] of a.entries()) {
      if (Number.isNaN(value)) expect(b[k]).toBeNaN();
      else expect(b[k]).toBeCloseTo(value, 9);
    }
  });

  it("takes bars in their order only", () => {
    const matrix = make();
    feed(matrix, rows.slice(0, 2));
    expect(() => feed(matrix, [rows[1]])).toThrow("in their order");
    expect(() => feed(matrix, [rows[0]])).toThrow("in their order");
    expect(matrix.taken).toBe(2);
    feed(matrix, [rows[2]]);
    expect(matrix.snapshot().filled).toBe(3);
  });
});

describe("the table of matrices", () => {
  it("has the shapes that are promised, and names no feature twice", () => {
    const shapes = Object.values(MATRICES).map(({ name, minutes, rows, features }) => [
      name,
      minutes,
      rows,
      features.length,
    ]);
    expect(shapes).toEqual([
      ["structure", 30, 48, 8],
      ["tactical", 5, 60, 9],
      ["regime", 30, 96, 12],
    ]);
    const names = Object.values(MATRICES).flatMap(({ features }) => features.map(({ name }) => name));
    expect(new Set(names).size).toBe(29);
    for (const { inputs } of Object.values(MATRICES)) expect(inputs.slice(0, 2)).toEqual(["time", "close"]);
  });
});

describe("markets where nothing moves", () => {
  it("have no estimate that is away from the close, however it was rounded", () => {
    const still = rowsOf(MATRICES.structure, 60, 5).map((row) => ({ ...row, close: 10, range: 0 }));
    for (const estimate of [10.000000000000002, 9.999999999999998, 10, Number.NaN]) {
      const values = valuesOf(
        new StructureMatrix(),
        still.map((row) => ({ ...row, estimate })),
      );
      expect(values[values.length - 6]).toBe(Number.isNaN(estimate) ? Number.NaN : 0);
    }
  });

  it("have no volatility, no skewness and no drift, and volumes of 0 no ratio", () => {
    const still = (definition: MatrixDefinition): MatrixRow[] =>
      rowsOf(definition, 200, 3).map((row) => ({ ...row, close: 10, volume: 0.1, range: 1 }));
    const regime = valuesOf(new RegimeMatrix(), still(MATRICES.regime));
    expect([...regime.slice(-4)].map(Math.abs)).toEqual([0, 0, 0, 0]);
    const silent = still(MATRICES.tactical).map((row) => ({ ...row, volume: 0 }));
    const tactical = valuesOf(new TacticalMatrix(), silent);
    expect(tactical[tactical.length - 3]).toBe(0);
    expect(tactical[tactical.length - 4]).toBe(0);
  });
});

function valuesOf(matrix: Matrix, rows: readonly MatrixRow[]): Float64Array {
  feed(matrix, rows);
  return matrix.snapshot().values;
}
