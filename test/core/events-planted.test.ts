import { describe, expect, it } from "vitest";
import { findVariant } from "../../src/core/patterns/index.js";
import { EVENT_PATTERNS, hitsOf } from "../fixtures/pattern-events.js";
import type { Soil } from "../fixtures/planted-charts.js";
import { PLANTED_EVENTS, plantEvent } from "../fixtures/planted-events.js";
import { printRecall, recallBy } from "../fixtures/recall.js";
import { sized } from "../fixtures/sizes.js";

const NOISES = [0.1, 0.25, 0.5, 0.75, 1];
const SEEDS = sized({ usual: 40, full: 100 });

/** Whether the planted event is confirmed at one of the bars at which the drawing makes it. */
function isFound(variant: string, soil: Soil): boolean {
  const { candles, start, last } = plantEvent(variant, soil);
  const row = findVariant(variant)?.pattern;
  return (
    row !== undefined &&
    hitsOf(row, candles).some(
      (hit) => hit.variant.id === variant && hit.state === "confirmed" && hit.at >= start && hit.at <= last,
    )
  );
}

describe("planted events", () => {
  it("cover every variant of the table", () => {
    const variants = EVENT_PATTERNS.flatMap((row) => row.variants.map(({ id }) => id));
    expect([...PLANTED_EVENTS].sort()).toEqual(variants.sort());
  });

  // Each variant has dice of its own: an event and its mirror image are two samples.
  const recall = (variant: string, noise: number, others: Partial<Soil> = {}) => {
    const first = SEEDS * PLANTED_EVENTS.indexOf(variant);
    return recallBy(SEEDS, (seed) => isFound(variant, { ...others, seed: first + seed, noise }));
  };
  const curves = printRecall("events by noise in average ranges", PLANTED_EVENTS, NOISES, SEEDS, recall);

  it.each(PLANTED_EVENTS)("%s is found at the lowest noise", (variant) => {
    expect(curves.get(variant)?.[0]).toBeGreaterThanOrEqual(0.95);
  });

  it.each([
    { unit: 0.01, base: 1 },
    { unit: 10, base: 4_000 },
    { unit: 1_000, base: 500_000 },
  ])("are found whatever the scale and offset: $unit at $base", (soil) => {
    for (const variant of PLANTED_EVENTS)
      expect(recall(variant, NOISES[0], soil), variant).toBeGreaterThanOrEqual(0.95);
  });
});
