import type { Database, Sql } from "../../platform/database.js";
import { textArray } from "../../platform/sql-array.js";

/** All that the pipeline knows of a symbol after a group of ticks. */
export interface KeptState {
  readonly symbol: string;
  /** Of the group it stands after. */
  readonly sequence: number;
  readonly layout: string;
  readonly state: Uint8Array;
}

export function createStateStore(database: Database, market: string) {
  return {
    async save(sql: Sql, states: readonly KeptState[]): Promise<void> {
      if (states.length === 0) return;
      await sql.query(
        `insert into pipeline_states (market, symbol, sequence, layout, state)
         select $1, s.symbol, s.sequence, s.layout, decode(s.state, 'base64')
         from unnest($2::text[], $3::bigint[], $4::text[], $5::text[]) as s(symbol, sequence, layout, state)
         on conflict (market, symbol) do update set sequence = excluded.sequence, layout = excluded.layout,
           state = excluded.state, saved_at = now()
         where pipeline_states.sequence <= excluded.sequence`,
        [
          market,
          textArray(states.map(({ symbol }) => symbol)),
          `{${states.map(({ sequence }) => sequence).join(",")}}`,
          textArray(states.map(({ layout }) => layout)),
          textArray(states.map(({ state }) => Buffer.from(state).toString("base64"))),
        ],
      );
    },

    async loadAll(): Promise<KeptState[]> {
      const rows = await database.query<KeptState & { state: Buffer }>(
        "select symbol, sequence, layout, state from pipeline_states where market = $1 order by symbol",
        [market],
      );
      return rows.map((row) => ({ ...row, state: new Uint8Array(row.state) }));
    },
  };
}

export type StateStore = ReturnType<typeof createStateStore>;
