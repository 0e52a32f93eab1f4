import { calendarOf } from "../../core/market/session.js";
import type { Alerts } from "../../features/alerts/alerts.js";
import type { Alert } from "../../features/alerts/store.js";
import { titleOf } from "../../features/catalogue/pattern-names.js";
import type { Detections } from "../../features/detections/detections.js";
import type { StoredDetection } from "../../features/detections/store.js";
import { type Frame, opensBetween, stampOf } from "./resolutions.js";
import type { Symbols } from "./symbols.js";

/** Which marks are wanted: on bars of a resolution whose times lie in [from, to], both in seconds. */
export interface MarksWanted {
  readonly symbol: string;
  readonly resolution: Frame;
  readonly from: number;
  readonly to: number;
}

/** A detection, or the alert that was raised on it, on the bar at whose close it was known. */
export interface Mark {
  readonly id: string;
  /** Of the bar, in seconds. */
  readonly time: number;
  readonly isAlert: boolean;
  readonly direction: Direction;
  readonly label: string;
  readonly text: string;
  /** By which those of a bar are told that has more than can be shown. */
  readonly rank: number;
}

type Direction = "bullish" | "bearish" | "neutral";

export interface Marks {
  /** By time, at most ten on a bar, the alerts of a bar first. */
  load(wanted: MarksWanted): Promise<Mark[]>;
}

/** Detections and alerts of an answer, each: the newest of more. */
export const MARKS_LIMIT = 1_000;
/** The protocol shows no more on a bar. */
export const MARKS_PER_BAR = 10;

const DIRECTIONS = { 1: "bullish", 0: "neutral", [-1]: "bearish" } as const;

export function createMarks({
  symbols,
  detections,
  alerts,
}: {
  readonly symbols: Pick<Symbols, "resolve">;
  readonly detections: Pick<Detections, "list">;
  readonly alerts: Pick<Alerts, "list">;
}): Marks {
  return {
    async load({ symbol, resolution, from, to }) {
      const instrument = await symbols.resolve(symbol);
      // Months are made here, and nothing is looked for on them.
      if (resolution === "month") return [];
      const calendar = calendarOf(instrument.calendar);
      const bars = opensBetween(calendar, resolution, from, to + 1);
      const filter = { instrumentId: instrument.id, interval: resolution, bars };
      const [seen, raised] = await Promise.all([
        detections.list(filter, MARKS_LIMIT, 0),
        alerts.list(filter, MARKS_LIMIT, 0),
      ]);
      const stamp = (openMs: number) => stampOf(calendar, resolution, openMs);
      return marksOf(seen.rows, raised.rows, stamp);
    },
  };
}

/** @param stamp the time of a bar as the protocol has it, by its open. */
export function marksOf(
  detections: readonly StoredDetection[],
  alerts: readonly Alert[],
  stamp: (openMs: number) => number,
): Mark[] {
  const alerted = new Set(alerts.map(({ detectionId }) => detectionId));
  const all = [
    ...alerts.map((alert) => markOfAlert(alert, stamp(alert.barTime))),
    ...detections
      .filter(({ id }) => !alerted.has(id))
      .map((detection) => markOfDetection(detection, stamp(detection.barTime))),
  ];
  all.sort((a, b) => a.time - b.time || b.rank - a.rank || (a.id < b.id ? -1 : 1));
  return byBar(all).flatMap(shown);
}

/** Marks bar by bar, in the order in which the bars first come. */
function byBar(marks: readonly Mark[]): Mark[][] {
  const bars = new Map<number, Mark[]>();
  for (const mark of marks) {
    const ofBar = bars.get(mark.time) ?? [];
    ofBar.push(mark);
    bars.set(mark.time, ofBar);
  }
  return [...bars.values()];
}

/** The marks of a bar that can be shown; the last of them says how many others there are. */
function shown(ofBar: readonly Mark[]): Mark[] {
  const left = ofBar.length - MARKS_PER_BAR;
  const marks = ofBar.slice(0, MARKS_PER_BAR);
  const last = marks[MARKS_PER_BAR - 1];
  if (left > 0 && last !== undefined)
    marks[MARKS_PER_BAR - 1] = { ...last, text: `${last.text}; ${left} more on this bar` };
  return marks;
}

function markOfAlert(alert: Alert, time: number): Mark {
  const direction = DIRECTIONS[alert.direction];
  const facts = [direction, `score ${alert.score.toFixed(2)} by ${alert.scoreBasis}`];
  return {
    id: `alert-${alert.id}`,
    time,
    isAlert: true,
    direction,
    label: "A",
    text: `Alert: ${textOf(alert, facts)}`,
    rank: 2 + alert.score,
  };
}

function markOfDetection(detection: StoredDetection, time: number): Mark {
  const direction = DIRECTIONS[detection.direction];
  const facts = [direction, detection.state, `quality ${detection.quality.toFixed(2)}`];
  return {
    id: `detection-${detection.id}`,
    time,
    isAlert: false,
    direction,
    label: titleOf(detection.pattern).charAt(0),
    text: textOf(detection, facts),
    rank: detection.quality,
  };
}

function textOf(
  { pattern, interval, confidence, source, synthetic }: StoredDetection | Alert,
  facts: readonly string[],
): string {
  const measured =
    confidence === null
      ? "confidence insufficient"
      : `confidence ${(100 * confidence).toFixed(0)} % measured`;
  const from = synthetic ? `source ${source} (synthetic)` : `source ${source}`;
  return `${titleOf(pattern)} ${interval}: ${[...facts, measured, from].join(", ")}`;
}

const COLOURS: Readonly<Record<Direction, string>> = { bullish: "green", bearish: "red", neutral: "blue" };

/** Marks as columns, the way in which the protocol tells those on bars. */
export function markColumns(marks: readonly Mark[]) {
  return {
    id: marks.map(({ id }) => id),
    time: marks.map(({ time }) => time),
    color: marks.map(({ direction }) => COLOURS[direction]),
    text: marks.map(({ text }) => text),
    label: marks.map(({ label }) => label),
    labelFontColor: marks.map(() => "white"),
    minSize: marks.map(({ isAlert }) => (isAlert ? 22 : 14)),
  };
}

/** One mark on the scale of time for each bar with marks, which tells all of them. */
export function timescaleMarks(marks: readonly Mark[]) {
  return byBar(marks).map((ofBar) => {
    const [{ time }] = ofBar;
    const directions = new Set(ofBar.map(({ direction }) => direction));
    const [only] = directions;
    return {
      id: `bar-${time}`,
      time,
      color: directions.size === 1 && only !== undefined ? COLOURS[only] : COLOURS.neutral,
      label: ofBar.some(({ isAlert }) => isAlert) ? "A" : String(Math.min(9, ofBar.length)),
      tooltip: ofBar.map(({ text }) => text),
    };
  });
}
