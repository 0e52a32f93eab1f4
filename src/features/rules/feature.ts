import type { Database } from "../../platform/database.js";
import type { Workers } from "../../platform/workers.js";
import type { Gateway } from "../../providers/gateway.js";
import type { CandleService } from "../candles/candles.js";
import type { Instruments } from "../instruments/instruments.js";
import { createRules, type Rules } from "./rules.js";
import { createRuleStore } from "./store.js";
import { createRuleTesting, type RuleTesting } from "./testing.js";

/** Rules of users, and what comes of them. */
export interface RuleDesk {
  readonly rules: Rules;
  readonly testing: RuleTesting;
  /** The moment by which rules begin and end, epoch ms. */
  marketNow(): number;
}

export function createRuleDesk(parts: {
  readonly database: Database;
  readonly candles: CandleService;
  readonly instruments: Instruments;
  readonly gateway: Gateway;
  readonly workers: Workers;
}): RuleDesk {
  const { gateway } = parts;
  return {
    rules: createRules({ ...parts, store: createRuleStore(parts.database) }),
    testing: createRuleTesting(parts),
    marketNow: () => gateway.marketNowMs(),
  };
}
