import { rowsOfExpiry } from "../../core/options/chain.js";
import { type Pricing, pricingOf } from "../../features/options/figures.js";
import { known, legValues } from "../../features/options/legs.js";
import type { Options } from "../../features/options/options.js";
import type { ContractRow } from "./contract-rows.js";
import type { OptionQuoteView, OptionSnapshotView, OptionTradeView } from "./option-schema.js";
import { rfc3339 } from "./times.js";

/** What the chain has of a contract's bid and ask, of the time of the chain; null where it has neither. */
export function optionQuoteView({ read: { chain }, right, row }: ContractRow): OptionQuoteView | null {
  const { bid, ask } = chain[right];
  const [bp, ap] = [known(bid[row]), known(ask[row])];
  if (bp === null && ap === null) return null;
  return { t: rfc3339(chain.time), bp, bs: null, bx: null, ap, as: null, ax: null, c: null };
}

/** The last price that the chain has, of the time of the chain: when it was made no chain tells. Null without one. */
export function optionTradeView({ read: { chain }, right, row }: ContractRow): OptionTradeView | null {
  const price = chain[right].last[row];
  return price > 0 ? { t: rfc3339(chain.time), p: price, s: null, x: null, c: null } : null;
}

/** Makes snapshots; contracts of one expiry share what they are priced with. */
export function createOptionSnapshots(options: Pick<Options, "assume">) {
  const known = new WeakMap<object, Map<number, Pricing | null>>();

  /** Null where the expiry is not in the chain any more. */
  function pricingFor({ read: { underlying, chain }, expiry }: ContractRow): Pricing | null {
    const byExpiry = known.get(chain) ?? new Map<number, Pricing | null>();
    known.set(chain, byExpiry);
    const found = byExpiry.get(expiry);
    if (found !== undefined) return found;
    const rows = rowsOfExpiry(chain, expiry);
    const made = rows === null ? null : pricingOf(underlying, chain, rows, options.assume(underlying, {}));
    byExpiry.set(expiry, made);
    return made;
  }

  return (contract: ContractRow): OptionSnapshotView => {
    const { read, right, row } = contract;
    const [trade, quote] = [optionTradeView(contract), optionQuoteView(contract)];
    const pricing = pricingFor(contract);
    const values = pricing === null ? null : legValues(read.chain, right, row, pricing);
    const volatility = values?.volatility.value ?? null;
    const greeks = values?.greeks ?? null;
    return {
      ...(trade === null ? {} : { latestTrade: trade }),
      ...(quote === null ? {} : { latestQuote: quote }),
      ...(volatility === null ? {} : { impliedVolatility: volatility }),
      ...(greeks === null ? {} : { greeks }),
    };
  };
}
