import { lowerBound } from "../../core/base/search.js";
import { barOpensBetween, openBefore } from "../../core/market/bar-times.js";
import { INTERVAL_MS } from "../../core/market/interval.js";
import { calendarOf } from "../../core/market/session.js";
import { AppError } from "../../platform/errors.js";
import type { CandleService } from "../candles/candles.js";
import { titleOf } from "../catalogue/pattern-names.js";
import type { Detections } from "../detections/detections.js";
import type { StoredFormation } from "../detections/formation.js";
import { levelsOf } from "../detections/levels.js";
import type { Instruments } from "../instruments/instruments.js";
import { drawDetection } from "./drawing.js";

/** Bars drawn before a shape and after its bar, where there are. */
const BEFORE_BARS = 20;
const AFTER_BARS = 20;
const DAY_MS = 86_400_000;

export function createCharts(parts: {
  detections: Pick<Detections, "get">;
  candles: Pick<CandleService, "loadRange">;
  instruments: Pick<Instruments, "resolve">;
}) {
  return {
    /**
     * An SVG of a stored detection with the bars around it, as they are known now; the shape and its levels stand on
     * their scale. @throws {AppError} `detection_not_found`, `no_data` where its bar is gone, and as candles do.
     */
    async draw(id: number): Promise<string> {
      const detection = await parts.detections.get(id);
      const { interval, startTime, barTime, price, formation } = detection;
      const instrument = await parts.instruments.resolve(detection.symbol);
      const calendar = calendarOf(instrument.calendar);
      const from = openBefore(calendar, interval, startTime, BEFORE_BARS);
      const after = barTime + 6 * AFTER_BARS * INTERVAL_MS[interval] + 7 * DAY_MS;
      const opens = barOpensBetween(calendar, interval, barTime, after);
      const to = opens[AFTER_BARS + 1] ?? after;
      const { candles } = await parts.candles.loadRange(instrument, interval, from, to);
      const at = lowerBound(candles.time, barTime);
      if (candles.time[at] !== barTime) {
        throw new AppError("no_data", `The bar of detection ${id} is no longer given by its source`);
      }
      const scale = candles.close[at] / price;
      const levels = detection.state === "confirmed" ? levelsOf(detection) : null;
      const trigger = formation?.trigger ?? null;
      return drawDetection({
        detection: { ...detection, formation: formation && scaled(formation, scale) },
        title: titleOf(detection.pattern),
        candles,
        levels: [
          ...(trigger === null ? [] : [{ role: "trigger", price: trigger }]),
          ...(levels === null
            ? []
            : (["target", "entry", "stop"] as const).map((role) => ({ role, price: levels[role] }))),
        ].map((level) => ({ ...level, price: level.price * scale })),
      });
    },
  };
}

export type Charts = ReturnType<typeof createCharts>;

function scaled(formation: StoredFormation, scale: number): StoredFormation {
  if (scale === 1) return formation;
  const place = <P extends { price: number }>(point: P): P => ({ ...point, price: point.price * scale });
  return {
    ...formation,
    points: formation.points.map(place),
    boundaries: formation.boundaries.map((each) => ({ ...each, from: place(each.from), to: place(each.to) })),
  };
}
