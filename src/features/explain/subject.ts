import type { Interval } from "../../core/market/interval.js";
import type { Pattern, PatternVariant } from "../../core/patterns/define.js";
import { findVariant } from "../../core/patterns/index.js";
import { AppError } from "../../platform/errors.js";
import type { Alerts } from "../alerts/alerts.js";
import type { KeptLayers } from "../alerts/layers.js";
import type { Verdict } from "../alerts/rules.js";
import type { Alert } from "../alerts/store.js";
import type { Detections } from "../detections/detections.js";
import type { NewDetection, StoredDetection } from "../detections/store.js";
import type { Instruments } from "../instruments/instruments.js";
import type { KnownInstrument } from "../instruments/store.js";
import { requireVariant } from "./encyclopaedia.js";

/** What is explained: a pattern on a symbol, as an alert, as a stored detection, or as it is seen now. */
export interface Subject {
  readonly instrument: KnownInstrument;
  readonly pattern: Pattern;
  readonly variant: PatternVariant;
  readonly detection: NewDetection;
  /** Null for one that is not stored. */
  readonly detectionId: number | null;
  /** When it was stored, or now. */
  readonly storedBy: number;
  readonly alert: Alert | null;
  /** What was kept of the layers of the alert; null without one, and while they have not been read. */
  readonly layers: KeptLayers | null;
  /** What the rules said of it; empty where it was no candidate. */
  readonly verdicts: readonly Verdict[];
}

/** A pattern on a symbol that nobody has seen there. */
export interface Unseen {
  readonly instrument: KnownInstrument;
  readonly variant: PatternVariant;
  readonly interval: Interval;
  /** Newest closed bars that were looked at. */
  readonly bars: number;
}

export interface Subjects {
  /** @throws {AppError} `alert_not_found` */
  ofAlert(id: number): Promise<Subject>;
  /** The same, if it is one on that symbol. @throws {AppError} `alert_not_found`, and as symbols do. */
  ofAlertOn(id: number, symbol: string): Promise<Subject>;
  /** The newest alert of a symbol and pattern. @throws {AppError} `alert_not_found`, `pattern_unknown`, and as symbols do. */
  ofNewestAlert(symbol: string, pattern: string): Promise<Subject>;
  /**
   * The newest alert of a symbol and pattern, or else stored detection, or else what is seen on its newest bars.
   * @throws {AppError} as detections do.
   */
  find(symbol: string, pattern: string, interval: Interval | null): Promise<Subject | Unseen>;
}

/** Of a detection whose pattern is not on the table. */
export function unknownPattern({ pattern, symbol, source }: StoredDetection): AppError {
  const detail =
    source === "ticks"
      ? `${pattern} is a synergy, found in ticks: /api/pipeline/${symbol}/decisions tells why`
      : `${pattern} is no longer a pattern`;
  return new AppError("pattern_unknown", detail);
}

/** Newest closed bars on which a pattern is looked for that is stored nowhere. */
const LOOK_BARS = 20;

export function createSubjects(parts: {
  alerts: Pick<Alerts, "get" | "list">;
  detections: Pick<Detections, "get" | "list" | "examine">;
  instruments: Pick<Instruments, "identify" | "resolve">;
  now: () => number;
}): Subjects {
  const { alerts, detections, instruments, now } = parts;

  async function ofAlert(id: number): Promise<Subject> {
    const { alert, verdicts, layers } = await alerts.get(id);
    const detection = await detections.get(alert.detectionId);
    const known = findVariant(detection.pattern);
    if (known === null) throw unknownPattern(detection);
    const instrument = await instruments.resolve(alert.symbol);
    const stored = { detectionId: detection.id, storedBy: detection.detectedAt };
    return { instrument, ...known, detection, ...stored, alert, layers, verdicts };
  }

  async function newestAlert(symbol: string, pattern: string): Promise<number | null> {
    const { rows } = await alerts.list({ symbol, pattern }, 1, 0);
    return rows[0]?.id ?? null;
  }

  async function stored(
    instrument: KnownInstrument,
    variant: PatternVariant,
    interval: Interval | null,
  ): Promise<Subject | null> {
    const known = findVariant(variant.id);
    const filter = { symbol: instrument.symbol, pattern: variant.id, interval: interval ?? undefined };
    const [detection] = (await detections.list(filter, 1, 0)).rows;
    if (detection === undefined || known === null) return null;
    const row = { detectionId: detection.id, storedBy: detection.detectedAt };
    return { instrument, ...known, detection, ...row, alert: null, layers: null, verdicts: [] };
  }

  return {
    ofAlert,
    async ofAlertOn(id, symbol) {
      const subject = await ofAlert(id);
      const known = instruments.identify(symbol).symbol;
      if (subject.instrument.symbol === known) return subject;
      throw new AppError("alert_not_found", `Alert ${id} is not one on ${known}`);
    },
    async ofNewestAlert(symbol, text) {
      const { variant } = requireVariant(text);
      const known = instruments.identify(symbol).symbol;
      const id = await newestAlert(known, variant.id);
      if (id !== null) return ofAlert(id);
      throw new AppError("alert_not_found", `There is no alert of ${variant.title} on ${known}`);
    },
    async find(symbol, text, interval) {
      const known = requireVariant(text);
      const { variant } = known;
      const instrument = await instruments.resolve(symbol);
      const id = interval === null ? await newestAlert(instrument.symbol, variant.id) : null;
      if (id !== null) return ofAlert(id);
      const found = await stored(instrument, variant, interval);
      if (found !== null) return found;
      const looked = interval ?? "1d";
      const examination = await detections.examine(instrument.symbol, looked, LOOK_BARS);
      const seen = examination.detections.findLast(({ pattern }) => pattern === variant.id);
      if (seen === undefined) return { instrument, variant, interval: looked, bars: LOOK_BARS };
      const row = { detectionId: null, storedBy: now(), alert: null, layers: null, verdicts: [] };
      return { instrument, ...known, detection: seen, ...row };
    },
  };
}
