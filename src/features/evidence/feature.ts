import type { Config } from "../../platform/config.js";
import type { Database } from "../../platform/database.js";
import type { Leases } from "../../platform/lease.js";
import type { Log } from "../../platform/log.js";
import type { Settings } from "../../platform/settings.js";
import type { Workers } from "../../platform/workers.js";
import type { Gateway } from "../../providers/gateway.js";
import type { Actions } from "../candles/actions.js";
import type { CandleStore } from "../candles/store.js";
import type { Jobs } from "../jobs/jobs.js";
import { createEvidence, type Evidence } from "./evidence.js";
import { liveSince } from "./recompute.js";
import { createEvidenceStore } from "./store.js";
import { createStoredReader } from "./stored.js";

const HOUR_MS = 3_600_000;

/** Evidence of the market in use, with what was measured last. */
export async function createEvidenceFeature(parts: {
  config: Config;
  database: Database;
  gateway: Gateway;
  candleStore: CandleStore;
  actions: Actions;
  workers: Workers;
  leases: Leases;
  settings: Settings;
  jobs: () => Jobs;
  now: () => number;
  log: Log;
}): Promise<Evidence> {
  const { config, database, gateway } = parts;
  const market = { synthetic: gateway.synthetic, replay: gateway.replay };
  const hours = config.EVIDENCE_MAX_AGE_HOURS;
  const byItself = config.ENABLE_BACKGROUND_WORKERS && hours > 0;
  const evidence = createEvidence({
    ...parts,
    market,
    store: createEvidenceStore(database, market),
    read: createStoredReader(parts),
    maxAgeMs: byItself ? hours * HOUR_MS : null,
  });
  await liveSince({ ...parts, market });
  await evidence.refresh();
  return evidence;
}
