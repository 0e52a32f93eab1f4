import { describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import type { Candles } from "../../src/core/market/candles.js";
import { CHARTS } from "../../src/core/patterns/chart/index.js";
import type { Hit } from "../../src/core/patterns/define.js";
import { createPatternSeries } from "../../src/core/patterns/series.js";
import { wanderingCandles } from "../fixtures/market-walks.js";

/** Bars from one shape to the next, and from its first point, within which the next is held against it whatever its size. */
const KNOWN_WITHIN = 15;
const BEGUN_WITHIN = 130;

const formationOf = ({ formation }: Hit) => ensure(formation, "a formation");
const barsOf = (hit: Hit) => formationOf(hit).points.map(({ at }) => at);

/** The line between two others that a close beyond confirms, as a function of the bar; null where a shape has none. */
function exitLine(hit: Hit): ((bar: number) => number) | null {
  const role = hit.variant.direction === 1 ? "upper" : "lower";
  const line = formationOf(hit).boundaries.find((boundary) => boundary.role === role);
  if (line === undefined) return null;
  const slope = (line.to.price - line.from.price) / (line.to.at - line.from.at);
  return (bar) => line.from.price + slope * (bar - line.from.at);
}

/** Pairs of hits of which the later one has the first point of a confirmed one, and more, known soon after it. */
function grownPairs(hits: readonly Hit[]): (readonly [Hit, Hit])[] {
  const pairs: (readonly [Hit, Hit])[] = [];
  for (const [n, before] of hits.entries()) {
    if (before.state !== "confirmed") continue;
    for (let i = n + 1; i < hits.length && hits[i].at <= before.at + 60; i++) {
      const hit = hits[i];
      const { formedAt } = formationOf(hit);
      const isSoon = formedAt - formationOf(before).formedAt <= KNOWN_WITHIN;
      const isGrown = hit.start === before.start && barsOf(hit).length > barsOf(before).length;
      const isNew = hit.state === "forming" || hit.state === "confirmed";
      const isShort = formedAt - before.start <= BEGUN_WITHIN;
      if (hit.variant === before.variant && hit.at > before.at && isSoon && isGrown && isNew && isShort) {
        pairs.push([before, hit]);
      }
    }
  }
  return pairs;
}

describe("shapes that grow", () => {
  const walks = [1, 2, 3, 4].map((seed): Candles => wanderingCandles("WALK", "1d", 8_000, 300 + seed));
  const found = walks.map((candles) => {
    const series = createPatternSeries(candles);
    return CHARTS.map((row) => {
      const hits: Hit[] = [];
      row.find(series, 0, candles.time.length, hits);
      return hits;
    });
  });

  it("are not told of again while price is out of what was confirmed", () => {
    const again: string[] = [];
    let pairs = 0;
    for (const [n, { close }] of walks.entries()) {
      for (const [before, hit] of found[n].flatMap(grownPairs)) {
        const line = exitLine(before);
        if (line === null) continue;
        pairs++;
        const after = Array.from({ length: hit.at - before.at }, (_, i) => before.at + 1 + i);
        const side = hit.variant.direction;
        // As near as the boundary's ends, which round, tell the line.
        const isOut = after.every((bar) => side * (close[bar] - line(bar)) > 1e-9 * close[bar]);
        if (isOut) again.push(`${hit.variant.id} ${before.at} and ${hit.at}`);
      }
    }
    expect(again).toEqual([]);
    expect(pairs).toBeGreaterThan(0);
  });

  it("seldom confirm again what lies at the same points", () => {
    let confirmed = 0;
    let repeated = 0;
    for (const rows of found) {
      for (const hits of rows) {
        const own = hits.filter(({ state }) => state === "confirmed");
        confirmed += own.length;
        repeated += own.filter((hit) => {
          const bars = barsOf(hit);
          return own.some((before) => {
            if (before.variant !== hit.variant || before.at >= hit.at || before.at < hit.at - 15)
              return false;
            const known = new Set(barsOf(before));
            return bars.filter((bar) => known.has(bar)).length >= 0.6 * bars.length;
          });
        }).length;
      }
    }
    process.stdout.write(`confirmed at the same points within 15 bars: ${repeated} of ${confirmed}\n`);
    expect(repeated / confirmed).toBeLessThan(0.07);
  });
});
