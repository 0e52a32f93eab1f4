import { allocateBars, type Candles } from "../../core/market/candles.js";
import { REGIME_WARMUP } from "../../core/regime/define.js";
import { inTime, within } from "../../platform/deadline.js";
import { AppError, messageOf } from "../../platform/errors.js";
import { defineTask, type Workers } from "../../platform/workers.js";
import type { Look, LookTask } from "./worker.js";

export interface DetectorState {
  readonly healthy: boolean;
  readonly detail: string;
  readonly ms: number;
}

const LOOK = defineTask<LookTask, Look>(new URL("./worker.js", import.meta.url));
const PATIENCE_MS = 2_000;
/** More than enough for a label. */
const BARS = REGIME_WARMUP + 32;

/** Bars that rise one after the other, the newest of which covers the fall before it: a bullish engulfing. */
function knownBars(): Candles {
  const bars = allocateBars(BARS);
  for (let i = 0; i < BARS; i++) {
    const falls = i >= BARS - 8 && i < BARS - 1;
    const open = 100 + (i < BARS - 8 ? i % 3 : BARS - 8 - i);
    const close = i === BARS - 1 ? open + 6 : falls ? open - 1 : open + 0.5;
    bars.time[i] = i * 86_400_000;
    bars.open[i] = i === BARS - 1 ? open - 0.5 : open;
    bars.close[i] = close;
    bars.high[i] = Math.max(bars.open[i], close) + 0.25;
    bars.low[i] = Math.min(bars.open[i], close) - 0.25;
    bars.volume[i] = 1_000;
  }
  return { ...bars, symbol: "KNOWN", interval: "1d" };
}

/** Runs the detectors in a thread on bars of which it is known what they show. */
export async function checkDetectors(
  workers: Workers,
): Promise<{ patterns: DetectorState; regimes: DetectorState }> {
  const started = performance.now();
  const since = () => performance.now() - started;
  try {
    const late = () => new AppError("timed_out", "No thread answered in time");
    const task = { candles: knownBars(), from: BARS - 1 };
    const { sightings, regime } = await within(PATIENCE_MS, () => inTime(workers.run(LOOK, task), late));
    const seen = sightings.some(({ pattern }) => pattern === "bullish_engulfing");
    const ms = since();
    return {
      patterns: { healthy: seen, detail: seen ? "sees a known pattern" : "misses a known pattern", ms },
      regimes: {
        healthy: regime !== null,
        detail: regime === null ? "gives no label" : "labels known bars",
        ms,
      },
    };
  } catch (error) {
    const state = { healthy: false, detail: messageOf(error), ms: since() };
    return { patterns: state, regimes: state };
  }
}
