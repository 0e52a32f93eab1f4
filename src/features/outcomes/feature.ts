import type { Config } from "../../platform/config.js";
import type { Database } from "../../platform/database.js";
import type { Leases } from "../../platform/lease.js";
import type { Log } from "../../platform/log.js";
import type { LoopDefinition } from "../../platform/loop.js";
import type { Settings } from "../../platform/settings.js";
import type { Gateway } from "../../providers/gateway.js";
import type { Alerts } from "../alerts/alerts.js";
import type { AdjustedCandles } from "../candles/adjusted.js";
import type { Instruments } from "../instruments/instruments.js";
import type { Ledger } from "../paper-trades/ledger.js";
import { createClosedTrades } from "./closed-trades.js";
import { createCursorStore } from "./cursor-store.js";
import { createOutcomes, type Outcomes } from "./outcomes.js";
import { createPendingStore } from "./pending-store.js";
import { createReports } from "./reports.js";
import { createSettling } from "./settling.js";
import { createOutcomeStore } from "./store.js";

export const SETTLING_LEASE = "outcomes.settling";
export const CLOSED_TRADES_LEASE = "outcomes.trades";

const LEASE_MS = 30_000;
const SETTLING_MS = 60_000;
const SETTLING_TIMEOUT_MS = 300_000;
const TRADES_MS = 5_000;
const TRADES_TIMEOUT_MS = 60_000;

export interface OutcomeFeatureOptions {
  readonly config: Pick<Config, "OUTCOME_HORIZON_BARS">;
  readonly database: Database;
  readonly adjusted: Pick<AdjustedCandles, "steady">;
  readonly gateway: Pick<Gateway, "synthetic" | "replay" | "feedNowMs">;
  readonly instruments: Pick<Instruments, "resolve">;
  readonly alerts: Pick<Alerts, "get">;
  readonly ledger: Pick<Ledger, "look">;
  readonly leases: Leases;
  readonly settings: Settings;
  readonly now: () => number;
  readonly log: Log;
}

/** Outcomes of one market, and the loops that find them, each run by one process of all. */
export function createOutcomeFeature(options: OutcomeFeatureOptions): {
  outcomes: Outcomes;
  outcomeLoops: readonly LoopDefinition[];
} {
  const { config, database, gateway, leases, now, log } = options;
  const { synthetic, replay } = gateway;
  const store = createOutcomeStore(database, { synthetic, replay }, now);
  const settling = createSettling({
    ...options,
    store,
    pending: createPendingStore(database, { synthetic, replay }),
    candles: options.adjusted.steady,
    leaseMs: LEASE_MS,
    horizonBars: config.OUTCOME_HORIZON_BARS,
  });
  const closed = createClosedTrades({
    ...options,
    store,
    cursors: createCursorStore(database, synthetic),
    leaseMs: LEASE_MS,
  });
  return {
    outcomes: createOutcomes({ ...options, store, reports: createReports({ ...options, store }) }),
    outcomeLoops: [
      {
        name: SETTLING_LEASE,
        everyMs: () => SETTLING_MS,
        timeoutMs: SETTLING_TIMEOUT_MS,
        async run(_nowMs, signal) {
          const lease = await leases.acquire(SETTLING_LEASE, LEASE_MS);
          if (lease === null) return;
          const settled = await settling.run(lease, signal);
          if (settled.outcomes > 0) log.info({ ...settled }, "alerts were settled");
        },
      },
      {
        name: CLOSED_TRADES_LEASE,
        everyMs: () => TRADES_MS,
        timeoutMs: TRADES_TIMEOUT_MS,
        async run(_nowMs, signal) {
          const lease = await leases.acquire(CLOSED_TRADES_LEASE, LEASE_MS);
          if (lease !== null) await closed.run(lease, signal);
        },
      },
    ],
  };
}
