import type { Sql } from "./database.js";

/**
 * Waits until no other transaction is at the same work for a user, and keeps others from it until this one is over. For what a
 * statement cannot see by itself, such as how many rows of a user others are about to add.
 * @param work a name that is the same wherever it must be done in turn.
 */
export async function takeTurn(sql: Sql, work: string, userId: string): Promise<void> {
  await sql.query("select pg_advisory_xact_lock(hashtextextended($1, 9))", [`${work}:${userId}`]);
}
