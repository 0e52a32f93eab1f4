import type { RefusedRow } from "../../core/ticks/read-ndjson.js";
import type { SentTicks } from "./pipeline.js";

/** A symbol is another source's until so long after the last trade that was accepted of one, by the times of the trades. */
const SOURCE_MS = 3_600_000;
/** Symbols between which others have their turn. */
const SLICE = 200;

/** Rows of a batch that may be taken, by their places among its ticks, and why the others are not. */
export interface Parted {
  readonly kept: readonly number[];
  readonly refused: readonly RefusedRow[];
}

/** Of each symbol ticks of one source at a time are taken: two vendors' prints of one trade would count it twice. */
export interface Sources {
  part(sent: SentTicks, source: string): Generator<undefined, Parted, undefined>;
  /** Ticks at some places were accepted. */
  accepted(sent: SentTicks, places: readonly number[], source: string): void;
}

/** @param refusalOf why a symbol is not taken from anybody; null for one that is. */
export function createSources(refusalOf: (symbol: string) => string | null, now: () => number): Sources {
  /** A symbol belongs to a source by what was accepted, so what is refused takes neither it nor room. */
  const sources = new Map<string, { source: string; at: number }>();

  return {
    *part({ symbols, ticks, row }, source) {
      const others: (number | null)[] = [];
      const reasons: (string | null)[] = [];
      for (const [place, symbol] of symbols.entries()) {
        if (place % SLICE === SLICE - 1) yield;
        const known = sources.get(symbol);
        const isOther = known !== undefined && known.source !== source;
        others.push(isOther ? known.at : null);
        if (isOther) reasons.push(`other_source: ticks of ${symbol} come from ${known.source}`);
        else reasons.push(known === undefined ? refusalOf(symbol) : null);
      }
      const kept: number[] = [];
      const refused: RefusedRow[] = [];
      for (let i = 0; i < row.length; i++) {
        const place = ticks.symbol[i];
        const reason = reasons[place];
        const other = others[place];
        const isFree = reason === null || (other !== null && ticks.time[i] - other >= SOURCE_MS);
        if (isFree) kept.push(i);
        else refused.push({ index: row[i], reason });
      }
      return { kept, refused };
    },
    accepted({ symbols, ticks }, places, source) {
      const latest = now();
      for (const i of places) {
        const symbol = symbols[ticks.symbol[i]];
        const at = Math.min(ticks.time[i], latest);
        const known = sources.get(symbol);
        if (known === undefined) sources.set(symbol, { source, at });
        else if (known.source === source) known.at = Math.max(known.at, at);
        else if (at - known.at >= SOURCE_MS) sources.set(symbol, { source, at });
      }
    },
  };
}
