import { z } from "zod";
import type { Settings } from "../platform/settings.js";
import { ProviderError, type Quota } from "./define.js";

/** Calls that a source was granted, by all instances together. */
export interface Ledger {
  /** Moments in epoch ms and calls granted then, oldest first; those of the last minute. */
  readonly recent: readonly (readonly [number, number])[];
  /** Days since 1970-01-01 and calls granted for them. */
  readonly days: readonly (readonly [number, number])[];
}

/** Where the ledgers are kept: they outlive the process and are shared by all instances. */
export interface BudgetStore {
  load(provider: string): Promise<Ledger>;
  /** Changes come one after the other, over all instances. */
  change(provider: string, change: (ledger: Ledger) => Ledger): Promise<Ledger>;
}

export interface BudgetHealth extends Quota {
  readonly usedToday: number;
  /** Null without a daily limit. */
  readonly leftToday: number | null;
  /** When calls can be made again; null while they can. */
  readonly returnsAt: number | null;
}

export interface Budget {
  /** Counts a call that is about to be made. @throws {ProviderError} `set_aside` when there is none left. */
  take(): Promise<void>;
  /** As of the last look at the ledger; null for a source without limits. */
  health(): BudgetHealth | null;
  /** Looks at what all instances used. */
  refresh(): Promise<void>;
  returnsAt(): number;
}

const DAY_MS = 86_400_000;
/** Calls are granted in blocks, so that not every call is written down; what a block has left after this is void. */
const BLOCK_MS = 5_000;
/** A vendor may count a call this long after it was granted: to the next minute, or to the next day. */
const DELAY_MS = BLOCK_MS + 5_000;
const WINDOW_MS = 60_000 + DELAY_MS;
/** Shares of the limits that one instance takes at a time. */
const BLOCKS_A_MINUTE = 10;
const BLOCKS_A_DAY = 200;
const DAYS_KEPT = 4;

const EMPTY: Ledger = { recent: [], days: [] };
const pairs = z.array(z.tuple([z.number(), z.number()]));
const ledgerSchema: z.ZodType<Ledger> = z.object({ recent: pairs, days: pairs });

export function createBudgetStore(settings: Settings): BudgetStore {
  const nameOf = (provider: string) => `budget.${provider}`;
  return {
    load: async (provider) => (await settings.load(nameOf(provider), ledgerSchema)) ?? EMPTY,
    change: (provider, change) => settings.update(nameOf(provider), ledgerSchema, EMPTY, change),
  };
}

/** Ledgers of this process alone. */
export function createMemoryBudgetStore(): BudgetStore {
  const ledgers = new Map<string, Ledger>();
  const load = (provider: string) => ledgers.get(provider) ?? EMPTY;
  return {
    load: async (provider) => load(provider),
    async change(provider, change) {
      const next = change(load(provider));
      ledgers.set(provider, next);
      return next;
    },
  };
}

export interface Grant {
  readonly ledger: Ledger;
  /** As many as were wanted and are allowed, perhaps none. */
  readonly calls: number;
  /** When there will be some; 0 when there are. */
  readonly returnsAt: number;
}

/**
 * Calls for the moment. In no minute and no day of UTC, as a vendor counts them, are there more than the quota.
 * @param unused calls of an earlier grant that were not made, by the day they were granted for.
 */
export function grantCalls(
  ledger: Ledger,
  { perMinute, perDay }: Quota,
  nowMs: number,
  wanted: number,
  unused: { readonly day: number; readonly calls: number } = { day: 0, calls: 0 },
): Grant {
  const recent = ledger.recent.filter(([at]) => at > nowMs - WINDOW_MS);
  const days = new Map(ledger.days);
  const returned = days.get(unused.day);
  if (returned !== undefined) days.set(unused.day, Math.max(0, returned - unused.calls));
  // A call shortly before midnight may be counted to either day.
  const today = dayOf(nowMs);
  const charged = [...new Set([today, dayOf(nowMs + DELAY_MS)])];
  const limits = [wanted];
  if (perMinute !== null) limits.push(perMinute - sumOf(recent));
  if (perDay !== null) limits.push(...charged.map((day) => perDay - (days.get(day) ?? 0)));
  const calls = Math.max(0, Math.min(...limits));
  for (const day of charged) days.set(day, (days.get(day) ?? 0) + calls);
  const kept = [...days].sort(([a], [b]) => a - b).slice(-DAYS_KEPT);
  return {
    ledger: { recent: calls === 0 ? recent : [...recent, [nowMs, calls]], days: kept },
    calls,
    returnsAt: calls > 0 ? 0 : returnOf(recent, days, { perMinute, perDay }, nowMs),
  };
}

/** When a budget that is used up has a call again. */
function returnOf(
  recent: Ledger["recent"],
  days: ReadonlyMap<number, number>,
  { perMinute, perDay }: Quota,
  nowMs: number,
): number {
  const last = dayOf(nowMs + DELAY_MS);
  const full = (day: number) => perDay !== null && (days.get(day) ?? 0) >= perDay;
  if (full(last)) return (last + 1) * DAY_MS;
  if (full(dayOf(nowMs))) return last * DAY_MS;
  let left = (perMinute ?? Number.POSITIVE_INFINITY) - sumOf(recent);
  for (const [at, calls] of recent) {
    left += calls;
    if (left > 0) return at + WINDOW_MS;
  }
  return nowMs + WINDOW_MS;
}

/** The budget of one source in one process. */
export function createBudget(options: {
  readonly provider: string;
  readonly quota: Quota;
  readonly store: BudgetStore;
  readonly now: () => number;
}): Budget {
  const { provider, quota, store, now } = options;
  const size = Math.max(
    1,
    Math.floor(Math.min((quota.perMinute ?? 1_000) / BLOCKS_A_MINUTE, (quota.perDay ?? 1e9) / BLOCKS_A_DAY)),
  );
  let block = { calls: 0, untilMs: 0, day: 0 };
  let returnsAt = 0;
  let known: Ledger = EMPTY;
  let filling: Promise<void> | null = null;

  async function fill(): Promise<void> {
    const nowMs = now();
    const grants: Grant[] = [];
    // A transaction that is tried again decides anew.
    const change = (ledger: Ledger) => {
      const grant = grantCalls(ledger, quota, nowMs, size, block);
      grants.push(grant);
      return grant.ledger;
    };
    try {
      known = await store.change(provider, change);
    } catch (error) {
      // It may have been written down after all: what was left is not given back twice.
      block = { ...block, calls: 0 };
      throw new ProviderError("set_aside", "not asked: its budget of calls cannot be read", { cause: error });
    }
    const grant = grants.at(-1);
    block = { calls: grant?.calls ?? 0, untilMs: nowMs + BLOCK_MS, day: dayOf(nowMs) };
    returnsAt = grant?.returnsAt ?? 0;
  }

  return {
    async take() {
      for (;;) {
        const nowMs = now();
        if (block.calls > 0 && nowMs < block.untilMs && dayOf(nowMs) === block.day) {
          block.calls--;
          return;
        }
        if (nowMs < returnsAt) throw spent(quota, returnsAt, nowMs);
        filling ??= fill().finally(() => {
          filling = null;
        });
        await filling;
      }
    },
    returnsAt: () => returnsAt,
    async refresh() {
      known = await store.load(provider);
    },
    health() {
      const nowMs = now();
      const today = dayOf(nowMs);
      const granted = known.days.find(([day]) => day === today)?.[1] ?? 0;
      const usedToday = Math.max(0, granted - (block.day === today ? block.calls : 0));
      const { perMinute, perDay } = quota;
      const { calls, returnsAt: next } = grantCalls(known, quota, nowMs, 1);
      const open = calls > 0 || (block.calls > 0 && nowMs < block.untilMs);
      const leftToday = perDay === null ? null : Math.max(0, perDay - usedToday);
      return { perMinute, perDay, usedToday, leftToday, returnsAt: open ? null : next };
    },
  };
}

/** The budget of a source without limits. */
export const UNLIMITED: Budget = {
  take: async () => undefined,
  health: () => null,
  refresh: async () => undefined,
  returnsAt: () => 0,
};

function spent({ perMinute, perDay }: Quota, returnsAt: number, nowMs: number): ProviderError {
  const limits = [
    ...(perMinute === null ? [] : [`${perMinute} a minute`]),
    ...(perDay === null ? [] : [`${perDay} a day`]),
  ];
  const at = new Date(returnsAt).toISOString();
  return new ProviderError("set_aside", `its budget of ${limits.join(" and ")} is used until ${at}`, {
    retryAfterMs: returnsAt - nowMs,
  });
}

const dayOf = (ms: number): number => Math.floor(ms / DAY_MS);

function sumOf(rows: Ledger["recent"]): number {
  return rows.reduce((sum, [, calls]) => sum + calls, 0);
}
