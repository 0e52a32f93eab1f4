import { DAY_MS, dateOf } from "../../core/market/day.js";
import type { Right } from "../../core/market/option-quote.js";
import type { OptionChain } from "../../core/options/chain.js";
import type { ReadChain } from "../../features/options/loading.js";
import type { Options } from "../../features/options/options.js";
import { AppError } from "../../platform/errors.js";

/** Which contracts are wanted; days count from 1970-01-01, both ends are included. */
export interface ContractFilter {
  readonly underlyings: readonly string[];
  readonly fromDay: number;
  readonly toDay: number;
  readonly right: Right | undefined;
  readonly strikeFrom: number;
  readonly strikeTo: number;
}

/** A contract in the chain that tells of it. */
export interface ContractRow {
  /** As the Options Clearing Corporation writes it. */
  readonly symbol: string;
  readonly root: string;
  readonly read: ReadChain;
  readonly expiry: number;
  readonly right: Right;
  readonly row: number;
}

export interface ContractRows {
  /**
   * The first `limit` contracts after one that fit, by underlying, expiry, right and strike, which is the order of their
   * symbols.
   * @param after symbol of the last contract of the page before; null for the first.
   * @throws {AppError} where sources that have options do not answer.
   */
  list(
    filter: ContractFilter,
    after: string | null,
    limit: number,
    fits?: (row: ContractRow) => boolean,
  ): Promise<ContractRow[]>;
  /** Contracts by their symbols; those that no chain has are left out. @throws {AppError} as `list`. */
  find(symbols: readonly string[]): Promise<ReadonlyMap<string, ContractRow>>;
}

const OCC = /^([A-Z]{1,6})(\d{2})(\d{2})(\d{2})([CP])(\d{8})$/;

/** Whether a text is spelt as symbols of contracts are. */
export const isContractSymbol = (text: string): boolean => OCC.test(text);

/** Without a chain there is no contract. */
const NONE: ReadonlySet<string> = new Set([
  "options_unavailable",
  "expiry_unknown",
  "no_data",
  "symbol_unknown",
]);
const ALL = { right: undefined, strikeFrom: 0, strikeTo: Number.POSITIVE_INFINITY };

export function createContractRows(
  options: Pick<Options, "identify" | "loadChain" | "loadCalendar">,
): ContractRows {
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
    async list(filter, after, limit, fits = () => true) {
      const found: ContractRow[] = [];
      for (const underlying of [...filter.underlyings].sort().filter((text) => isShare(options, text))) {
        for await (const { read, only } of chainsOf(underlying, filter.fromDay, filter.toDay)) {
          const rows = rowsIn(read, { ...filter, ...(only === undefined ? {} : { only }) });
          found.push(...rows.filter((each) => (after === null || each.symbol > after) && fits(each)));
          if (found.length >= limit) return found.slice(0, limit);
        }
      }
      return found;
    },
    async find(symbols) {
      const wanted = new Map<string, { underlying: string; expiry: number }>();
      for (const symbol of symbols) {
        const [, underlying = "", year, month, day] = OCC.exec(symbol) ?? [];
        if (!isShare(options, underlying)) continue;
        const expiry = Date.UTC(2000 + Number(year), Number(month) - 1, Number(day)) / DAY_MS;
        wanted.set(`${underlying} ${expiry}`, { underlying, expiry });
      }
      const asked = new Set(symbols);
      const found = new Map<string, ContractRow>();
      for (const { underlying, expiry } of wanted.values()) {
        const read = await chainOf(underlying, expiry);
        if (read === null) continue;
        for (const each of rowsIn(read, { ...ALL, fromDay: expiry, toDay: expiry }))
          if (asked.has(each.symbol)) found.set(each.symbol, each);
      }
      return found;
    },
  };
}

/** Days ahead that no listed option reaches. */
const FURTHEST = 1_100;

/** Whether a text names a US share: of others contracts differ in ways that the dialect has no words for. */
function isShare({ identify }: Pick<Options, "identify">, text: string): boolean {
  try {
    return text !== "" && identify(text).expiries === "US-EQUITY";
  } catch (error) {
    if (error instanceof AppError && error.code === "symbol_unknown") return false;
    throw error;
  }
}

/** Contracts of a chain; where one expiry was asked for, those of it. */
function rowsIn(
  read: ReadChain,
  filter: Omit<ContractFilter, "underlyings"> & { readonly only?: number },
): ContractRow[] {
  const { chain } = read;
  const { fromDay, toDay, right, strikeFrom, strikeTo, only } = filter;
  const wanted = chain.expiries.filter(
    ({ expiry }) => expiry >= fromDay && expiry <= toDay && (only === undefined || expiry === only),
  );
  return wanted.flatMap((rows) =>
    (["call", "put"] as const)
      .filter((each) => right === undefined || each === right)
      .flatMap((each) => {
        const found: ContractRow[] = [];
        for (let row = rows.from; row < rows.to; row++) {
          const strike = chain.strike[row];
          if (strike < strikeFrom || strike > strikeTo || !isQuoted(chain, each, row)) continue;
          found.push(rowOf(read, rows.expiry, each, row));
        }
        return found;
      }),
  );
}

function isQuoted(chain: OptionChain, right: Right, row: number): boolean {
  return Object.values(chain[right]).some((column) => !Number.isNaN(column[row]));
}

function rowOf(read: ReadChain, expiry: number, right: Right, row: number): ContractRow {
  const { underlying, chain } = read;
  const [year, month, day] = dateOf(expiry).split("-");
  const digits = String(Math.round(chain.strike[row] * 1_000)).padStart(8, "0");
  const root = underlying.symbol.replace(/\W/g, "");
  const symbol = `${root}${year.slice(2)}${month}${day}${right === "call" ? "C" : "P"}${digits}`;
  return { symbol, root, read, expiry, right, row };
}
