import { type Instrument, normaliseSymbol } from "../../core/market/instrument.js";
import { AppError } from "../../platform/errors.js";
import type { Gateway } from "../../providers/gateway.js";
import type { MarketReads } from "../../providers/reads.js";
import type { Instruments } from "./instruments.js";

/** An instrument that fits a text. */
export interface Match {
  readonly instrument: Instrument;
  /** The source that named it; null for one that is known here. */
  readonly source: string | null;
  readonly synthetic: boolean;
  /** That source's own spelling. */
  readonly vendorSymbol: string | null;
  /** Whether some source has candles of it. */
  readonly hasCandles: boolean;
}

export interface Found {
  /** Known instruments first, those whose symbol is the text before the others. */
  readonly matches: readonly Match[];
  readonly ageMs: number;
  readonly stale: boolean;
  /** Why no source could be searched just now, or at all; null when some were. */
  readonly trouble: string | null;
}

export interface Search {
  /** Instruments whose symbol or name fits a text, from what is known here and from the sources that can be searched. */
  find(text: string, limit: number): Promise<Found>;
}

export function createSearch(options: {
  gateway: Gateway;
  instruments: Instruments;
  reads: MarketReads;
}): Search {
  const { gateway, instruments, reads } = options;
  const hasCandles = (instrument: Instrument) => gateway.intervals(instrument).length > 0;

  async function known(text: string): Promise<Match[]> {
    const rankOf = rankBy(text);
    return (await instruments.list())
      .filter((instrument) => rankOf(instrument) !== null)
      .sort((a, b) => (rankOf(a) ?? 0) - (rankOf(b) ?? 0) || (a.symbol < b.symbol ? -1 : 1))
      .map((instrument) => ({
        instrument,
        source: null,
        synthetic: gateway.synthetic,
        vendorSymbol: null,
        hasCandles: hasCandles(instrument),
      }));
  }

  async function searched(text: string): Promise<Found> {
    try {
      const { value, ageMs, stale, trouble } = await reads.search(text);
      const matches = value.map(({ value: { instrument, vendorSymbol }, source, synthetic }) => ({
        instrument,
        source,
        synthetic,
        vendorSymbol,
        hasCandles: hasCandles(instrument),
      }));
      return { matches, ageMs, stale, trouble };
    } catch (error) {
      // What is known here is an answer, too.
      if (!(error instanceof AppError) || !SILENT.has(error.code)) throw error;
      return { matches: [], ageMs: 0, stale: false, trouble: error.message };
    }
  }

  return {
    async find(text, limit) {
      const wanted = text.trim().toLowerCase();
      const [own, others] = await Promise.all([known(wanted), searched(wanted)]);
      const bySymbol = new Map<string, Match>();
      for (const match of [...own, ...others.matches]) {
        const { symbol } = match.instrument;
        const first = bySymbol.get(symbol);
        // The vendor's spelling is worth having beside what is known.
        if (first === undefined) bySymbol.set(symbol, match);
        else if (first.vendorSymbol === null)
          bySymbol.set(symbol, { ...first, source: match.source, vendorSymbol: match.vendorSymbol });
      }
      return { ...others, matches: [...bySymbol.values()].slice(0, limit) };
    },
  };
}

const SILENT: ReadonlySet<string> = new Set(["source_missing", "provider_unavailable"]);

/** How well an instrument fits: its symbol is the text, begins with it, its name has it; null when it does not. */
function rankBy(text: string): (instrument: Instrument) => number | null {
  const spelled = normaliseSymbol(text);
  return ({ symbol, name }) => {
    const lower = symbol.toLowerCase();
    if (lower === text || symbol === spelled) return 0;
    if (lower.startsWith(text)) return 1;
    return name.toLowerCase().includes(text) ? 2 : null;
  };
}
