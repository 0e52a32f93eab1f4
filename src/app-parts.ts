import type { Alerts } from "./features/alerts/alerts.js";
import type { Analysis } from "./features/analysis/analysis.js";
import type { BacktestDesk } from "./features/backtests/feature.js";
import type { Gaps } from "./features/candles/gaps.js";
import type { Market } from "./features/candles/market.js";
import type { Catalogue } from "./features/catalogue/catalogue.js";
import type { Detections } from "./features/detections/detections.js";
import type { Evidence } from "./features/evidence/evidence.js";
import type { Explain } from "./features/explain/feature.js";
import type { Hooks } from "./features/hooks/hooks.js";
import type { Instruments } from "./features/instruments/instruments.js";
import type { Search } from "./features/instruments/search.js";
import type { Jobs } from "./features/jobs/jobs.js";
import type { Overview } from "./features/market/overview.js";
import type { ModelFeature } from "./features/models/feature.js";
import type { News } from "./features/news/news.js";
import type { Notifications } from "./features/notifications/notifications.js";
import type { Options } from "./features/options/options.js";
import type { Outcomes } from "./features/outcomes/outcomes.js";
import type { PaperDesk } from "./features/paper-trades/feature.js";
import type { AccountRouteOptions } from "./features/performance/account-routes.js";
import type { Performance } from "./features/performance/feature.js";
import type { AccountLooks } from "./features/performance/looks.js";
import type { RollupBackfill } from "./features/performance/rollup-backfill.js";
import type { PerformanceRouteOptions } from "./features/performance/routes.js";
import type { PerformanceStore } from "./features/performance/store.js";
import type { Pipeline } from "./features/pipeline/pipeline.js";
import type { Quality } from "./features/quality/quality.js";
import type { Regimes } from "./features/regimes/regimes.js";
import type { Retraining } from "./features/retraining/feature.js";
import type { Risk } from "./features/risk/risk.js";
import type { RuleDesk } from "./features/rules/feature.js";
import type { Scanner } from "./features/scanner/scanner.js";
import type { Sentiment } from "./features/sentiment/sentiment.js";
import type { DeepDetect } from "./features/signals/deep-detect.js";
import type { PatternFinder } from "./features/signals/pattern-list.js";
import type { SymbolScores } from "./features/signals/scores.js";
import type { SignalRouteOptions } from "./features/signals/signal-routes.js";
import type { Signals } from "./features/signals/signals.js";
import type { Stream } from "./features/stream/stream.js";
import type { Users } from "./features/users/users.js";
import type { Bus } from "./platform/bus.js";
import type { Clock } from "./platform/clock.js";
import type { Config } from "./platform/config.js";
import { isLoopback } from "./platform/config.js";
import type { ErrorTracking } from "./platform/error-tracking.js";
import type { EventLog } from "./platform/event-log.js";
import type { Principal } from "./platform/http.js";
import type { Log } from "./platform/log.js";
import type { Metrics } from "./platform/metrics.js";
import type { RedisClient } from "./platform/redis.js";
import type { Workers } from "./platform/workers.js";
import type { AlpacaOptions } from "./protocols/alpaca/alpaca.js";
import type { Health } from "./server/health.js";
import type { SocketSettings } from "./server/room.js";

/** What the routes speak to. */
export interface AppParts {
  readonly config: Config;
  readonly version: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly errorTracking: ErrorTracking;
  readonly gateway: AlpacaOptions["gateway"];
  readonly adjusted: AlpacaOptions["adjusted"];
  readonly actions: AlpacaOptions["actions"];
  readonly candles: AlpacaOptions["candles"];
  readonly quotes: AlpacaOptions["quotes"];
  readonly live: AlpacaOptions["live"];
  readonly watchlists: AlpacaOptions["watchlists"];
  readonly limitRedis: RedisClient | null;
  readonly workers: Workers;
  readonly bus: Bus;
  readonly eventLog: EventLog;
  readonly users: Users;
  readonly instruments: Instruments;
  readonly search: Search;
  readonly market: Market;
  readonly gaps: Gaps;
  readonly overview: Overview;
  readonly catalogue: Catalogue;
  readonly analysis: Analysis;
  readonly detections: Detections;
  readonly options: Options;
  readonly alerts: Alerts;
  readonly rules: RuleDesk;
  readonly explain: Explain;
  readonly notifications: Notifications;
  readonly outcomes: Outcomes;
  readonly paper: PaperDesk;
  readonly risk: Risk;
  readonly performance: PerformanceStore;
  readonly rollups: Performance;
  readonly rollupKind: RollupBackfill;
  readonly backtestDesk: BacktestDesk;
  readonly forward: PerformanceRouteOptions["forward"];
  readonly looks: AccountLooks;
  readonly setups: AccountRouteOptions["setups"];
  readonly scanner: Scanner;
  readonly quality: Quality;
  readonly regimes: Regimes;
  readonly evidence: Evidence;
  readonly models: ModelFeature;
  readonly retraining: Retraining;
  readonly stream: Stream;
  readonly hooks: Hooks;
  readonly pipeline: Pipeline;
  readonly jobs: Jobs;
  readonly news: News;
  readonly sentiment: Sentiment;
  readonly signals: Signals;
  readonly symbolScores: SymbolScores;
  readonly deepDetect: DeepDetect;
  readonly patternFinder: PatternFinder;
  readonly signalDesk: Omit<SignalRouteOptions, "signals" | "now">;
  readonly health: Health;
}

/** What tests set lower or faster. */
export interface AppSettings {
  readonly sockets?: Partial<SocketSettings>;
  readonly alpacaSockets?: AlpacaOptions["sockets"] & object;
}

/** Who callers without a key are: the owner on loopback, a trader or a viewer where that was allowed, else nobody. */
export function anonymousPrincipal({ HOST, ALLOW_ANONYMOUS, ADMIN_API_KEY }: Config): Principal | null {
  if (isLoopback(HOST) && ADMIN_API_KEY === undefined)
    return { userId: "owner", role: "admin", anonymous: true };
  if (ALLOW_ANONYMOUS === false) return null;
  const role = ALLOW_ANONYMOUS === "viewer" ? "viewer" : "trader";
  return { userId: "anonymous", role, anonymous: true };
}
