import { ensure } from "../src/core/base/assert.js";
import { type AgentMarket, marketOf } from "../src/core/learning/agent/state.js";
import type { LayerVote } from "../src/core/learning/layer-stack.js";
import type { LabelledSamples, SampleFacts } from "../src/core/learning/samples.js";
import { NET_TERMS } from "../src/core/learning/sequence-net/candidate.js";
import type { SequenceNet } from "../src/core/learning/sequence-net/net.js";
import { createBarReader, deepLayer } from "../src/core/learning/sequence-net/reading.js";
import { trainSequenceNet } from "../src/core/learning/sequence-net/train.js";
import type { Candles } from "../src/core/market/candles.js";
import { INTERVAL_MS } from "../src/core/market/interval.js";
import { resample } from "../src/core/market/resample.js";
import { type Calendar, calendarOf } from "../src/core/market/session.js";
import { REGIMES, type Regime } from "../src/core/regime/define.js";
import { computeRegimes } from "../src/core/regime/regime.js";
import type { EvidenceSeries } from "../src/core/signals/evidence-series.js";
import { rulesLayer } from "../src/core/signals/fuse.js";
import {
  directionScores,
  fuseTimeframes,
  readingAt,
  scoresOfBars,
  type TimeframeScores,
  timeframeMode,
} from "../src/core/signals/timeframes.js";

/** Windows of the net unless told otherwise, a quarter of those of a training, and half of its passes. */
export const NET_WINDOWS = NET_TERMS.windows / 4;
const NET_EPOCHS = NET_TERMS.epochs / 2;
const FUSED = ["1h", "4h", "1d"] as const;

export const netText = (windows: number) =>
  `The sequence net learned ${windows} drawn windows in ${NET_EPOCHS} passes and no bar of these files; its score is what the ` +
  "deep layer says towards the trade, nothing where it names no shape.";

/** A net that has seen drawn windows alone, so that every bar of a file is new to it. */
export function drawnNet(seed: number, windows: number): SequenceNet {
  return trainSequenceNet({ seed, windows, epochs: NET_EPOCHS }).net;
}

/** What is known of each row beside its columns, in their order. */
export interface RowLayers {
  readonly votes: readonly LayerVote[];
  /** Series of each row. */
  readonly member: Int32Array;
  /** Of each series, as an agent sees it, with the closes of its bars, epoch ms. */
  readonly markets: readonly AgentMarket[];
  readonly times: readonly Float64Array[];
}

/**
 * What layers say at the close of the bar of each row: patterns by their quality, the net, and the directions of the row's
 * interval and longer ones made of its bars; no texts.
 * @param parts samples of each of the members, of which `labelled` holds rows.
 */
export function layersOf(
  members: readonly EvidenceSeries[],
  parts: readonly LabelledSamples[],
  { samples, facts }: LabelledSamples,
  net: SequenceNet,
): RowLayers {
  const owner = new Map<SampleFacts, number>();
  for (const [member, part] of parts.entries()) for (const each of part.facts) owner.set(each, member);
  const member = Int32Array.from(facts, (each) => ensure(owner.get(each), "a row is of a series"));
  const directions = members.map(({ candles, calendar }) => directionsOf(candles, calendarOf(calendar)));
  const read = createBarReader(net);
  const quality = ensure(samples.columns[samples.names.indexOf("setup_quality")], "quality");
  const votes = facts.map((each, row): LayerVote => {
    const { candles } = members[member[row]];
    const { direction } = each.plan;
    const { decidedAt, settledAt } = each.label;
    const voice = { direction, quality: quality[row], confidence: null, base: null };
    const deep = deepLayer(read(candles, each.at)).value;
    return {
      ...{ direction, decidedAt, settledAt, label: each.label.value === 1 ? 1 : 0 },
      values: {
        rules: rulesLayer([voice]).value ?? Number.NaN,
        deep: deep ?? Number.NaN,
        multi_timeframe: fusedAt(directions[member[row]], decidedAt),
        sentiment: Number.NaN,
      },
    };
  });
  return {
    votes,
    member,
    markets: members.map(({ candles }) => marketOf(candles)),
    times: members.map(({ candles }) => candles.time),
  };
}

interface Directions {
  readonly scores: readonly TimeframeScores[];
  /** Regime by the day, by bar; null where there are no days. */
  readonly daily: TimeframeScores | null;
}

function directionsOf(candles: Candles, calendar: Calendar): Directions {
  let daily: Directions["daily"] = null;
  const scores = FUSED.filter((interval) => INTERVAL_MS[interval] >= INTERVAL_MS[candles.interval]).map(
    (interval) => {
      const bars = resample(candles, interval, calendar);
      const regimes = computeRegimes(bars);
      const found = scoresOfBars(bars, calendar, directionScores(regimes));
      if (interval === "1d") daily = { ...found, score: Float64Array.from(regimes.label) };
      return found;
    },
  );
  return { scores, daily };
}

function fusedAt({ scores, daily }: Directions, atMs: number): number {
  const readings = scores.map((each) => readingAt(each, atMs));
  const label = daily === null ? null : readingAt(daily, atMs).score;
  const regime: Regime | null = label === null ? null : (REGIMES[label] ?? null);
  const { fused } = fuseTimeframes(readings, timeframeMode(regime));
  return fused === null ? Number.NaN : Math.min(1, Math.max(-1, fused));
}
