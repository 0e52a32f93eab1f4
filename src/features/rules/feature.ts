import type { Workers } from "../../platform/workers.js";
import type { CandleService } from "../candles/candles.js";
import type { Instruments } from "../instruments/instruments.js";
import { createRuleTesting, type RuleTesting } from "./testing.js";

/** Rules of users, and what comes of them. */
export interface RuleDesk {
  readonly testing: RuleTesting;
}

export function createRuleDesk(parts: {
  readonly candles: CandleService;
  readonly instruments: Instruments;
  readonly workers: Workers;
}): RuleDesk {
  return { testing: createRuleTesting(parts) };
}
