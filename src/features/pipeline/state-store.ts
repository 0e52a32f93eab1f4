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

/** States that are read by one statement. */
const PAGE = 32;

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
      const all: KeptState[] = [];
      for (let after = ""; ; after = all[all.length - 1].symbol) {
        const rows = await database.query<KeptState & { state: Buffer }>(
          `select symbol, sequence, layout, state from pipeline_states where market = $1 and symbol > $2
           order by symbol limit $3`,
          [market, after, PAGE],
        );
        for (const row of rows) all.push({ ...row, state: new Uint8Array(row.state) });
        if (rows.length < PAGE) return all;
      }
    },
  };
}

export type StateStore = ReturnType<typeof createStateStore>;
