import type { Database, Sql } from "../../platform/database.js";
import { epochMs } from "../../platform/sql-epoch.js";
import type { Fields } from "./body.js";
import { HOOK_FIELDS, type Hook } from "./store.js";

export const CALL_STATUSES = [
  ...["waiting", "logged", "noticed", "ordered", "refused"],
  ...["duplicate", "turned_away"],
] as const;

/** What became of a call: where it came from, what it said, and what was done. */
export interface HookCall {
  readonly id: number;
  readonly hookId: string;
  /** Epoch ms. */
  readonly receivedAt: number;
  readonly source: string;
  readonly contentType: string;
  readonly body: string;
  readonly digest: string;
  readonly givenId: string | null;
  readonly fields: Fields | null;
  readonly problem: string | null;
  readonly status: string;
  readonly duplicateOf: number | null;
  readonly accountId: string | null;
  readonly orderId: string | null;
  readonly code: string | null;
  readonly detail: string | null;
  readonly settledAt: number | null;
}

export type NewCall = Pick<
  HookCall,
  | "hookId"
  | "receivedAt"
  | "source"
  | "contentType"
  | "body"
  | "digest"
  | "givenId"
  | "fields"
  | "problem"
  | "status"
  | "code"
  | "detail"
>;

/** What a call ends with. */
export interface Outcome {
  readonly status: "logged" | "noticed" | "ordered" | "refused" | "duplicate";
  readonly duplicateOf?: number;
  readonly accountId?: string;
  readonly orderId?: string;
  readonly opens?: boolean;
  readonly code?: string;
  readonly detail?: string;
}

const CALL = [
  `c.id, c.hook_id as "hookId", c.source, c.content_type as "contentType", c.body, c.digest, c.given_id as "givenId"`,
  `c.fields, c.problem, c.status, c.duplicate_of as "duplicateOf", c.account_id as "accountId"`,
  `c.order_id as "orderId", c.code, c.detail`,
  epochMs("c.received_at", "receivedAt"),
  epochMs("c.settled_at", "settledAt"),
].join(", ");

const ADD_CALL = `
insert into hook_calls (hook_id, received_at, source, content_type, body, digest, given_id, fields, problem, status, code,
  detail, settled_at)
select id, to_timestamp($2::float8 / 1000), $3, $4, $5, $6, $7, $8::jsonb, $9, $10::hook_call_status, $11, $12,
  case when $10::hook_call_status = 'waiting' then null else to_timestamp($2::float8 / 1000) end
from hooks where id = $1::uuid returning id`;

/** What has been settled of the same id, whenever; or of the same text, within a while. Those turned away count for nothing. */
const SAME = `
select coalesce(duplicate_of, id) as id from hook_calls
where hook_id = $1::uuid and id <> $2 and status not in ('waiting', 'turned_away', 'duplicate') and (
  given_id = $3 or ($3::text is null and given_id is null and digest = $4
    and received_at >= to_timestamp($5::float8 / 1000) and received_at <= to_timestamp($6::float8 / 1000)))
order by id limit 1`;

const SETTLE = `
update hook_calls c set status = $2::hook_call_status, duplicate_of = $3, account_id = $4::uuid, order_id = $5,
  opens = $6, code = $7, detail = $8, settled_at = to_timestamp($9::float8 / 1000)
where id = $1 and status = 'waiting' returning ${CALL}`;

export function createCallStore(database: Database) {
  const one = async <Row extends object>(text: string, values: readonly unknown[]): Promise<Row | null> =>
    (await database.query<Row>(text, values))[0] ?? null;

  return {
    /** @returns its number; null where the hook is gone. */
    async add(call: NewCall): Promise<number | null> {
      const { hookId, receivedAt, source, contentType, body, digest, givenId, fields } = call;
      const values = [hookId, receivedAt, source, contentType, body, digest, givenId];
      const said = fields === null ? null : JSON.stringify(fields);
      const row = await one<{ id: number }>(ADD_CALL, [
        ...values,
        said,
        call.problem,
        call.status,
        call.code,
        call.detail,
      ]);
      return row?.id ?? null;
    },
    /** The newest first. @param before number of a call; null for the newest. */
    list: (hookId: string, status: string | null, before: number | null, limit: number) =>
      database.query<HookCall>(
        `select ${CALL} from hook_calls c where hook_id = $1::uuid and ($2::text is null or status::text = $2)
         and ($3::bigint is null or id < $3) order by id desc limit $4`,
        [hookId, status, before, limit],
      ),
    find: (hookId: string, id: number) =>
      one<HookCall>(`select ${CALL} from hook_calls c where hook_id = $1::uuid and id = $2`, [hookId, id]),

    /** Calls that wait, with their hooks, the oldest first. @param except hooks whose calls wait for something else. */
    async waiting(except: readonly string[], limit: number): Promise<{ call: HookCall; hook: Hook }[]> {
      const calls = await database.query<HookCall>(
        `select ${CALL} from hook_calls c where status = 'waiting' and hook_id <> all($1::uuid[]) order by id limit $2`,
        [except, limit],
      );
      const ids = [...new Set(calls.map(({ hookId }) => hookId))];
      if (ids.length === 0) return [];
      const hooks = await database.query<Hook>(
        `select ${HOOK_FIELDS} from hooks h where id = any($1::uuid[])`,
        [ids],
      );
      const byId = new Map(hooks.map((hook) => [hook.id, hook]));
      return calls.flatMap((call) => {
        const hook = byId.get(call.hookId);
        return hook === undefined ? [] : [{ call, hook }];
      });
    },
    /** The call that one repeats; null for none. */
    async same(call: HookCall, windowMs: number): Promise<number | null> {
      const { hookId, id, givenId, digest, receivedAt } = call;
      const values = [hookId, id, givenId, digest, receivedAt - windowMs, receivedAt + windowMs];
      return (await one<{ id: number }>(SAME, values))?.id ?? null;
    },
    /** Orders of a hook since an instant that could open something. */
    async opened(hookId: string, sinceMs: number): Promise<number> {
      const row = await one<{ count: number }>(
        `select count(*)::int as count from hook_calls
         where hook_id = $1::uuid and status = 'ordered' and opens and settled_at >= to_timestamp($2::float8 / 1000)`,
        [hookId, sinceMs],
      );
      return row?.count ?? 0;
    },
    /** Ends a call within a transaction. @returns null where it has ended before, or is gone. */
    async settle(sql: Sql, id: number, outcome: Outcome, nowMs: number): Promise<HookCall | null> {
      const { status, duplicateOf = null, accountId = null, orderId = null, opens = false } = outcome;
      const { code = null, detail = null } = outcome;
      const values = [id, status, duplicateOf, accountId, orderId, opens, code, detail, nowMs];
      return (await sql.query<HookCall>(SETTLE, values))[0] ?? null;
    },
    /** Forgets calls that ended before an instant; of those with an id of their own the id stays. */
    async prune(beforeMs: number): Promise<void> {
      const old = "received_at < to_timestamp($1::float8 / 1000) and status <> 'waiting'";
      await database.query(`delete from hook_calls where given_id is null and ${old}`, [beforeMs]);
      await database.query(
        `update hook_calls set body = '', fields = null where given_id is not null and body <> '' and ${old}`,
        [beforeMs],
      );
    },
  };
}

export type CallStore = ReturnType<typeof createCallStore>;
