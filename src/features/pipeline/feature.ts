import { classifySymbol, type Instrument } from "../../core/market/instrument.js";
import { INTERVAL_MS, type Interval } from "../../core/market/interval.js";
import { type DecisionTerms, resolveDecisionTerms } from "../../core/synergy/decision-terms.js";
import { ENGINE_TERMS, type EngineTerms } from "../../core/synergy/engine.js";
import { sleep } from "../../platform/clock.js";
import type { Config } from "../../platform/config.js";
import type { Database } from "../../platform/database.js";
import { AppError } from "../../platform/errors.js";
import type { EventLog } from "../../platform/event-log.js";
import type { Lease, Leases } from "../../platform/lease.js";
import type { Log } from "../../platform/log.js";
import type { LoopDefinition } from "../../platform/loop.js";
import type { Metrics } from "../../platform/metrics.js";
import type { Gateway } from "../../providers/gateway.js";
import type { Alerts } from "../alerts/alerts.js";
import type { DetectionStore } from "../detections/store.js";
import type { Instruments } from "../instruments/instruments.js";
import type { ModelFeature } from "../models/feature.js";
import type { PaperDesk } from "../paper-trades/feature.js";
import { createCounts } from "./counts.js";
import { createDeciding } from "./deciding.js";
import { createDecisionOrders } from "./decision-orders.js";
import { listingOf } from "./listing.js";
import { intervalsOf } from "./messages.js";
import { createTradedAccount, type TradedAccount } from "./paper-account.js";
import { createPipeline, type Pipeline } from "./pipeline.js";
import { createPublisher } from "./publish.js";
import { openSession, type Session } from "./session.js";
import { createSink } from "./sink.js";
import { createStateStore } from "./state-store.js";
import { createPipelineStore, marketKey, type PipelineStore } from "./store.js";
import { createTickLog } from "./tick-log.js";

export interface PipelineOptions {
  readonly config: Pick<
    Config,
    | "PIPELINE_THREADS"
    | "PIPELINE_SYMBOLS"
    | "PIPELINE_EQUITY"
    | "PIPELINE_INTERVALS"
    | "PIPELINE_REGULAR_HOURS"
    | "PIPELINE_GRACE_MS"
    | "PIPELINE_LEAST_QUALITY"
    | "PIPELINE_CURRENCY"
    | "PIPELINE_ACCOUNT"
  >;
  readonly database: Database;
  readonly gateway: Pick<Gateway, "synthetic" | "replay">;
  readonly instruments: Pick<Instruments, "identify" | "resolve" | "admit">;
  readonly detectionStore: Pick<DetectionStore, "record">;
  readonly alerts: Pick<Alerts, "consider" | "announce">;
  readonly models: Pick<ModelFeature, "tradeScoring" | "scores">;
  readonly paper: Pick<PaperDesk, "accountById" | "book" | "feed" | "withLimits" | "trading">;
  readonly leases: Leases;
  readonly eventLog: EventLog;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly now: () => number;
  /** Terms of decisions that differ from the presets. */
  readonly decisionTerms?: Partial<DecisionTerms>;
}

export interface PipelineFeature {
  readonly pipeline: Pipeline;
  /** Places what was decided in the account that decisions are traded in. */
  readonly decisionOrders: LoopDefinition;
}

/** The way of ticks, of one market. */
export function createPipelineFeature(options: PipelineOptions): PipelineFeature {
  const { config, database, leases, instruments, metrics, log, now } = options;
  const market = marketKey(options.gateway);
  const terms = termsOf(config);
  const intervals = intervalsOf(terms);
  const decision = decisionTermsOf({
    ...PRESETS,
    leastQuality: config.PIPELINE_LEAST_QUALITY,
    ...options.decisionTerms,
  });
  const store = createPipelineStore(database, market);
  const states = createStateStore(database, market);
  const counts = createCounts(metrics, intervals, now);
  const publisher = createPublisher({
    ...options,
    interval: terms.shorter,
    leastQuality: decision.leastQuality,
  });

  const account = accountOf(options, store);
  const mostOrderAgeMs = INTERVAL_MS[terms.shorter];
  const deciding = createDeciding({
    ...{ instrumentOf: publisher.instrumentOf, listBars: store.listBars, interval: terms.shorter },
    ...{ askModel: options.models.tradeScoring, account, mostOrderAgeMs, now, log },
  });

  function open(lease: () => Lease, onLost: (error: unknown) => void): Promise<Session> {
    const sink = createSink({
      ...options,
      ...{ store, publisher, deciding, sleep },
      scores: options.models.scores,
      onStored: ({ tookMs }) => counts.time("store", tookMs),
    });
    return openSession({
      settings: {
        threads: config.PIPELINE_THREADS,
        capacity: config.PIPELINE_SYMBOLS,
        equity: config.PIPELINE_EQUITY,
        currency: config.PIPELINE_CURRENCY,
        terms,
      },
      tickLog: createTickLog(database, market, lease),
      loadStates: states.loadAll,
      listBars: store.listBars,
      saveStates: (kept) =>
        database.transaction(async (sql) => {
          await leases.confirm(sql, lease());
          await states.save(sql, kept);
        }),
      sink,
      listingOf: (symbol) => listingOf(instrumentOf(instruments, symbol), decision, config.PIPELINE_CURRENCY),
      log,
      now,
      sleep,
      onLost,
      onFed: counts.fed,
      onRefused: counts.refused,
      onKept: (ms) => counts.time("log", ms),
    });
  }

  const pipeline = createPipeline({
    leases,
    open,
    refusalOf: (symbol) => refusalOf(instruments, symbol),
    counts,
    store,
    terms: decision,
    intervals,
    barMs: INTERVAL_MS[terms.bars.base],
    graceMs: terms.graceMs,
    now,
    log,
  });
  return {
    pipeline,
    decisionOrders: createDecisionOrders({ ...options, store, account, mostAgeMs: mostOrderAgeMs }),
  };
}

/** @throws {AppError} for text that is no symbol. */
function instrumentOf(instruments: Pick<Instruments, "identify">, symbol: string): Instrument {
  try {
    return instruments.identify(symbol);
  } catch (error) {
    // Ticks may be of what no source has candles of.
    const instrument = classifySymbol(symbol);
    if (instrument === null) throw error;
    return instrument;
  }
}

/** Why ticks of a symbol cannot be taken; null where they can. */
function refusalOf(instruments: Pick<Instruments, "identify">, symbol: string): string | null {
  try {
    instrumentOf(instruments, symbol);
    return null;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return `${error.code}: ${error.message}`;
  }
}

/** The account that decisions are traded in; null where none is configured. */
function accountOf(
  { config, gateway, paper }: Pick<PipelineOptions, "config" | "gateway" | "paper">,
  store: PipelineStore,
): TradedAccount | null {
  const { PIPELINE_ACCOUNT: id, PIPELINE_CURRENCY: currency } = config;
  const { synthetic } = gateway;
  return id === undefined ? null : createTradedAccount({ id, currency, synthetic, paper, store });
}

function termsOf({
  PIPELINE_INTERVALS,
  PIPELINE_REGULAR_HOURS,
  PIPELINE_GRACE_MS,
}: Pick<Config, "PIPELINE_INTERVALS" | "PIPELINE_REGULAR_HOURS" | "PIPELINE_GRACE_MS">): EngineTerms {
  const wanted = new Set<Interval>([...PIPELINE_INTERVALS, ENGINE_TERMS.shorter, ENGINE_TERMS.longer]);
  const [base, ...longer] = [...wanted].sort((a, b) => INTERVAL_MS[a] - INTERVAL_MS[b]);
  return {
    ...ENGINE_TERMS,
    bars: { ...ENGINE_TERMS.bars, base, longer },
    guard: { ...ENGINE_TERMS.guard, regularOnly: PIPELINE_REGULAR_HOURS },
    graceMs: PIPELINE_GRACE_MS,
  };
}

/** Nodes are rare: without one the stop lies as far as trades on patterns have theirs. Size is bounded by risk and worth. */
const PRESETS: Partial<DecisionTerms> = Object.freeze({ stopWithoutNode: 1.5, mostUnits: 1e6 });

function decisionTermsOf(given: Partial<DecisionTerms>): DecisionTerms {
  const { terms, problem } = resolveDecisionTerms(given);
  if (terms === null) throw new Error(problem);
  return terms;
}
