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
    const places = Uint16Array.from(symbols, (symbol) => {
      const number = this.numbers.get(symbol);
      if (number === undefined) throw new Error(`${symbol} has no number`);
      return number;
    });
    return { ...ticks, symbol: ticks.symbol.map((place) => places[place]) };
  }

  /** The bytes under which ticks are kept: they name their symbols. */
  encode(ticks: Ticks): Uint8Array {
    const places = new Int32Array(this.names.length).fill(-1);
    const symbols: string[] = [];
    const column = ticks.symbol.map((number) => {
      if (places[number] < 0) places[number] = symbols.push(this.names[number]) - 1;
      return places[number];
    });
    return encodeGroup({ symbols, ticks: { ...ticks, symbol: column } });
  }
}
