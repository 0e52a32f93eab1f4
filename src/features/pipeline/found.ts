import { finiteOrNull } from "../../core/base/finite.js";
import { roundQuantity } from "../../core/execution/money.js";
import type { Interval } from "../../core/market/interval.js";
import {
  DECISION_RULES,
  type DecisionRule,
  IN_COST,
  IN_ENTRY,
  IN_EQUITY,
  IN_HELD,
  IN_NODE_ABOVE,
  IN_NODE_BELOW,
  IN_OPEN,
  IN_POINT_VALUE,
  IN_POSITIONS,
  IN_QUALITY,
  IN_RANGE,
  IN_RATE,
  IN_SCORE,
  IN_WARM,
  OUT_BASIS,
  OUT_REWARD,
  OUT_RISK,
  OUT_STOP,
  OUT_TARGET,
  OUT_UNITS,
  STOP_BASES,
} from "../../core/synergy/decision.js";
import type { DecisionTerms } from "../../core/synergy/decision-terms.js";
import type { FoundSynergy } from "../../core/synergy/findings.js";
import {
  FACT_ABOVE_STRENGTH,
  FACT_BELOW_STRENGTH,
  FACT_MOMENTUM,
  FACT_SLOPE,
  FACT_VOLUME,
  FACT_VOLUME_RATIO,
} from "../../core/synergy/track.js";
import type { BarColumns } from "../../core/ticks/bar-columns.js";
import type { AccountSaid, ModelSaid, NewDecision, NewSynergy, RuleSaid } from "./decision-store.js";
import type { TickBar } from "./store.js";

/** Closed bars as rows. */
export function barsOf(
  columns: readonly BarColumns[],
  symbols: readonly string[],
  intervals: readonly Interval[],
): TickBar[] {
  return columns.flatMap((bars) =>
    Array.from(bars.time, (time, i) => ({
      symbol: symbols[bars.symbol[i]],
      interval: intervals[bars.interval[i]],
      time,
      open: bars.open[i],
      high: bars.high[i],
      low: bars.low[i],
      close: bars.close[i],
      volume: bars.volume[i],
      count: bars.count[i],
      vwap: bars.vwap[i],
      pressure: bars.pressure[i],
      slot: bars.slot[i],
    })),
  );
}

/** A synergy as the engine found it, with what it is decided by. */
export interface Undecided {
  readonly found: FoundSynergy;
  readonly symbol: string;
  readonly terms: DecisionTerms;
  /** Of the money that the terms are of. */
  readonly currency: string;
}

/** What a decision was told by a model and an account. */
export interface Told {
  readonly model: ModelSaid;
  /** Null where decisions go to no account. */
  readonly account: AccountSaid | null;
}

/** A synergy and its decision as they are kept. */
export function synergyRow({ found, symbol, terms, currency }: Undecided, told: Told): NewSynergy {
  const { type, way, begunAt, knownAt, quality, inputs, facts } = found;
  return {
    ...{ symbol, type, way, begunAt, knownAt, quality },
    legs: found.legs.map((leg) => ({ ...leg, way })),
    context: {
      price: finiteOrNull(inputs[IN_ENTRY]),
      range: finiteOrNull(inputs[IN_RANGE]),
      node_below: finiteOrNull(inputs[IN_NODE_BELOW]),
      node_above: finiteOrNull(inputs[IN_NODE_ABOVE]),
      equity: finiteOrNull(inputs[IN_EQUITY]),
      open_positions: finiteOrNull(inputs[IN_POSITIONS]),
      cost: finiteOrNull(inputs[IN_COST]),
      volume: finiteOrNull(facts[FACT_VOLUME]),
      volume_ratio: finiteOrNull(facts[FACT_VOLUME_RATIO]),
      momentum: finiteOrNull(facts[FACT_MOMENTUM]),
      slope: finiteOrNull(facts[FACT_SLOPE]),
      below_strength: finiteOrNull(facts[FACT_BELOW_STRENGTH]),
      above_strength: finiteOrNull(facts[FACT_ABOVE_STRENGTH]),
    },
    decision: decisionOf(found, terms, currency, told),
  };
}

function decisionOf(
  { refusedBy, quality, inputs, outputs }: FoundSynergy,
  terms: DecisionTerms,
  currency: string,
  told: Told,
): NewDecision {
  const units = Number.isNaN(outputs[OUT_UNITS]) ? null : roundQuantity(outputs[OUT_UNITS]);
  const entry = finiteOrNull(inputs[IN_ENTRY]);
  const target = finiteOrNull(outputs[OUT_TARGET]);
  const stop = finiteOrNull(outputs[OUT_STOP]);
  const risk = finiteOrNull(outputs[OUT_RISK]);
  return {
    ...{ refusedBy, entry, stop, target, size: units, risk },
    reward: risk === null ? null : risk * terms.rewardRisk,
    confidence: told.model.score ?? quality,
    measure: told.model.score === null ? "quality" : "score",
    ...told,
    stopBasis: Number.isNaN(outputs[OUT_BASIS]) ? null : STOP_BASES[outputs[OUT_BASIS]],
    rules: rulesSaid(refusedBy, inputs, outputs, terms, told),
    currency,
    pointValue: finiteOrNull(inputs[IN_POINT_VALUE]),
    rate: finiteOrNull(inputs[IN_RATE]),
  };
}

/** Why rules are not applied whose value nobody knows, by their names. */
const unapplied = ({ model, account }: Told): Readonly<Record<string, string>> => ({
  model_below_least: `not applied: ${model.why ?? "no model was asked"}`,
  position_limit: `not applied: ${account === null ? "no account is asked for its positions" : (account.why ?? "")}`,
});

/** What the figures of a rule do not say; null where they say it all. */
function toldOf(rule: DecisionRule, value: number, inputs: Float64Array): string | null {
  if (rule === "position_limit" && inputs[IN_HELD] === 1)
    return "the symbol is held already, or an order for it is at work or waits";
  return rule === "no_stop_level" && Number.isNaN(value) ? "there is no node on that side" : null;
}

/** What each rule compared, up to the one that refused; those after it were not asked. */
function rulesSaid(
  refusedBy: FoundSynergy["refusedBy"],
  inputs: Float64Array,
  outputs: Float64Array,
  terms: DecisionTerms,
  told: Told,
): RuleSaid[] {
  const reasons = unapplied(told);
  const range = inputs[IN_RANGE];
  const distance = Math.abs(inputs[IN_ENTRY] - outputs[OUT_STOP]);
  const compared: Readonly<Record<(typeof DECISION_RULES)[number]["name"], readonly [number, number]>> = {
    warming_up: [inputs[IN_WARM], 1],
    market_closed: [inputs[IN_OPEN], 1],
    quality_below_least: [inputs[IN_QUALITY], terms.leastQuality],
    model_below_least: [inputs[IN_SCORE], terms.leastModel],
    position_limit: [inputs[IN_POSITIONS], terms.mostPositions],
    no_price_range: [range, 0],
    no_stop_level: [inputs[inputs[0] > 0 ? IN_NODE_BELOW : IN_NODE_ABOVE], inputs[IN_ENTRY]],
    stop_too_wide: [distance / range, terms.furthestStop],
    no_target_level: [outputs[OUT_TARGET], 0],
    reward_below_least: [outputs[OUT_REWARD], terms.leastReward],
    unknown_point_value: [inputs[IN_POINT_VALUE], 0],
    other_currency: [inputs[IN_RATE], 0],
    size_below_one: [outputs[OUT_UNITS], terms.lot],
  };
  const last = DECISION_RULES.findIndex(({ name }) => name === refusedBy);
  const asked = last < 0 ? DECISION_RULES : DECISION_RULES.slice(0, last + 1);
  return asked.map(({ name }) => {
    const [value, limit] = compared[name];
    const isUnapplied = Number.isNaN(value) && Object.hasOwn(reasons, name);
    return {
      rule: name,
      passed: isUnapplied && name !== refusedBy ? null : name !== refusedBy,
      value: finiteOrNull(value),
      limit: finiteOrNull(limit),
      why: isUnapplied ? reasons[name] : toldOf(name, value, inputs),
    };
  });
}
