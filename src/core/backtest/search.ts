import { createRng, type Rng } from "../base/rng.js";
import { normalCdf } from "../options/normal.js";
import {
  anyPoint,
  checkSpace,
  type Dimension,
  gridOf,
  gridSize,
  isAllowed,
  keyOf,
  type Point,
  placeOf,
  type Space,
  valueCount,
  valueNear,
} from "./space.js";

/** How the next point is chosen: anywhere, or where good ones were (tree-structured Parzen estimator). */
export const SEARCH_METHODS = ["random", "parzen"] as const;
export type SearchMethod = (typeof SEARCH_METHODS)[number];

export interface SearchTerms {
  readonly method: SearchMethod;
  readonly seed: number;
}

/** A point and what it scored, the higher the better; null where it came to nothing. */
export interface Told {
  readonly point: Point;
  readonly score: number | null;
}

/** A search that is asked for points and told what they scored. The same answers get the same questions. */
export interface Search {
  /** A point that was not asked before; null where there is none left, or none was found. */
  ask(): Point | null;
  /** Points may be told in any order, and also such as were not asked for. */
  tell(point: Point, score: number | null): void;
  /** The highest score of those told, of equal ones the first. */
  best(): Told | null;
}

/** Points told before anything is concluded from them. */
const STARTUP = 10;
/** Points that are drawn for each that is asked. */
const CANDIDATES = 24;
/** Share of the points that count as good, and how many at most. */
const GOOD_SHARE = 0.1;
const GOOD_MOST = 25;
const TRIES = 200;
/** Points of a space that are listed to find one that is left. */
const LISTED = 100_000;

export function createSearch(space: Space, { method, seed }: SearchTerms): Search {
  checkSpace(space);
  const asked = new Map<string, Point>();
  const told = new Map<string, Told>();
  return {
    ask() {
      const rng = createRng(seed, asked.size);
      const isNew = (point: Point) => {
        const key = keyOf(space, point);
        return isAllowed(space, point) && !asked.has(key) && !told.has(key);
      };
      const known = [...told.values()];
      const pending = [...asked].flatMap(([key, point]) => (told.has(key) ? [] : [point]));
      const point =
        (method === "parzen" && known.length >= STARTUP
          ? parzenPoint(space, known, pending, isNew, rng)
          : null) ?? freshPoint(space, isNew, rng);
      if (point !== null) asked.set(keyOf(space, point), point);
      return point;
    },
    tell(point, score) {
      told.set(keyOf(space, point), { point, score });
    },
    best() {
      let best: Told | null = null;
      for (const each of told.values()) {
        if (each.score !== null && each.score > (best?.score ?? Number.NEGATIVE_INFINITY)) best = each;
      }
      return best;
    },
  };
}

/** So many points that differ, anywhere in a space with the same chance; fewer where there are not as many. */
export function randomPoints(space: Space, count: number, seed: number): Point[] {
  const search = createSearch(space, { method: "random", seed });
  const points: Point[] = [];
  while (points.length < count) {
    const point = search.ask();
    if (point === null) break;
    points.push(point);
  }
  return points;
}

function freshPoint(space: Space, isNew: (point: Point) => boolean, rng: Rng): Point | null {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const point = anyPoint(space, rng);
    if (isNew(point)) return point;
  }
  if (gridSize(space) > LISTED) return null;
  const left = gridOf(space).filter(isNew);
  return left.length === 0 ? null : left[rng.below(left.length)];
}

/** A mixture of kernels, one about each of some points, and one that is even over the whole space. */
interface Mixture {
  readonly centres: readonly Float64Array[];
  /** Of each kernel its height in each parameter: what of it lies outside is spread over what is inside. */
  readonly heights: readonly Float64Array[];
  /** Of each kernel its width in each parameter, in parts of the range. */
  readonly widths: readonly Float64Array[];
}

/**
 * The most promising of points drawn about the good ones: highest density of good points over that of the others
 * (J. Bergstra, R. Bardenet, Y. Bengio and B. Kegl 2011). Kernels span all parameters at once, so that what goes
 * together stays together (S. Falkner, A. Klein and F. Hutter 2018); widths and shares are those of Optuna 5.
 */
function parzenPoint(
  space: Space,
  told: readonly Told[],
  pending: readonly Point[],
  isNew: (point: Point) => boolean,
  rng: Rng,
): Point | null {
  const { dimensions } = space;
  const score = (each: Told) => each.score ?? Number.NEGATIVE_INFINITY;
  const ranked = told.toSorted((a, b) => (score(a) === score(b) ? 0 : score(b) - score(a)));
  const scored = ranked.filter((each) => each.score !== null).length;
  const good = Math.min(GOOD_MOST, Math.ceil(GOOD_SHARE * told.length), scored);
  const points = ranked.map(({ point }) => point);
  const [near, far] = [points.slice(0, good), [...points.slice(good), ...pending]].map((list) =>
    mixtureOf(dimensions, list),
  );
  let best: { point: Point; promise: number } | null = null;
  let drawn = 0;
  for (let attempt = 0; attempt < TRIES && drawn < CANDIDATES; attempt++) {
    const place = drawFrom(near, dimensions, rng);
    const point = Object.fromEntries(dimensions.map((each, k) => [each.name, valueNear(each, place[k])]));
    if (!isNew(point)) continue;
    drawn++;
    const at = Float64Array.from(dimensions, (each) => placeOf(each, point[each.name]));
    const promise = Math.log(densityAt(near, dimensions, at)) - Math.log(densityAt(far, dimensions, at));
    if (best === null || promise > best.promise) best = { point, promise };
  }
  return best?.point ?? null;
}

function mixtureOf(dimensions: readonly Dimension[], points: readonly Point[]): Mixture {
  const centres = points.map((point) =>
    Float64Array.from(dimensions, (each) => placeOf(each, point[each.name])),
  );
  const widths = centres.map((centre) => new Float64Array(centre.length));
  for (const [k] of dimensions.entries()) {
    const column = neighbourWidths(Float64Array.from(centres, (centre) => centre[k]));
    for (const [i, width] of column.entries()) widths[i][k] = width;
  }
  const heights = centres.map((centre, i) =>
    centre.map((place, k) => {
      const width = widths[i][k];
      const inside = normalCdf((1 - place) / width) - normalCdf(-place / width);
      return 1 / (Math.sqrt(2 * Math.PI) * width * inside);
    }),
  );
  return { centres, heights, widths };
}

/** As far as the farther of the two neighbours, so that kernels narrow where points gather; the range has no end there. */
function neighbourWidths(places: Float64Array): Float64Array {
  const n = places.length;
  const order = Array.from(places, (_, i) => i).sort((a, b) => places[a] - places[b]);
  const widths = new Float64Array(n);
  for (const [rank, i] of order.entries()) {
    const alone = n === 1;
    const left = rank > 0 ? places[i] - places[order[rank - 1]] : alone ? places[i] : 0;
    const right = rank < n - 1 ? places[order[rank + 1]] - places[i] : alone ? 1 - places[i] : 0;
    widths[i] = Math.max(left, right, 1 / Math.min(100, n + 2));
  }
  return widths;
}

/** Chance that a choice is drawn from the even distribution instead of being that of the centre. */
const CHOICE_EVEN = 0.3;

function drawFrom({ centres, widths }: Mixture, dimensions: readonly Dimension[], rng: Rng): Float64Array {
  const drawn = rng.below(centres.length + 1);
  const centre = centres[drawn];
  return Float64Array.from(dimensions, ({ kind }, k) => {
    if (centre === undefined) return rng.next();
    if (kind === "choice") return rng.next() < CHOICE_EVEN ? rng.next() : centre[k];
    return drawWithin(centre[k], widths[drawn][k], rng);
  });
}

/** Of a normal distribution cut off at 0 and 1. */
function drawWithin(centre: number, width: number, rng: Rng): number {
  // Half of it or more lies within, unless the width is that of the range.
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const place = centre + width * rng.normal();
    if (place >= 0 && place <= 1) return place;
  }
  return centre;
}

function densityAt(
  { centres, heights, widths }: Mixture,
  dimensions: readonly Dimension[],
  at: Float64Array,
): number {
  const same = dimensions.map((each) => CHOICE_EVEN + (1 - CHOICE_EVEN) * valueCount(each));
  let sum = 1;
  for (const [i, centre] of centres.entries()) {
    let density = 1;
    // The exponents of all bells are one.
    let squares = 0;
    for (let k = 0; k < centre.length; k++) {
      if (dimensions[k].kind === "choice") density *= centre[k] === at[k] ? same[k] : CHOICE_EVEN;
      else {
        squares += ((at[k] - centre[k]) / widths[i][k]) ** 2;
        density *= heights[i][k];
      }
    }
    sum += density * Math.exp(-0.5 * squares);
  }
  return sum / (centres.length + 1);
}
