import { classifySymbol, type Instrument, normaliseSymbol } from "../core/market/instrument.js";

/** The service writes share classes with a dash: BRK-B. */
export function serviceSymbol(symbol: string): string {
  return symbol.replace(/^([A-Z]+)\.([A-Z])$/, "$1-$2");
}

/** What a symbol of the service means here; null where it would come to mean something else. */
export function instrumentOfService(text: string): Instrument | null {
  const symbol = normaliseSymbol(text.replace(/^([A-Z]+)-([A-Z])$/, "$1.$2"));
  if (symbol === null || serviceSymbol(symbol) !== text) return null;
  return classifySymbol(symbol);
}
