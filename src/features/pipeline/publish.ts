import { INTERVAL_MS, type Interval } from "../../core/market/interval.js";
import { patternOfSynergy } from "../../core/synergy/sequence.js";
import type { Sql } from "../../platform/database.js";
import { AppError, ERRORS } from "../../platform/errors.js";
import type { Alerts, Consideration } from "../alerts/alerts.js";
import type { Candidate } from "../alerts/rules.js";
import { shareOfCosts } from "../detections/levels.js";
import type { DetectionStore, NewDetection } from "../detections/store.js";
import type { Instruments } from "../instruments/instruments.js";
import type { KnownInstrument } from "../instruments/store.js";
import type { NewSynergy } from "./decision-store.js";

/** What was made public of a decision. */
export interface Published {
  readonly detectionId: number | null;
  readonly alertId: number | null;
  /** Why there is no alert; null where there is one. */
  readonly unalerted: string | null;
  readonly consideration: Consideration | null;
}

/**
 * Makes signals of decisions: a detection `synergy_type_n` with the stop and target of the decision, which the rules of
 * alerts judge like any other.
 */
export interface Publisher {
  /** The instrument that a symbol is traded as; null, with why, where no source knows it. */
  instrumentOf(symbol: string): Promise<KnownInstrument | string>;
  /** Within the transaction that stores the decision. */
  publish(sql: Sql, synergy: NewSynergy, instrument: KnownInstrument | string): Promise<Published>;
}

export function createPublisher(parts: {
  readonly instruments: Pick<Instruments, "resolve" | "admit">;
  readonly detectionStore: Pick<DetectionStore, "record">;
  readonly alerts: Pick<Alerts, "consider">;
  readonly interval: Interval;
  /** Smallest quality of a synergy that raises an alert: what is demanded of patterns is on another scale. */
  readonly leastQuality: number;
  readonly now: () => number;
}): Publisher {
  const { instruments, detectionStore, alerts, interval, leastQuality, now } = parts;
  return {
    async instrumentOf(symbol) {
      try {
        return await instruments.resolve(symbol);
      } catch (error) {
        if (!(error instanceof AppError) || error.code === "database_unavailable") throw error;
        if (!ERRORS[error.code].retryable) return error.message;
        // That sources do not answer now says nothing: the trades that were taken are proof enough.
        return await instruments.admit(symbol);
      }
    },
    async publish(sql, synergy, instrument) {
      const { refusedBy } = synergy.decision;
      const nothing = { detectionId: null, alertId: null, consideration: null };
      if (refusedBy !== null) return { ...nothing, unalerted: `refused by ${refusedBy}` };
      if (typeof instrument === "string") return { ...nothing, unalerted: instrument };
      const detection = detectionOf(synergy, instrument, interval);
      const [stored] = await detectionStore.record(sql, [detection]);
      if (stored === undefined) return { ...nothing, unalerted: "the detection is there already" };
      const candidate: Candidate = {
        ...stored,
        symbol: instrument.symbol,
        synthetic: instrument.synthetic,
        evidence: { edgeHigh: null },
        costShare: costShareOf(synergy, instrument),
        threshold: leastQuality,
        fresh: true,
        barsSince: Math.max(0, Math.floor((now() - synergy.knownAt) / INTERVAL_MS[interval])),
        // Ticks have no source that could be behind: their age is told by the bars since.
        reach: { reachedMs: synergy.knownAt, dueMs: synergy.knownAt },
      };
      const consideration = await alerts.consider(sql, [candidate], true);
      const alert = consideration.raised[0];
      const refused = consideration.judged[0]?.verdicts.find(({ passed }) => !passed);
      return {
        detectionId: stored.id,
        alertId: alert?.id ?? null,
        unalerted: alert === undefined ? `alerts: ${refused?.rule ?? "there already"}` : null,
        consideration,
      };
    },
  };
}

function costShareOf({ decision: { entry, target } }: NewSynergy, { assetClass }: KnownInstrument) {
  return entry === null || target === null ? null : shareOfCosts({ entry, target }, assetClass);
}

function detectionOf(
  { type, way, knownAt, quality, legs, context, decision }: NewSynergy,
  instrument: KnownInstrument,
  interval: Interval,
): NewDetection {
  const length = INTERVAL_MS[interval];
  const price = decision.entry ?? Number.NaN;
  return {
    instrumentId: instrument.id,
    interval,
    pattern: patternOfSynergy(type),
    direction: way,
    startTime: Math.min(...legs.map(({ barTime }) => barTime)),
    barTime: knownAt - length,
    closedAt: knownAt,
    state: "confirmed",
    quality,
    // Of synergies nothing has been measured: no hit rate is said.
    confidence: null,
    regime: null,
    price,
    // A slot whose bar has not come had no trade.
    volume: context.volume ?? 0,
    trendMet: null,
    source: "ticks",
    facts: { trend: "unknown", range: context.range },
    formation: {
      formedTime: knownAt - length,
      points: legs.map((leg) => ({
        role: leg.leg,
        time: leg.barTime,
        price: leg.price,
        knownTime: leg.knownAt,
      })),
      boundaries: [],
      trigger: decision.entry,
      target: decision.target,
      stop: decision.stop,
      rewardRisk: decision.rules.find(({ rule }) => rule === "reward_below_least")?.value ?? null,
      checks: [],
    },
  };
}
