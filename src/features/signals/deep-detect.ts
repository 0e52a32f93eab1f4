import { WINDOW_BARS } from "../../core/learning/sequence-net/columns.js";
import type { SequenceNet } from "../../core/learning/sequence-net/net.js";
import type { Candles } from "../../core/market/candles.js";
import type { Interval } from "../../core/market/interval.js";
import { inTime, timeLeftMs } from "../../platform/deadline.js";
import { AppError } from "../../platform/errors.js";
import { defineTask, type Workers } from "../../platform/workers.js";
import type { CandleService, CandleSet } from "../candles/candles.js";
import type { Instruments } from "../instruments/instruments.js";
import type { ModelVersion } from "../models/store.js";
import type { DeepLook } from "./deep.js";
import type { DeepExplanation, ExplainTask } from "./deep-explain-worker.js";
import type { DeepSighting, DeepSightings, DeepTask } from "./deep-worker.js";

/** What did it, or why that is not told. */
export type Explained =
  | { readonly explanation: DeepExplanation; readonly reason: null }
  | { readonly explanation: null; readonly reason: string };

/** Shapes that the net names on the newest bars of a symbol. */
export interface DeepDetection {
  readonly set: CandleSet;
  readonly version: ModelVersion;
  /** Oldest first. */
  readonly sightings: readonly (DeepSighting & Explained)[];
  /** Windows that were read. */
  readonly windows: number;
}

export interface DeepDetect {
  /**
   * @param explain tells of the newest five shapes what did it, as far as the caller's time goes.
   * @throws {AppError} `no_model` while no net serves, `model_refused` where the active one cannot be read, `timed_out` where no thread comes to it in time; as candles do.
   */
  detect(symbol: string, interval: Interval, bars: number, explain: boolean): Promise<DeepDetection>;
}

const EXPLAINED = 5;
/** Time that has to be left for another shape to be explained. */
const LEAST_LEFT_MS = 1_500;
const NOT_ASKED = "It was not asked for";
const NOT_NEWEST = `The newest ${EXPLAINED} are explained`;
const NO_TIME = "The time of the answer was over before it was told: ask again, or for fewer bars";
const READ = defineTask<DeepTask, DeepSightings>(new URL("./deep-worker.js", import.meta.url));
const EXPLAIN = defineTask<ExplainTask, DeepExplanation | null>(
  new URL("./deep-explain-worker.js", import.meta.url),
);

export function createDeepDetect(options: {
  readonly candles: Pick<CandleService, "loadLatest">;
  readonly instruments: Pick<Instruments, "resolve">;
  readonly workers: Workers;
  readonly deep: Pick<DeepLook, "serving" | "absence">;
}): DeepDetect {
  const { candles, instruments, workers, deep } = options;

  /** What did one shape: a task of its own, so that others in the pool come between. */
  async function explainOne(
    of: { candles: Candles; net: SequenceNet },
    found: DeepSighting,
  ): Promise<Explained> {
    const none: Explained = { explanation: null, reason: NO_TIME };
    if (timeLeftMs() < LEAST_LEFT_MS) return none;
    const { at, shape } = found;
    const task = workers.run(EXPLAIN, { ...of, at, shape });
    try {
      const explanation = await inTime(task, tooLate);
      return explanation === null ? none : { explanation, reason: null };
    } catch (error) {
      if (error instanceof AppError && error.code === "timed_out") return none;
      throw error;
    }
  }

  return {
    async detect(symbol, interval, bars, explain) {
      const instrument = await instruments.resolve(symbol);
      const found = deep.serving();
      if (found === null) {
        const { code, reason } = deep.absence();
        throw new AppError(code, `There is none to read windows by: ${reason}`);
      }
      const set = await candles.loadLatest(instrument, interval, bars + WINDOW_BARS - 1);
      const of = { candles: set.candles, net: found.net };
      const { sightings, windows } = await inTime(workers.run(READ, { ...of, bars }), tooLate);
      const told: (DeepSighting & Explained)[] = [];
      for (const [k, sighting] of sightings.toReversed().entries()) {
        const explained: Explained =
          explain && k < EXPLAINED
            ? await explainOne(of, sighting)
            : { explanation: null, reason: explain ? NOT_NEWEST : NOT_ASKED };
        told.push({ ...sighting, ...explained });
      }
      return { sightings: told.reverse(), windows, set, version: found.version };
    },
  };
}

function tooLate(): AppError {
  return new AppError("timed_out", "No thread came to read the windows in time");
}
