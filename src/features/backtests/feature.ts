import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Config } from "../../platform/config.js";
import type { Database } from "../../platform/database.js";
import type { JobKind } from "../../platform/jobs.js";
import type { Workers } from "../../platform/workers.js";
import { createChainFacts } from "../options/chain-facts.js";
import { type BacktestAnswers, createBacktestAnswers } from "./answers.js";
import { createCompare } from "./compare.js";
import { createLedger } from "./ledger.js";
import type { PaperReader } from "./paper-record.js";
import { createReconcile } from "./reconcile.js";
import { createRegressionJob } from "./regression-job.js";
import { createRunJob } from "./run-job.js";
import { createRunStore } from "./run-store.js";
import type { SeriesParts } from "./series.js";
import { createLedgerStore } from "./store.js";
import { createStoredRuns, type StoredRuns } from "./stored.js";
import { createSweep } from "./sweep.js";
import { tellingTooMuch } from "./too-much.js";
import { createWalkForward } from "./walk-forward.js";

/** Baselines that come with the program. */
const COMMITTED = fileURLToPath(new URL("../../../bench/baselines", import.meta.url));

/** The runs that are jobs. */
export interface BacktestKinds {
  readonly run: ReturnType<typeof createRunJob>;
  readonly walkForward: ReturnType<typeof createWalkForward>;
  readonly sweep: ReturnType<typeof createSweep>;
  readonly compare: ReturnType<typeof createCompare>;
  readonly regression: ReturnType<typeof createRegressionJob>;
  readonly reconcile: ReturnType<typeof createReconcile>;
}

/** Backtests of strategies: those answered at once, those that are jobs, and what was kept of both. */
export interface BacktestDesk {
  readonly answers: BacktestAnswers;
  readonly stored: StoredRuns;
  readonly kinds: BacktestKinds;
  /** The same, as the queue takes them. */
  readonly jobKinds: readonly JobKind[];
}

export function createBacktestDesk(
  options: Omit<SeriesParts, "chainFacts"> & {
    config: Pick<Config, "DATA_DIR">;
    database: Database;
    workers: Workers;
    paper: PaperReader;
  },
): BacktestDesk {
  const { config, database } = options;
  const workers = tellingTooMuch(options.workers);
  const runs = createRunStore(database);
  const ledger = createLedger({ store: createLedgerStore(database), workers });
  const parts = { ...options, workers, chainFacts: createChainFacts(options), runs, ledger };
  const kinds: BacktestKinds = {
    run: createRunJob(parts),
    walkForward: createWalkForward(parts),
    sweep: createSweep(parts),
    compare: createCompare(parts),
    regression: createRegressionJob({
      workers,
      runs,
      folder: join(config.DATA_DIR, "baselines"),
      committed: COMMITTED,
    }),
    reconcile: createReconcile(parts),
  };
  return {
    answers: createBacktestAnswers(parts),
    stored: createStoredRuns(parts),
    kinds,
    jobKinds: Object.values(kinds),
  };
}
