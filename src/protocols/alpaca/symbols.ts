import { type Instrument, normaliseSymbol } from "../../core/market/instrument.js";
import type { Instruments } from "../../features/instruments/instruments.js";
import type { KnownInstrument } from "../../features/instruments/store.js";
import { AppError } from "../../platform/errors.js";
import { uuidOf } from "../../platform/uuid.js";
import { DialectError, invalid } from "./errors.js";

/** The two markets that the dialect tells apart: US shares and funds, and pairs of coins. */
export type Market = "us_equity" | "crypto";

/** The market an instrument belongs to; null for what the dialect has no word for. */
export function marketOf({ assetClass, calendar, currency }: Instrument): Market | null {
  if (assetClass === "crypto") return "crypto";
  const share = assetClass === "equity" || assetClass === "etf";
  return share && calendar === "XNYS" && currency === "USD" ? "us_equity" : null;
}

/** The dialect's spelling of a symbol: `BTC/USD` for `BTC-USD`. */
export function wireSymbol({ symbol, assetClass }: Pick<Instrument, "symbol" | "assetClass">): string {
  return assetClass === "crypto" ? symbol.replace("-", "/") : symbol;
}

/** As positions and news spell it: `BTCUSD`. */
export function joinedSymbol({ symbol, assetClass }: Pick<Instrument, "symbol" | "assetClass">): string {
  return assetClass === "crypto" ? symbol.replace("-", "") : symbol;
}

/**
 * The instrument that a text names in a market; null where there is none.
 * @throws {AppError} `invalid_request` for what cannot be a symbol; as sources do that cannot be asked about a new one.
 */
export async function findInstrument(
  instruments: Pick<Instruments, "identify" | "resolve">,
  market: Market,
  text: string,
): Promise<KnownInstrument | null> {
  if (normaliseSymbol(text) === null) throw invalid(`invalid symbol: ${text.slice(0, 40)}`);
  try {
    if (marketOf(instruments.identify(text)) !== market) return null;
    return await instruments.resolve(text);
  } catch (error) {
    if (error instanceof AppError && ABSENT.has(error.code)) return null;
    throw error;
  }
}

/** @throws {DialectError} 422 for what is no share, fund or coin here. */
export async function requireInstrument(
  instruments: Pick<Instruments, "identify" | "resolve">,
  text: string,
): Promise<KnownInstrument> {
  for (const market of ["us_equity", "crypto"] as const) {
    const found = await findInstrument(instruments, market, text);
    if (found !== null) return found;
  }
  throw new DialectError(422, { code: 40010001, message: `could not find us_equity '${text.slice(0, 40)}'` });
}

const ABSENT: ReadonlySet<string> = new Set(["symbol_unknown", "no_data"]);

/** The same UUID for the same name for ever: ids of assets and contracts follow from their symbols. */
export const idOf = (name: string): string => uuidOf(`asset ${name}`);

export const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
