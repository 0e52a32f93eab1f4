import { z } from "zod";
import type { Database, Sql } from "../../platform/database.js";
import { numberArray, textArray } from "../../platform/sql-array.js";
import type { Attempted } from "./define.js";
import type { Message } from "./message.js";
import type { Channel, ChannelStore } from "./store.js";

export interface NewDelivery {
  readonly channelId: string;
  readonly eventSeq: number;
  readonly topic: string;
  readonly message: Message;
}

/** A delivery in the hands of one sender. */
export interface Claimed {
  readonly id: string;
  /** Its attempts with this one, by which the claim is known. */
  readonly attempts: number;
  readonly allowed: number;
  readonly message: Message;
  readonly channel: Pick<Channel, "id" | "kind" | "settings" | "secrets">;
}

/** What an attempt leads to. */
export interface Verdict {
  readonly attempted: Attempted;
  readonly tookMs: number;
  readonly nowMs: number;
  /** When it is due again; null where it is over. */
  readonly nextAt: number | null;
  /** Until when the channel is sent nothing. */
  readonly heldUntil: number;
}

/** A sender that has not told by then has ended. */
const CLAIM_MS = 60_000;
/** What waits of one channel at most; what is more is dead at once and can be sent again. */
const MOST_WAITING = 1_000;
const KEEP_DAYS = 30;
const PRUNE_BATCH = 5_000;
const DETAIL_LIMIT = 500;

const WRITE = `
with given as (
  select * from unnest($1::uuid[], $2::float8[], $3::text[], $4::text[]) as g(channel_id, seq, topic, message)
), waiting as (
  select g.*, row_number() over (partition by g.channel_id order by g.seq) + (
    select count(*) from notification_deliveries d where d.channel_id = g.channel_id and d.state = 'pending') as place
  from given g
)
insert into notification_deliveries (id, channel_id, event_seq, topic, payload, allowed, state, last_detail, ended_at, next_at)
select gen_random_uuid(), channel_id, seq::bigint, topic, message::jsonb, $5,
  case when place > ${MOST_WAITING} then 'dead' else 'pending' end,
  case when place > ${MOST_WAITING} then 'too many were waiting' end,
  case when place > ${MOST_WAITING} then now() end, to_timestamp($6::float8 / 1000)
from waiting on conflict (channel_id, event_seq) do nothing returning id`;

/**
 * One delivery a channel: the lock on its row and the time until which it is held keep all instances to the limits of the
 * channel.
 */
const CLAIM = `
with free as (
  select c.id from notification_channels c
  where c.enabled and c.held_until <= to_timestamp($1::float8 / 1000) and exists (
    select from notification_deliveries d
    where d.channel_id = c.id and d.state = 'pending' and d.next_at <= to_timestamp($1::float8 / 1000))
  order by c.held_until limit $2 for update of c skip locked
), due as (
  select d.id from free cross join lateral (
    select id from notification_deliveries
    where channel_id = free.id and state = 'pending' and next_at <= to_timestamp($1::float8 / 1000)
    order by event_seq nulls first limit 1) d
), held as (
  update notification_channels c set held_until = to_timestamp(($1::float8 + ${CLAIM_MS}) / 1000)
  from free where c.id = free.id returning c.id
), claimed as (
  update notification_deliveries d
  set attempts = d.attempts + 1, next_at = to_timestamp(($1::float8 + ${CLAIM_MS}) / 1000)
  from due where d.id = due.id returning d.id, d.channel_id, d.attempts, d.allowed, d.payload
)
select claimed.id, claimed.attempts, claimed.allowed, claimed.payload, c.id as "channelId", c.kind, c.settings, c.secrets
from claimed join notification_channels c on c.id = claimed.channel_id`;

const SETTLE = `
with settled as (
  update notification_deliveries set state = $3::text, next_at = coalesce(to_timestamp($4::float8 / 1000), next_at),
    last_status = $5::int, last_detail = $6::text,
    ended_at = case when $3::text <> 'pending' then to_timestamp($9::float8 / 1000) end
  where id = $1::uuid and attempts = $2::int and state = 'pending'
)
insert into notification_attempts (delivery_id, number, at, outcome, status, detail, took_ms)
select id, $2::int, to_timestamp($9::float8 / 1000), $7::text, $5::int, $6::text, $8::float8
from notification_deliveries where id = $1::uuid`;

const messageSchema = z.object({
  type: z.string(),
  time: z.number(),
  title: z.string(),
  lines: z.array(z.string()),
  data: z.unknown(),
  detectionId: z.number().nullable(),
});

interface Row {
  readonly id: string;
  readonly attempts: number;
  readonly allowed: number;
  readonly payload: unknown;
  readonly channelId: string;
  readonly kind: string;
  readonly settings: Channel["settings"];
  readonly secrets: string;
}

export function createOutbox(database: Database, channels: Pick<ChannelStore, "disable">) {
  return {
    /** As part of the caller's transaction; an event that was written down for a channel is left as it is. */
    async write(
      sql: Sql,
      deliveries: readonly NewDelivery[],
      allowed: number,
      nowMs: number,
    ): Promise<number> {
      if (deliveries.length === 0) return 0;
      const written = await sql.query(WRITE, [
        textArray(deliveries.map(({ channelId }) => channelId)),
        numberArray(deliveries.map(({ eventSeq }) => eventSeq)),
        textArray(deliveries.map(({ topic }) => topic)),
        textArray(deliveries.map(({ message }) => JSON.stringify(message))),
        allowed,
        nowMs,
      ]);
      return written.length;
    },

    /** What no event stands behind. @returns its id. */
    async writeTest(
      channelId: string,
      topic: string,
      message: Message,
      nowMs: number,
    ): Promise<string | null> {
      const rows = await database.query<{ id: string }>(
        `insert into notification_deliveries (id, channel_id, topic, payload, allowed, next_at)
         select gen_random_uuid(), id, $2, $3::jsonb, 1, to_timestamp($4::float8 / 1000)
         from notification_channels where id = $1 returning id`,
        [channelId, topic, JSON.stringify(message), nowMs],
      );
      return rows[0]?.id ?? null;
    },

    /** What is due, one of a channel, and keeps others from it. */
    async claim(nowMs: number, most: number): Promise<Claimed[]> {
      const rows = await database.query<Row>(CLAIM, [nowMs, most]);
      return rows.map(({ id, attempts, allowed, payload, channelId, kind, settings, secrets }) => ({
        id,
        attempts,
        allowed,
        message: messageOf(payload),
        channel: { id: channelId, kind, settings, secrets },
      }));
    },

    /** Writes down what became of a claim, unless it has passed to another sender, and the attempt in any case. */
    async settle({ id, attempts, channel }: Claimed, verdict: Verdict): Promise<void> {
      const { attempted, nextAt, heldUntil, tookMs, nowMs } = verdict;
      const { outcome, status, detail } = attempted;
      const state = outcome === "delivered" ? "delivered" : nextAt === null ? "dead" : "pending";
      const told = detail.slice(0, DETAIL_LIMIT);
      await database.transaction(async (sql) => {
        await sql.query(
          "update notification_channels set held_until = to_timestamp($2::float8 / 1000) where id = $1",
          [channel.id, heldUntil],
        );
        await sql.query(SETTLE, [id, attempts, state, nextAt, status, told, outcome, tookMs, nowMs]);
        if (outcome === "gone") await channels.disable(sql, channel.id, told);
      });
    },

    /** Epoch ms of the oldest that waits; null for none. */
    async oldestPending(): Promise<number | null> {
      const [row] = await database.query<{ at: number | null }>(
        `select extract(epoch from min(created_at))::float8 * 1000 as at
         from notification_deliveries where state = 'pending'`,
      );
      return row?.at ?? null;
    },

    /** Forgets what ended long ago. */
    async prune(): Promise<void> {
      await database.query(
        `delete from notification_deliveries where id in (
           select id from notification_deliveries
           where state <> 'pending' and created_at < now() - ${KEEP_DAYS} * interval '1 day' limit ${PRUNE_BATCH})`,
      );
    },
  };
}

export type Outbox = ReturnType<typeof createOutbox>;

function messageOf(payload: unknown): Message {
  const read = messageSchema.parse(payload);
  return { ...read, data: read.data };
}
