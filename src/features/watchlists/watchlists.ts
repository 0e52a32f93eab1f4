import { AppError } from "../../platform/errors.js";
import type { Instruments } from "../instruments/instruments.js";
import { MOST_LISTS, MOST_SYMBOLS, type Watchlist, type WatchlistKey, type WatchlistStore } from "./store.js";

/**
 * Watchlists of users. Symbols may be in any spelling, and are kept as instruments are called.
 * @throws {AppError} `watchlist_not_found`, also for another's; `conflict` for a name that is taken and for more lists or
 * symbols than may be; as `Instruments.resolve` for symbols that are none.
 */
export interface Watchlists {
  /** The newest first. */
  list(userId: string): Promise<Watchlist[]>;
  get(userId: string, key: WatchlistKey): Promise<Watchlist>;
  create(userId: string, name: string, symbols: readonly string[]): Promise<Watchlist>;
  /** @param symbols undefined to leave them. */
  replace(
    userId: string,
    key: WatchlistKey,
    name: string,
    symbols: readonly string[] | undefined,
  ): Promise<Watchlist>;
  /** Puts a symbol at the end unless it is there. */
  add(userId: string, key: WatchlistKey, symbol: string): Promise<Watchlist>;
  /** Also throws `symbol_unknown` where it is not in the list. */
  remove(userId: string, key: WatchlistKey, symbol: string): Promise<Watchlist>;
  delete(userId: string, key: WatchlistKey): Promise<void>;
}

export function createWatchlists(options: {
  readonly store: WatchlistStore;
  readonly instruments: Pick<Instruments, "identify" | "resolve">;
}): Watchlists {
  const { store, instruments } = options;

  /** Symbols as they are kept, each once. */
  async function known(symbols: readonly string[]): Promise<string[]> {
    const found = new Set<string>();
    for (const text of symbols) found.add((await instruments.resolve(text)).symbol);
    if (found.size > MOST_SYMBOLS) throw tooMany(MOST_SYMBOLS, "symbols");
    return [...found];
  }

  return {
    list: store.list,
    get: async (userId, key) => there(await store.find(userId, key)),
    async create(userId, name, symbols) {
      const made = await store.create(userId, name, await known(symbols));
      if (made === "full") throw tooMany(MOST_LISTS, "watchlists");
      return free(made, name);
    },
    async replace(userId, key, name, symbols) {
      const kept = symbols === undefined ? null : await known(symbols);
      return there(free(await store.replace(userId, key, name, kept), name));
    },
    async add(userId, key, text) {
      const { symbol } = await instruments.resolve(text);
      const changed = await store.add(userId, key, symbol);
      if (changed === "full") throw tooMany(MOST_SYMBOLS, "symbols");
      return there(changed);
    },
    async remove(userId, key, text) {
      const { symbol } = instruments.identify(text);
      const changed = await store.remove(userId, key, symbol);
      if (changed !== null) return changed;
      there(await store.find(userId, key));
      throw new AppError("symbol_unknown", `${symbol} is not in the watchlist`);
    },
    async delete(userId, key) {
      if (!(await store.delete(userId, key))) throw missing();
    },
  };
}

function free<T>(made: T | "taken", name: string): T {
  if (made === "taken") throw new AppError("conflict", `There is a watchlist named ${name}`);
  return made;
}

function there(found: Watchlist | null): Watchlist {
  if (found === null) throw missing();
  return found;
}

const missing = () => new AppError("watchlist_not_found", "There is no such watchlist");

function tooMany(most: number, what: string): AppError {
  return new AppError("conflict", `There may be at most ${most} ${what}`);
}
