import { LRUCache } from "lru-cache";
import { startOfDay } from "../../core/market/adjust.js";
import { dateOf } from "../../core/market/day.js";
import { calendarOf } from "../../core/market/session.js";
import type { Issue } from "../../core/quality/issue.js";
import type { RepeatedSplit } from "../../core/quality/repeated-splits.js";
import { messageOf } from "../../platform/errors.js";
import type { Log } from "../../platform/log.js";
import type { KnownInstrument } from "../instruments/store.js";
import type { RecordIssues } from "./dividend-watch.js";

/** What of the actions of an instrument is not applied as it was told. */
export interface ActionFaults {
  readonly source: string;
  readonly repeated: readonly RepeatedSplit[];
  /** Rows that cannot be read, in words. */
  readonly leftOut: readonly string[];
}

/** Tells of actions that are not applied as they were told, each once. */
export type WatchActions = (instrument: KnownInstrument, faults: ActionFaults) => Promise<void>;

const TOLD_KEPT = 10_000;

export function createActionWatch({ record, log }: { record: RecordIssues; log: Log }): WatchActions {
  const known = new LRUCache<string, true>({ max: TOLD_KEPT });

  return async (instrument, { source, repeated, leftOut }) => {
    const issues = [
      ...repeated.map((each) => repeatedIssue(instrument, each)),
      ...leftOut.map((detail) => leftOutIssue(instrument, detail)),
    ];
    const keyOf = ({ code, detail }: Issue) => `${instrument.id} ${source} ${code} ${detail}`;
    const fresh = issues.filter((issue) => !known.has(keyOf(issue)));
    if (fresh.length === 0) return;
    for (const issue of fresh) known.set(keyOf(issue), true);
    try {
      await record(fresh, { source, synthetic: false });
    } catch (error) {
      for (const issue of fresh) known.delete(keyOf(issue));
      const { symbol } = instrument;
      log.warn({ symbol, reason: messageOf(error) }, "faults of corporate actions could not be told of");
    }
  };
}

/** Why a split counts for nothing, in words. */
export function repeatedText({ split, counted }: RepeatedSplit): string {
  const { exDay, ratio } = split;
  return `the split of ${dateOf(exDay)} by ${ratio} is listed twice; that of ${dateOf(counted.exDay)} counts`;
}

function repeatedIssue({ symbol, calendar }: KnownInstrument, repeated: RepeatedSplit): Issue {
  return {
    code: "split_listed_twice",
    severity: "warning",
    subject: symbol,
    detail: repeatedText(repeated),
    time: startOfDay(calendarOf(calendar), repeated.split.exDay),
    count: 1,
  };
}

function leftOutIssue({ symbol }: KnownInstrument, detail: string): Issue {
  return { code: "row_refused", severity: "warning", subject: symbol, detail, time: null, count: 1 };
}
