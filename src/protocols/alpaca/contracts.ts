import { dateOf, weekdayOf } from "../../core/market/day.js";
import { tradingDay } from "../../core/market/session.js";
import { exchange } from "./calendar.js";
import type { ContractRow } from "./contract-rows.js";
import { idOf } from "./symbols.js";

/** What standard contracts on US shares deliver; adjusted ones have roots of their own, which no chain here has. */
const SHARES = "100";
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** A contract as the chain has it. @param today contracts of earlier days are over; days since 1970-01-01. */
export function contractView({ symbol, root, read, expiry, right, row }: ContractRow, today: number) {
  const { underlying, chain } = read;
  const strike = chain.strike[row];
  const [year, month, day] = dateOf(expiry).split("-");
  const word = right === "call" ? "Call" : "Put";
  const openInterest = chain[right].openInterest[row];
  return {
    id: idOf(symbol),
    symbol,
    name: `${underlying.symbol} ${MONTHS[Number(month) - 1]} ${day} ${year} ${strike} ${word}`,
    status: expiry < today ? ("inactive" as const) : ("active" as const),
    tradable: false,
    expiration_date: dateOf(expiry),
    root_symbol: root,
    underlying_symbol: underlying.symbol,
    underlying_asset_id: idOf(underlying.symbol),
    type: right,
    style: "american" as const,
    strike_price: String(strike),
    multiplier: SHARES,
    size: SHARES,
    ...(Number.isNaN(openInterest)
      ? {}
      : {
          open_interest: String(openInterest),
          open_interest_date: dateOf(tradingDay(exchange(), chain.time)),
        }),
  };
}

const SUNDAY = 7;

/** The Sunday at or after a day: contracts that expire before then are what is told of unless more is asked for. */
export function nextWeekend(day: number): number {
  return day + (SUNDAY - weekdayOf(day));
}
