import type { Database } from "../../platform/database.js";
import { isTaken } from "../../platform/database-errors.js";
import { epochMs } from "../../platform/sql-epoch.js";

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

const UPDATE = `
update hooks as h set name = $3, mode = $4::hook_mode, account_id = $5::uuid, symbols = $6::text[], max_order_value = $7,
  max_orders_a_day = $8, sources = $9::text[], per_minute = $10, dedupe_minutes = $11, max_age_s = $12, enabled = $13,
  updated_at = to_timestamp($14::float8 / 1000)
where h.user_id = $1 and h.id = $2::uuid returning ${HOOK_FIELDS}`;

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
      freeName(async () => {
        const values = [userId, digest, ...valuesOf(terms), nowMs, MOST_HOOKS];
        return (await one<Hook>(CREATE, values)) ?? "full";
      }),
    /** @returns null where there is no such hook. */
    update: (userId: string, id: string, terms: HookTerms, nowMs: number) =>
      freeName(() => one<Hook>(UPDATE, [userId, id, ...valuesOf(terms), nowMs])),
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

function valuesOf(terms: HookTerms): readonly unknown[] {
  const { name, mode, accountId, symbols, maxOrderValue, maxOrdersADay, sources } = terms;
  const { perMinute, dedupeMinutes, maxAgeS, enabled } = terms;
  return [
    ...[name, mode, accountId, symbols, maxOrderValue, maxOrdersADay, sources],
    ...[perMinute, dedupeMinutes, maxAgeS, enabled],
  ];
}
