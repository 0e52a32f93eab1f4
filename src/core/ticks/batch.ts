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

/** How texts that were met before are normalised: kept by who reads many batches, which mostly spell alike. */
export class Spellings {
  private readonly known = new Map<string, string | null>();

  /** `normaliseSymbol` of a text. */
  normalised(text: string): string | null {
    const known = this.known.get(text);
    if (known !== undefined) return known;
    const symbol = normaliseSymbol(text);
    // Whoever sends ever new ones shall not fill the memory.
    if (this.known.size === MOST_SYMBOLS) this.known.clear();
    this.known.set(text, symbol);
    return symbol;
  }
}

/** Collects the symbols of a batch by the spellings that are sent. */
export class SymbolTable {
  readonly symbols: string[] = [];
  private readonly spellings: Spellings;
  private readonly places = new Map<string, number>();

  constructor(spellings: Spellings) {
    this.spellings = spellings;
  }

  /** The place of a symbol; null for text that cannot be one, or for more symbols than can be told apart. */
  placeOf(text: string): number | null {
    const symbol = this.spellings.normalised(text);
    if (symbol === null) return null;
    const known = this.places.get(symbol);
    if (known !== undefined) return known;
    if (this.symbols.length === MOST_SYMBOLS) return null;
    const place = this.symbols.push(symbol) - 1;
    this.places.set(symbol, place);
    return place;
  }
}
