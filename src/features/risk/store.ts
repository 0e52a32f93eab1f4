import type { Database, Sql } from "../../platform/database.js";

/** Confirmations that were used, until they would have ended anyway. */
export interface RedemptionStore {
  /** Within a transaction where one is given. @returns false when it was used before; two callers at once have one winner. */
  redeem(nonce: string, userId: string, expiresAt: number, sql?: Sql): Promise<boolean>;
  isRedeemed(nonce: string): Promise<boolean>;
}

const HOUR_MS = 3_600_000;

export function createRedemptionStore(database: Database, now: () => number): RedemptionStore {
  return {
    async redeem(nonce, userId, expiresAt, sql = database) {
      const rows = await sql.query(
        `insert into redemptions (nonce, user_id, expires_at) values ($1, $2, to_timestamp($3::float8 / 1000))
         on conflict (nonce) do nothing returning nonce`,
        [nonce, userId, expiresAt],
      );
      // Long after its end a token is refused for that; an hour bears clocks that differ.
      await sql.query("delete from redemptions where expires_at < to_timestamp($1::float8 / 1000)", [
        now() - HOUR_MS,
      ]);
      return rows.length > 0;
    },
    async isRedeemed(nonce) {
      return (await database.query("select 1 from redemptions where nonce = $1", [nonce])).length > 0;
    },
  };
}
