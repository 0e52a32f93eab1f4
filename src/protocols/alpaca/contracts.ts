import { DAY_MS, dateOf, weekdayOf } from "../../core/market/day.js";
import type { Right } from "../../core/market/option-quote.js";
import { tradingDay } from "../../core/market/session.js";
import type { OptionChain } from "../../core/options/chain.js";
import type { ReadChain } from "../../features/options/loading.js";
import type { Options } from "../../features/options/options.js";
import { AppError } from "../../platform/errors.js";
import { exchange } from "./calendar.js";
import { idOf } from "./symbols.js";

/** Which contracts are wanted; days count from 1970-01-01, both ends are included. */
export interface ContractFilter {
  readonly underlyings: readonly string[];
  readonly fromDay: number;
  readonly toDay: number;
  readonly right: Right | undefined;
  readonly strikeFrom: number;
  readonly strikeTo: number;
  /** Contracts of earlier expiries are over. */
  readonly today: number;
}

/** A contract of the chain as it stood last. */
export type Contract = ReturnType<typeof contractOf>;

export interface Contracts {
  /**
   * The first `limit` contracts after one, by underlying, expiry, right and strike, which is the order of their symbols.
   * @param after symbol of the last contract of the page before; null for the first.
   * @throws {AppError} where sources that have options do not answer.
   */
  list(filter: ContractFilter, after: string | null, limit: number): Promise<Contract[]>;
  /** The contract of an OCC symbol; null where no chain has it. */
  find(symbol: string, today: number): Promise<Contract | null>;
}

/** What standard contracts on US shares deliver; adjusted ones have roots of their own, which no chain here has. */
const SHARES = "100";
const OCC = /^([A-Z]{1,6})(\d{2})(\d{2})(\d{2})([CP])(\d{8})$/;
/** Without a chain there is no contract. */
const NONE: ReadonlySet<string> = new Set([
  "options_unavailable",
  "expiry_unknown",
  "no_data",
  "symbol_unknown",
]);

export function createContracts({
  options,
}: {
  readonly options: Pick<Options, "identify" | "loadChain" | "loadCalendar">;
}): Contracts {
  /** A chain with the contracts of a day, or whichever is stored; null without one. */
  async function chainOf(underlying: string, expiry: number | undefined): Promise<ReadChain | null> {
    try {
      return await options.loadChain(underlying, { scope: { which: "one", expiry } });
    } catch (error) {
      if (error instanceof AppError && NONE.has(error.code)) return null;
      throw error;
    }
  }

  /** The chains of an underlying, one for each listed expiry from a day on. */
  async function* chainsOf(underlying: string, fromDay: number, toDay: number) {
    const { listed } = await options.loadCalendar(underlying, fromDay, Math.min(toDay, fromDay + FURTHEST));
    for (const expiry of listed ?? [undefined]) {
      const read = await chainOf(underlying, expiry);
      if (read !== null) yield { read, only: expiry };
    }
  }

  return {
    async list(filter, after, limit) {
      const found: Contract[] = [];
      for (const underlying of [...filter.underlyings].sort().filter((text) => isShare(options, text))) {
        for await (const { read, only } of chainsOf(underlying, filter.fromDay, filter.toDay)) {
          const contracts = contractsIn(read, { ...filter, ...(only === undefined ? {} : { only }) });
          found.push(...contracts.filter(({ symbol }) => after === null || symbol > after));
          if (found.length >= limit) return found.slice(0, limit);
        }
      }
      return found;
    },
    async find(symbol, today) {
      const parts = OCC.exec(symbol);
      if (parts === null || !isShare(options, parts[1])) return null;
      const [, underlying, year, month, day] = parts;
      const expiry = Date.UTC(2000 + Number(year), Number(month) - 1, Number(day)) / DAY_MS;
      const read = await chainOf(underlying, expiry);
      if (read === null) return null;
      const all = { right: undefined, strikeFrom: 0, strikeTo: Number.POSITIVE_INFINITY, today };
      const contracts = contractsIn(read, { ...all, fromDay: expiry, toDay: expiry });
      return contracts.find((contract) => contract.symbol === symbol) ?? null;
    },
  };
}

/** Days ahead that no listed option reaches. */
const FURTHEST = 1_100;

/** Whether a text names a US share: of others contracts differ in ways that the dialect has no words for. */
function isShare({ identify }: Pick<Options, "identify">, text: string): boolean {
  try {
    return identify(text).expiries === "US-EQUITY";
  } catch (error) {
    if (error instanceof AppError && error.code === "symbol_unknown") return false;
    throw error;
  }
}

/** Contracts of a chain; where one expiry was asked for, those of it. */
function contractsIn(
  read: ReadChain,
  filter: Omit<ContractFilter, "underlyings"> & { readonly only?: number },
): Contract[] {
  const { chain } = read;
  const { fromDay, toDay, right, strikeFrom, strikeTo, only } = filter;
  const wanted = chain.expiries.filter(
    ({ expiry }) => expiry >= fromDay && expiry <= toDay && (only === undefined || expiry === only),
  );
  return wanted.flatMap((rows) =>
    (["call", "put"] as const)
      .filter((each) => right === undefined || each === right)
      .flatMap((each) => {
        const found: Contract[] = [];
        for (let row = rows.from; row < rows.to; row++) {
          const strike = chain.strike[row];
          if (strike < strikeFrom || strike > strikeTo || !isQuoted(chain, each, row)) continue;
          found.push(contractOf(read, rows.expiry, each, row, filter.today));
        }
        return found;
      }),
  );
}

function isQuoted(chain: OptionChain, right: Right, row: number): boolean {
  return Object.values(chain[right]).some((column) => !Number.isNaN(column[row]));
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

function contractOf(
  { underlying, chain }: ReadChain,
  expiry: number,
  right: Right,
  row: number,
  today: number,
) {
  const strike = chain.strike[row];
  const [year, month, day] = dateOf(expiry).split("-");
  const digits = String(Math.round(strike * 1_000)).padStart(8, "0");
  const letter = right === "call" ? "C" : "P";
  const root = underlying.symbol.replace(/\W/g, "");
  const symbol = `${root}${year.slice(2)}${month}${day}${letter}${digits}`;
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
