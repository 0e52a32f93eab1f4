import type { Desk } from "../../core/execution/desk.js";
import type { SettlementPrice } from "../../core/execution/settle.js";
import type { Instruments } from "../instruments/instruments.js";
import { causeOf } from "./cause.js";
import { type Feed, type MarketNow, orNone } from "./feed.js";
import type { Account, Ledger } from "./ledger.js";
import { markBy } from "./marks.js";
import { refusedBy } from "./refusals.js";
import type { AccountRow } from "./store.js";

export interface SettlementSources {
  readonly ledger: Pick<Ledger, "look">;
  readonly feed: Pick<Feed, "now">;
  readonly instruments: Pick<Instruments, "resolve">;
}

/** Markets of what an account holds, by symbol; those that no source tells of are left out, for nobody waits to end an account. */
export async function marketsHeld(
  { ledger, feed, instruments }: SettlementSources,
  row: AccountRow,
): Promise<ReadonlyMap<string, MarketNow>> {
  const held = await ledger.look(row.id, ({ state }) => [...state.positions.keys()], row);
  const markets = held.map(async (symbol) =>
    instruments
      .resolve(symbol)
      .then((instrument) => feed.now(instrument))
      .catch(orNone),
  );
  const known = (await Promise.all(markets)).filter((market) => market !== null);
  return new Map(known.map((market) => [market.instrument.symbol, market]));
}

/**
 * Closes every position of an account for good: at the quote of a market that trades, and of one that does not at the last
 * price that is known.
 * @throws {AppError} `order_refused` where the account cannot bear the costs; what was done by then is in no store.
 */
export function settleAll(
  desk: Desk,
  account: Account,
  markets: ReadonlyMap<string, MarketNow>,
  at: number,
): void {
  for (const symbol of [...desk.state.positions.keys()]) {
    const price = priceOf(desk, account, symbol, markets.get(symbol));
    const refusals = desk.settle(symbol, price, Math.max(at, markets.get(symbol)?.atMs ?? at));
    if (refusals.length > 0) throw refusedBy(refusals);
  }
  for (const { id, origin } of desk.state.orders.values()) {
    if (origin === "settlement") account.explain(id, causeOf(id, "close"));
  }
}

function priceOf(
  desk: Desk,
  account: Account,
  symbol: string,
  market: MarketNow | undefined,
): SettlementPrice {
  const quote = market?.quote ?? null;
  const counts = quote !== null && markBy(desk, account, symbol, quote);
  const price = desk.priceOf(symbol);
  return counts && market?.tradable === true
    ? { price, bid: quote.bid, ask: quote.ask, traded: true }
    : { price, bid: null, ask: null, traded: false };
}
