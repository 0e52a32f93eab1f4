import type { Database, Sql } from "../../platform/database.js";
import { HALT_LEDGER } from "../paper-trades/recovery.js";

/** An account that did something since its trades were looked at, and does not contradict its ledger. */
export interface BehindAccount {
  readonly id: string;
  readonly userId: string;
  /** Number of the last event that was looked at; 0 for none. */
  readonly since: number;
}

const BEHIND = `
select a.id, a.user_id as "userId", coalesce(c.seq, 0)::float8 as since
from paper_accounts a left join outcome_cursors c on c.account_id = a.id
where a.synthetic = $1 and a.halt is distinct from '${HALT_LEDGER}' and a.seq > coalesce(c.seq, 0)
order by a.created_at, a.id`;

export function createCursorStore(database: Database, synthetic: boolean) {
  return {
    behind: () => database.query<BehindAccount>(BEHIND, [synthetic]),
    /** Never backwards. */
    async move(sql: Sql, accountId: string, seq: number): Promise<void> {
      await sql.query(
        `insert into outcome_cursors (account_id, seq) values ($1, $2)
         on conflict (account_id) do update set seq = greatest(outcome_cursors.seq, excluded.seq)`,
        [accountId, seq],
      );
    },
  };
}

export type CursorStore = ReturnType<typeof createCursorStore>;
