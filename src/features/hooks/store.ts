import type { Database } from "../../platform/database.js";
import { isTaken } from "../../platform/database-errors.js";
import { epochMs } from "../../platform/sql-epoch.js";
import { takeTurn } from "../../platform/turns.js";

export const HOOK_MODES = ["log", "notice", "order"] as const;
export type HookMode = (typeof HOOK_MODES)[number];

/** What may be changed of a hook. */
export interface HookTerms {
  readonly name: string;
  readonly mode: HookMode;
  readonly accountId: string | null;
  readonly symbols: readonly string[];
  readonly maxOrderValue: number | null;
  readonly maxOrdersADay: number | null;
  readonly sources: readonly string[];
  readonly perMinute: number;
  readonly dedupeMinutes: number;
  readonly maxAgeS: number;
  readonly enabled: boolean;
}

export interface Hook extends HookTerms {
  readonly id: string;
  readonly userId: string;
  /** Epoch ms. */
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** Of one user at most. */
export const MOST_HOOKS = 50;

export const HOOK_FIELDS = [
  `h.id, h.user_id as "userId", h.name, h.mode, h.account_id as "accountId", h.symbols, h.sources, h.enabled`,
  `h.max_order_value as "maxOrderValue", h.max_orders_a_day as "maxOrdersADay", h.per_minute as "perMinute"`,
  `h.dedupe_minutes as "dedupeMinutes", h.max_age_s as "maxAgeS"`,
  epochMs("h.created_at", "createdAt"),
  epochMs("h.updated_at", "updatedAt"),
].join(", ");

const CREATE = `
insert into hooks as h (id, user_id, digest, name, mode, account_id, symbols, max_order_value, max_orders_a_day, sources,
  per_minute, dedupe_minutes, max_age_s, enabled, created_at, updated_at)
select gen_random_uuid(), $1, $2, $3, $4::hook_mode, $5::uuid, $6::text[], $7, $8, $9::text[], $10, $11, $12, $13,
  to_timestamp($14::float8 / 1000), to_timestamp($14::float8 / 1000)
where (select count(*) from hooks where user_id = $1) < $15
returning ${HOOK_FIELDS}`;

/** Column and type of each term, in the order of the table. */
const COLUMNS: Readonly<Record<keyof HookTerms, string>> = {
  name: "name = $::text",
  mode: "mode = $::hook_mode",
  accountId: "account_id = $::uuid",
  symbols: "symbols = $::text[]",
  maxOrderValue: "max_order_value = $::float8",
  maxOrdersADay: "max_orders_a_day = $::int",
  sources: "sources = $::text[]",
  perMinute: "per_minute = $::int",
  dedupeMinutes: "dedupe_minutes = $::int",
  maxAgeS: "max_age_s = $::int",
  enabled: "enabled = $::boolean",
};
const TERMS = Object.keys(COLUMNS) as (keyof HookTerms)[];

/** What orders of a hook go to; a change of it is computed from what it was. */
export type HookGoal = Pick<HookTerms, "mode" | "accountId">;

/** Of those terms alone that change, so that two changes at once leave both. */
function updateOf(terms: readonly (keyof HookTerms)[]): string {
  const set = terms.map((term, i) => COLUMNS[term].replace("$", `$${i + 6}`));
  return `
update hooks as h set ${[...set, "updated_at = to_timestamp($3::float8 / 1000)"].join(", ")}
where h.user_id = $1 and h.id = $2::uuid
  and ($4::hook_mode is null or (h.mode = $4::hook_mode and h.account_id is not distinct from $5::uuid))
returning ${HOOK_FIELDS}`;
}

export function createHookStore(database: Database) {
  const one = async <Row extends object>(text: string, values: readonly unknown[]): Promise<Row | null> =>
    (await database.query<Row>(text, values))[0] ?? null;

  return {
    list: (userId: string) =>
      database.query<Hook>(
        `select ${HOOK_FIELDS} from hooks h where user_id = $1 order by h.created_at desc, h.id`,
        [userId],
      ),
    find: (userId: string, id: string) =>
      one<Hook>(`select ${HOOK_FIELDS} from hooks h where user_id = $1 and id = $2::uuid`, [userId, id]),
    findByDigest: (digest: string) =>
      one<Hook>(`select ${HOOK_FIELDS} from hooks h where digest = $1`, [digest]),

    /** @returns "full" where the user has as many as may be, "taken" where there is one of the name. */
    create: (userId: string, digest: string, terms: HookTerms, nowMs: number) =>
      freeName(() =>
        database.transaction(async (sql): Promise<Hook | "full"> => {
          await takeTurn(sql, "hooks", userId);
          const values = [userId, digest, ...TERMS.map((term) => terms[term]), nowMs, MOST_HOOKS];
          const [made] = await sql.query<Hook>(CREATE, values);
          return made ?? "full";
        }),
      ),
    /** @param from what another goal was computed from. @returns null where there is no such hook, or it has another goal now. */
    update: (userId: string, id: string, changes: Partial<HookTerms>, from: HookGoal | null, nowMs: number) =>
      freeName(() => {
        const named = TERMS.filter((term) => changes[term] !== undefined);
        const values = [nowMs, from?.mode ?? null, from?.accountId ?? null];
        const given = named.map((term) => changes[term]);
        return one<Hook>(updateOf(named), [userId, id, ...values, ...given]);
      }),
    rotate: (userId: string, id: string, digest: string, nowMs: number) =>
      one<Hook>(
        `update hooks h set digest = $3, updated_at = to_timestamp($4::float8 / 1000)
         where user_id = $1 and id = $2::uuid returning ${HOOK_FIELDS}`,
        [userId, id, digest, nowMs],
      ),
    async delete(userId: string, id: string): Promise<boolean> {
      const gone = await database.query(
        "delete from hooks where user_id = $1 and id = $2::uuid returning id",
        [userId, id],
      );
      return gone.length > 0;
    },
  };
}

export type HookStore = ReturnType<typeof createHookStore>;

async function freeName<T>(work: () => Promise<T>): Promise<T | "taken"> {
  try {
    return await work();
  } catch (error) {
    if (isTaken(error, "hooks_user_id_name_key")) return "taken";
    throw error;
  }
}
