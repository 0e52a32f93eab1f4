import { DAY_MS, dateOf, dayOf } from "../../core/market/day.js";
import { dayAt, instantOf, type Zone } from "../../core/market/zone.js";
import { messageOf } from "../../platform/errors.js";
import type { Lease, Leases } from "../../platform/lease.js";
import type { Log } from "../../platform/log.js";
import type { LoopDefinition } from "../../platform/loop.js";
import { BESIDE_DAYS, BY_EXCHANGE } from "./exchange-days.js";
import type { RollupAccount, RollupStore } from "./rollup-store.js";
import type { Making, Rollups } from "./rollups.js";
import type { RollupTrigger, RunStore } from "./run-store.js";

export const ROLLUP_LEASE = "performance.rollups";
export const ROLLUP_LEASE_MS = 30_000;

const HOUR_MS = 3_600_000;
const EVERY_MS = 60_000;
const TIMEOUT_MS = 600_000;
/** After a failure. */
const RETRY_MS = 600_000;

export interface ScheduleOptions {
  readonly rollups: Pick<Rollups, "refresh">;
  readonly store: Pick<RollupStore, "accounts">;
  readonly runs: RunStore;
  readonly leases: Pick<Leases, "acquire">;
  readonly zone: Zone;
  /** Hour of the day on the clock of the zone, 0 to 23. */
  readonly hour: number;
  readonly now: () => number;
  readonly log: Log;
}

/** The newest date whose hour has come on the clock of a zone; a change of clocks neither skips nor repeats one. */
export function slotDate(zone: Zone, hour: number, nowMs: number): string {
  const day = dayAt(zone, nowMs);
  return dateOf(slotInstant(zone, hour, day) <= nowMs ? day : day - 1);
}

function slotInstant(zone: Zone, hour: number, day: number): number {
  return instantOf(zone, day * DAY_MS + hour * HOUR_MS);
}

/**
 * Rolls up once a day, and at its start what was missed: dates whose hour passed while nobody ran, and dates whose trades
 * changed since. One process of all does it.
 */
export function createRollupSchedule(options: ScheduleOptions): LoopDefinition {
  const { rollups, store, runs, leases, zone, hour, now, log } = options;
  let begun = false;
  const slotOf = (date: string) => ({ date, atMs: slotInstant(zone, hour, dayOf(date)) });

  async function run(
    trigger: RollupTrigger,
    accounts: readonly RollupAccount[],
    range: { from: string; to: string },
    nowMs: number,
    making: Making,
  ): Promise<void> {
    const id = await runs.begin(trigger, range, nowMs, null);
    try {
      const end = await rollups.refresh(accounts, slotOf(range.to), making);
      await runs.end(id, end, now());
      log.info({ trigger, ...range, ...end }, "performance was rolled up");
    } catch (error) {
      await runs.end(id, { accounts: 0, dailyRows: 0, strategyRows: 0, failure: messageOf(error) }, now());
      throw error;
    }
  }

  async function once(lease: Lease, nowMs: number, signal: AbortSignal): Promise<void> {
    const to = slotDate(zone, hour, nowMs);
    const { succeeded, failed } = await runs.scheduled();
    const making = { lease, signal };
    if (succeeded === null || succeeded.to < to) {
      const again = failed !== null && failed.id > (succeeded?.id ?? 0);
      if (again && begun && nowMs - failed.startedAt < RETRY_MS) return;
      await runs.bury(nowMs);
      const all = await store.accounts(null);
      const accounts = all.filter((account) => isBehind(account) || !isDone(account, zone));
      const from = succeeded?.to ?? firstDate(zone, accounts, to);
      begun = true;
      await run("schedule", accounts, { from, to }, nowMs, making);
      return;
    }
    if (begun) return;
    await runs.bury(nowMs);
    const changed = (await store.accounts(null)).filter(isBehind);
    begun = true;
    if (changed.length > 0) {
      await run("start", changed, { from: firstDate(zone, changed, to), to }, nowMs, making);
    }
  }

  return {
    name: ROLLUP_LEASE,
    everyMs: () => EVERY_MS,
    timeoutMs: TIMEOUT_MS,
    async run(nowMs, signal) {
      const lease = await leases.acquire(ROLLUP_LEASE, ROLLUP_LEASE_MS);
      if (lease !== null) await once(lease, nowMs, signal);
    },
  };
}

function isBehind({ seq, reached }: RollupAccount): boolean {
  return reached === null || reached.seq < seq || reached.zone !== BY_EXCHANGE;
}

/** Whether all days of an account were over when it was looked at last: nothing comes of it any more. */
function isDone({ closedAt, reached }: RollupAccount, zone: Zone): boolean {
  return closedAt !== null && reached !== null && dayAt(zone, closedAt) + BESIDE_DAYS < dayOf(reached.date);
}

/** The earliest date that something may be made of. */
function firstDate(zone: Zone, accounts: readonly RollupAccount[], latest: string): string {
  const dates = accounts.map(({ openedAt, reached }) => reached?.date ?? dateOf(dayAt(zone, openedAt)));
  return dates.reduce((least, date) => (date < least ? date : least), latest);
}
