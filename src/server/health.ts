import type { Catalogue, UnservedClass } from "../features/catalogue/catalogue.js";
import type { JobUpkeep, QueueState } from "../features/jobs/upkeep.js";
import type { ModelFeature } from "../features/models/feature.js";
import type { CheckedStream, Quality } from "../features/quality/quality.js";
import type { Scanner } from "../features/scanner/scanner.js";
import type { Sentiment } from "../features/sentiment/sentiment.js";
import type { Clock } from "../platform/clock.js";
import type { Database } from "../platform/database.js";
import { messageOf } from "../platform/errors.js";
import type { Loop, LoopHealth } from "../platform/loop.js";
import type { RedisClient } from "../platform/redis.js";
import type { Gateway } from "../providers/gateway.js";
import type { ProviderHealth } from "../providers/guard.js";
import type { NewsFeeds } from "../providers/news.js";
import { createMachineReader, type MachineState } from "./machine.js";

export interface HealthOptions {
  readonly version: string;
  readonly clock: Clock;
  readonly database: Database;
  readonly databaseKind: "postgres" | "embedded-postgres" | "pglite";
  readonly redis: RedisClient | null;
  readonly gateway: Gateway;
  /** Sources of texts that are no market data sources too. */
  readonly feeds: NewsFeeds;
  readonly sentiment: Pick<Sentiment, "model" | "classifier">;
  readonly scanner: Scanner;
  readonly quality: Pick<Quality, "streams">;
  readonly catalogue: Pick<Catalogue, "unserved">;
  readonly models: Pick<ModelFeature, "online"> & {
    readonly registry: Pick<ModelFeature["registry"], "allServing" | "refused">;
  };
  /** Null while nothing is learned anew. */
  readonly retrainEveryMs: number | null;
  readonly jobs: JobUpkeep;
  readonly role: "all" | "server" | "worker";
  readonly loops: readonly Loop[];
  readonly dataDir: string;
  readonly errorTracking: "sentry" | null;
}

export interface Health {
  readonly options: HealthOptions;
  readonly startedAt: number;
  /** Tells how many sockets are open, once there is somebody to ask. */
  countSockets(count: () => number): void;
  socketClients(): number;
  /** From now on the server is not ready. */
  drain(): void;
  draining(): boolean;
  isReady(): boolean;
  isDegraded(): boolean;
  redisState(): "connected" | "disconnected" | "not_configured";
  loops(): readonly LoopHealth[];
  /** Classes of assets whose every source fails. */
  unserved(): readonly UnservedClass[];
  /** Streams of trades, with what is wrong with them while exchanges are open. */
  streams(): readonly CheckedStream[];
  /** Jobs that wait and run, and who takes them; with a problem where the database cannot tell. */
  jobQueue(): Promise<QueueState>;
  machine(): Promise<MachineState>;
  /** Probes the sources, at most every 15 s. */
  providers(): Promise<readonly ProviderHealth[]>;
}

const PROBE_TTL_MS = 15_000;

export function createHealth(options: HealthOptions): Health {
  const { clock, database, redis, gateway } = options;
  const machine = createMachineReader(options.dataDir);
  let draining = false;
  let countSockets = () => 0;
  let probedAt = Number.NEGATIVE_INFINITY;
  let probing: Promise<readonly ProviderHealth[]> = Promise.resolve([]);

  const redisState = () => {
    if (redis === null) return "not_configured";
    return redis.status().up ? "connected" : "disconnected";
  };
  const loops = () => options.loops.map((loop) => loop.health());

  return {
    options,
    startedAt: clock.now(),
    countSockets(count) {
      countSockets = count;
    },
    socketClients: () => countSockets(),
    drain() {
      draining = true;
    },
    draining: () => draining,
    isReady: () => !draining && database.status().up,
    isDegraded: () =>
      !database.status().up ||
      redisState() === "disconnected" ||
      loops().some(({ state }) => state === "DEGRADED") ||
      options.models.registry.refused().length > 0 ||
      options.models.online.refused().length > 0 ||
      options.catalogue.unserved().length > 0 ||
      options.quality.streams().some(({ issues }) => issues.length > 0),
    redisState,
    loops,
    streams: options.quality.streams,
    unserved: options.catalogue.unserved,
    async jobQueue() {
      try {
        return await options.jobs.look();
      } catch (error) {
        return { counts: [], workers: [], problem: messageOf(error) };
      }
    },
    machine,
    async providers() {
      if (clock.elapsed() - probedAt > PROBE_TTL_MS) {
        probedAt = clock.elapsed();
        probing = gateway.probe();
      }
      try {
        await probing;
        // What happened since the last probe counts, too.
        return [...(await gateway.loadHealth()), ...options.feeds.health()];
      } catch (error) {
        throw new Error(`sources could not be probed: ${messageOf(error)}`, { cause: error });
      }
    },
  };
}
