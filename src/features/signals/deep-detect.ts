import { WINDOW_BARS } from "../../core/learning/sequence-net/columns.js";
import type { Interval } from "../../core/market/interval.js";
import { AppError } from "../../platform/errors.js";
import { defineTask, type Workers } from "../../platform/workers.js";
import type { CandleService, CandleSet } from "../candles/candles.js";
import type { Instruments } from "../instruments/instruments.js";
import type { ModelVersion } from "../models/store.js";
import { type DeepLook, NO_NET } from "./deep.js";
import type { DeepSightings, DeepTask } from "./deep-worker.js";

/** Shapes that the net names on the newest bars of a symbol. */
export interface DeepDetection extends DeepSightings {
  readonly set: CandleSet;
  readonly version: ModelVersion;
}

export interface DeepDetect {
  /** @throws {AppError} `no_model` while no net serves; as candles do. */
  detect(symbol: string, interval: Interval, bars: number, explain: boolean): Promise<DeepDetection>;
}

/** Shapes of which is told what did it: about a quarter of a second of a thread each. */
const EXPLAINED = 5;
const READ = defineTask<DeepTask, DeepSightings>(new URL("./deep-worker.js", import.meta.url));

export function createDeepDetect(options: {
  readonly candles: Pick<CandleService, "loadLatest">;
  readonly instruments: Pick<Instruments, "resolve">;
  readonly workers: Workers;
  readonly deep: Pick<DeepLook, "serving">;
}): DeepDetect {
  const { candles, instruments, workers, deep } = options;
  return {
    async detect(symbol, interval, bars, explain) {
      const instrument = await instruments.resolve(symbol);
      const found = deep.serving();
      if (found === null) throw new AppError("no_model", `There is none to read windows by: ${NO_NET}`);
      const set = await candles.loadLatest(instrument, interval, bars + WINDOW_BARS - 1);
      const explained = explain ? EXPLAINED : 0;
      const task = { candles: set.candles, net: found.net, bars, explained };
      return { ...(await workers.run(READ, task)), set, version: found.version };
    },
  };
}
