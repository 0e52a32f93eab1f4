import { describe, expect, it } from "vitest";
import { type Candles, sliceCandles } from "../../src/core/market/candles.js";
import type { StoredDetection } from "../../src/features/detections/store.js";
import { drawDetection } from "../../src/features/explain/drawing.js";
import { isoTime } from "../../src/platform/http.js";
import { walkBars } from "../fixtures/series.js";

const all: Candles = { symbol: "AAPL", interval: "1d", ...walkBars(200, 3) };
const shown = sliceCandles(all, 120, 200);

/** A bounce off a level that was touched at bars 20 and 130, seen at bar 180. */
const detection = {
  symbol: "AAPL",
  interval: "1d",
  state: "confirmed",
  direction: 1,
  quality: 0.5,
  barTime: all.time[180],
  startTime: all.time[170],
  synthetic: false,
  source: "test",
  formation: {
    points: [20, 130].map((at) => ({
      role: "touch",
      time: all.time[at],
      price: all.low[at],
      knownAt: at + 5,
    })),
    boundaries: [],
  },
} as unknown as StoredDetection;

describe("the drawing of a detection", () => {
  it("has the points of the bars that are shown, and none from before them", () => {
    const points = (candles: typeof all) =>
      [
        ...drawDetection({ detection, title: "Bounce", candles, levels: [] }).matchAll(
          /data-time="([^"]+)"/g,
        ),
      ].map(([, time]) => time);
    expect(points(all)).toEqual([isoTime(all.time[20]), isoTime(all.time[130])]);
    expect(points(shown)).toEqual([isoTime(all.time[130])]);
  });
});
