import type { Database } from "../../platform/database.js";
import { AppError } from "../../platform/errors.js";
import type { Lease } from "../../platform/lease.js";
import { prepared } from "../../platform/prepared.js";

/** Rows of a group that were sent as one batch under a key. */
export interface KeyedPart {
  readonly key: string;
  readonly from: number;
  readonly to: number;
  /** Of all that was sent, where that was more than these rows. */
  readonly fingerprint?: string;
}

/** Ticks that are taken in together; one without rows says that time has passed. */
export interface TickGroup {
  /** Place in the order of all groups, from 1. */
  readonly sequence: number;
  /** When they arrived, epoch ms. */
  readonly receivedAt: number;
  readonly ticks: number;
  /** As `encodeGroup` writes it. */
  readonly frame: Uint8Array;
  readonly parts: readonly KeyedPart[];
}

/** What was taken in, in its order, before anything is made of it: what a restart begins from. */
export interface TickLog {
  /**
   * Keeps a group for good.
   * @throws {AppError} `pipeline_elsewhere` where another process has taken over; `database_unavailable` and others where
   * it is not known whether it was kept: the same group is then to be appended again, which keeps it once.
   */
  append(group: TickGroup): Promise<void>;
  /** Groups after a place, in order, at most so many. */
  readAfter(sequence: number, limit: number): Promise<TickGroup[]>;
  /** Place of the newest group; 0 for none. */
  newest(): Promise<number>;
  /** Forgets groups up to a place that arrived before an instant, epoch ms. @returns how many. */
  forget(upTo: number, receivedBefore: number): Promise<number>;
}

/** Null where another process holds the lease. */
const APPEND = prepared(`
with kept as (
  insert into tick_batches (market, sequence, received_at, ticks, frame, parts)
  select $1, $2, to_timestamp($3::float8 / 1000), $4, $5, $6::jsonb
  where exists (select from leases where name = $7 and token = $8)
  on conflict do nothing returning sequence)
select exists (select from kept) as kept`);

interface Row {
  sequence: number;
  receivedAt: number;
  ticks: number;
  frame: Buffer;
  parts: KeyedPart[];
}

const FIELDS = `sequence, (extract(epoch from received_at) * 1000)::float8 as "receivedAt", ticks, frame, parts`;

/** Groups in Postgres. @param lease of the process that alone may append. */
export function createTickLog(database: Database, market: string, lease: () => Lease): TickLog {
  /** Whether it is this group that is kept there, and not one with the same ticks that arrived another time. */
  async function isKept({ sequence, receivedAt, frame, parts }: TickGroup): Promise<boolean> {
    const [row] = await database.query<{ same: boolean }>(
      `select frame = $3 and received_at = to_timestamp($4::float8 / 1000) and parts = $5::jsonb as same
       from tick_batches where market = $1 and sequence = $2`,
      [market, sequence, Buffer.from(frame), receivedAt, JSON.stringify(parts)],
    );
    return row?.same === true;
  }

  return {
    async append(group) {
      const { sequence, receivedAt, ticks, frame, parts } = group;
      const { name, token } = lease();
      const values = [market, sequence, receivedAt, ticks, Buffer.from(frame), JSON.stringify(parts)];
      const [row] = await database.query<{ kept: boolean }>(APPEND, [...values, name, token]);
      if (row.kept || (await isKept(group))) return;
      throw new AppError("pipeline_elsewhere", "Another process takes ticks now");
    },
    async readAfter(sequence, limit) {
      const rows = await database.query<Row>(
        `select ${FIELDS} from tick_batches where market = $1 and sequence > $2 order by sequence limit $3`,
        [market, sequence, limit],
      );
      return rows.map((row) => ({ ...row, frame: new Uint8Array(row.frame) }));
    },
    async newest() {
      const [row] = await database.query<{ newest: number }>(
        "select coalesce(max(sequence), 0) as newest from tick_batches where market = $1",
        [market],
      );
      return row.newest;
    },
    async forget(upTo, receivedBefore) {
      const [row] = await database.query<{ count: number }>(
        `with gone as (delete from tick_batches where market = $1 and sequence <= $2
           and received_at < to_timestamp($3::float8 / 1000) returning 1)
         select count(*) as count from gone`,
        [market, upTo, receivedBefore],
      );
      return row.count;
    },
  };
}
