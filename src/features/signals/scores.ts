import type { Interval } from "../../core/market/interval.js";
import { AppError } from "../../platform/errors.js";
import type { CandleSet } from "../candles/candles.js";
import type { ModelFeature } from "../models/feature.js";
import type { Counted, Explanation, Shown } from "../models/scoring.js";
import type { SeenPattern } from "./look.js";
import { RECENT_BARS } from "./look.js";
import type { Signals } from "./signals.js";

/** What the model that counts says of the pattern on the newest bars of a symbol. */
export interface SymbolScore {
  readonly set: CandleSet;
  readonly pattern: SeenPattern;
  readonly shown: Shown;
  readonly counted: Counted;
  /** Of the score as it is kept with its snapshot. */
  readonly scoreId: number;
  /** Whether it is the score that trades on the pattern are told by. */
  readonly counts: boolean;
}

export interface SymbolScores {
  /** @throws {AppError} `no_pattern`, `no_model`, and as signals do. */
  score(symbol: string, interval: Interval): Promise<SymbolScore>;
  /** The same with where it comes from. @throws {AppError} as `score`. */
  explain(symbol: string, interval: Interval): Promise<SymbolScore & Explanation>;
}

export function createSymbolScores(options: {
  readonly signals: Pick<Signals, "read">;
  readonly models: Pick<ModelFeature, "scoring" | "scores" | "showing">;
}): SymbolScores {
  const { signals, models } = options;

  async function score(symbol: string, interval: Interval): Promise<SymbolScore> {
    const reading = await signals.read(symbol, interval);
    const { set } = reading.main;
    const { instrument } = set;
    const directed = reading.live.filter(({ detection }) => detection.direction !== 0);
    const pattern = directed.find((each) => each === reading.leading) ?? directed[0];
    if (pattern === undefined) {
      const text = `No confirmed pattern with a direction whose trade is open is on the newest ${RECENT_BARS} ${interval} bars of ${instrument.symbol}`;
      throw new AppError("no_pattern", text);
    }
    const { detection } = pattern;
    const found = await models.showing.show(instrument, interval, [detection.barTime]);
    const own = found.find(
      ({ snapshot }) => snapshot.pattern === detection.pattern && snapshot.direction === detection.direction,
    );
    if (own === undefined) {
      throw new AppError(
        "no_data",
        `Too few ${interval} candles of ${instrument.symbol} for what models read`,
      );
    }
    const counted = models.scoring.count(own.shown);
    if (counted.version === null) throw new AppError("no_model", counted.reason);
    const [kept] = await models.scores.record([own.snapshot]);
    const [scoreId] = kept.scoreIds;
    return { set, pattern, shown: own.shown, counted, scoreId, counts: scoreId === kept.countedId };
  }

  return {
    score,
    async explain(symbol, interval) {
      const found = await score(symbol, interval);
      return { ...found, ...models.scoring.explain(found.counted, found.shown.row) };
    },
  };
}
