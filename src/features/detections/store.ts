import type { Interval } from "../../core/market/interval.js";
import type { Direction, FormationState } from "../../core/patterns/define.js";
import type { Database, Sql } from "../../platform/database.js";
import type { Prisma } from "../../platform/prisma/client.js";
import { booleanArray, numberArray, textArray } from "../../platform/sql-array.js";
import type { StoredFormation } from "./formation.js";

/** A detection to be stored; times in epoch ms. */
export interface NewDetection {
  readonly instrumentId: number;
  readonly interval: Interval;
  readonly pattern: string;
  readonly direction: Direction;
  readonly startTime: number;
  readonly barTime: number;
  readonly closedAt: number;
  readonly state: FormationState;
  readonly quality: number;
  /** Measured hit rate when it was stored, 0..1; null while there was no evidence. */
  readonly confidence: number | null;
  /** Market regime at the bar; null where there were too few bars to tell. */
  readonly regime: string | null;
  readonly price: number;
  readonly volume: number;
  readonly trendMet: boolean | null;
  readonly source: string;
  readonly facts: { readonly trend: string; readonly range: number | null };
  /** Null for candlesticks. */
  readonly formation: StoredFormation | null;
}

export interface StoredDetection extends NewDetection {
  readonly id: number;
  readonly symbol: string;
  readonly synthetic: boolean;
  readonly detectedAt: number;
}

/** Which detections of a pattern came before another one. */
export interface Past {
  readonly pattern: string;
  readonly interval: Interval;
  /** Their bars closed before this, epoch ms. */
  readonly closedBefore: number;
  /** They were stored by this, epoch ms. */
  readonly storedBy: number;
}

export interface DetectionFilter {
  readonly symbol?: string | undefined;
  /** One row of the symbol: those of replays are others. */
  readonly instrumentId?: number | undefined;
  readonly pattern?: string | undefined;
  readonly interval?: Interval | undefined;
  readonly state?: FormationState | undefined;
  /** Bars that closed in [from, to). */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  /** Bars that open in [from, to). */
  readonly bars?: { readonly from: number; readonly to: number } | undefined;
}

const RECORD = `
insert into detections (instrument_id, interval, pattern, direction, start_time, bar_time, closed_at, quality,
  price, volume, trend_met, source, facts, state, confidence, regime, formation)
select d.i, d.v, d.p, d.d, to_timestamp(d.s / 1000), to_timestamp(d.b / 1000), to_timestamp(d.c / 1000), d.q,
  d.pr, d.vo, d.tm, d.so, d.f::jsonb, d.st, d.co, d.re, d.fo::jsonb
from unnest($1::int[], $2::text[], $3::text[], $4::smallint[], $5::float8[], $6::float8[], $7::float8[],
  $8::float8[], $9::float8[], $10::float8[], $11::bool[], $12::text[], $13::text[], $14::text[], $15::float8[],
  $16::text[], $17::text[])
  as d(i, v, p, d, s, b, c, q, pr, vo, tm, so, f, st, co, re, fo)
on conflict (instrument_id, interval, pattern, state, bar_time) do nothing
returning id, instrument_id as "instrumentId", interval, pattern, state, (extract(epoch from bar_time) * 1000)::float8 as "barTime"`;

interface RecordedKey {
  id: number;
  instrumentId: number;
  interval: string;
  pattern: string;
  state: string;
  barTime: number;
}

const keyOf = ({ instrumentId, interval, pattern, state, barTime }: Omit<RecordedKey, "id">) =>
  `${instrumentId} ${interval} ${pattern} ${state} ${barTime}`;

const WITH_INSTRUMENT = { instrument: { select: { symbol: true, synthetic: true } } } as const;
type Row = Prisma.DetectionGetPayload<{ include: typeof WITH_INSTRUMENT }>;

export function createDetectionStore(database: Database) {
  const { prisma } = database;

  return {
    record,

    /** Newest first. */
    async list(
      filter: DetectionFilter,
      synthetic: boolean,
      limit: number,
      offset: number,
    ): Promise<StoredDetection[]> {
      const rows = await prisma.detection.findMany({
        where: whereOf(filter, synthetic),
        include: WITH_INSTRUMENT,
        orderBy: { id: "desc" },
        take: limit,
        skip: offset,
      });
      return rows.map(storedOf);
    },

    /** Null for none, and for one of the other market. */
    async find(id: number, synthetic: boolean): Promise<StoredDetection | null> {
      const row = await prisma.detection.findFirst({
        where: { id, instrument: { synthetic } },
        include: WITH_INSTRUMENT,
      });
      return row === null ? null : storedOf(row);
    },

    /** Confirmed ones, the newest bars first. */
    async past(
      { pattern, interval, closedBefore, storedBy }: Past,
      synthetic: boolean,
      limit: number,
    ): Promise<StoredDetection[]> {
      const rows = await prisma.detection.findMany({
        where: {
          pattern,
          interval,
          state: "confirmed",
          closedAt: { lt: new Date(closedBefore) },
          detectedAt: { lte: new Date(storedBy) },
          instrument: { synthetic },
        },
        include: WITH_INSTRUMENT,
        orderBy: [{ closedAt: "desc" }, { id: "desc" }],
        take: limit,
      });
      return rows.map(storedOf);
    },

    count: (filter: DetectionFilter, synthetic: boolean): Promise<number> =>
      prisma.detection.count({ where: whereOf(filter, synthetic) }),

    /** 0 before the first. */
    async latestId(synthetic: boolean): Promise<number> {
      const row = await prisma.detection.findFirst({
        where: { instrument: { synthetic } },
        orderBy: { id: "desc" },
        select: { id: true },
      });
      return row === null ? 0 : Number(row.id);
    },
  };
}

export type DetectionStore = ReturnType<typeof createDetectionStore>;

/** Detections of one statement: each must be done within the patience of a query, on a slow machine too. */
const RECORDED_AT_ONCE = 500;

/** Stores detections that are not there yet and returns those, with their ids. */
async function record(
  sql: Sql,
  detections: readonly NewDetection[],
): Promise<(NewDetection & { id: number })[]> {
  const recorded: (NewDetection & { id: number })[] = [];
  for (let from = 0; from < detections.length; from += RECORDED_AT_ONCE) {
    recorded.push(...(await recordPart(sql, detections.slice(from, from + RECORDED_AT_ONCE))));
  }
  return recorded;
}

async function recordPart(
  sql: Sql,
  detections: readonly NewDetection[],
): Promise<(NewDetection & { id: number })[]> {
  const numbers = (pick: (detection: NewDetection) => number) => numberArray(detections.map(pick));
  const texts = (pick: (detection: NewDetection) => string) => textArray(detections.map(pick));
  const rows = await sql.query<RecordedKey>(RECORD, [
    numbers((d) => d.instrumentId),
    texts((d) => d.interval),
    texts((d) => d.pattern),
    numbers((d) => d.direction),
    numbers((d) => d.startTime),
    numbers((d) => d.barTime),
    numbers((d) => d.closedAt),
    numbers((d) => d.quality),
    numbers((d) => d.price),
    numbers((d) => d.volume),
    booleanArray(detections.map((d) => d.trendMet)),
    texts((d) => d.source),
    texts((d) => JSON.stringify(d.facts)),
    texts((d) => d.state),
    numberArray(detections.map((d) => d.confidence)),
    textArray(detections.map((d) => d.regime)),
    textArray(detections.map((d) => d.formation && JSON.stringify(d.formation))),
  ]);
  const ids = new Map(rows.map((row) => [keyOf(row), row.id]));
  return detections.flatMap((detection) => {
    const id = ids.get(keyOf(detection));
    return id === undefined ? [] : [{ id, ...detection }];
  });
}

function storedOf(row: Row): StoredDetection {
  return {
    id: Number(row.id),
    instrumentId: row.instrumentId,
    interval: row.interval as Interval,
    symbol: row.instrument.symbol,
    synthetic: row.instrument.synthetic,
    pattern: row.pattern,
    direction: row.direction as Direction,
    startTime: row.startTime.getTime(),
    barTime: row.barTime.getTime(),
    closedAt: row.closedAt.getTime(),
    quality: row.quality,
    confidence: row.confidence,
    state: row.state as FormationState,
    regime: row.regime,
    formation: row.formation as StoredFormation | null,
    price: row.price,
    volume: row.volume,
    trendMet: row.trendMet,
    source: row.source,
    facts: row.facts as NewDetection["facts"],
    detectedAt: row.detectedAt.getTime(),
  };
}

function whereOf(filter: DetectionFilter, synthetic: boolean): Prisma.DetectionWhereInput {
  const { symbol, instrumentId, pattern, interval, state, from, to, bars } = filter;
  const closedAt = {
    ...(from === undefined ? {} : { gte: new Date(from) }),
    ...(to === undefined ? {} : { lt: new Date(to) }),
  };
  return {
    instrument: { synthetic, ...(symbol === undefined ? {} : { symbol }) },
    ...(instrumentId === undefined ? {} : { instrumentId }),
    ...(pattern === undefined ? {} : { pattern }),
    ...(interval === undefined ? {} : { interval }),
    ...(state === undefined ? {} : { state }),
    ...(from === undefined && to === undefined ? {} : { closedAt }),
    ...(bars === undefined ? {} : { barTime: { gte: new Date(bars.from), lt: new Date(bars.to) } }),
  };
}
