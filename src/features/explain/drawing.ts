import { lowerBound } from "../../core/base/search.js";
import { spoken } from "../../core/base/words.js";
import type { Candles } from "../../core/market/candles.js";
import { INTERVAL_MS, type Interval } from "../../core/market/interval.js";
import { isoTime } from "../../platform/http.js";
import { escapeXml } from "../../platform/xml.js";
import type { StoredDetection } from "../detections/store.js";
import { element, line, spread, text } from "./svg.js";
import { DIRECTIONS, figure } from "./words.js";

export interface DrawnLevel {
  readonly role: string;
  readonly price: number;
}

/** What is drawn: prices all on the scale of the candles. */
export interface Drawing {
  readonly detection: StoredDetection;
  readonly title: string;
  readonly candles: Candles;
  readonly levels: readonly DrawnLevel[];
}

const WIDTH = 960;
const HEIGHT = 480;
const PLOT = { left: 64, right: 812, top: 48, bottom: 412 } as const;
const VOLUME = { top: 418, bottom: 448 } as const;
const LABEL_APART = 15;
const POINT_GAP = 12;

/** Of middle lightness, so that they show on white and on black alike; there is no background of our own. */
const COLORS = {
  ink: "#767b85",
  rise: "#22997a",
  fall: "#db5a52",
  line: "#3f86d8",
  point: "#c07f13",
  stop: "#db5a52",
  target: "#22997a",
  entry: "#3f86d8",
} as const;

interface Scales {
  x(index: number): number;
  y(price: number): number;
  readonly width: number;
  readonly low: number;
  readonly high: number;
}

/**
 * An SVG of a detection: candles with volume, the bars of the shape, its lines and points, and the levels of a trade.
 * It has no script and no style sheet, and needs none. @param drawing has at least one bar.
 */
export function drawDetection(drawing: Drawing): string {
  const { detection, title } = drawing;
  const scales = scalesOf(drawing);
  const head = `${title} on ${detection.symbol} ${detection.interval}`;
  const told = `${head}, ${detection.state}, ${DIRECTIONS[detection.direction]}, quality ${detection.quality.toFixed(2)} of 1`;
  const parts = [
    element("title", {}, escapeXml(head)),
    element("desc", {}, escapeXml(`${told}; bar of ${isoTime(detection.barTime)}`)),
    text(PLOT.left, 22, head, { "font-size": 16, "font-weight": "bold" }),
    text(PLOT.left, 38, subtitle(detection), { "font-size": 12 }),
    axes(drawing, scales),
    shapeBand(drawing, scales),
    candleMarks(drawing, scales),
    boundaryLines(drawing, scales),
    levelLines(drawing, scales),
    pointMarks(drawing, scales),
  ];
  const frame = {
    xmlns: "http://www.w3.org/2000/svg",
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    width: WIDTH,
    height: HEIGHT,
    role: "img",
    "font-family": "system-ui, sans-serif",
    "font-size": 12,
    fill: COLORS.ink,
  };
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element("svg", frame, parts.join("\n"))}\n`;
}

function subtitle(detection: StoredDetection): string {
  const { state, direction, quality, barTime, interval, synthetic, source } = detection;
  const origin = synthetic ? "SYNTHETIC MARKET" : `prices from ${source}`;
  return `${DIRECTIONS[direction]}, ${state} at the bar of ${barName(barTime, interval)}, quality ${quality.toFixed(2)}, ${origin}`;
}

/** A bar by its day, and its minute where there are several a day. */
function barName(ms: number, interval: Interval): string {
  const daily = INTERVAL_MS[interval] >= INTERVAL_MS["1d"];
  return daily ? isoTime(ms).slice(0, 10) : `${isoTime(ms).slice(0, 16).replace("T", " ")} UTC`;
}

function scalesOf({ candles, levels, detection }: Drawing): Scales {
  const { length } = candles.time;
  const points = shownPoints(detection, candles).map(({ price }) => price);
  const lines = (detection.formation?.boundaries ?? []).flatMap(({ from, to }) => [from.price, to.price]);
  const others = [...points, ...lines, ...levels.map(({ price }) => price)];
  const lowest = Math.min(...candles.low, ...others);
  const highest = Math.max(...candles.high, ...others);
  const margin = 0.06 * (highest - lowest) || 0.01 * highest;
  const [low, high] = [lowest - margin, highest + margin];
  const step = (PLOT.right - PLOT.left) / length;
  return {
    x: (index) => PLOT.left + step * (index + 0.5),
    y: (price) => PLOT.bottom - ((price - low) / (high - low)) * (PLOT.bottom - PLOT.top),
    width: Math.max(1, Math.min(14, 0.7 * step)),
    low,
    high,
  };
}

function axes({ candles, detection }: Drawing, { x, y, low, high }: Scales): string {
  const step = niceStep((high - low) / 5);
  const marks: string[] = [];
  for (let price = Math.ceil(low / step) * step; price < high; price += step) {
    const at = y(price);
    marks.push(line([PLOT.left, at], [PLOT.right, at], { stroke: COLORS.ink, "stroke-opacity": 0.25 }));
    marks.push(text(PLOT.left - 6, at + 4, figure(price), { "text-anchor": "end" }));
  }
  const { time } = candles;
  const last = time.length - 1;
  const at = indexOf(candles, detection.barTime);
  const shown = [...new Set([0, at, last])].filter((i) => i === at || Math.abs(x(i) - x(at)) > 180);
  for (const i of shown) {
    const anchor = i === 0 ? "start" : i === last ? "end" : "middle";
    marks.push(text(x(i), 466, barName(time[i], candles.interval), { "text-anchor": anchor }));
  }
  return marks.join("\n");
}

/** 1, 2 or 5 times a power of ten. */
function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * (rough / power >= 5 ? 5 : rough / power >= 2 ? 2 : 1);
}

function indexOf({ time }: Candles, openMs: number): number {
  return Math.min(time.length - 1, lowerBound(time, openMs));
}

function shapeBand({ candles, detection }: Drawing, { x, width }: Scales): string {
  const from = x(indexOf(candles, detection.startTime)) - width / 2 - 2;
  const to = x(indexOf(candles, detection.barTime)) + width / 2 + 2;
  const { top, bottom } = PLOT;
  const band = { x: from, y: top, width: to - from, height: bottom - top, "fill-opacity": 0.1 };
  return element("rect", { ...band, fill: COLORS.line, "data-role": "shape" });
}

function candleMarks({ candles, detection }: Drawing, { x, y, width }: Scales): string {
  const { time, open, high, low, close, volume } = candles;
  const most = Math.max(...volume);
  const at = indexOf(candles, detection.barTime);
  return Array.from(time, (_, i) => {
    const color = close[i] >= open[i] ? COLORS.rise : COLORS.fall;
    const top = y(Math.max(open[i], close[i]));
    const height = Math.max(1, y(Math.min(open[i], close[i])) - top);
    const faint: Record<string, number> = i > at ? { opacity: 0.55 } : {};
    const left = x(i) - width / 2;
    const tall = most > 0 ? (volume[i] / most) * (VOLUME.bottom - VOLUME.top) : 0;
    const bar = { x: left, y: VOLUME.bottom - tall, width, height: tall, fill: color, "fill-opacity": 0.5 };
    return [
      line([x(i), y(high[i])], [x(i), y(low[i])], { stroke: color, ...faint }),
      element("rect", { x: left, y: top, width, height, fill: color, ...faint }),
      ...(tall > 0 ? [element("rect", bar)] : []),
    ].join("");
  }).join("\n");
}

function boundaryLines({ candles, detection }: Drawing, { x, y }: Scales): string {
  return (detection.formation?.boundaries ?? [])
    .map(({ role, from, to }) =>
      line([x(indexOf(candles, from.time)), y(from.price)], [x(indexOf(candles, to.time)), y(to.price)], {
        stroke: COLORS.line,
        "stroke-width": 2,
        "data-role": role,
      }),
    )
    .join("\n");
}

function levelLines({ levels, candles, detection }: Drawing, { x, y }: Scales): string {
  const from = x(indexOf(candles, detection.barTime));
  const places = spread(
    levels.map(({ price }) => y(price) + 4),
    LABEL_APART,
    PLOT.top,
    PLOT.bottom,
  );
  return levels
    .map(({ role, price }, i) => {
      const color = COLORS[role as keyof typeof COLORS] ?? COLORS.ink;
      const dashes = { stroke: color, "stroke-width": 1.5, "stroke-dasharray": "6 4", "data-role": role };
      const label = text(PLOT.right + 10, places[i], `${spoken(role)} ${figure(price)}`, { fill: color });
      return line([from, y(price)], [PLOT.right + 6, y(price)], dashes) + label;
    })
    .join("\n");
}

/** Points of the bars that are shown: those before them would stand at the wrong time. */
function shownPoints({ formation }: StoredDetection, { time: opens }: Candles) {
  return (formation?.points ?? []).filter(({ time }) => time >= opens[0]);
}

/** Points with their roles: above the bar for those in its upper half, below for the others. */
function pointMarks({ candles, detection }: Drawing, { x, y }: Scales): string {
  const { high, low } = candles;
  return shownPoints(detection, candles)
    .map(({ role, time, price }) => {
      const i = indexOf(candles, time);
      const above = price >= (high[i] + low[i]) / 2;
      const [cx, cy] = [x(i), y(price)];
      const place = { "data-role": role, "data-time": isoTime(time), "data-price": String(price) };
      const circle = { cx, cy, r: 5, fill: "none", stroke: COLORS.point, "stroke-width": 2 };
      const label = text(cx, above ? cy - POINT_GAP : cy + POINT_GAP + 9, spoken(role), {
        fill: COLORS.point,
        "text-anchor": "middle",
      });
      return element("circle", { ...circle, ...place }) + label;
    })
    .join("\n");
}
