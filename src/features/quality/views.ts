import type { z } from "zod";
import { checkFeed, isTold } from "../../core/quality/feed.js";
import { ISSUES, type Issue } from "../../core/quality/issue.js";
import type { ChainState, MarketState } from "../../core/quality/state.js";
import { parseInstant } from "../../platform/clock.js";
import { isoTime } from "../../platform/http.js";
import type { QualityReport } from "./quality.js";
import type { foundSchema, issueSchema, reportSchema, StateBody } from "./schema.js";
import type { StoredIssue } from "./store.js";

export function foundView(issue: Issue): z.output<typeof foundSchema> {
  const { code, severity, subject, detail, time, count } = issue;
  const { category, title } = ISSUES[code];
  return {
    ...{ code, severity, category, title, symbol: subject, detail, count },
    datum_time: time === null ? null : isoTime(time),
  };
}

export function issueView(issue: StoredIssue): z.output<typeof issueSchema> {
  const { id, source, synthetic, firstSeenMs, lastSeenMs, seen } = issue;
  return {
    ...foundView(issue),
    ...{ id, source, synthetic, seen },
    first_seen: isoTime(firstSeenMs),
    last_seen: isoTime(lastSeenMs),
  };
}

export function reportView(report: QualityReport): z.output<typeof reportSchema> {
  const { timeMs, recent, feeds, counts, streams } = report;
  const { tracked, criticalLastHour, warningsLastHour } = counts;
  return {
    timestamp: isoTime(timeMs),
    overall_quality: overall(report),
    recent_issues: recent.map(issueView),
    feed_health: Object.fromEntries(
      [...feeds].map(([name, health]) => [
        name,
        {
          total_calls: health.calls,
          successful_calls: health.successful,
          failed_calls: health.failed,
          avg_response_time_ms: health.meanMs,
          failure_rate: health.failureRate,
          quality: qualityOf(checkFeed(name, health), isTold(health)),
          issues: checkFeed(name, health).map(foundView),
        },
      ]),
    ),
    stream_health: Object.fromEntries(
      streams.map(({ health: { name, connected }, issues }) => [
        name,
        { connected, issues: issues.map(foundView) },
      ]),
    ),
    summary: {
      total_issues_tracked: tracked,
      critical_issues_last_hour: criticalLastHour,
      warning_issues_last_hour: warningsLastHour,
    },
  };
}

type Quality = z.output<typeof reportSchema>["overall_quality"];

/** The worst that is found; without findings, whether there was enough to look at. */
function qualityOf(issues: readonly Pick<Issue, "severity">[], told: boolean): Quality {
  if (issues.some(({ severity }) => severity === "critical")) return "bad";
  if (issues.some(({ severity }) => severity === "warning")) return "degraded";
  return told ? "good" : "unknown";
}

/** Of what was kept in the last hour, and of what is now. */
function overall({ feeds, counts, streams }: QualityReport): Quality {
  const kept = [
    ...(counts.criticalLastHour > 0 ? [{ severity: "critical" } as const] : []),
    ...(counts.warningsLastHour > 0 ? [{ severity: "warning" } as const] : []),
  ];
  const now = [...feeds].flatMap(([name, health]) => checkFeed(name, health));
  const heard = streams.flatMap(({ issues }) => issues);
  return qualityOf([...kept, ...now, ...heard], [...feeds.values()].some(isTold));
}

/** A state as it was sent. A time that cannot be read is not a number, which the check tells. */
export function stateOf(body: StateBody): MarketState {
  const { symbol, timestamp, bid, ask } = body;
  return {
    symbol,
    price: body.spot_price ?? body.price ?? null,
    time: timestamp === undefined || timestamp === null ? null : timeOf(timestamp),
    bid: bid ?? null,
    ask: ask ?? null,
    chain: chainOf(body),
    expectsChain: "option_chain" in body,
  };
}

function timeOf(timestamp: string | number): number {
  return typeof timestamp === "number" ? timestamp : (parseInstant(timestamp) ?? Number.NaN);
}

function chainOf(body: StateBody): ChainState | null {
  const { option_chain: chain } = body;
  if (chain === null || chain === undefined) return null;
  const calls = Object.values(chain.calls ?? []);
  const puts = Object.values(chain.puts ?? []);
  const negative = [...calls, ...puts].filter((leg) => (openInterestOf(leg) ?? 0) < 0).length;
  return {
    calls: calls.length,
    puts: puts.length,
    callOpenInterest: body.total_call_oi ?? sumOf(calls),
    putOpenInterest: body.total_put_oi ?? sumOf(puts),
    negative: negative + [body.total_call_oi, body.total_put_oi].filter((total) => (total ?? 0) < 0).length,
    originalStrikes: body.original_strikes ?? null,
    filteredStrikes: body.filtered_strikes ?? null,
  };
}

/** Null where no leg says. */
function sumOf(legs: readonly unknown[]): number | null {
  const known = legs.map(openInterestOf).filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0);
}

function openInterestOf(leg: unknown): number | null {
  if (typeof leg !== "object" || leg === null) return null;
  const { oi, open_interest: openInterest } = leg as { oi?: unknown; open_interest?: unknown };
  const value = oi ?? openInterest;
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}
