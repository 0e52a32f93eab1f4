import type { AlertOutcomes } from "../alerts/outcomes.js";
import type { Kept, Report, Reports } from "./reports.js";
import {
  type Label,
  OUTCOME_SOURCES,
  type OutcomePolicy,
  type OutcomeSource,
  type OutcomeStore,
  type SourceCount,
} from "./store.js";

/** Which labels are wanted; times in epoch ms. */
export interface LabelsWanted {
  /** Written at or after this; from the beginning without it. */
  readonly since?: number;
  /** Of settled alerts those by this policy alone; by every one without it. */
  readonly policy?: OutcomePolicy;
  readonly sources?: readonly OutcomeSource[];
  /** As it was at this moment: what was settled and written by then; now without it. */
  readonly asOf?: number;
  /** Ids above this: the next page. */
  readonly after?: number;
  /** 10,000 without it. */
  readonly limit?: number;
}

/** What became of alerts, of paper trades and of trades that users tell of. */
export interface Outcomes extends AlertOutcomes {
  /**
   * Outcomes as numbers to learn from, of this market, by id. Rows of one moment are written at about the same time, not in
   * the order of their ids: whoever reads on from a moment reads a little of what it knows again.
   */
  labels(wanted?: LabelsWanted): Promise<Label[]>;
  /**
   * Keeps what a user tells of a trade: of an alert one outcome, however often it is told.
   * @throws {AppError} as symbols do, `alert_not_found`, `invalid_request`, `conflict` for another outcome of that alert.
   */
  report(userId: string, report: Report): Promise<Kept>;
}

const MOST_LABELS = 10_000;
const NO_COUNT = { wins: 0, losses: 0, breakEvens: 0, voids: 0, unsettled: 0, meanR: null };

export function createOutcomes(options: {
  store: OutcomeStore;
  reports: Reports;
  now: () => number;
}): Outcomes {
  const { store, reports, now } = options;
  return {
    report: reports.report,
    ofAlert: (alertId) => store.ofAlert(alertId),
    async counts(sinceMs) {
      const rows = await store.counts(sinceMs);
      const of = (source: OutcomeSource) => rows.find((row) => row.source === source) ?? NO_COUNT;
      const { breakEvens, voids, unsettled, meanR } = of("settled");
      return {
        reported: winsAndLosses(of("user")),
        settled: { ...winsAndLosses(of("settled")), breakEvens, voids, unsettled, meanR },
      };
    },
    labels: ({
      since = 0,
      policy,
      sources = OUTCOME_SOURCES,
      asOf = now(),
      after = 0,
      limit = MOST_LABELS,
    } = {}) => store.labels({ since, policy: policy ?? null, sources, asOf, after, limit }),
  };
}

function winsAndLosses({ wins, losses }: Pick<SourceCount, "wins" | "losses">) {
  return { wins, losses, winRate: wins + losses === 0 ? null : wins / (wins + losses) };
}
