import { z } from "zod";
import { type Bus, defineEvent } from "./bus.js";
import type { Database, Sql } from "./database.js";
import { messageOf } from "./errors.js";
import type { Log } from "./log.js";
import { prepared } from "./prepared.js";

/** Something that was published, with its place in the order of all that was. */
export interface LoggedEvent {
  readonly topic: string;
  readonly seq: number;
  /** Number of the event before it on the same topic, 0 for the first: a subscriber that saw another lacks some. */
  readonly previousSeq: number;
  /** Epoch ms of writing, within the transaction that committed it. */
  readonly time: number;
  readonly payload: unknown;
}

/** Events of one topic that this process has committed by one statement. */
export interface Committed {
  readonly topic: string;
  /** Of the last of them; those before it have the numbers before it. */
  readonly newest: number;
  /** When each was written; epoch ms. */
  readonly times: readonly number[];
  /** Each as a text of JSON. */
  readonly texts: readonly string[];
}

/** Something worth telling now and nothing later, such as a new candle. */
export interface Notice {
  readonly topic: string;
  readonly payload: unknown;
}

/** Heard by this process for every committed event, in order. */
export const eventCommitted = defineEvent<LoggedEvent>("event.committed");
/** Heard by this process for every notice of any instance. */
export const noticeHeard = defineEvent<Notice>("notice.heard");

/**
 * One order of events for all instances. Events are written in the transaction that makes them true, and read
 * back by every instance after the commit, so none is announced that did not happen and none is lost by a crash
 * between the two.
 */
export interface EventLog {
  /** Writes events as the last act of a transaction. */
  append(sql: Sql, events: readonly { topic: string; payload: unknown }[]): Promise<void>;
  /**
   * Looks for committed events now instead of with the next notification.
   * @param seq number of one that was committed, where it is known: nothing is done where it has been read.
   */
  wake(seq?: number): void;
  /**
   * Tells what a statement commits without reading it, where nothing lies between that and what was read. Notifications
   * that come while it runs may be of it, and wait until it is over.
   * @returns what the statement gives; null where it writes nothing.
   */
  take(writing: Promise<Committed | null>): Promise<Committed | null>;
  /** Tells all instances, this one included, without storing. At most about 7 KB of JSON. */
  announce(notice: Notice): Promise<void>;
  /** Events of one topic or several after a number, oldest first, each with the number before it on its topic. */
  readAfter(topics: string | readonly string[], seq: number, limit: number): Promise<LoggedEvent[]>;
  /** Events of all topics after a number, oldest first. */
  readFrom(seq: number, limit: number): Promise<Omit<LoggedEvent, "previousSeq">[]>;
  /** What became of the events after a number. */
  standingOf(seq: number): Promise<Standing>;
  /** Number of the newest event of one topic or several that is kept, 0 without one. */
  newestOf(topics: string | readonly string[]): Promise<number>;
  /** Forgets events older than this. */
  prune(olderThanMs: number): Promise<number>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** How a number that somebody saw last stands to what is kept. */
export interface Standing {
  /** Whether events after it are gone, of this topic or another. */
  readonly pruned: boolean;
  /** Whether it was given out by this log, as far as can be told. */
  readonly known: boolean;
}

const EVENT_CHANNEL = "tx_events";
const NOTICE_CHANNEL = "tx_notices";
/** Writers take it until their commit, so that numbers become visible in their order. */
const APPEND_LOCK = 7_834_211;
const BATCH = 1_000;
/** So few that deleting them stays far below the time limit of a statement. */
const PRUNE_BATCH = 5_000;
/** Notifications can be missed while a connection is down; this bounds the delay. */
const POLL_EVERY_MS = 1_000;

interface Row {
  topic: string;
  seq: number;
  payload: unknown;
  time: number;
}

const TIME = "extract(epoch from created_at)::float8 * 1000";
const FIELDS = `topic, seq, payload, ${TIME} as time`;

const PRUNE = `
with old as (
  select seq from events where created_at < now() - $1::float8 * interval '1 millisecond' order by created_at limit $2
), gone as (delete from events using old where events.seq = old.seq returning 1)
select count(*) from gone`;

export function createEventLog(database: Database, bus: Bus, log: Log): EventLog {
  const reader = createReader(database, bus, log);
  let unlisten: (() => void)[] = [];

  function hear(payload: string | null): void {
    if (payload === null) return;
    const notice = parseNotice(payload);
    // Whoever may connect may notify, and instances of another version say other things.
    if (notice === null) log.warn({ payload: payload.slice(0, 200) }, "heard what is no notice");
    else bus.publish(noticeHeard, notice);
  }

  return {
    append,
    wake: reader.wake,
    take: reader.take,
    async announce(notice) {
      const text = JSON.stringify(notice);
      if (database.backend() === null) hear(text);
      else await database.query("select pg_notify($1, $2)", [NOTICE_CHANNEL, text]);
    },
    readAfter: (topics, seq, limit) => database.query<LoggedEvent>(READ_AFTER, [[topics].flat(), seq, limit]),
    async standingOf(seq) {
      const [standing] = await database.query<Standing>(STANDING, [seq]);
      return standing;
    },
    readFrom: (seq, limit) => database.query<Row>(READ, [seq, limit]),
    async newestOf(topics) {
      const rows = await database.query<{ seq: number }>(
        "select coalesce(max(seq), 0) as seq from events where topic = any($1::text[])",
        [[topics].flat()],
      );
      return rows[0]?.seq ?? 0;
    },
    async prune(olderThanMs) {
      let pruned = 0;
      for (;;) {
        const rows = await database.query<{ count: number }>(PRUNE, [olderThanMs, PRUNE_BATCH]);
        const count = rows[0]?.count ?? 0;
        pruned += count;
        if (count < PRUNE_BATCH) return pruned;
      }
    },
    async start() {
      await reader.start();
      unlisten = [
        database.listen(EVENT_CHANNEL, (payload) => reader.hear(seqOf(payload))),
        database.listen(NOTICE_CHANNEL, hear),
      ];
    },
    async stop() {
      for (const end of unlisten) end();
      await reader.stop();
    },
  };
}

/** The number that a notification names; those of other versions, and a connection that is new, name none. */
function seqOf(payload: string | null): number | undefined {
  return payload !== null && /^\d{1,15}$/.test(payload) ? Number(payload) : undefined;
}

const noticeSchema = z.object({ topic: z.string(), payload: z.unknown() });

function parseNotice(text: string): Notice | null {
  try {
    return noticeSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** SQL of the newest number that `appending` gave, and of when each event was written. */
export const APPENDED = "(select seq from events_newest)";
export const APPENDED_TIMES = "(select times from events_newest)";

const APPEND = prepared(
  `with ${appending(null, "unnest($1::text[], $2::text[]) with ordinality as e(topic, payload, place)")}
select ${APPENDED}`,
);

async function append(sql: Sql, events: readonly { topic: string; payload: unknown }[]): Promise<void> {
  if (events.length === 0) return;
  await sql.query(APPEND, [
    events.map(({ topic }) => topic),
    events.map(({ payload }) => JSON.stringify(payload)),
  ]);
}

/**
 * Queries of a `with` that append events as part of a statement, which is the last of its transaction or one by itself.
 * That they are done, its last `select` must ask for `APPENDED`: the number of the newest, null where there is none.
 * @param after a query of it that has a row where there is something to tell, and none otherwise; null for always.
 * @param events SQL of rows `e` with `topic`, `payload`, a text of JSON, and `place`, their order.
 */
export function appending(after: string | null, events: string): string {
  return `
events_turn as materialized (select pg_advisory_xact_lock(${APPEND_LOCK})${after === null ? "" : ` from ${after}`}),
events_written as (
  insert into events (topic, payload, created_at)
  select e.topic, e.payload::jsonb, clock_timestamp() from events_turn cross join ${events} order by e.place
  returning seq, created_at
),
events_newest as (
  select max(seq) as seq, array_agg(${TIME} order by seq) as times, pg_notify('${EVENT_CHANNEL}', max(seq)::text) as told
  from events_written having count(*) > 0
)`;
}

/** The one before the first of a topic is looked up: it lies before what is read. */
const READ_AFTER = prepared(`
select ${FIELDS}, coalesce(lag(seq) over (partition by topic order by seq),
  (select max(seq) from events earlier where earlier.topic = found.topic and earlier.seq < found.seq), 0) as "previousSeq"
from (select * from events where topic = any($1::text[]) and seq > $2 order by seq limit $3) as found order by seq`);

const STANDING = prepared(`
select $1 < pruned as pruned, $1 in (0, pruned) or exists (select from events where seq = $1) as known
from coalesce((select pruned from event_marks), 0) as pruned`);

const READ = prepared(`select ${FIELDS} from events where seq > $1 order by seq limit $2`);

/** Tells this process of events in their order. */
function createTeller(bus: Bus) {
  const lastOfTopic = new Map<string, number>();
  let last = 0;

  function pass(topic: string, seq: number): void {
    lastOfTopic.set(topic, seq);
    last = Math.max(last, seq);
  }

  function tell(row: Row): void {
    const event = { previousSeq: lastOfTopic.get(row.topic) ?? 0, ...row };
    pass(row.topic, row.seq);
    bus.publish(eventCommitted, event);
  }

  return {
    /** Number of the newest that was told. */
    last: () => last,
    /** Leaves out what was before. */
    pass,
    tell,
    /**
     * Numbers are given in the order of commits, so that whatever follows the last one that was told is the next.
     * @returns whether others come before them.
     */
    tellCommitted({ topic, newest, times, texts }: Committed): boolean {
      const first = newest - texts.length + 1;
      if (first !== last + 1) return newest > last;
      texts.forEach((text, k) => {
        tell({ topic, seq: first + k, time: times[k], payload: JSON.parse(text) });
      });
      return false;
    },
  };
}

/** Reads committed events in their order, when woken and at least every second. */
function createReader(database: Database, bus: Bus, log: Log) {
  const { last, pass, tell, tellCommitted } = createTeller(bus);
  let running = false;
  /** Number up to which there is something to be read. */
  let wanted = 0;
  let handed: Committed[] = [];
  /** Statements that commit events just now, and what notifications told meanwhile. */
  let writers = 0;
  let heard = 0;
  let rouse: () => void = () => undefined;
  let reading: Promise<void> = Promise.resolve();

  async function drain(): Promise<void> {
    for (;;) {
      const rows = await database.query<Row>(READ, [last(), BATCH]);
      for (const row of rows) tell(row);
      if (rows.length < BATCH) return;
    }
  }

  function tellHanded(): void {
    const given = handed;
    handed = [];
    for (const committed of given) {
      if (tellCommitted(committed)) wanted = Math.max(wanted, committed.newest);
    }
  }

  /** Until there is something, and at most until the next look. @returns whether it is time for that. */
  function rest(): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(true), POLL_EVERY_MS);
      rouse = () => {
        clearTimeout(timer);
        resolve(false);
      };
    });
  }

  async function read(): Promise<void> {
    let due = true;
    while (running) {
      tellHanded();
      let failed = false;
      if (due || wanted > last()) {
        wanted = 0;
        try {
          await drain();
        } catch (error) {
          failed = true;
          log.warn({ reason: messageOf(error) }, "events could not be read; trying again");
        }
      }
      due = failed;
      if ((failed || wanted <= last()) && handed.length === 0 && running) due = (await rest()) || failed;
    }
  }

  function wake(seq = Number.POSITIVE_INFINITY): void {
    if (seq <= last()) return;
    wanted = Math.max(wanted, seq);
    rouse();
  }

  return {
    wake,
    hear(seq = Number.POSITIVE_INFINITY): void {
      if (writers > 0 && seq < Number.POSITIVE_INFINITY) heard = Math.max(heard, seq);
      else wake(seq);
    },
    async take(writing: Promise<Committed | null>): Promise<Committed | null> {
      writers++;
      try {
        const committed = await writing;
        if (running && committed !== null && committed.texts.length > 0) handed.push(committed);
        return committed;
      } finally {
        writers--;
        wanted = Math.max(wanted, heard);
        heard = 0;
        if (handed.length > 0 || wanted > last()) rouse();
      }
    },
    async start(): Promise<void> {
      const rows = await database.query<{ topic: string; seq: number }>(
        "select topic, max(seq) as seq from events group by topic",
      );
      for (const { topic, seq } of rows) pass(topic, seq);
      running = true;
      reading = read();
    },
    async stop(): Promise<void> {
      running = false;
      rouse();
      await reading;
    },
  };
}
