import type { Ticks } from "../../core/ticks/tick.js";
import { encodeGroup, type NamedTicks } from "./group-codec.js";
import type { OpenSymbol } from "./messages.js";

/** Numbers of the symbols of a pipeline, in the order in which they were opened. */
export class SymbolNumbers {
  readonly listings: OpenSymbol[] = [];
  /** By number. */
  readonly names: string[] = [];
  private readonly numbers = new Map<string, number>();

  add(listing: OpenSymbol): void {
    this.numbers.set(listing.symbol, this.listings.length);
    this.listings.push(listing);
    this.names.push(listing.symbol);
  }

  numberOf(symbol: string): number | null {
    return this.numbers.get(symbol) ?? null;
  }

  /** Those that have no number, each once. */
  unknown(symbols: readonly string[]): string[] {
    return [...new Set(symbols)].filter((symbol) => !this.numbers.has(symbol));
  }

  /** Ticks by these numbers. @throws for a symbol that has none. */
  numbered({ symbols, ticks }: NamedTicks): Ticks {
    const numbers = symbols.map((symbol) => this.numbers.get(symbol));
    const column = ticks.symbol.map((place) => {
      const number = numbers[place];
      if (number === undefined) throw new Error(`${symbols[place]} has no number`);
      return number;
    });
    return { ...ticks, symbol: column };
  }

  /** Rows of ticks whose symbols have numbers. */
  rowsOf({ symbols, ticks }: NamedTicks): Int32Array {
    const isNumbered = symbols.map((symbol) => this.numbers.has(symbol));
    const rows: number[] = [];
    for (let i = 0; i < ticks.symbol.length; i++) if (isNumbered[ticks.symbol[i]]) rows.push(i);
    return Int32Array.from(rows);
  }

  /** The bytes under which ticks are kept: they name their symbols, and without ticks those that ended. */
  encode(ticks: Ticks, ended: readonly number[] = []): Uint8Array {
    if (ended.length > 0) return encodeGroup({ symbols: ended.map((number) => this.names[number]), ticks });
    const places = new Int32Array(this.names.length).fill(-1);
    const symbols: string[] = [];
    const column = ticks.symbol.map((number) => {
      if (places[number] < 0) places[number] = symbols.push(this.names[number]) - 1;
      return places[number];
    });
    return encodeGroup({ symbols, ticks: { ...ticks, symbol: column } });
  }
}
