import { z } from "zod";
import type { Candles } from "../../core/market/candles.js";
import { INTERVALS } from "../../core/market/interval.js";
import { isoTime } from "../../platform/http.js";
import { hashBars } from "./proof.js";
import { type Said, SUBJECT_KINDS, type SubjectFinding, TESTED_LIMIT, withinWarmup } from "./truncation.js";
import type { StrategyRef } from "./truncation-strategy.js";

const said = z.union([z.number(), z.string()]).nullable();
const seriesFields = {
  symbol: z.string(),
  bars: z.number().int(),
  from: z.iso.datetime(),
  to: z.iso.datetime(),
  bars_hash: z.string(),
};

const subjectSchema = z.object({
  kind: z.enum(SUBJECT_KINDS),
  name: z.string(),
  parameters: z
    .record(z.string(), z.union([z.number(), z.string()]))
    .nullable()
    .describe("Of a strategy, complete"),
  bars: z.number().int().describe("After the warm-up, of all symbols that it was tested on"),
  tested: z.number().int().describe("Those of them after which the series was cut"),
  said: z.number().int().describe("Tested bars of which it said anything; decisions of a strategy"),
  differences: z
    .number()
    .int()
    .describe(
      "Fields of bars that were said otherwise; of a strategy, cuts up to which it decided otherwise",
    ),
  reason: z.string().nullable().describe("Why it was not tested, or not on all symbols"),
  first: z.array(
    z.object({
      bar_time: z.iso
        .datetime()
        .describe("Open of the bar that it was said of, or at whose close it was decided"),
      symbol: z.string(),
      known_to: z.iso.datetime().describe("Open of the newest bar that was known"),
      field: z.string().describe("decision for strategies; failure where it threw instead"),
      prefix: said.describe("Said when no more was known"),
      whole: said.describe("Said with all bars known"),
    }),
  ),
});

export const resultSchema = z.object({
  ...seriesFields,
  interval: z.enum(INTERVALS),
  passed: z
    .boolean()
    .nullable()
    .describe("Nothing that was said of a bar was said otherwise later; null where something was not tested"),
  reason: z.string().nullable().describe("Why passed is null"),
  untested: z.array(z.string()).describe("What was not tested, or not on all symbols; its reason is with it"),
  left_out: z
    .array(z.object({ name: z.string(), reason: z.string() }))
    .describe(
      "Strategies that these bars are none for, which were not named; they do not keep the rest from passing",
    ),
  tested: z
    .number()
    .int()
    .describe("Bars of which anything that was asked for says something, and was tested"),
  sample: z.string().describe("Which bars were tested"),
  others: z.array(z.object(seriesFields)).describe("Further symbols, on which strategies were tested"),
  subjects: z.array(subjectSchema),
});
export type LookaheadResult = z.output<typeof resultSchema>;

/** What was tested, and on which bars. */
export interface Tested {
  /** The symbol, and after it those on which strategies were tested, too. */
  readonly series: readonly Candles[];
  readonly strategies: readonly StrategyRef[];
  /** Strategies that were not tested since these bars are none for them, and were not named. */
  readonly leftOut: readonly { readonly name: string; readonly reason: string }[];
  readonly findings: readonly SubjectFinding[];
}

/** The result of a test. */
export function resultOf({ series, strategies, leftOut, findings }: Tested): LookaheadResult {
  const [candles, ...others] = series;
  const values = new Map(strategies.map((ref) => [ref.name, ref.values]));
  const told = findings.map((finding) => ({
    ...finding,
    reason: finding.reason ?? (finding.tested === 0 ? withinWarmup(candles.time.length) : null),
  }));
  return {
    ...seriesView(candles),
    interval: candles.interval,
    ...verdictOf(told),
    left_out: leftOut.map((each) => ({ ...each })),
    tested: told.reduce((most, { tested }) => Math.max(most, tested), 0),
    sample: sampleOf(told, candles.time.length),
    others: others.map(seriesView),
    subjects: told.map((finding) => ({
      ...finding,
      parameters: finding.kind === "strategy" ? { ...values.get(finding.name) } : null,
      first: finding.first.map(({ time, known, prefix, whole, symbol, field }) => ({
        bar_time: isoTime(time),
        symbol,
        known_to: isoTime(known),
        field,
        prefix: finite(prefix),
        whole: finite(whole),
      })),
    })),
  };
}

function seriesView(candles: Candles) {
  const { symbol, time } = candles;
  const [from, to] = [isoTime(time[0]), isoTime(time[time.length - 1])];
  return { symbol, bars: time.length, from, to, bars_hash: hashBars(candles) };
}

/** What a difference anywhere decides; without one nothing is passed while something was not tested. */
function verdictOf(findings: readonly SubjectFinding[]) {
  const missing = findings.filter(({ reason }) => reason !== null);
  const untested = missing.map(({ name }) => name);
  if (findings.some(({ differences }) => differences > 0)) return { passed: false, reason: null, untested };
  if (missing.length === 0) return { passed: true, reason: null, untested };
  const what =
    missing.length === findings.length
      ? "Nothing"
      : `Not everything (${missing.length} of ${findings.length} not)`;
  return { passed: null, reason: `${what} was tested: ${reasonsOf(missing)}`, untested };
}

/** Names that are listed beside one reason. */
const LISTED = 5;

function reasonsOf(missing: readonly SubjectFinding[]): string {
  const names = new Map<string, string[]>();
  for (const { name, reason } of missing) {
    const key = reason ?? "";
    names.set(key, [...(names.get(key) ?? []), name]);
  }
  const texts = [...names].map(([reason, all]) => {
    const more = all.length > LISTED ? ` and ${all.length - LISTED} more` : "";
    return `${all.slice(0, LISTED).join(", ")}${more}: ${reason}`;
  });
  return texts.join("; ");
}

const isPart = ({ tested, bars }: SubjectFinding) => tested < bars;

/** Which of the bars were tested, where not all of them were. */
function sampleOf(findings: readonly SubjectFinding[], length: number): string {
  const cut = findings.filter(({ kind, reason }) => kind === "strategy" && reason === null).filter(isPart);
  const drawn = Math.min(length, TESTED_LIMIT);
  const isDrawn = drawn < length && findings.some(({ kind }) => kind !== "strategy");
  const texts = [
    ...(isDrawn
      ? [`${drawn} of ${length} bars, one drawn from each of as many stretches, those after the warm-up`]
      : []),
    ...(cut.length > 0
      ? [`strategies at ${TESTED_LIMIT} cuts, half of them where something was decided, the others drawn`]
      : []),
  ];
  return texts.length > 0 ? texts.join("; ") : "every bar after the warm-up";
}

/** Of what JSON has no number for, NaN is nothing, and the rest is told by its name. */
function finite(value: Said): Said {
  if (typeof value !== "number" || Number.isFinite(value)) return value;
  return Number.isNaN(value) ? null : String(value);
}
