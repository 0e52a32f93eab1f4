import { normaliseSymbol } from "../market/instrument.js";
import type { Ticks } from "./tick.js";

/** Ticks that were sent together. */
export interface TickBatch {
  /** Normalised, each once; the column of symbols holds places in this list. */
  readonly symbols: readonly string[];
  readonly ticks: Ticks;
}

/** Most symbols that a column of symbols can tell apart. */
export const MOST_SYMBOLS = 65_536;

/** Collects the symbols of a batch by the spellings that are sent. */
export class SymbolTable {
  readonly symbols: string[] = [];
  private readonly places = new Map<string, number>();

  /** The place of a symbol; null for text that cannot be one, or for more symbols than can be told apart. */
  placeOf(text: string): number | null {
    const known = this.places.get(text);
    if (known !== undefined) return known;
    const symbol = normaliseSymbol(text);
    if (symbol === null) return null;
    let place = this.places.get(symbol);
    if (place === undefined) {
      if (this.symbols.length === MOST_SYMBOLS) return null;
      place = this.symbols.push(symbol) - 1;
      this.places.set(symbol, place);
    }
    this.places.set(text, place);
    return place;
  }
}
