import type { Database } from "../../platform/database.js";
import type { Lease, Leases } from "../../platform/lease.js";
import type { NewDelivery, Outbox } from "./outbox.js";
import { ATTEMPTS } from "./schedule.js";
import type { Channel, ChannelStore } from "./store.js";
import { NOTIFIED_TOPICS, type Told } from "./topics.js";

/** Events that become deliveries in one transaction. */
const SLICE = 200;
/** Numbers of the log that one transaction goes over, whatever they are of: few enough for the time limit of a statement. */
const STEP = 10_000;
const CURSOR = "events";

interface Row {
  readonly seq: number;
  readonly topic: string;
  readonly payload: unknown;
  readonly time: number;
}

/** Turns events of the log into deliveries to the channels that tell of them. */
export interface FanOut {
  /** Goes on where it was, until there is nothing new. @returns how many deliveries were written. @throws LeaseLostError */
  run(lease: Lease, signal: AbortSignal): Promise<number>;
}

export function createFanOut(options: {
  readonly database: Database;
  readonly leases: Pick<Leases, "acquire" | "confirm">;
  readonly leaseMs: number;
  readonly channels: Pick<ChannelStore, "enabled">;
  readonly outbox: Pick<Outbox, "write">;
  readonly now: () => number;
}): FanOut {
  const { database, leases, channels, outbox, now } = options;

  /**
   * One slice: its deliveries and how far it got are one transaction, so that nothing is lost or doubled. The cursor also goes
   * over what nobody is told of: each event is looked at once, however many lie between two that matter.
   */
  function step(lease: Lease): Promise<{ more: boolean; written: number }> {
    return database.transaction(async (sql) => {
      await leases.confirm(sql, lease);
      const [cursor] = await sql.query<{ seq: number }>(
        `insert into notification_cursors as c (name, seq) values ($1, 0)
         on conflict (name) do update set seq = c.seq returning c.seq`,
        [CURSOR],
      );
      const [{ count, newest }] = await sql.query<{ count: number; newest: number | null }>(
        `select count(*)::int as count, max(seq) as newest
         from (select seq from events where seq > $1 order by seq limit $2) as passed`,
        [cursor.seq, STEP],
      );
      if (newest === null) return { more: false, written: 0 };
      const rows = await sql.query<Row>(
        `select seq, topic, payload, extract(epoch from created_at)::float8 * 1000 as time from events
         where split_part(topic, ':', 1) = any($1::text[]) and seq > $2 and seq <= $3 order by seq limit $4`,
        [NOTIFIED_TOPICS.map(({ name }) => name), cursor.seq, newest, SLICE],
      );
      const last = rows.length < SLICE ? newest : (rows.at(-1)?.seq ?? newest);
      const deliveries = rows.length === 0 ? [] : deliveriesOf(rows, await channels.enabled(sql));
      const written = await outbox.write(sql, deliveries, ATTEMPTS, now());
      await sql.query("update notification_cursors set seq = $2 where name = $1", [CURSOR, last]);
      return { more: count === STEP || last < newest, written };
    });
  }

  return {
    async run(lease, signal) {
      let total = 0;
      while (!signal.aborted) {
        const { more, written } = await step(lease);
        total += written;
        if (!more) break;
        await leases.acquire(lease.name, options.leaseMs);
      }
      return total;
    },
  };
}

function deliveriesOf(rows: readonly Row[], channels: readonly Channel[]): NewDelivery[] {
  return rows.flatMap(({ seq, topic, payload, time }) => {
    const [name] = topic.split(":");
    const kind = NOTIFIED_TOPICS.find((each) => each.name === name);
    if (kind === undefined) return [];
    const owner = kind.ownerOf(topic);
    return kind.read(payload, time).flatMap((told) =>
      channels.flatMap((channel) => {
        const isMeant = channel.createdAt <= time && (owner === null || channel.userId === owner);
        const own = isMeant ? toldBy(channel, kind.name, told) : null;
        if (own === null) return [];
        return [{ channelId: channel.id, eventSeq: seq, topic: kind.name, message: own.message }];
      }),
    );
  });
}

/**
 * What a channel tells of something: of what is of several symbols those that it is for. Null for nothing; what has no
 * measured confidence passes no demand for one.
 */
export function toldBy({ filters }: Pick<Channel, "filters">, topic: string, told: Told): Told | null {
  const { topics, symbols, minConfidence } = filters;
  if (topics.length > 0 && !topics.includes(topic)) return null;
  const own = symbols.length === 0 ? told : ofSymbols(told, symbols);
  if (own === null || minConfidence === null) return own;
  return own.confidence !== null && own.confidence >= minConfidence ? own : null;
}

function ofSymbols(told: Told, symbols: readonly string[]): Told | null {
  if (told.partOf !== undefined) return told.partOf(symbols);
  return told.symbol !== null && symbols.includes(told.symbol) ? told : null;
}
