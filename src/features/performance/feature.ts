import { dateOf } from "../../core/market/day.js";
import { dayAt, zoneOf } from "../../core/market/zone.js";
import type { Config } from "../../platform/config.js";
import type { Database } from "../../platform/database.js";
import { messageOf } from "../../platform/errors.js";
import type { Leases } from "../../platform/lease.js";
import type { Log } from "../../platform/log.js";
import type { LoopDefinition } from "../../platform/loop.js";
import type { Gateway } from "../../providers/gateway.js";
import type { Instruments } from "../instruments/instruments.js";
import type { Ledger } from "../paper-trades/ledger.js";
import { latestDate } from "./exchange-days.js";
import { createRollupBackfill, type RollupBackfill } from "./rollup-backfill.js";
import { createRollupSchedule, ROLLUP_LEASE_MS } from "./rollup-schedule.js";
import { createRollupStore, type DateRange, type RollupStore } from "./rollup-store.js";
import { createRollups, type Making } from "./rollups.js";
import { createRunStore, type RollupRun, type RunEnd } from "./run-store.js";

/** Roll-ups of accounts, by day and by strategy. */
export interface Performance extends Pick<RollupStore, "days" | "strategies"> {
  /** Today's date: the latest of the roll-ups' clock and of the exchanges. */
  today(): string;
  readonly zone: string;
  /** Hour of the day at which they are made. */
  readonly hour: number;
  /** Makes every date of a range anew, of one account or of all, and keeps that it did. */
  remake(
    trigger: "request" | "backfill",
    range: DateRange,
    accountId: string | null,
    making?: Making,
  ): Promise<RunEnd>;
  /** Of all accounts or of this one; null before the first. */
  newestRun(accountId: string): Promise<RollupRun | null>;
}

export interface PerformanceFeatureOptions {
  readonly config: Pick<Config, "ROLLUP_ZONE" | "ROLLUP_HOUR">;
  readonly database: Database;
  readonly gateway: Pick<Gateway, "synthetic" | "replay">;
  readonly ledger: Pick<Ledger, "look">;
  readonly instruments: Pick<Instruments, "resolve">;
  readonly leases: Leases;
  readonly owner: string;
  readonly now: () => number;
  readonly log: Log;
}

export function createPerformanceFeature(options: PerformanceFeatureOptions): {
  rollups: Performance;
  rollupKind: RollupBackfill;
  rollupLoop: LoopDefinition;
} {
  const { config, database, gateway, now, owner } = options;
  const zone = zoneOf(config.ROLLUP_ZONE);
  const hour = config.ROLLUP_HOUR;
  const store = createRollupStore(database, gateway.synthetic, gateway.replay);
  const runs = createRunStore(database, gateway.synthetic, owner);
  const made = createRollups({ ...options, store, leaseMs: ROLLUP_LEASE_MS });
  const rollups: Performance = {
    days: store.days,
    strategies: store.strategies,
    zone: zone.name,
    hour,
    today() {
      const [own, exchanges] = [dateOf(dayAt(zone, now())), latestDate(now())];
      return own > exchanges ? own : exchanges;
    },
    newestRun: (accountId) => runs.newest(accountId),
    async remake(trigger, range, accountId, making = {}) {
      const id = await runs.begin(trigger, range, now(), accountId);
      try {
        const end = await made.remake(range, accountId, making);
        await runs.end(id, end, now());
        return end;
      } catch (error) {
        await runs.end(id, { accounts: 0, dailyRows: 0, strategyRows: 0, failure: messageOf(error) }, now());
        throw error;
      }
    },
  };
  return {
    rollups,
    rollupKind: createRollupBackfill(rollups),
    rollupLoop: createRollupSchedule({ ...options, rollups: made, store, runs, zone, hour }),
  };
}
