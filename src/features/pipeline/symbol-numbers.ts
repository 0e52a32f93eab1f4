import type { Ticks } from "../../core/ticks/tick.js";
import { encodeGroup, type NamedTicks } from "./group-codec.js";
import type { OpenSymbol } from "./messages.js";

/** Numbers of the symbols of a pipeline, in the order in which they were opened. */
export class SymbolNumbers {
  readonly listings: OpenSymbol[] = [];
  private readonly numbers = new Map<string, number>();

  add(listing: OpenSymbol): void {
    this.numbers.set(listing.symbol, this.listings.length);
    this.listings.push(listing);
  }

  numberOf(symbol: string): number | null {
    return this.numbers.get(symbol) ?? null;
  }

  /** Those that have no number, each once. */
  unknown(symbols: readonly string[]): string[] {
    return [...new Set(symbols)].filter((symbol) => !this.numbers.has(symbol));
  }

  names(): string[] {
    return this.listings.map(({ symbol }) => symbol);
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
    const places = new Map<number, number>();
    const column = ticks.symbol.map((number) => {
      const known = places.get(number);
      if (known !== undefined) return known;
      places.set(number, places.size);
      return places.size - 1;
    });
    const symbols = [...places.keys()].map((number) => this.listings[number].symbol);
    return encodeGroup({ symbols, ticks: { ...ticks, symbol: column } });
  }
}
