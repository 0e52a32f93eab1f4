import type { Interval } from "../../core/market/interval.js";
import type { Direction } from "../../core/patterns/define.js";
import { type Badge, scoresOf } from "../../core/signals/badge.js";
import type { Levels } from "../../core/signals/levels.js";
import type { Database, Sql } from "../../platform/database.js";
import type { Prisma } from "../../platform/prisma/client.js";
import { numberArray, textArray } from "../../platform/sql-array.js";
import { createToldScores, type Told } from "../models/told.js";
import { loadLayers } from "./layers.js";
import type { Candidate, Verdict } from "./rules.js";

export type AlertStatus = "active" | "accepted" | "dismissed" | "snoozed";
export type ResponseAction = "buy" | "sell" | "watch";

/** An alert as it stands at a moment: one whose snooze is over is active again. Times in epoch ms. */
export interface Alert {
  readonly id: number;
  readonly detectionId: number;
  readonly symbol: string;
  readonly synthetic: boolean;
  readonly interval: Interval;
  readonly pattern: string;
  readonly direction: Direction;
  readonly barTime: number;
  readonly closedAt: number;
  readonly score: number;
  readonly scoreBasis: "confidence" | "quality";
  readonly confidence: number | null;
  readonly price: number;
  readonly entry: number | null;
  readonly stop: number | null;
  readonly target: number | null;
  readonly source: string;
  /** What a model said of the pattern when it was raised. */
  readonly told: Told;
  readonly status: AlertStatus;
  readonly snoozedUntil: number | null;
  readonly responseAction: ResponseAction | null;
  readonly respondedAt: number | null;
  readonly createdAt: number;
}

export interface AlertFilter {
  readonly symbol?: string | undefined;
  /** One row of the symbol: those of replays are others. */
  readonly instrumentId?: number | undefined;
  readonly status?: AlertStatus | undefined;
  readonly pattern?: string | undefined;
  readonly badge?: Badge | undefined;
  readonly interval?: Interval | undefined;
  /** Created in [from, to). */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  /** On bars that open in [from, to). */
  readonly bars?: { readonly from: number; readonly to: number } | undefined;
}

/** Whose alerts are looked at, and when. */
export interface Standpoint {
  readonly synthetic: boolean;
  readonly nowMs: number;
}

export interface NewAlert {
  readonly candidate: Candidate;
  readonly levels: Levels | null;
}

export interface Judged {
  readonly candidate: Candidate;
  readonly verdicts: readonly Verdict[];
}

export interface Response {
  readonly status: AlertStatus;
  readonly action: ResponseAction | null;
  readonly reason: string | null;
  readonly snoozedUntil: number | null;
  readonly at: number;
}

/** Moves the guard on, unless it still holds; the row lock makes two instances take turns. */
const PASS_GUARD = `
insert into alert_guards as guard (instrument_id, pattern, until)
values ($1, $2, to_timestamp(($3::float8 + $4::float8) / 1000))
on conflict (instrument_id, pattern) do update set until = excluded.until
where guard.until <= to_timestamp($3::float8 / 1000)
returning instrument_id`;

const RAISE = `
insert into alerts (detection_id, instrument_id, interval, pattern, direction, bar_time, closed_at, score,
  score_basis, confidence, price, entry, stop, target, source, snapshot_id, score_id, created_at)
values ($1, $2, $3, $4, $5, to_timestamp($6::float8 / 1000), to_timestamp($7::float8 / 1000), $8, $9, $10, $11, $12,
  $13, $14, $15, $16, $17, clock_timestamp())
on conflict (detection_id) do nothing
returning id, (extract(epoch from created_at) * 1000)::float8 as "createdAt"`;

const DECIDE = `
insert into decisions (instrument_id, interval, pattern, bar_time, accepted, rule, verdicts)
select d.i, d.v, d.p, to_timestamp(d.b / 1000), d.r is null, d.r, d.x::jsonb
from unnest($1::int[], $2::text[], $3::text[], $4::float8[], $5::text[], $6::text[]) as d(i, v, p, b, r, x)
on conflict (instrument_id, interval, pattern, bar_time) do nothing`;

const WITH_INSTRUMENT = {
  instrument: { select: { symbol: true, synthetic: true } },
  modelScore: {
    select: { id: true, score: true, model: { select: { id: true, version: true, hash: true } } },
  },
} as const;
type Row = Prisma.AlertGetPayload<{ include: typeof WITH_INSTRUMENT }>;

export function createAlertStore(database: Database) {
  const { prisma } = database;

  return {
    /** True when no alert of the symbol and pattern lies within the window before this one. */
    async passGuard(
      sql: Sql,
      { instrumentId, pattern, closedAt }: Candidate,
      dedupeMs: number,
    ): Promise<boolean> {
      return (await sql.query(PASS_GUARD, [instrumentId, pattern, closedAt, dedupeMs])).length > 0;
    },

    raise,

    async recordDecisions(sql: Sql, judged: readonly Judged[]): Promise<void> {
      if (judged.length === 0) return;
      await sql.query(DECIDE, [
        numberArray(judged.map(({ candidate }) => candidate.instrumentId)),
        textArray(judged.map(({ candidate }) => candidate.interval)),
        textArray(judged.map(({ candidate }) => candidate.pattern)),
        numberArray(judged.map(({ candidate }) => candidate.barTime)),
        textArray(judged.map(({ verdicts }) => verdicts.find(({ passed }) => !passed)?.rule ?? null)),
        textArray(judged.map(({ verdicts }) => JSON.stringify(verdicts))),
      ]);
    },

    async find(id: number, { synthetic, nowMs }: Standpoint): Promise<Alert | null> {
      const row = await prisma.alert.findFirst({
        where: { id, instrument: { synthetic } },
        include: WITH_INSTRUMENT,
      });
      return row === null ? null : alertOf(row, nowMs);
    },

    /** Newest first. */
    async list(filter: AlertFilter, from: Standpoint, limit: number, offset: number): Promise<Alert[]> {
      const rows = await prisma.alert.findMany({
        where: whereOf(filter, from),
        include: WITH_INSTRUMENT,
        orderBy: { id: "desc" },
        take: limit,
        skip: offset,
      });
      return rows.map((row) => alertOf(row, from.nowMs));
    },

    count: (filter: AlertFilter, from: Standpoint): Promise<number> =>
      prisma.alert.count({ where: whereOf(filter, from) }),

    async respond(sql: Sql, id: number, response: Response): Promise<void> {
      await sql.query(
        `update alerts set status = $2::alert_status, response_action = $3, response_reason = $4,
           snoozed_until = to_timestamp($5::float8 / 1000), responded_at = to_timestamp($6::float8 / 1000)
         where id = $1`,
        [id, response.status, response.action, response.reason, response.snoozedUntil, response.at],
      );
    },

    /** Alerts whose snooze is over and of which nobody was told, as they are from then on; the oldest first. */
    async over({ synthetic, nowMs }: Standpoint, limit: number): Promise<Alert[]> {
      const rows = await prisma.alert.findMany({
        where: { status: "snoozed", snoozedUntil: { lte: new Date(nowMs) }, instrument: { synthetic } },
        include: WITH_INSTRUMENT,
        orderBy: { id: "asc" },
        take: limit,
      });
      return rows.map((row) => alertOf(row, nowMs));
    },

    /** Writes down that snoozes are over. @returns those of which it is written now: not what was answered or woken meanwhile. */
    async wake(sql: Sql, ids: readonly number[], nowMs: number): Promise<ReadonlySet<number>> {
      const rows = await sql.query<{ id: number }>(
        `update alerts set status = 'active', snoozed_until = null
         where id = any($1::bigint[]) and status = 'snoozed' and snoozed_until <= to_timestamp($2::float8 / 1000)
         returning id`,
        [ids, nowMs],
      );
      return new Set(rows.map(({ id }) => id));
    },

    async loadDecision(detectionId: number): Promise<readonly Verdict[] | null> {
      const [row] = await database.query<{ verdicts: readonly Verdict[] }>(
        `select c.verdicts from decisions c join detections d
           on (d.instrument_id, d.interval, d.pattern, d.bar_time) = (c.instrument_id, c.interval, c.pattern, c.bar_time)
         where d.id = $1`,
        [detectionId],
      );
      return row?.verdicts ?? null;
    },

    loadLayers: (id: number) => loadLayers(database, id),
  };
}

export type AlertStore = ReturnType<typeof createAlertStore>;

/** Alerts of earlier versions may have been judged by their confidence. */
const SCORE_BASIS = "quality";

/** The new alert; null when the detection has one already. */
async function raise(sql: Sql, { candidate, levels }: NewAlert): Promise<Alert | null> {
  const { instrumentId, interval, pattern, direction, barTime, closedAt, confidence, price, source } =
    candidate;
  const { entry = null, stop = null, target = null } = levels ?? {};
  const told = await toldOf(sql, candidate);
  const rows = await sql.query<{ id: number; createdAt: number }>(RAISE, [
    candidate.id,
    instrumentId,
    interval,
    pattern,
    direction,
    barTime,
    closedAt,
    candidate.quality,
    SCORE_BASIS,
    confidence,
    price,
    entry,
    stop,
    target,
    source,
    told.snapshotId,
    told.score?.scoreId ?? null,
  ]);
  if (rows.length === 0) return null;
  return {
    ...rows[0],
    detectionId: candidate.id,
    symbol: candidate.symbol,
    synthetic: candidate.synthetic,
    interval,
    pattern,
    direction,
    barTime,
    closedAt,
    score: candidate.quality,
    scoreBasis: SCORE_BASIS,
    confidence,
    price,
    entry,
    stop,
    target,
    source,
    told,
    status: "active",
    snoozedUntil: null,
    responseAction: null,
    respondedAt: null,
  };
}

/** What models said of a pattern, of which what was shown is kept in the same transaction or before. */
async function toldOf(sql: Sql, { direction, ...moment }: Candidate): Promise<Told> {
  if (direction === 0) return { snapshotId: null, score: null };
  const [{ snapshotId, score }] = await createToldScores(sql).of([{ ...moment, direction }]);
  return { snapshotId, score };
}

function keptOf({ snapshotId, modelScore }: Row): Told {
  if (modelScore === null)
    return { snapshotId: snapshotId === null ? null : Number(snapshotId), score: null };
  const { id, score, model } = modelScore;
  const { version, hash } = model;
  return {
    snapshotId: Number(snapshotId),
    score: { scoreId: Number(id), modelId: Number(model.id), version, hash, score },
  };
}

/** As `badgeOfAlert` gives them. */
function whereBadge(badge: Badge): Prisma.AlertWhereInput {
  const { from, to } = scoresOf(badge);
  const score = { gte: from, lt: to };
  return badge === "MODERATE" ? { OR: [{ direction: 0 }, { score }] } : { direction: { not: 0 }, score };
}

function whereOf(
  { symbol, instrumentId, status, pattern, badge, interval, from, to, bars }: AlertFilter,
  { synthetic, nowMs }: Standpoint,
) {
  return {
    instrument: { synthetic, ...(symbol === undefined ? {} : { symbol }) },
    ...(status === undefined ? {} : whereStatus(status, new Date(nowMs))),
    ...(pattern === undefined ? {} : { pattern }),
    ...(badge === undefined ? {} : { AND: whereBadge(badge) }),
    ...(instrumentId === undefined ? {} : { instrumentId }),
    ...(interval === undefined ? {} : { interval }),
    ...(bars === undefined ? {} : { barTime: { gte: new Date(bars.from), lt: new Date(bars.to) } }),
    ...(from === undefined && to === undefined
      ? {}
      : {
          createdAt: {
            ...(from === undefined ? {} : { gte: new Date(from) }),
            ...(to === undefined ? {} : { lt: new Date(to) }),
          },
        }),
  } satisfies Prisma.AlertWhereInput;
}

/** The snooze of an alert is over with its time, also before it is written down and told. */
function whereStatus(status: AlertStatus, now: Date): Prisma.AlertWhereInput {
  if (status === "active") return { OR: [{ status }, { status: "snoozed", snoozedUntil: { lte: now } }] };
  return status === "snoozed" ? { status, snoozedUntil: { gt: now } } : { status };
}

function alertOf(row: Row, nowMs: number): Alert {
  const until = row.snoozedUntil?.getTime() ?? null;
  const awake = row.status === "snoozed" && until !== null && until <= nowMs;
  return {
    id: Number(row.id),
    detectionId: Number(row.detectionId),
    symbol: row.instrument.symbol,
    synthetic: row.instrument.synthetic,
    interval: row.interval as Interval,
    pattern: row.pattern,
    direction: row.direction as Direction,
    barTime: row.barTime.getTime(),
    closedAt: row.closedAt.getTime(),
    score: row.score,
    scoreBasis: row.scoreBasis as Alert["scoreBasis"],
    confidence: row.confidence,
    price: row.price,
    entry: row.entry,
    stop: row.stop,
    target: row.target,
    source: row.source,
    told: keptOf(row),
    status: awake ? "active" : row.status,
    snoozedUntil: awake ? null : until,
    responseAction: row.responseAction as ResponseAction | null,
    respondedAt: row.respondedAt?.getTime() ?? null,
    createdAt: row.createdAt.getTime(),
  };
}
