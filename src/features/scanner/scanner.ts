import type { Bus } from "../../platform/bus.js";
import { AppError, messageOf } from "../../platform/errors.js";
import { noticeHeard } from "../../platform/event-log.js";
import { isoTime } from "../../platform/http.js";
import { type Lease, LeaseLostError } from "../../platform/lease.js";
import type { LoopDefinition } from "../../platform/loop.js";
import type { Settings } from "../../platform/settings.js";
import { SCAN_TOPIC } from "../alerts/topics.js";
import { createConfigStore, type ScannerConfig } from "./config.js";
import { type ScanOptions, scanSymbol } from "./scan.js";
import type { ScanCounts, ScanRecord } from "./store.js";

export interface ScannerChange {
  readonly symbols?: readonly string[] | undefined;
  readonly intervalS?: number | undefined;
  readonly autoAlerts?: boolean | undefined;
}

export interface ScannerStatus {
  readonly config: ScannerConfig;
  readonly totals: ScanCounts & { scans: number };
  readonly newest: ScanRecord | null;
  /** True when this process runs the scans. */
  readonly leader: boolean;
}

export interface Scanner {
  /** @throws {AppError} `scanner_already_active`, or as symbols do. */
  start(change: ScannerChange): Promise<ScannerConfig>;
  stop(): Promise<ScannerStatus>;
  configure(change: ScannerChange): Promise<ScannerConfig>;
  status(): Promise<ScannerStatus>;
  /** As known here; another instance's change is seen with the next run. */
  config(): ScannerConfig;
  readonly defaults: ScannerConfig;
  readonly loop: LoopDefinition;
}

export interface ScannerOptions extends ScanOptions {
  readonly settings: Settings;
  readonly bus: Bus;
  readonly owner: string;
  readonly now: () => number;
  /** Symbols scanned at the same time. */
  readonly batchSize: number;
  readonly defaults: { readonly intervalS: number; readonly active: boolean };
  /** Makes the loop run now. */
  readonly trigger: () => void;
}

/** Heard by all instances when somebody asked for a scan now. */
const ASK_TOPIC = "scanner.asked";
const LEASE = "scanner";
const LEASE_MS = 15_000;
const RENEW_MS = 4_000;
const TIMEOUT_MS = 600_000;
const NOTHING: ScanCounts = { symbols: 0, failures: 0, bars: 0, detections: 0, alerts: 0 };

export function createScanner(options: ScannerOptions): Scanner {
  const { settings, instruments, store, metrics, now } = options;
  const defaults: ScannerConfig = {
    active: options.defaults.active,
    symbols: [...instruments.defaultUniverse()],
    intervalS: options.defaults.intervalS,
    autoAlerts: true,
    startedAt: options.defaults.active ? now() : null,
    stoppedAt: null,
  };
  const configs = createConfigStore(settings, defaults, ({ active }) =>
    metrics.scannerActive.set(active ? 1 : 0),
  );
  let leader = false;
  /** Set when somebody asked for a scan now instead of with the next slot. */
  let asked = false;

  /** @param more what else changes; may refuse, seeing how things are. */
  function change(
    { symbols: texts, intervalS, autoAlerts }: ScannerChange,
    more: (current: ScannerConfig) => Partial<ScannerConfig> = () => ({}),
  ): Promise<ScannerConfig> {
    const symbols = texts?.map((text) => instruments.identify(text).symbol);
    return configs.change((current) => ({
      ...(symbols === undefined ? {} : { symbols: [...new Set(symbols)] }),
      ...(intervalS === undefined ? {} : { intervalS }),
      ...(autoAlerts === undefined ? {} : { autoAlerts }),
      ...more(current),
    }));
  }

  async function status(): Promise<ScannerStatus> {
    const current = await configs.refresh();
    const [totals, newest] = await Promise.all([
      store.loadTotals(current.startedAt ?? 0),
      store.loadNewest(),
    ]);
    return { config: current, totals, newest, leader };
  }

  options.bus.subscribe(noticeHeard, ({ topic }) => {
    if (topic !== ASK_TOPIC) return;
    asked = true;
    options.trigger();
  });
  /** Whichever instance scans is to scan now. */
  const runNow = () => options.eventLog.announce({ topic: ASK_TOPIC, payload: null });

  return {
    defaults,
    config: configs.current,
    status,
    async start(wanted) {
      const next = await change(wanted, (current) => {
        if (current.active) {
          throw new AppError("scanner_already_active", "Stop it first, or change it with /api/scan/config");
        }
        return { active: true, startedAt: now(), stoppedAt: null };
      });
      await runNow();
      return next;
    },
    async stop() {
      await change({}, () => ({ active: false, stoppedAt: now() }));
      return status();
    },
    async configure(wanted) {
      const next = await change(wanted);
      if (next.active) await runNow();
      return next;
    },
    loop: {
      name: "scanner",
      everyMs: () => configs.current().intervalS * 1_000,
      timeoutMs: TIMEOUT_MS,
      aligned: true,
      async run(nowMs, signal) {
        const current = await configs.refresh();
        if (!current.active) return;
        const lease = await options.leases.acquire(LEASE, LEASE_MS);
        leader = lease !== null;
        const everyMs = current.intervalS * 1_000;
        const slot = asked ? nowMs : Math.floor(nowMs / everyMs) * everyMs;
        asked = false;
        if (lease === null) return;
        await runScan(options, current, slot, lease, signal);
      },
    },
  };
}

/** One pass over all symbols for a slot, unless it has been finished before. */
async function runScan(
  options: ScannerOptions,
  config: ScannerConfig,
  slotMs: number,
  lease: Lease,
  signal: AbortSignal,
): Promise<void> {
  const { store, database, eventLog, leases, log } = options;
  const id = await store.claim(slotMs, options.owner);
  if (id === null) return;
  const lost = new AbortController();
  const renewal = setInterval(() => {
    leases.acquire(LEASE, LEASE_MS).then(
      (held) => held?.token === lease.token || lost.abort(new LeaseLostError("the scanner runs elsewhere")),
      (error: unknown) => log.warn({ reason: messageOf(error) }, "scanner lease not renewed"),
    );
  }, RENEW_MS);
  const started = performance.now();
  const counts = { ...NOTHING };
  try {
    await scanAll(options, config, lease, AbortSignal.any([signal, lost.signal]), counts);
    const durationMs = performance.now() - started;
    await database.transaction(async (sql) => {
      await leases.confirm(sql, lease);
      await store.finish(sql, id, counts, null);
      const payload = {
        kind: "finished",
        id,
        slot: isoTime(slotMs),
        ...counts,
        duration_ms: durationMs,
        synthetic: options.gateway.synthetic,
      };
      await eventLog.append(sql, [{ topic: SCAN_TOPIC, payload }]);
    });
    eventLog.wake();
    log.info({ scan: id, ...counts, durationMs: Math.round(durationMs) }, "scan finished");
  } catch (error) {
    if (!signal.aborted && !lost.signal.aborted) await recordFailure(options, id, lease, counts, error);
    throw error;
  } finally {
    clearInterval(renewal);
  }
}

/** Says of a scan that it failed, unless it is another process's by now. */
async function recordFailure(
  { database, leases, store, log }: ScannerOptions,
  id: number,
  lease: Lease,
  counts: ScanCounts,
  reason: unknown,
): Promise<void> {
  try {
    await database.transaction(async (sql) => {
      await leases.confirm(sql, lease);
      await store.finish(sql, id, counts, messageOf(reason));
    });
  } catch (error) {
    log.warn({ scan: id, reason: messageOf(error) }, "failure of a scan not recorded");
  }
}

/**
 * Scans symbols a few at a time and adds up what was found. A symbol that fails is counted and named in the log; the
 * others go on. Ends when none is underway any more, also when it fails.
 */
async function scanAll(
  options: ScannerOptions,
  config: ScannerConfig,
  lease: Lease,
  signal: AbortSignal,
  total: { -readonly [K in keyof ScanCounts]: ScanCounts[K] },
): Promise<void> {
  const queue = [...config.symbols];
  const failed = new AbortController();
  const stop = AbortSignal.any([signal, failed.signal]);
  async function work(): Promise<void> {
    for (let symbol = queue.shift(); symbol !== undefined; symbol = queue.shift()) {
      stop.throwIfAborted();
      const counts = await scanOne(options, symbol, lease, config.autoAlerts, stop);
      for (const key of Object.keys(total) as (keyof ScanCounts)[]) total[key] += counts[key];
    }
  }
  const workers = Array.from({ length: Math.min(options.batchSize, queue.length) }, async () => {
    try {
      await work();
    } catch (error) {
      // The first failure is the reason of all.
      failed.abort(error);
    }
  });
  await Promise.all(workers);
  stop.throwIfAborted();
}

async function scanOne(
  options: ScannerOptions,
  symbol: string,
  lease: Lease,
  autoAlerts: boolean,
  signal: AbortSignal,
): Promise<ScanCounts> {
  try {
    return await scanSymbol(options, symbol, lease, autoAlerts, signal);
  } catch (error) {
    if (error instanceof LeaseLostError || signal.aborted) throw error;
    if (error instanceof AppError && error.code === "database_unavailable") throw error;
    if (error instanceof AppError) {
      options.log.warn({ symbol, code: error.code, reason: error.message }, "symbol not scanned");
    } else options.log.error({ symbol, err: error }, "symbol not scanned");
    return { ...NOTHING, symbols: 1, failures: 1 };
  }
}
