import type { Database, Sql } from "./database.js";

/** The right to run something alone, held for a while and extended by acquiring it again. */
export interface Lease {
  readonly name: string;
  /** Grows with each new holder. */
  readonly token: number;
}

/** Thrown inside a transaction whose lease has passed to another process. */
export class LeaseLostError extends Error {
  override readonly name = "LeaseLostError";
}

export interface Leases {
  /**
   * Takes or extends a lease; null while another process holds it. A holder counts as gone when its time is over
   * or when its database session has ended, so a killed process is succeeded at once.
   */
  acquire(name: string, ttlMs: number): Promise<Lease | null>;
  release(name: string): Promise<void>;
  /** Fails the transaction unless the lease is still held, and keeps it from passing on until the commit. */
  confirm(sql: Sql, lease: Lease): Promise<void>;
}

/** The start of another role's session may be hidden: then its number alone has to do. */
const ACQUIRE = `
insert into leases as held (name, owner, token, expires_at, backend, backend_at)
values ($1, $2, 1, clock_timestamp() + $3::float8 * interval '1 millisecond', $4, $5::timestamp at time zone 'UTC')
on conflict (name) do update set
  owner = excluded.owner, expires_at = excluded.expires_at, backend = excluded.backend,
  backend_at = excluded.backend_at,
  token = held.token + case when held.owner = excluded.owner then 0 else 1 end
where held.owner = excluded.owner
   or held.expires_at < clock_timestamp()
   or (held.backend is not null and not exists (
        select from pg_stat_activity a
        where a.pid = held.backend and coalesce(a.backend_start, held.backend_at) = held.backend_at))
returning token`;

/** @param owner unique name of this process. */
export function createLeases(database: Database, owner: string): Leases {
  return {
    async acquire(name, ttlMs) {
      const backend = database.backend();
      const values = [name, owner, ttlMs, backend?.pid ?? null, backend?.startedAt ?? null];
      const rows = await database.query<{ token: number }>(ACQUIRE, values);
      const token = rows[0]?.token;
      return token === undefined ? null : { name, token };
    },
    async release(name) {
      await database.query("update leases set expires_at = '-infinity' where name = $1 and owner = $2", [
        name,
        owner,
      ]);
    },
    async confirm(sql, lease) {
      const rows = await sql.query("select from leases where name = $1 and token = $2 for share", [
        lease.name,
        lease.token,
      ]);
      if (rows.length === 0) throw new LeaseLostError(`lease ${lease.name} has passed to another process`);
    },
  };
}
