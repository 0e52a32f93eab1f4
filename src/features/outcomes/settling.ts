import { LRUCache } from "lru-cache";
import { z } from "zod";
import { lastClosedBar } from "../../core/market/bar-times.js";
import type { Candles } from "../../core/market/candles.js";
import { INTERVAL_MS } from "../../core/market/interval.js";
import { calendarOf } from "../../core/market/session.js";
import type { Database } from "../../platform/database.js";
import { AppError } from "../../platform/errors.js";
import type { Lease, Leases } from "../../platform/lease.js";
import type { Log } from "../../platform/log.js";
import type { Settings } from "../../platform/settings.js";
import type { Gateway } from "../../providers/gateway.js";
import type { CandleService } from "../candles/candles.js";
import type { PendingAlert, PendingStore, Policy } from "./pending-store.js";
import { obstacleOf, settleAlert, timesOf } from "./settle.js";
import type { NewOutcome, OutcomeStore } from "./store.js";

/** What a pass kept. */
export interface Settled {
  /** Those that their levels settled: an alert is counted once, whatever other policies say of it and when. */
  readonly alerts: number;
  /** One of an alert by each policy. */
  readonly outcomes: number;
}

/** Settles alerts by every policy, each once. */
export interface Settling {
  /** One pass over all that wait. @throws LeaseLostError */
  run(lease: Lease, signal: AbortSignal): Promise<Settled>;
}

export interface SettlingOptions {
  readonly database: Database;
  readonly store: Pick<OutcomeStore, "save">;
  readonly pending: PendingStore;
  /** In the split view. */
  readonly candles: Pick<CandleService, "loadRange">;
  readonly gateway: Pick<Gateway, "synthetic" | "replay" | "feedNowMs">;
  readonly leases: Pick<Leases, "acquire" | "confirm">;
  readonly settings: Settings;
  readonly leaseMs: number;
  /** Bars after which the other policy closes. */
  readonly horizonBars: number;
  readonly now: () => number;
  readonly log: Log;
}

/** Alerts of a statement. */
const PAGE = 1_000;
/** Bars of one read, beside those that its last alert needs. */
const STRETCH_BARS = 2_000;
/** Series whose last look is remembered. */
const LOOKS = 10_000;
/** A series whose newest bar is late is looked at again after this. */
const LATE_MS = 600_000;

/** What was found when a series was looked at last. */
interface Look {
  readonly newest: number | null;
  readonly hadNewest: boolean;
  readonly atMs: number;
  readonly alerts: string;
}

export function createSettling(options: SettlingOptions): Settling {
  const { database, store, pending, candles, gateway, leases, settings, now, log } = options;
  const policies: readonly Policy[] = [
    { policy: "sltp", terms: "levels" },
    { policy: "horizon", terms: String(options.horizonBars) },
  ];
  const market = `${gateway.synthetic ? "synthetic" : "real"}${gateway.replay ?? ""}`;
  const floorName = `outcomes.floor.${market}.${options.horizonBars}`;
  const looks = new LRUCache<string, Look>({ max: LOOKS });

  /** Bars of a time; null where no source can be asked for them. @throws whatever is no fault of a source. */
  async function load(alerts: readonly PendingAlert[], toMs: number): Promise<Candles | null> {
    const [{ instrument, interval, barTime }] = alerts;
    try {
      return (await candles.loadRange(instrument, interval, barTime, toMs)).candles;
    } catch (error) {
      if (!(error instanceof AppError) || error.code === "database_unavailable") throw error;
      log.debug(
        { symbol: instrument.symbol, interval, reason: error.message },
        "no bars to settle alerts by",
      );
      return null;
    }
  }

  async function keep(lease: Lease, outcomes: readonly NewOutcome[]): Promise<Settled> {
    if (outcomes.length === 0) return { alerts: 0, outcomes: 0 };
    const saved = await database.transaction(async (sql) => {
      await leases.confirm(sql, lease);
      return store.save(outcomes, sql);
    });
    return { alerts: saved.filter(({ policy }) => policy === "sltp").length, outcomes: saved.length };
  }

  /** Alerts of one series, the oldest bar first. @returns what is known of them by now. */
  async function settleSeries(alerts: readonly PendingAlert[], marketMs: number): Promise<NewOutcome[]> {
    const found: NewOutcome[] = [];
    let newestMs = Number.NEGATIVE_INFINITY;
    const [{ instrument, interval }] = alerts;
    for (const part of stretchesOf(alerts)) {
      const toMs = Math.max(...part.map((alert) => timesOf(alert).toMs));
      const bars = part.every((alert) => obstacleOf(alert) !== null) ? null : await load(part, toMs);
      newestMs = Math.max(newestMs, bars?.time.at(-1) ?? newestMs);
      found.push(...part.flatMap((alert) => settleAlert(alert, bars, marketMs) ?? []));
    }
    const newest = lastClosedBar(calendarOf(instrument.calendar), interval, marketMs);
    const hadNewest = newest === null || newestMs >= newest;
    looks.set(lookOf(alerts), { newest, hadNewest, atMs: now(), alerts: idsOf(alerts) });
    return found;
  }

  /** Whether nothing can have come since a series was looked at. */
  function isKnown(alerts: readonly PendingAlert[], marketMs: number): boolean {
    const look = looks.get(lookOf(alerts));
    if (look === undefined || look.alerts !== idsOf(alerts)) return false;
    const { instrument, interval } = alerts[0];
    if (look.newest !== lastClosedBar(calendarOf(instrument.calendar), interval, marketMs)) return false;
    return look.hadNewest || now() - look.atMs < LATE_MS;
  }

  async function marketNow({ instrument, interval }: PendingAlert): Promise<number> {
    return gateway.replay === null ? now() : gateway.feedNowMs(instrument, interval);
  }

  return {
    async run(lease, signal) {
      const oldest = await pending.newestOld();
      const floor = (await settings.load(floorName, z.number())) ?? 0;
      let [after, lowest] = [floor, Number.POSITIVE_INFINITY];
      let settled: Settled = { alerts: 0, outcomes: 0 };
      for (;;) {
        const page = await pending.load(policies, after, PAGE);
        for (const alerts of bySeries(page)) {
          if (signal.aborted) return settled;
          await leases.acquire(lease.name, options.leaseMs);
          const marketMs = await marketNow(alerts[0]);
          const found = isKnown(alerts, marketMs) ? [] : await settleSeries(alerts, marketMs);
          const kept = await keep(lease, found);
          settled = {
            alerts: settled.alerts + kept.alerts,
            outcomes: settled.outcomes + kept.outcomes,
          };
          const done = new Set(found.map(({ alertId, policy }) => `${alertId} ${policy}`));
          for (const { id, policy } of alerts)
            if (!done.has(`${id} ${policy}`)) lowest = Math.min(lowest, id);
        }
        if (page.length < PAGE) break;
        // The last one may have a further policy on the next page.
        after = page[page.length - 1].id - 1;
      }
      const reached = Math.min(oldest, lowest - 1);
      if (reached > floor) await settings.save(floorName, reached);
      return settled;
    },
  };
}

const seriesOf = ({ instrument, interval }: PendingAlert) => `${instrument.id} ${interval}`;
/** Alerts of a series may be on several pages. */
const lookOf = ([first]: readonly PendingAlert[]) => `${seriesOf(first)} ${first.id}`;
const idsOf = (alerts: readonly PendingAlert[]) =>
  alerts.map(({ id, policy }) => `${id}${policy[0]}`).join(" ");

function bySeries(page: readonly PendingAlert[]): Iterable<PendingAlert[]> {
  const groups = new Map<string, PendingAlert[]>();
  for (const alert of page) {
    const group = groups.get(seriesOf(alert));
    if (group === undefined) groups.set(seriesOf(alert), [alert]);
    else group.push(alert);
  }
  return groups.values();
}

/** Alerts whose bars are read together, the oldest first. */
function stretchesOf(alerts: readonly PendingAlert[]): PendingAlert[][] {
  const stretches: PendingAlert[][] = [];
  for (const alert of alerts.toSorted((a, b) => a.barTime - b.barTime)) {
    const last = stretches.at(-1);
    const span = STRETCH_BARS * INTERVAL_MS[alert.interval];
    if (last !== undefined && alert.barTime - last[0].barTime < span) last.push(alert);
    else stretches.push([alert]);
  }
  return stretches;
}
