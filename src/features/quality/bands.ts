import { LRUCache } from "lru-cache";
import { BAND_LEAST, type Band, learnBand } from "../../core/quality/band.js";
import { AppError } from "../../platform/errors.js";
import type { CandleService } from "../candles/candles.js";
import type { KnownInstrument } from "../instruments/store.js";

/** What prices of an instrument are held against. */
export interface LearnedBand {
  /** Null where there is none. */
  readonly band: Band | null;
  /** Why there is none; null where there is one. */
  readonly problem: string | null;
  /** True when there may be one, and no source told the closes. */
  readonly untold: boolean;
  readonly learnedAtMs: number;
}

/** Bands of instruments, learned from their daily closes once a day. */
export interface Bands {
  /** Asks the store, or the sources where it lacks closes, at most once a day. */
  load(instrument: KnownInstrument): Promise<LearnedBand>;
  /** Learns it anew where it was not learned just now: a price outside may be one after a split. */
  reload(instrument: KnownInstrument): Promise<LearnedBand>;
  /** What is known without asking anybody; null for nothing. */
  known(symbol: string): LearnedBand | null;
}

const BAND_CLOSES = 250;
const DAY_MS = 86_400_000;
/** How long it is taken for granted that there is no band. */
const NONE_MS = 60_000;
/** A band is not learned anew within this time. */
const RELEARN_MS = 600_000;
const BANDS_KEPT = 10_000;

export function createBands({
  candles,
  now,
}: {
  candles: Pick<CandleService, "loadLatest">;
  now: () => number;
}): Bands {
  const learned = new LRUCache<string, LearnedBand>({ max: BANDS_KEPT });
  const flights = new Map<string, Promise<LearnedBand>>();

  async function learn(instrument: KnownInstrument): Promise<LearnedBand> {
    const learnedAtMs = now();
    try {
      const { close, time } = (await candles.loadLatest(instrument, "1d", BAND_CLOSES)).candles;
      const daysSince = time.length === 0 ? 1 : Math.ceil((learnedAtMs - time[time.length - 1]) / DAY_MS);
      const band = learnBand(close, daysSince);
      const problem =
        band === null ? `${close.length} daily closes are known, ${BAND_LEAST} are needed` : null;
      return { band, problem, untold: false, learnedAtMs };
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      const untold = error.code === "provider_unavailable";
      const before = learned.get(instrument.symbol);
      // The band of an earlier day is better than none.
      if (untold && before?.band) return { ...before, learnedAtMs };
      return { band: null, problem: error.message, untold, learnedAtMs };
    }
  }

  function fly(instrument: KnownInstrument): Promise<LearnedBand> {
    const { symbol } = instrument;
    const underway = flights.get(symbol);
    if (underway !== undefined) return underway;
    const flight = learn(instrument)
      .then((found) => {
        learned.set(symbol, found);
        return found;
      })
      .finally(() => flights.delete(symbol));
    flights.set(symbol, flight);
    return flight;
  }

  function known(symbol: string): LearnedBand | null {
    const found = learned.get(symbol);
    if (found === undefined) return null;
    const { band, learnedAtMs } = found;
    if (band === null) return now() - learnedAtMs < NONE_MS ? found : null;
    return Math.floor(now() / DAY_MS) === Math.floor(learnedAtMs / DAY_MS) ? found : null;
  }

  return {
    known,
    load: async (instrument) => known(instrument.symbol) ?? fly(instrument),
    async reload(instrument) {
      const found = known(instrument.symbol);
      return found !== null && now() - found.learnedAtMs < RELEARN_MS ? found : fly(instrument);
    },
  };
}
