import type { Database } from "../../platform/database.js";
import { takeTurn } from "../../platform/turns.js";

/** Instruments that a user keeps an eye on. */
export interface Watchlist {
  readonly id: string;
  readonly name: string;
  /** In the order in which they came, none twice. */
  readonly symbols: readonly string[];
  /** Epoch ms. */
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** Which list of a user: by its id, a UUID, or by its name. */
export type WatchlistKey = { readonly id: string } | { readonly name: string };

export interface WatchlistStore {
  /** The newest first. */
  list(userId: string): Promise<Watchlist[]>;
  find(userId: string, key: WatchlistKey): Promise<Watchlist | null>;
  /** @returns "taken" where the user has one of that name, "full" where it has as many as may be. */
  create(userId: string, name: string, symbols: readonly string[]): Promise<Watchlist | "taken" | "full">;
  /** @param symbols null to leave them. @returns "taken" where another has the name, null where there is no such list. */
  replace(
    userId: string,
    key: WatchlistKey,
    name: string,
    symbols: readonly string[] | null,
  ): Promise<Watchlist | "taken" | null>;
  /** Puts a symbol at the end unless it is there. @returns "full" where it holds as many as may be. */
  add(userId: string, key: WatchlistKey, symbol: string): Promise<Watchlist | "full" | null>;
  /** @returns null where there is no such list, or the symbol is not in it. */
  remove(userId: string, key: WatchlistKey, symbol: string): Promise<Watchlist | null>;
  delete(userId: string, key: WatchlistKey): Promise<boolean>;
}

/** Lists of a user, and symbols of a list, at most. */
export const MOST_LISTS = 200;
export const MOST_SYMBOLS = 500;

const FIELDS = `id, name, symbols, extract(epoch from created_at)::float8 * 1000 as "createdAt",
  extract(epoch from updated_at)::float8 * 1000 as "updatedAt"`;
const OWN = "user_id = $1 and (id = $2::uuid or name = $3)";

const CREATE = `
insert into watchlists (id, user_id, name, symbols)
select gen_random_uuid(), $1, $2, $3::text[] where (select count(*) from watchlists where user_id = $1) < $4
on conflict (user_id, name) do nothing returning ${FIELDS}`;

const REPLACE = `
update watchlists set name = $4, symbols = coalesce($5::text[], symbols), updated_at = now()
where ${OWN} and not exists (select from watchlists o where o.user_id = $1 and o.name = $4 and o.id <> watchlists.id)
returning ${FIELDS}`;

const ADD = `
update watchlists set symbols = case when $4 = any(symbols) then symbols else array_append(symbols, $4) end,
  updated_at = now()
where ${OWN} and ($4 = any(symbols) or cardinality(symbols) < $5) returning ${FIELDS}`;

const REMOVE = `
update watchlists set symbols = array_remove(symbols, $4), updated_at = now()
where ${OWN} and $4 = any(symbols) returning ${FIELDS}`;

export function createWatchlistStore(database: Database): WatchlistStore {
  const one = async (text: string, values: readonly unknown[]): Promise<Watchlist | null> =>
    (await database.query<Watchlist>(text, values))[0] ?? null;

  async function find(userId: string, key: WatchlistKey): Promise<Watchlist | null> {
    return one(`select ${FIELDS} from watchlists where ${OWN}`, [userId, ...placeOf(key)]);
  }

  return {
    find,
    list: (userId) =>
      database.query<Watchlist>(
        `select ${FIELDS} from watchlists where user_id = $1 order by created_at desc, id desc`,
        [userId],
      ),
    async create(userId, name, symbols) {
      const [made = null] = await database.transaction(async (sql) => {
        await takeTurn(sql, "watchlists", userId);
        return sql.query<Watchlist>(CREATE, [userId, name, symbols, MOST_LISTS]);
      });
      return made ?? ((await find(userId, { name })) === null ? "full" : "taken");
    },
    async replace(userId, key, name, symbols) {
      const changed = await one(REPLACE, [userId, ...placeOf(key), name, symbols]);
      return changed ?? ((await find(userId, key)) === null ? null : "taken");
    },
    async add(userId, key, symbol) {
      const changed = await one(ADD, [userId, ...placeOf(key), symbol, MOST_SYMBOLS]);
      return changed ?? ((await find(userId, key)) === null ? null : "full");
    },
    remove: (userId, key, symbol) => one(REMOVE, [userId, ...placeOf(key), symbol]),
    async delete(userId, key) {
      const gone = await database.query(`delete from watchlists where ${OWN} returning id`, [
        userId,
        ...placeOf(key),
      ]);
      return gone.length > 0;
    },
  };
}

/** Id and name, null for that which is not said. */
function placeOf(key: WatchlistKey): [id: string | null, name: string | null] {
  return "id" in key ? [key.id, null] : [null, key.name];
}
