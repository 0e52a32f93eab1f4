import { upperBound } from "../../core/base/search.js";
import { barOpensBetween, lastClosedBar } from "../../core/market/bar-times.js";
import type { Interval } from "../../core/market/interval.js";
import { calendarOf } from "../../core/market/session.js";
import { LEAD_BARS } from "../../core/signals/lead.js";
import type { Database } from "../../platform/database.js";
import { AppError } from "../../platform/errors.js";
import type { EventLog } from "../../platform/event-log.js";
import type { Lease, Leases } from "../../platform/lease.js";
import type { Log } from "../../platform/log.js";
import type { Metrics } from "../../platform/metrics.js";
import type { Gateway } from "../../providers/gateway.js";
import type { Alerts } from "../alerts/alerts.js";
import { type Candidate, reachOf } from "../alerts/rules.js";
import type { CandleService, CandleSet } from "../candles/candles.js";
import { closedBarView } from "../candles/views.js";
import { measuredOf } from "../detections/confidence.js";
import { type Detections, detectionOf } from "../detections/detections.js";
import type { Sighting } from "../detections/find.js";
import { levelsOf, shareOfCosts } from "../detections/levels.js";
import type { DetectionStore, NewDetection } from "../detections/store.js";
import type { Evidence } from "../evidence/evidence.js";
import type { Instruments } from "../instruments/instruments.js";
import type { KnownInstrument } from "../instruments/store.js";
import type { ModelFeature } from "../models/feature.js";
import type { NewSnapshot } from "../models/scores.js";
import type { Cursors, ScanCounts, ScanStore } from "./store.js";

export interface ScanOptions {
  readonly database: Database;
  readonly store: ScanStore;
  readonly leases: Leases;
  readonly eventLog: EventLog;
  readonly gateway: Gateway;
  readonly instruments: Instruments;
  readonly candles: CandleService;
  readonly detections: Detections;
  readonly detectionStore: DetectionStore;
  readonly alerts: Alerts;
  readonly metrics: Metrics;
  readonly models: Pick<ModelFeature, "showing" | "scores">;
  readonly log: Log;
  /** What is measured of patterns, from memory. */
  readonly confidenceOf: Evidence["confidenceOf"];
  readonly intervals: readonly Interval[];
}

/** Bars that are examined when an interval of a symbol is scanned for the first time. */
const HISTORY_BARS = 200;
/** Bars that are examined after a long pause; older ones are passed over. */
const CATCH_UP_LIMIT = 2_000;
/** Newly closed bars that subscribers are told of one by one. */
const TOLD_BARS = 3;

/** New closed bars of one interval, with the bars before them. */
interface Fresh {
  readonly set: CandleSet;
  /** First bar to be examined; not the first of the set unless history begins there. */
  readonly from: number;
  /** True when the interval has been scanned before. */
  readonly resumed: boolean;
  /** The moment of the market before they were asked for: a fast replay moves on while they are read. */
  readonly marketMs: number;
}

/**
 * Examines the new closed bars of one symbol on every interval. Detections, decisions, alerts and the cursor that
 * says how far it got are one transaction, so that a crash loses nothing and repeats nothing.
 */
export async function scanSymbol(
  options: ScanOptions,
  symbol: string,
  lease: Lease,
  autoAlerts: boolean,
  signal: AbortSignal,
): Promise<ScanCounts> {
  const { database, store, leases, detections, detectionStore, alerts, metrics, confidenceOf } = options;
  const instrument = await options.instruments.resolve(symbol);
  const fresh = await loadFresh(options, instrument, await store.loadCursors(instrument.id));
  if (fresh.length === 0) return { symbols: 1, failures: 0, bars: 0, detections: 0, alerts: 0 };
  const sightings = await detections.examineWindows(
    fresh.map(({ set: { candles }, from }) => ({ candles, from })),
    signal,
  );
  signal.throwIfAborted();
  const found = fresh.flatMap((part, i) =>
    sightings[i].map((sighting) => ({
      part,
      at: sighting.at,
      detection: detectionOf(sighting, part.set, confidenceOf),
    })),
  );
  const shown = await showNewest(options, instrument, fresh, sightings, signal);
  const { recorded, consideration } = await database.transaction(async (sql) => {
    await leases.confirm(sql, lease);
    const stored = await detectionStore.record(
      sql,
      found.map(({ detection }) => detection),
    );
    await options.models.scores.record(shown, sql);
    const candidates = candidatesOf(stored, found, instrument, confidenceOf);
    await store.saveCursors(sql, instrument.id, cursorsOf(fresh));
    // Last, since the events it writes hold up those of others until the commit.
    const considered = await alerts.consider(sql, candidates, autoAlerts);
    return { recorded: stored, consideration: considered };
  });
  alerts.announce(consideration);
  for (const { pattern } of recorded) metrics.detections.inc({ pattern });
  await tellBars(options.eventLog, fresh);
  const bars = fresh.reduce((sum, { set, from }) => sum + set.candles.time.length - from, 0);
  return { symbols: 1, failures: 0, bars, detections: recorded.length, alerts: consideration.raised.length };
}

/** What models are shown of the newest bars, and what they say of the patterns that were confirmed there. */
async function showNewest(
  { models, log }: ScanOptions,
  instrument: KnownInstrument,
  fresh: readonly Fresh[],
  sightings: readonly (readonly Sighting[])[],
  signal: AbortSignal,
): Promise<NewSnapshot[]> {
  const snapshots: NewSnapshot[] = [];
  for (const [i, { set }] of fresh.entries()) {
    const { interval, time } = set.candles;
    const newest = time.length - 1;
    const counts = sightings[i].some(
      ({ at, state, direction }) => at === newest && state === "confirmed" && direction !== 0,
    );
    if (!counts) continue;
    try {
      const found = await models.showing.show(instrument, interval, [time[newest]], signal);
      snapshots.push(...found.map(({ snapshot }) => snapshot));
    } catch (error) {
      // A pattern without a score is told, too.
      if (!(error instanceof AppError) || error.code === "database_unavailable") throw error;
      const { symbol } = instrument;
      log.warn({ symbol, interval, reason: error.message }, "patterns were not shown to models");
    }
  }
  return snapshots;
}

async function loadFresh(
  { intervals, gateway, candles }: ScanOptions,
  instrument: KnownInstrument,
  cursors: Cursors,
): Promise<Fresh[]> {
  const calendar = calendarOf(instrument.calendar);
  const available = gateway.intervals(instrument);
  const fresh: Fresh[] = [];
  for (const interval of intervals.filter((wanted) => available.includes(wanted))) {
    const cursor = cursors.get(interval);
    const marketMs = gateway.marketNowMs();
    const asOfMs = await gateway.feedNowMs(instrument, interval);
    const newest = lastClosedBar(calendar, interval, asOfMs);
    if (newest === null || (cursor !== undefined && cursor >= newest)) continue;
    const wanted =
      cursor === undefined
        ? HISTORY_BARS
        : Math.min(CATCH_UP_LIMIT, barOpensBetween(calendar, interval, cursor + 1, asOfMs).length);
    const set = await candles.loadLatest(instrument, interval, wanted + LEAD_BARS);
    const { time } = set.candles;
    const unseen = cursor === undefined ? 0 : upperBound(time, cursor);
    if (unseen === time.length) continue;
    // At first and after a long pause, the bars before the newest `wanted` only lead up to them.
    const leading = unseen === 0 || wanted === CATCH_UP_LIMIT ? time.length - wanted : 0;
    fresh.push({ set, from: Math.max(0, unseen, leading), resumed: cursor !== undefined, marketMs });
  }
  return fresh;
}

function candidatesOf(
  stored: readonly (NewDetection & { id: number })[],
  found: readonly { part: Fresh; at: number; detection: NewDetection }[],
  { symbol, synthetic, assetClass, calendar }: KnownInstrument,
  confidenceOf: ScanOptions["confidenceOf"],
): Candidate[] {
  const parts = new Map(found.map(({ part, detection }) => [keyOf(detection), part]));
  const closed = new Map([...new Set(parts.values())].map((part) => [part, closedOpens(part)]));
  // What is forming, has failed or expired is reported and traded by nobody.
  const tradable = stored.filter(({ state }) => state === "confirmed");
  return tradable.flatMap((detection) => {
    const part = parts.get(keyOf(detection));
    const opens = part === undefined ? undefined : closed.get(part);
    if (part === undefined || opens === undefined) return [];
    const barsSince = opens.length - upperBound(opens, detection.barTime);
    const fresh = part.resumed || barsSince === 0;
    const evidence = measuredOf(detection, assetClass, confidenceOf);
    const costShare = shareOfCosts(levelsOf(detection), assetClass);
    const { interval } = detection;
    const reach = reachOf(calendarOf(calendar), interval, part.set.asOfMs, part.marketMs);
    return [{ ...detection, symbol, synthetic, evidence, costShare, fresh, barsSince, reach }];
  });
}

/** Opens of the bars that have closed since the first one examined, whether or not the source has them. */
function closedOpens({ set: { candles, instrument, asOfMs }, from }: Fresh): Float64Array {
  const calendar = calendarOf(instrument.calendar);
  const { time, interval } = candles;
  const newest = lastClosedBar(calendar, interval, asOfMs) ?? time[from];
  return barOpensBetween(calendar, interval, time[from], newest + 1);
}

const keyOf = ({ interval, pattern, state, barTime }: NewDetection) =>
  `${interval} ${pattern} ${state} ${barTime}`;

function cursorsOf(fresh: readonly Fresh[]): Cursors {
  return new Map(
    fresh.map(({ set: { candles } }) => [candles.interval, candles.time[candles.time.length - 1]] as const),
  );
}

/** Tells subscribers of bars that closed since the last scan. */
async function tellBars(eventLog: EventLog, fresh: readonly Fresh[]): Promise<void> {
  for (const { set, from, resumed } of fresh) {
    if (!resumed) continue;
    const { candles, instrument } = set;
    const { length } = candles.time;
    for (let i = Math.max(from, length - TOLD_BARS); i < length; i++) {
      const topic = `candles:${instrument.symbol}:${candles.interval}`;
      await eventLog.announce({ topic, payload: closedBarView(set, i) });
    }
  }
}
