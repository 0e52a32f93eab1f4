import { PATTERNS } from "../../core/patterns/index.js";
import { REGIMES } from "../../core/regime/define.js";
import { COST_BOUNDS } from "../../core/signals/cost-class.js";
import { LEAST_TRADES } from "../../core/signals/evidence.js";
import { EDGE_LEVEL, LEAST_BLOCKS } from "../../core/signals/evidence-edge.js";
import { EDGE_SPREAD } from "../../core/signals/evidence-walk.js";
import { ROUND_TRIP_BPS, TRADE_POLICY } from "../../core/signals/levels.js";

/** What every run measures, in every thread. */
export const MEASURED = { patterns: PATTERNS, regimes: REGIMES, seed: 1 };

/** What the figures of a run follow from, as it is kept with them and shown. */
export const POLICY = {
  stop_ranges: TRADE_POLICY.stopRanges,
  target_ranges: TRADE_POLICY.targetRanges,
  horizon_bars: TRADE_POLICY.horizonBars,
  horizon_bars_most: TRADE_POLICY.mostHorizonBars,
  reward_risk_least: TRADE_POLICY.leastRewardRisk,
  reward_risk_most: TRADE_POLICY.mostRewardRisk,
  cost_bps: ROUND_TRIP_BPS,
  cost_bounds: COST_BOUNDS,
  trades_least: LEAST_TRADES,
  blocks_least: LEAST_BLOCKS,
  edge_spread: EDGE_SPREAD,
  edge_level: EDGE_LEVEL,
  seed: MEASURED.seed,
};
