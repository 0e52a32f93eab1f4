import { z } from "zod";
import { VOLATILITY_INDICES } from "../../core/market/symbols.js";
import type { EvidenceTable } from "../../core/signals/evidence.js";
import { OCCURRENCE_COLUMNS, type Occurrences } from "../../core/signals/evidence-series.js";
import { ROUND_TRIP_BPS } from "../../core/signals/levels.js";
import { createAlone } from "../../platform/alone.js";
import { AppError } from "../../platform/errors.js";
import { isoTime } from "../../platform/http.js";
import { defineJob, type JobContext, type JobKind } from "../../platform/jobs.js";
import type { Leases } from "../../platform/lease.js";
import type { Settings } from "../../platform/settings.js";
import { defineTask, type Workers } from "../../platform/workers.js";
import type { MarketName } from "../instruments/store.js";
import type { MeasureOrder } from "./measure-worker.js";
import { POLICY } from "./measured.js";
import type { EvidenceStore } from "./store.js";
import type { createStoredReader, StoredSeries } from "./stored.js";

const MEASURE = defineTask<MeasureOrder, Occurrences>(new URL("./measure-worker.js", import.meta.url));
const TABULATE = defineTask<readonly Occurrences[], EvidenceTable>(
  new URL("./tabulate-worker.js", import.meta.url),
);

const ATTEMPTS = 6;
const TIMEOUT_MS = 6 * 3_600_000;
const LEASE = "evidence";
const LEASE_MS = 600_000;

const resultSchema = z.object({
  run_id: z.number().int(),
  as_of: z.iso.datetime(),
  series: z.number().int(),
  bars: z.number().int(),
  occurrences: z.number().int(),
  cells: z.number().int(),
  tests: z.number().int().describe("Cells whose p-values were corrected for one another"),
});
const input = z.strictObject({});

export type EvidenceJob = JobKind<z.output<typeof input>, null, z.output<typeof resultSchema>>;

export interface RecomputeParts {
  readonly store: EvidenceStore;
  readonly read: ReturnType<typeof createStoredReader>;
  readonly workers: Workers;
  readonly leases: Pick<Leases, "acquire" | "release">;
  readonly settings: Pick<Settings, "loadOrSave">;
  readonly market: MarketName;
  readonly now: () => number;
  /** Is told after a run was kept. */
  readonly onRun: () => Promise<void>;
}

/** Measures every pattern over all stored candles of the market, in threads, one run at a time. */
export function createRecompute(parts: RecomputeParts): EvidenceJob {
  const busy = () => new AppError("overloaded", "Evidence is being measured already", { retryAfterS: 30 });
  const alone = createAlone(parts.leases, { name: LEASE, ttlMs: LEASE_MS }, busy);
  return defineJob({
    kind: "evidence",
    summary: "Order that the evidence of all patterns is measured anew",
    description:
      "Over all stored candles of the market, closed bars only. One runs at a time; others wait for it.",
    access: "trader",
    input,
    checkpoint: z.null(),
    result: resultSchema,
    attempts: ATTEMPTS,
    timeoutMs: TIMEOUT_MS,
    run: (_order, context) => alone(() => recompute(parts, context)),
  });
}

/** The moment since which detections of this market count as seen while they happened: the first time it is asked for. */
export function liveSince({ settings, market, now }: Pick<RecomputeParts, "settings" | "market" | "now">) {
  const name = `evidence.live_since.${market.synthetic ? "synthetic" : "real"}${market.replay ?? ""}`;
  return settings.loadOrSave(name, z.number(), now());
}

async function recompute(parts: RecomputeParts, context: JobContext<null>) {
  const { store, workers, now, leases } = parts;
  const { signal } = context;
  const asOfMs = now();
  const liveSinceMs = await liveSince(parts);
  const stored = await store.loadSeries();
  const all = stored.filter(({ instrument }) => !VOLATILITY_INDICES.has(instrument.symbol));
  const measured: Occurrences[] = [];
  let liveMissing = 0;
  for (const [i, series] of all.entries()) {
    context.report(`${series.instrument.symbol} ${series.interval}`, i, all.length + 1);
    signal.throwIfAborted();
    await leases.acquire(LEASE, LEASE_MS);
    const order = await orderOf(parts, series, { asOfMs, liveSinceMs }, signal);
    const found = await workers.run(MEASURE, order, { signal });
    measured.push(found);
    liveMissing += order.seen.reduce((sum, { times }) => sum + times.length, 0) - sumOf(found.live);
  }
  context.report("table", all.length, all.length + 1);
  const transfer = measured.flatMap((part) =>
    OCCURRENCE_COLUMNS.map((column) => part[column].buffer as ArrayBuffer),
  );
  const { rows, ...table } = await workers.run(TABULATE, measured, { signal, transfer });
  signal.throwIfAborted();
  const id = await store.save({ ...table, asOfMs, policy: POLICY, liveSinceMs, liveMissing }, rows, now());
  await parts.onRun();
  const { series, bars, occurrences, tests } = table;
  return { run_id: id, as_of: isoTime(asOfMs), series, bars, occurrences, cells: rows.length, tests };
}

async function orderOf(
  { read, store }: RecomputeParts,
  series: StoredSeries,
  { asOfMs, liveSinceMs }: { asOfMs: number; liveSinceMs: number },
  signal: AbortSignal,
): Promise<MeasureOrder> {
  const { calendar, assetClass } = series.instrument;
  const candles = await read(series, signal);
  const seen = await store.loadSeen(series, liveSinceMs);
  return { candles, calendar, costBps: ROUND_TRIP_BPS[assetClass], asOfMs, seen };
}

function sumOf(column: Uint8Array): number {
  return column.reduce((sum, value) => sum + value, 0);
}
