import type { LoadRuleDecisions } from "../../core/rules/decision.js";
import type { Bus } from "../../platform/bus.js";
import type { Database } from "../../platform/database.js";
import type { EventLog } from "../../platform/event-log.js";
import type { Leases } from "../../platform/lease.js";
import type { Log } from "../../platform/log.js";
import type { LoopDefinition } from "../../platform/loop.js";
import type { Workers } from "../../platform/workers.js";
import type { Gateway } from "../../providers/gateway.js";
import type { CandleService } from "../candles/candles.js";
import type { Quotes } from "../candles/quotes.js";
import type { Instruments } from "../instruments/instruments.js";
import { createRuleDecisions } from "./decisions.js";
import { createDigests } from "./digest.js";
import { createFactReader, type FactSources } from "./facts.js";
import { createRuleLoops } from "./loops.js";
import { createRules, type Rules } from "./rules.js";
import { createRuleStore } from "./store.js";
import { createRuleTesting, type RuleTesting } from "./testing.js";
import { createWatchStore } from "./watch-store.js";
import { createWatching } from "./watching.js";

/** Rules of users, and what comes of them. */
export interface RuleDesk {
  readonly rules: Rules;
  readonly testing: RuleTesting;
  readonly decisions: LoadRuleDecisions;
  /** Of closed bars, which is triggered from outside, and of quotes. */
  readonly loops: readonly [LoopDefinition, LoopDefinition];
  /** The moment by which rules begin and end, epoch ms. */
  marketNow(): number;
}

export function createRuleDesk(
  parts: {
    readonly database: Database;
    readonly leases: Leases;
    readonly eventLog: EventLog;
    readonly bus: Bus;
    readonly candles: CandleService;
    readonly quotes: Quotes;
    readonly instruments: Instruments;
    readonly gateway: Gateway;
    readonly workers: Workers;
    /** Makes the loop of closed bars run now. */
    readonly trigger: () => void;
    readonly now: () => number;
    readonly log: Log;
  } & FactSources,
): RuleDesk {
  const { database, gateway } = parts;
  const store = createWatchStore(database);
  const watching = createWatching({ ...parts, store, factsOf: createFactReader(parts) });
  return {
    rules: createRules({ ...parts, store: createRuleStore(database) }),
    testing: createRuleTesting(parts),
    decisions: createRuleDecisions(database),
    loops: createRuleLoops({ watching, digests: createDigests({ ...parts, store }) }, parts),
    marketNow: () => gateway.marketNowMs(),
  };
}
