import { sleep } from "../../platform/clock.js";
import type { Sql } from "../../platform/database.js";

/** Open transactions that have written a table, or are about to: each holds this lock from before it draws a number. */
const WRITERS = `
select coalesce(l.virtualtransaction, '') || ' ' || coalesce(l.pid, 0) as writer
from pg_locks l join pg_database d on d.oid = l.database and d.datname = current_database()
where l.locktype = 'relation' and l.relation = 'outcomes'::regclass and l.granted
  and l.mode in ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
  and l.pid is distinct from pg_backend_pid()`;

const EVERY_MS = 20;
/** Writers take milliseconds; one that takes longer is waited for at the next pass. */
const PATIENCE_MS = 1_000;

/**
 * The greatest number such that no open transaction can still commit an outcome with it or a smaller one: numbers are drawn
 * in their order, but not committed in it. Null while a transaction that may have drawn one does not end.
 * Who holds the lock that every insert takes before it draws is looked for after the greatest number was read; once those
 * have ended, all that was drawn by then can be seen or never will be. It needs nothing kept, so it holds over restarts and
 * for any number of processes, and whatever numbers transactions have.
 */
export async function committedOutcome(sql: Sql, patienceMs = PATIENCE_MS): Promise<number | null> {
  const [{ newest }] = await sql.query<{ newest: number }>(
    "select coalesce(max(id), 0) as newest from outcomes",
  );
  const writers = async () => (await sql.query<{ writer: string }>(WRITERS)).map(({ writer }) => writer);
  let open = await writers();
  for (let waitedMs = 0; open.length > 0 && waitedMs < patienceMs; waitedMs += EVERY_MS) {
    await sleep(EVERY_MS);
    const still = new Set(await writers());
    open = open.filter((writer) => still.has(writer));
  }
  return open.length > 0 ? null : newest;
}
