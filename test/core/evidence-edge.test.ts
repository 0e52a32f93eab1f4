import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { binomialTails, exactInterval } from "../../src/core/base/inference.js";
import { createRng, type Rng } from "../../src/core/base/rng.js";
import {
  type BlockSums,
  drawResamples,
  type Edge,
  LEAST_BLOCKS,
  measureEdge,
} from "../../src/core/signals/evidence-edge.js";
import { sized } from "../fixtures/sizes.js";

/** Blocks of trades whose hits are given, against one base rate. */
function sumsOf(sizes: readonly number[], hits: readonly number[], base: number): BlockSums {
  return {
    block: Int32Array.from(sizes, (_, i) => i),
    n: Float64Array.from(sizes),
    excess: Float64Array.from(sizes, (size, i) => {
      // Hit by hit, as cells are summed, with what rounding makes of it.
      let sum = 0;
      for (let k = 0; k < size; k++) sum += (k < hits[i] ? 1 : 0) - base;
      return sum;
    }),
  };
}

const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);

function edgeOf(sizes: readonly number[], hits: readonly number[], base: number, seed = 1): Edge | null {
  return measureEdge(sumsOf(sizes, hits, base), total(hits), drawResamples(sizes.length, seed));
}

/** Spreads hits over blocks one by one. */
function spread(sizes: readonly number[], hits: number): number[] {
  const counts = sizes.map(() => 0);
  for (let left = hits, i = 0; left > 0; i++) {
    const at = i % sizes.length;
    if (counts[at] === sizes[at]) continue;
    counts[at]++;
    left--;
  }
  return counts;
}

const singles = (n: number) => new Array<number>(n).fill(1);

function expectSound(edge: Edge, base: number): void {
  expect(edge.low).toBeGreaterThanOrEqual(-base - 1e-12);
  expect(edge.high).toBeLessThanOrEqual(1 - base + 1e-12);
  expect(edge.low).toBeLessThanOrEqual(edge.edge + 1e-12);
  expect(edge.high).toBeGreaterThanOrEqual(edge.edge - 1e-12);
  expect(edge.high - edge.low).toBeGreaterThan(1e-6);
  expect(edge.pValue).toBeGreaterThan(0);
  expect(edge.pValue).toBeLessThanOrEqual(1);
  expect(edge.pValue < 0.01).toBe(edge.low > 0 || edge.high < 0);
}

describe("the edge of few hits", () => {
  it.each([
    [30, 1, 0.0813],
    [30, 0, 0.0813],
    [64, 0, 0.0813],
    [53, 0, 0.081],
    [303, 3, 0.085],
    [40, 40, 0.9],
  ])("has an interval and a p-value of its own: %i trades, %i hits, base %f", (n, hits, base) => {
    for (const sizes of [
      singles(n),
      Array.from({ length: Math.ceil(n / 2) }, (_, i) => (2 * i + 1 < n ? 2 : 1)),
    ]) {
      const edge = edgeOf(sizes, spread(sizes, hits), base) as Edge;
      expectSound(edge, base);
      const [below, above] = binomialTails(hits, n, base);
      // No smaller than the exact test of independent trades says.
      expect(edge.pValue).toBeGreaterThanOrEqual(Math.min(1, 2 * Math.min(below, above)) * (1 - 1e-9));
    }
  });

  it("is not given where the same trade never hits without the pattern", () => {
    expect(edgeOf(singles(64), spread(singles(64), 0), 0)).toBeNull();
    expect(edgeOf(singles(64), spread(singles(64), 2), 0)).toBeNull();
  });
});

describe("the edge of any cell", () => {
  const cell = fc
    .array(fc.tuple(fc.integer({ min: 1, max: 12 }), fc.double({ min: 0, max: 1, noNaN: true })), {
      minLength: LEAST_BLOCKS,
      maxLength: 60,
    })
    .chain((blocks) =>
      fc.record({
        sizes: fc.constant(blocks.map(([size]) => size)),
        shares: fc.constant(blocks.map(([, share]) => share)),
        scale: fc.constantFrom(0, 0.03, 0.2, 1),
        base: fc.double({ min: 0.001, max: 0.999, noNaN: true }),
      }),
    );

  it("lies within an interval that agrees with its p-value, and is no bolder than independent trades", () => {
    fc.assert(
      fc.property(cell, ({ sizes, shares, scale, base }) => {
        const hits = sizes.map((size, i) => Math.floor(scale * shares[i] * (size + 1) * 0.999));
        const edge = edgeOf(sizes, hits, base) as Edge;
        expectSound(edge, base);
        const n = total(sizes);
        const [below, above] = binomialTails(total(hits), n, base);
        const exact = Math.min(1, 2 * Math.min(below, above));
        if (exact > 1e-250) expect(edge.pValue).toBeGreaterThanOrEqual(exact * (1 - 1e-6));
      }),
      { numRuns: 300, seed: 5 },
    );
  });
});

/** Chances of the hits of one block whose chance is drawn for it: beta-binomial with a correlation. */
function betaBinomial(size: number, rate: number, correlation: number): number[] {
  const spreadOf = (1 - correlation) / correlation;
  const [a, b] = [rate * spreadOf, (1 - rate) * spreadOf];
  const chances = [1];
  for (let k = 0; k < size; k++) chances[0] *= (b + k) / (a + b + k);
  for (let k = 0; k < size; k++) {
    chances.push((chances[k] * ((size - k) / (k + 1)) * (a + k)) / (b + size - k - 1));
  }
  return chances;
}

function drawBlock(rng: Rng, chances: readonly number[]): number {
  let left = rng.next();
  for (let k = 0; k < chances.length - 1; k++) {
    left -= chances[k];
    if (left < 0) return k;
  }
  return chances.length - 1;
}

describe("intervals of an edge, over cells whose trades come in clusters", () => {
  const TRIALS = sized({ usual: 50, full: 250 });
  /** Of a case: at 99 %, more misses come of chance in one of some hundred cases. */
  const LEAST = sized({ usual: 94, full: 97 });
  const cases = [40, 100, 300].flatMap((n) =>
    [0.03, 0.1, 0.4].flatMap((rate) =>
      [
        [1, 0],
        [3, 0.2],
        [10, 0.1],
      ].map(([size, correlation]) => ({ n, rate, size, correlation })),
    ),
  );

  it(`hold the true edge in ${LEAST} of 100 cases at least, all cases together in 99`, () => {
    const rng = createRng(17);
    const missed: string[] = [];
    let covered = 0;
    let counted = 0;
    for (const { n, rate, size, correlation } of cases.filter((each) => each.n / each.size >= LEAST_BLOCKS)) {
      const sizes = new Array<number>(Math.floor(n / size)).fill(size);
      const chances = size === 1 ? [1 - rate, rate] : betaBinomial(size, rate, correlation);
      const resamples = drawResamples(sizes.length, 1);
      let held = 0;
      for (let trial = 0; trial < TRIALS; trial++) {
        const hits = sizes.map(() => drawBlock(rng, chances));
        // The base rate is the true rate: the true edge is 0.
        const { low, high } = measureEdge(sumsOf(sizes, hits, rate), total(hits), resamples) as Edge;
        if (low <= 0 && high >= 0) held++;
      }
      const share = held / TRIALS;
      missed.push(`n ${n} rate ${rate} blocks of ${size} correlation ${correlation}: ${share.toFixed(3)}`);
      covered += held;
      counted += TRIALS;
      expect(share, missed.at(-1)).toBeGreaterThanOrEqual(LEAST / 100);
    }
    process.stdout.write(`coverage of 99 % intervals:\n${missed.join("\n")}\n`);
    expect(covered / counted).toBeGreaterThanOrEqual(0.99);
  }, 120_000);
});

describe("p-values of an edge", () => {
  it("are no smaller than a tenth of what clusters that depend as measured would give", () => {
    const rng = createRng(23);
    let least = Number.POSITIVE_INFINITY;
    for (const [blocks, size, rate, correlation] of [
      [30, 4, 0.1, 0.2],
      [40, 6, 0.3, 0.1],
      [60, 5, 0.05, 0.3],
    ]) {
      const sizes = new Array<number>(blocks).fill(size);
      const chances = betaBinomial(size, rate, correlation);
      const resamples = drawResamples(blocks, 1);
      for (let trial = 0; trial < 60; trial++) {
        const hits = sizes.map(() => drawBlock(rng, chances));
        const sum = total(hits);
        const share = sum / (blocks * size);
        const squares = total(hits.map((each) => (each - size * share) ** 2)) / (blocks - 1);
        const effect = squares / (size * share * (1 - share));
        const measured = (effect - 1) / (size - 1);
        if (!(measured > 0.01 && measured < 0.9)) continue;
        for (const base of [0.02, 0.1, 0.5]) {
          const p = (measureEdge(sumsOf(sizes, hits, base), sum, resamples) as Edge).pValue;
          const tail = clusteredTail(sum, blocks, betaBinomial(size, base, measured), share > base);
          least = Math.min(least, p / Math.max(tail, 1e-280));
        }
      }
    }
    process.stdout.write(`least ratio of a p-value to that of clusters as measured: ${least.toFixed(3)}\n`);
    expect(least).toBeGreaterThan(0.1);
  });
});

/** Chance that as many hits or more, or as few or fewer, come from blocks. */
function clusteredTail(sum: number, blocks: number, chances: readonly number[], upper: boolean): number {
  let whole = [1];
  for (let block = 0; block < blocks; block++) {
    const next = new Array<number>(whole.length + chances.length - 1).fill(0);
    for (const [i, a] of whole.entries()) for (const [k, b] of chances.entries()) next[i + k] += a * b;
    whole = next;
  }
  return total(upper ? whole.slice(sum) : whole.slice(0, sum + 1));
}

describe("the exact interval", () => {
  it("is that of the tables", () => {
    // 5 of 20 at 95 %: 8.657 % to 49.105 %; 0 of 10: 0 to 30.850 %.
    const [low, high] = exactInterval(5, 20, 0.025);
    expect(low).toBeCloseTo(0.08657, 5);
    expect(high).toBeCloseTo(0.49105, 5);
    expect(exactInterval(0, 10, 0.025)[0]).toBe(0);
    expect(exactInterval(0, 10, 0.025)[1]).toBeCloseTo(0.3085, 4);
  });
});
