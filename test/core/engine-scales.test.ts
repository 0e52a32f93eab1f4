import { describe, expect, it } from "vitest";
import { calendarOf } from "../../src/core/market/session.js";
import { MATRICES } from "../../src/core/synergy/matrix-features.js";
import { SYNERGY_TYPES } from "../../src/core/synergy/sequence.js";
import type { Ticks } from "../../src/core/ticks/tick.js";
import { expectBatch, expectPlainMatrices, runWatched } from "../fixtures/engine-oracle.js";
import { runEngine, ticksOf } from "../fixtures/engines.js";
import { tellStory } from "../fixtures/planted-synergies.js";
import { walkTicks } from "../fixtures/tick-bars.js";
import { createWatchedEngine } from "../fixtures/watched-engines.js";

const always = calendarOf("24x7");

function scaled(ticks: Ticks, factor: number): Ticks {
  return { ...ticks, price: ticks.price.map((price) => price * factor) };
}

describe("prices of any size", () => {
  // Powers of two change no digit; about 1e-8 and 1e8 times as much.
  it.each([2 ** -33, 2 ** 20])("times %d give the same synergies, legs, qualities and matrices", (factor) => {
    for (const seed of [1, 2, 3]) {
      const ticks = ticksOf(tellStory({ seed, story: SYNERGY_TYPES[seed], way: 1, calendar: "24x7" }).ticks);
      const [one, other] = [ticks, scaled(ticks, factor)].map((each) => runWatched(each, always));
      expect(one.synergies.length).toBe(1);
      const told = ({ synergies }: typeof one, times: number) =>
        synergies.map(({ type, way, knownAt, quality, legs }) => ({
          ...{ type, way, knownAt, quality },
          legs: legs.map((leg) => ({ ...leg, price: leg.price * times })),
        }));
      expect(told(other, 1)).toEqual(told(one, factor));
      for (const name of ["structure", "tactical", "regime"] as const) {
        const wrong = one.track.lines[name].findIndex((line, i) =>
          line.some((value, k) => {
            const alike = other.track.lines[name][i][k];
            return !(Object.is(value, alike) || Math.abs(value - alike) <= 1e-9);
          }),
        );
        expect(wrong, name).toBe(-1);
      }
    }
  });
});

describe("matrices of ticks", () => {
  it("are warm when the table says so, where every bar comes, and never before", () => {
    const run = runWatched(walkTicks(3, 14_000, { meanMs: 60_000 }), always);
    for (const { name, features } of Object.values(MATRICES)) {
      const lines = run.track.lines[name];
      const first = features.map((_, column) => lines.findIndex((line) => !Number.isNaN(line[column])));
      expect(first).toEqual(features.map(({ warmup }) => warmup));
      for (const [column, { range }] of features.entries()) {
        const outside = lines.filter((line) => line[column] < range[0] || line[column] > range[1]);
        expect(outside).toEqual([]);
      }
    }
  });

  it("say of markets without volume what they say of flat volume, and nothing of nodes", () => {
    const ticks = walkTicks(3, 5_000, { meanMs: 60_000 });
    ticks.size.fill(0);
    const run = runWatched(ticks, calendarOf("FX"));
    expectBatch(run);
    expectPlainMatrices(run);
    expect(run.bars.every(({ figures }) => Number.isNaN(figures[7]) && Number.isNaN(figures[8]))).toBe(true);
  });
});

describe("one symbol of each calendar", () => {
  it("each has the rows and matrices of its own bars", () => {
    const ids = ["XNYS", "XNSE", "FX", "24x7"] as const;
    const calendars = ids.map(calendarOf);
    const ticks = walkTicks(8, 7_000, { symbols: 4, meanMs: 40_000, pauseMs: 3_600_000 });
    const { engine, tracks } = createWatchedEngine(calendars);
    const { bars } = runEngine(engine, ticks);
    for (const [symbol, calendar] of calendars.entries()) {
      const kept = Array.from(ticks.time.keys()).filter((i) => ticks.symbol[i] === symbol);
      const alone: Ticks = {
        symbol: new Uint16Array(kept.length),
        time: Float64Array.from(kept, (i) => ticks.time[i]),
        price: Float64Array.from(kept, (i) => ticks.price[i]),
        size: Float64Array.from(kept, (i) => ticks.size[i]),
        id: new Float64Array(kept.length).fill(Number.NaN),
      };
      const run = runWatched(alone, calendar);
      expectBatch(run);
      expectPlainMatrices(run);
      expect(tracks[symbol].said).toEqual(run.track.said);
      expect(tracks[symbol].lines).toEqual(run.track.lines);
      expect(bars.filter((bar) => bar.symbol === symbol).length).toBe(run.bars.length);
    }
  });
});
