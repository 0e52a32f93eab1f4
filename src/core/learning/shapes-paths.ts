import type { Rng } from "../base/rng.js";
import type { ShapeName } from "./shapes.js";

/**
 * A shape as a path of closes without noise. Heights are in units of the height of the shape, bars are relative.
 */
export interface ShapePath {
  /** Where price comes from before the first point. */
  readonly from: number;
  readonly heights: readonly number[];
  /** Bars from each point to the next, in any unit. */
  readonly legs: readonly number[];
  /** Where price stands once it has broken out, beyond the line that confirms. */
  readonly end: number;
  /** Least and greatest number of bars from the first point to the last. */
  readonly span: readonly [number, number];
  /** Share of the usual noise that the shape bears. */
  readonly calm: number;
}

type Draw = (rng: Rng) => ShapePath;

/** Shapes that are drawn; the others are their mirror images. */
const DRAWN: Readonly<Partial<Record<ShapeName, Draw>>> = {
  head_and_shoulders: drawHead,
  double_top: drawDouble,
  ascending_triangle: (rng) =>
    drawCorridor(rng, { upper: between(rng, -0.06, 0.06), lower: between(rng, 0.5, 0.78), breaks: 1 }),
  bullish_symmetrical_triangle: (rng) =>
    drawCorridor(rng, { upper: -between(rng, 0.27, 0.45), lower: between(rng, 0.27, 0.45), breaks: 1 }),
  rising_wedge: drawWedge,
  bull_flag: drawFlag,
  bullish_rectangle: (rng) => {
    const tilt = between(rng, -0.05, 0.05);
    const upper = tilt + between(rng, -0.04, 0.04);
    return drawCorridor(rng, { upper, lower: tilt + between(rng, -0.04, 0.04), breaks: 1 });
  },
  cup_with_handle: drawCup,
};

const MIRRORED: Readonly<Partial<Record<ShapeName, ShapeName>>> = {
  inverse_head_and_shoulders: "head_and_shoulders",
  double_bottom: "double_top",
  descending_triangle: "ascending_triangle",
  bearish_symmetrical_triangle: "bullish_symmetrical_triangle",
  falling_wedge: "rising_wedge",
  bear_flag: "bull_flag",
  bearish_rectangle: "bullish_rectangle",
};

/** A path of the shape, drawn at random within what the shape may be; null for `none`. */
export function drawShapePath(name: ShapeName, rng: Rng): ShapePath | null {
  const own = DRAWN[name];
  if (own !== undefined) return own(rng);
  const twin = MIRRORED[name];
  const path = twin === undefined ? undefined : DRAWN[twin]?.(rng);
  return path === undefined ? null : mirrored(path);
}

function mirrored(path: ShapePath): ShapePath {
  return {
    ...path,
    from: -path.from,
    heights: path.heights.map((height) => -height),
    end: -path.end,
  };
}

export function between(rng: Rng, low: number, high: number): number {
  return low + (high - low) * rng.next();
}

/** So many legs whose lengths differ by up to a share either way. */
function unevenLegs(rng: Rng, count: number, share: number): number[] {
  return Array.from({ length: count }, () => between(rng, 1 - share, 1 + share));
}

/** A left shoulder, a head and a right shoulder over a neckline that may slope, after a rise; breaks down. */
function drawHead(rng: Rng): ShapePath {
  const slope = between(rng, -0.12, 0.12);
  const left = between(rng, 0.5, 0.75);
  const right = left + between(rng, -0.12, 0.12);
  return {
    from: -between(rng, 0.3, 1.6),
    heights: [left, 0, 1, slope, right],
    legs: unevenLegs(rng, 4, 0.3),
    end: 1.5 * slope - between(rng, 0.06, 0.6),
    span: [12, 37],
    calm: 0.9,
  };
}

/** Two tops of about one height after a rise; breaks the valley between them. */
function drawDouble(rng: Rng): ShapePath {
  return {
    from: -between(rng, 0.4, 1.8),
    heights: [1 + between(rng, -0.05, 0.05), 0, 1 + between(rng, -0.05, 0.05)],
    legs: unevenLegs(rng, 2, 0.3),
    end: -between(rng, 0.06, 0.6),
    span: [7, 30],
    calm: 1,
  };
}

interface Corridor {
  /** How far its lines rise from the first point to the last; they begin at 1 and 0. */
  readonly upper: number;
  readonly lower: number;
  readonly breaks: 1 | -1;
}

/** Swings between two lines, five to seven of them, that end with one away from the line that breaks. */
function drawCorridor(rng: Rng, { upper, lower, breaks }: Corridor): ShapePath {
  const count = 5 + rng.below(3);
  const legs = unevenLegs(rng, count - 1, 0.3);
  const whole = legs.reduce((sum, leg) => sum + leg, 0);
  let passed = 0;
  const heights = Array.from({ length: count }, (_, n) => {
    const share = passed / whole;
    passed += legs[n] ?? 0;
    // The last swing ends at the line that is not broken, before it one at the other, and so on.
    const isUpper = (count - 1 - n) % 2 === 0 ? breaks < 0 : breaks > 0;
    const width = 1 + (upper - lower) * share;
    const miss = between(rng, -0.05, 0.05) * width;
    return (isUpper ? 1 + upper * share : lower * share) + miss;
  });
  const edge = breaks > 0 ? 1 + upper : lower;
  const fromBelow = heights[0] > 0.5;
  return {
    from: fromBelow ? -between(rng, 0.1, 1.6) : 1 + between(rng, 0.1, 1.6),
    heights,
    legs,
    end: edge + breaks * between(rng, 0.08, 0.6),
    span: [14, 39],
    calm: 0.8,
  };
}

/** Both lines rise, the lower one faster; breaks down. */
function drawWedge(rng: Rng): ShapePath {
  const upper = between(rng, 0.4, 1.1);
  const lower = upper + between(rng, 0.45, 0.72);
  return drawCorridor(rng, { upper, lower, breaks: -1 });
}

/** A steep rise, a short rest between parallel lines that gives back less than half of it; breaks up. */
function drawFlag(rng: Rng): ShapePath {
  const pole = between(rng, 4, 9);
  const rest = between(rng, 9, 17);
  const width = between(rng, 0.16, 0.28);
  const drift = -between(rng, 0, 0.24);
  const swings = rng.below(2) === 0 ? 4 : 6;
  const legs = unevenLegs(rng, swings - 1, 0.25);
  const whole = legs.reduce((sum, leg) => sum + leg, 0);
  let passed = 0;
  const heights = Array.from({ length: swings }, (_, n) => {
    const share = passed / whole;
    passed += legs[n] ?? 0;
    return 1 + drift * share - (n % 2 === 0 ? 0 : width);
  });
  return {
    from: between(rng, -0.25, 0.25),
    heights: [0, ...heights],
    legs: [pole, ...legs.map((leg) => (leg * rest) / whole)],
    end: 1 + drift + between(rng, 0.06, 0.5),
    span: [11, 26],
    calm: 0.55,
  };
}

const CURVE_POINTS = 10;

/** A rounded valley from rim to rim, a handle in its upper half; breaks the rims. */
function drawCup(rng: Rng): ShapePath {
  const right = between(rng, 0.92, 1.04);
  const power = between(rng, 1.9, 3);
  const curve = Array.from({ length: CURVE_POINTS + 1 }, (_, n) => {
    const x = (2 * n) / CURVE_POINTS - 1;
    return (x < 0 ? 1 : right) * Math.abs(x) ** power;
  });
  const handle = between(rng, 0.17, 0.3) * CURVE_POINTS;
  return {
    from: between(rng, -0.4, 0.8),
    heights: [...curve, right - between(rng, 0.15, 0.4)],
    legs: [...curve.slice(1).map(() => 1), handle],
    end: Math.max(1, right) + between(rng, 0.05, 0.5),
    span: [22, 39],
    calm: 0.8,
  };
}
