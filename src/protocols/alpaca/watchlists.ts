import type { z } from "zod";
import type { Instruments } from "../../features/instruments/instruments.js";
import type { PaperDesk } from "../../features/paper-trades/feature.js";
import type { Watchlist, WatchlistKey } from "../../features/watchlists/store.js";
import type { Watchlists as Kept } from "../../features/watchlists/watchlists.js";
import type { Assets } from "./assets.js";
import { notFound } from "./errors.js";
import { requireInstrument } from "./symbols.js";
import { rfc3339 } from "./times.js";
import type { watchlistBody, watchlistSchema } from "./watchlist-schema.js";

type Wire = z.input<typeof watchlistSchema>;
type Body = z.output<typeof watchlistBody>;

/** A user's watchlists in the words of the dialect. @throws {DialectError} 404, 422; {AppError} `conflict`. */
export interface Watchlists {
  list(userId: string): Promise<Omit<Wire, "assets">[]>;
  get(userId: string, key: WatchlistKey): Promise<Wire>;
  create(userId: string, body: Body): Promise<Wire>;
  replace(userId: string, key: WatchlistKey, body: Body): Promise<Wire>;
  add(userId: string, key: WatchlistKey, symbol: string): Promise<Wire>;
  remove(userId: string, key: WatchlistKey, symbol: string): Promise<Wire>;
  delete(userId: string, key: WatchlistKey): Promise<void>;
}

export interface WatchlistsOptions {
  readonly watchlists: Kept;
  readonly accounts: Pick<PaperDesk["accounts"], "usual">;
  readonly instruments: Pick<Instruments, "identify" | "resolve">;
  readonly assets: Pick<Assets, "find">;
}

export function createWatchlistViews({
  watchlists,
  accounts,
  instruments,
  assets,
}: WatchlistsOptions): Watchlists {
  const symbolOf = async (text: string) => (await requireInstrument(instruments, text)).symbol;

  async function heads(userId: string, lists: readonly Watchlist[]): Promise<Omit<Wire, "assets">[]> {
    const { id: account_id } = await accounts.usual(userId);
    return lists.map(({ id, name, createdAt, updatedAt }) => ({
      id,
      account_id,
      name,
      created_at: rfc3339(createdAt),
      updated_at: rfc3339(updatedAt),
    }));
  }

  async function whole(userId: string, found: Promise<Watchlist>): Promise<Wire> {
    const list = await found;
    const [head] = await heads(userId, [list]);
    // What is neither a share nor a coin has no asset in the dialect.
    const known = await Promise.all(list.symbols.map((symbol) => assets.find(symbol)));
    return { ...head, assets: known.filter((asset) => asset !== null) };
  }

  return {
    list: async (userId) => heads(userId, await watchlists.list(userId)),
    get: (userId, key) => whole(userId, watchlists.get(userId, key)),
    async create(userId, { name, symbols = [] }) {
      const kept = await Promise.all(symbols.map(symbolOf));
      return whole(userId, watchlists.create(userId, name, kept));
    },
    async replace(userId, key, { name, symbols }) {
      const kept = symbols === undefined ? undefined : await Promise.all(symbols.map(symbolOf));
      return whole(userId, watchlists.replace(userId, key, name, kept));
    },
    add: async (userId, key, text) => whole(userId, watchlists.add(userId, key, await symbolOf(text))),
    async remove(userId, key, text) {
      const asset = await assets.find(text);
      if (asset === null) throw notFound(`asset not found for ${text.slice(0, 40)}`);
      return whole(userId, watchlists.remove(userId, key, asset.symbol));
    },
    delete: (userId, key) => watchlists.delete(userId, key),
  };
}
