import type { CorporateAction } from "../../core/market/actions.js";
import type { Database, Sql } from "../../platform/database.js";
import { numberArray, textArray } from "../../platform/sql-array.js";

/** An action as a source told it, and how long it has been told so. */
export interface StoredAction {
  readonly action: CorporateAction;
  readonly source: string;
  readonly firstSeenMs: number;
  /** Since when it was known; null where nobody had asked before: since its ex-day. */
  readonly knownFromMs: number | null;
  /** When it was told otherwise or no longer; null while it stands. */
  readonly restatedMs: number | null;
}

/** When a source was first and last asked for the actions of an instrument, epoch ms. */
export interface ActionAsk {
  readonly source: string;
  readonly firstMs: number;
  readonly lastMs: number;
}

const LOAD = `
select id, kind, ex_day as day, ratio, amount::float8 as amount, currency, source,
  (extract(epoch from first_seen) * 1000)::float8 as "firstSeenMs",
  (extract(epoch from known_from) * 1000)::float8 as "knownFromMs",
  (extract(epoch from restated_at) * 1000)::float8 as "restatedMs"
from corporate_actions where instrument_id = $1 order by ex_day, id`;

const INSERT = `
insert into corporate_actions (instrument_id, kind, ex_day, ratio, amount, currency, source, first_seen, known_from)
select $1, a.kind, a.day::int, nullif(a.ratio, 'NaN'), nullif(a.amount, 'NaN')::numeric, a.currency, $2,
  to_timestamp($3::float8 / 1000), case when $4::boolean then to_timestamp($3::float8 / 1000) end
from unnest($5::text[], $6::float8[], $7::float8[], $8::float8[], $9::text[]) as a(kind, day, ratio, amount, currency)`;

const ASKED = `
insert into corporate_action_asks (instrument_id, source, first_asked_at, asked_at)
values ($1, $2, to_timestamp($3::float8 / 1000), to_timestamp($3::float8 / 1000))
on conflict (instrument_id, source) do update set asked_at = excluded.asked_at`;

interface Row {
  id: number;
  kind: string;
  day: number;
  ratio: number | null;
  amount: number | null;
  currency: string | null;
  source: string;
  firstSeenMs: number;
  knownFromMs: number | null;
  restatedMs: number | null;
}

/** Splits and dividends as facts: nothing is overwritten. */
export function createActionStore(database: Database) {
  const rowsOf = (sql: Sql, instrumentId: number) => sql.query<Row>(LOAD, [instrumentId]);

  return {
    /** All that was ever told of an instrument, by ex-day, and who was asked. */
    async load(instrumentId: number): Promise<{ actions: StoredAction[]; asks: ActionAsk[] }> {
      const rows = await rowsOf(database, instrumentId);
      const asks = await database.query<ActionAsk>(
        `select source, (extract(epoch from first_asked_at) * 1000)::float8 as "firstMs",
           (extract(epoch from asked_at) * 1000)::float8 as "lastMs"
         from corporate_action_asks where instrument_id = $1 order by asked_at, source`,
        [instrumentId],
      );
      return { actions: rows.map(storedAction), asks };
    },

    /**
     * Writes down all that a source tells now: what is new, and that what it no longer tells is restated. The first answer
     * of a source counts from each ex-day, later ones from when they were given.
     */
    async record(
      instrumentId: number,
      source: string,
      told: readonly CorporateAction[],
      atMs: number,
    ): Promise<{ added: number; restated: number }> {
      return database.transaction(async (sql) => {
        await sql.query("select pg_advisory_xact_lock($1, hashtext($2))", [
          instrumentId,
          `actions ${source}`,
        ]);
        const [asked] = await sql.query<{ n: number }>(
          "select count(*) as n from corporate_action_asks where instrument_id = $1 and source = $2",
          [instrumentId, source],
        );
        const standing = (await rowsOf(sql, instrumentId)).filter(
          (row) => row.source === source && row.restatedMs === null,
        );
        const { added, gone } = differences(standing, told);
        if (gone.length > 0) {
          await sql.query(
            "update corporate_actions set restated_at = to_timestamp($2::float8 / 1000) where id = any($1::bigint[])",
            [numberArray(gone), atMs],
          );
        }
        if (added.length > 0) {
          await sql.query(INSERT, [instrumentId, source, atMs, asked.n > 0, ...columnsOf(added)]);
        }
        await sql.query(ASKED, [instrumentId, source, atMs]);
        return { added: added.length, restated: gone.length };
      });
    },
  };
}

export type ActionStore = ReturnType<typeof createActionStore>;

const keyOf = (action: CorporateAction): string =>
  action.kind === "split"
    ? `split ${action.exDay} ${action.ratio}`
    : `dividend ${action.exDay} ${action.amount} ${action.currency}`;

/** Several actions of a day may be alike, so that each standing one answers for one that is told. */
function differences(
  standing: readonly Row[],
  told: readonly CorporateAction[],
): { added: CorporateAction[]; gone: number[] } {
  const left = new Map<string, number[]>();
  for (const row of standing) {
    const key = keyOf(actionOf(row));
    left.set(key, [...(left.get(key) ?? []), row.id]);
  }
  const added = told.filter((action) => left.get(keyOf(action))?.shift() === undefined);
  return { added, gone: [...left.values()].flat() };
}

function columnsOf(actions: readonly CorporateAction[]): string[] {
  return [
    textArray(actions.map(({ kind }) => kind)),
    numberArray(actions.map(({ exDay }) => exDay)),
    numberArray(actions.map((action) => (action.kind === "split" ? action.ratio : Number.NaN))),
    numberArray(actions.map((action) => (action.kind === "dividend" ? action.amount : Number.NaN))),
    textArray(actions.map((action) => (action.kind === "dividend" ? action.currency : null))),
  ];
}

function actionOf({ kind, day, ratio, amount, currency }: Row): CorporateAction {
  return kind === "split"
    ? { kind, exDay: day, ratio: ratio ?? 1 }
    : { kind: "dividend", exDay: day, amount: amount ?? 0, currency: currency ?? "" };
}

function storedAction({ source, firstSeenMs, knownFromMs, restatedMs, ...row }: Row): StoredAction {
  return {
    action: actionOf({ ...row, source, firstSeenMs, knownFromMs, restatedMs }),
    source,
    firstSeenMs,
    knownFromMs,
    restatedMs,
  };
}
