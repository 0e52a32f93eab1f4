import type { Cache } from "../../platform/cache.js";
import type { Config } from "../../platform/config.js";
import type { Database } from "../../platform/database.js";
import type { Leases } from "../../platform/lease.js";
import type { Log } from "../../platform/log.js";
import type { LoopDefinition } from "../../platform/loop.js";
import { createInstrumentStore } from "../instruments/store.js";
import { createOptionFeed, type OptionGateway } from "./feed.js";
import type { InspectChain, TellIssues } from "./inspection.js";
import { createOptions, type Options } from "./options.js";
import { createOptionStore } from "./store.js";

export interface OptionDesk {
  readonly options: Options;
  /** What stores chains; none where no underlyings are configured. */
  readonly optionLoops: readonly LoopDefinition[];
}

const DAY_MS = 86_400_000;

/** @throws naming the variable, where no source lists options on what is to be stored. */
export function createOptionDesk(parts: {
  config: Config;
  database: Database;
  gateway: OptionGateway;
  leases: Leases;
  cache: Cache;
  inspect: InspectChain;
  tell: TellIssues;
  now: () => number;
  log: Log;
}): OptionDesk {
  const { config, database, gateway, leases } = parts;
  const feed = createOptionFeed(gateway);
  const options = createOptions({
    ...parts,
    feed,
    store: createOptionStore(database),
    instrumentStore: createInstrumentStore(database),
    rates: config.OPTION_RATES ?? {},
  });
  const { OPTION_UNDERLYINGS: underlyings = [] } = config;
  for (const text of underlyings) {
    if (feed.carries(options.identify(text))) continue;
    throw new Error(`OPTION_UNDERLYINGS: no configured source lists options on ${text}`);
  }
  if (underlyings.length === 0) return { options, optionLoops: [] };
  const everyMs = config.OPTION_SNAPSHOT_SECONDS * 1_000;
  const wholeMs = config.OPTION_SNAPSHOT_DAYS * DAY_MS;
  return { options, optionLoops: [options.snapshotLoop({ leases, underlyings, everyMs, wholeMs })] };
}
