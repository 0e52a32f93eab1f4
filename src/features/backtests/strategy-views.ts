import type { z } from "zod";
import { NEEDS, type Strategy } from "../../core/strategies/define.js";
import { FACTS } from "../../core/strategies/facts.js";
import { STRATEGIES } from "../../core/strategies/index.js";
import type { Parameter } from "../../core/strategies/parameters.js";
import type { strategySchema } from "./answer-schema.js";
import { NUMBERED } from "./order.js";

type Type = z.input<typeof strategySchema>["type"];

const TYPES: Readonly<Record<string, Type>> = {
  golden_cross: "trend",
  macd_cross: "trend",
  rsi_reversal: "reversion",
  bollinger_reversal: "reversion",
  mean_reversion: "reversion",
  vwap_deviation: "reversion",
  donchian_breakout: "breakout",
  opening_range: "breakout",
  momentum_rotation: "rotation",
  regime_switched: "regime",
  pattern_trade: "pattern",
  pattern_list: "pattern",
  synergy: "synergy",
  pcr_extremes: "options",
  oi_change: "options",
  max_pain: "options",
  iv_rank: "options",
  oi_levels: "options",
  model_score: "model",
};

/** What existing clients call a strategy: its number where it has one. */
export function numberOf(id: string): number | string {
  const at = STRATEGIES.findIndex((strategy) => strategy.id === id);
  return at >= 0 && at < NUMBERED ? at + 1 : id;
}

export function strategyViews(): z.input<typeof strategySchema>[] {
  return STRATEGIES.map(strategyView);
}

function strategyView(strategy: Strategy): z.input<typeof strategySchema> {
  const { id, title, description, scope, needs, facts, parameters, constraints } = strategy;
  return {
    id: numberOf(id),
    strategy: id,
    name: title,
    description,
    type: TYPES[id] ?? "other",
    scope,
    needs: needs.map((need) => ({ need, meaning: NEEDS[need] })),
    facts: facts.map((fact) => ({ fact, meaning: FACTS[fact] })),
    parameters: Object.fromEntries(Object.entries(parameters).map(([name, each]) => [name, formOf(each)])),
    constraints: [...constraints],
  };
}

function formOf(parameter: Parameter) {
  if (parameter.kind === "choice" || parameter.kind === "list") {
    return { ...parameter, choices: [...parameter.choices] };
  }
  return { ...parameter };
}
