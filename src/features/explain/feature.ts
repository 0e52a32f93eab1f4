import type { Database } from "../../platform/database.js";
import type { Workers } from "../../platform/workers.js";
import type { Alerts } from "../alerts/alerts.js";
import type { CandleService } from "../candles/candles.js";
import { measuredOf } from "../detections/confidence.js";
import type { Detections } from "../detections/detections.js";
import type { StoredDetection } from "../detections/store.js";
import type { Confidence } from "../evidence/evidence.js";
import type { Instruments } from "../instruments/instruments.js";
import { type Charts, createCharts } from "./chart.js";
import { type Composite, type CompositeSource, compositeOf } from "./composite.js";
import { createEncyclopaedia, type Encyclopaedia } from "./encyclopaedia.js";
import { createFeedback, type FeedbackVerbs } from "./feedback.js";
import { createLookahead, type LookaheadJob } from "./lookahead.js";
import { loadOutcome, type Outcome } from "./outcome.js";
import { createProofs, type Proofs } from "./proof.js";
import { type Reading, readSubject } from "./reading.js";
import type { ReliabilitySource } from "./reliability.js";
import { createFeedbackStore } from "./store.js";
import { createSubjects, type Subject, type Subjects } from "./subject.js";
import { createValidation, type ValidationVerbs } from "./validation.js";

/** Why patterns are what they are said to be, and proof that nothing is said with hindsight. */
export interface Explain {
  readonly encyclopaedia: Encyclopaedia;
  readonly subjects: Subjects;
  /** What was known of a subject when its bar closed, and what is measured of its pattern by now. @throws {AppError} as candles do. */
  read(subject: Subject): Promise<Reading>;
  /** What all layers say of a subject. */
  composite(subject: Subject): Promise<Composite>;
  /** A stored detection with what became of it. @throws {AppError} `detection_not_found`, and as candles do. */
  detail(id: number): Promise<{ detection: StoredDetection; outcome: Outcome; reliability: Confidence }>;
  readonly charts: Charts;
  readonly feedback: FeedbackVerbs;
  readonly proofs: Proofs;
  readonly validation: ValidationVerbs;
  /** The kind of job that tests for hindsight. */
  readonly lookahead: LookaheadJob;
  readonly evidence: ReliabilitySource;
  readonly now: () => number;
}

export function createExplain(parts: {
  database: Database;
  detections: Detections;
  alerts: Alerts;
  candles: CandleService;
  instruments: Instruments;
  workers: Workers;
  evidence: ReliabilitySource;
  signals: CompositeSource;
  gateway: { readonly synthetic: boolean };
  now: () => number;
}): Explain {
  const { database, detections, candles, instruments, workers, evidence, gateway, now } = parts;
  return {
    encyclopaedia: createEncyclopaedia(parts),
    subjects: createSubjects(parts),
    read: (subject) => readSubject(parts, subject),
    composite: (subject) => compositeOf(parts.signals, subject),
    async detail(id) {
      const detection = await detections.get(id);
      const instrument = await instruments.resolve(detection.symbol);
      const reliability = measuredOf(detection, instrument.assetClass, evidence.confidenceOf);
      return { detection, outcome: await loadOutcome(candles, detection, instrument), reliability };
    },
    charts: createCharts(parts),
    feedback: createFeedback({
      store: createFeedbackStore(database),
      detections,
      synthetic: gateway.synthetic,
      now,
    }),
    proofs: createProofs(parts),
    validation: createValidation(parts),
    lookahead: createLookahead({ candles, instruments, workers }),
    evidence,
    now,
  };
}
