import { lowerBound, upperBound } from "../base/search.js";
import type { Candles } from "../market/candles.js";
import { computeRanges } from "../signals/ranges.js";
import type { Samples } from "./define.js";
import { closesOf, type FeatureContext, FeatureSeries } from "./features/series.js";
import { statedLabel } from "./label.js";
import { TELLERS } from "./lesson.js";
import {
  type LabelledSamples,
  occasionsOf,
  planOf,
  regimeAt,
  type SampleFacts,
  subjectOf,
} from "./samples.js";
import { averageUniqueness } from "./uniqueness.js";

/** Who said it: an account by a trade that it closed, a client by what it logged, a user of whether a pattern is there. */
export type StatementKind = "account" | "client" | "feedback";

/** What was said of a decision, and what models were shown of it. Times in epoch ms. */
export interface Statement {
  readonly kind: StatementKind;
  /** Open of the bar of the decision. */
  readonly time: number;
  readonly direction: 1 | -1;
  /** Variant whose trade it was. */
  readonly pattern: string;
  /** In the order of the sample names. */
  readonly values: readonly number[];
  readonly good: boolean;
  readonly decidedAt: number;
  /** When it was said. */
  readonly statedAt: number;
  readonly gain: number | null;
  readonly r: number | null;
}

/** How much a row counts by who said it, per row that bars tell: nobody checks what a client says. */
export const STATEMENT_WEIGHTS: Readonly<Record<StatementKind, number>> = Object.freeze({
  account: 1,
  client: 0.5,
  feedback: 0.25,
});

const keyOf = (time: number, direction: number) => `${time} ${direction}`;

/**
 * At most one statement a decision: of the kind that counts most, what most of them say, as it was said first; none where
 * as many say the one as the other.
 */
export function countedStatements(statements: readonly Statement[]): Statement[] {
  const byDecision = new Map<string, Statement[]>();
  for (const each of statements) {
    if (each.statedAt <= each.decidedAt) continue;
    const key = keyOf(each.time, each.direction);
    const known = byDecision.get(key);
    if (known === undefined) byDecision.set(key, [each]);
    else known.push(each);
  }
  return [...byDecision.values()].flatMap((all) => {
    const most = Math.max(...all.map(({ kind }) => STATEMENT_WEIGHTS[kind]));
    const heard = all.filter(({ kind }) => STATEMENT_WEIGHTS[kind] === most);
    const surplus = heard.reduce((sum, { good }) => sum + (good ? 1 : -1), 0);
    const said = heard.filter(({ good }) => surplus !== 0 && good === surplus > 0);
    return said.sort((a, b) => a.statedAt - b.statedAt || (a.pattern < b.pattern ? -1 : 1)).slice(0, 1);
  });
}

interface Row {
  readonly values: ArrayLike<number>;
  readonly facts: SampleFacts;
  /** Of a row that bars tell. */
  readonly share: number;
  /** Its weight where another row stands for it in training, which it shares nothing with; null for all others. */
  readonly beside: number | null;
}

/**
 * Samples of a series with what was said of its decisions. The outcome of a trade has a row of its own after what bars
 * tell, with what was shown of it at the time: `tellersOf` says which of the two is for what. Whether a pattern is there is no outcome: it stands for one only
 * while bars tell none, and a row of a pattern that is not there counts less. Decisions that the bars no longer hold are
 * left out.
 * @param replayed rows of this series by `samplesOf`.
 */
export function withStatements(
  replayed: LabelledSamples,
  candles: Candles,
  context: FeatureContext,
  costBps: number,
  statements: readonly Statement[],
): LabelledSamples {
  const said = new Map(countedStatements(statements).map((each) => [keyOf(each.time, each.direction), each]));
  const { samples } = replayed;
  const closes = closesOf(candles, context.calendar);
  const rows = replayed.facts.flatMap((facts, row): Row[] => {
    const own = said.get(keyOf(facts.time, facts.plan.direction));
    said.delete(keyOf(facts.time, facts.plan.direction));
    const values = samples.columns.map((column) => column[row]);
    if (own === undefined || own.kind === "feedback") {
      const doubted = own !== undefined && !own.good;
      return [{ values, facts, share: doubted ? STATEMENT_WEIGHTS.feedback : 1, beside: null }];
    }
    return [
      { values, facts, share: 1, beside: samples.weights?.[row] ?? 1 },
      rowOfStatement(own, statedFacts(own, facts, facts.label.subject, closes)),
    ];
  });
  const all = [...rows, ...unsettledRows(candles, context, costBps, said)];
  all.sort((a, b) => a.facts.at - b.facts.at || b.facts.plan.direction - a.facts.plan.direction);
  return { samples: samplesOfRows(samples.names, all), facts: all.map(({ facts }) => facts) };
}

/** Rows of decisions of which bars do not tell. */
function unsettledRows(
  candles: Candles,
  context: FeatureContext,
  costBps: number,
  said: ReadonlyMap<string, Statement>,
): Row[] {
  const first = [...said.values()].reduce(
    (least, { time }) => Math.min(least, time),
    Number.POSITIVE_INFINITY,
  );
  const from = lowerBound(candles.time, first);
  if (from >= candles.time.length) return [];
  const series = new FeatureSeries(candles, context, from);
  const ranges = computeRanges(candles, from);
  return occasionsOf(series, from).flatMap((occasion): Row[] => {
    const { at, direction, hits } = occasion;
    const own = said.get(keyOf(candles.time[at], direction));
    const hit = hits.find((each) => each.hit.variant.id === own?.pattern);
    if (own === undefined || hit === undefined) return [];
    const plan = planOf(series, { ...occasion, hits: [hit] }, ranges[at], costBps);
    if (plan === null) return [];
    const facts = {
      ...{ symbol: candles.symbol, interval: candles.interval, at, time: candles.time[at], plan },
      ...{ patterns: hits.map((each) => each.hit.variant.id), regime: regimeAt(series, at) },
    };
    const subject = subjectOf(candles, occasion);
    return [rowOfStatement(own, statedFacts(own, facts, subject, series.closes))];
  });
}

const rowOfStatement = (said: Statement, facts: SampleFacts): Row => ({
  values: said.values,
  facts,
  share: STATEMENT_WEIGHTS[said.kind],
  beside: null,
});

/** Who tells each row: one of `TELLERS`. */
export function tellersOf(facts: readonly SampleFacts[]): Uint8Array {
  const nameOf = ({ symbol, interval, time, plan }: SampleFacts) =>
    `${symbol} ${interval} ${keyOf(time, plan.direction)}`;
  const said = new Set(facts.filter(({ label }) => label.policy === "stated").map(nameOf));
  return Uint8Array.from(facts, (each) => {
    if (each.label.policy === "stated") return TELLERS.somebody;
    return said.has(nameOf(each)) ? TELLERS.both : TELLERS.bars;
  });
}

function statedFacts(
  { kind, good, decidedAt, statedAt, gain, r, pattern }: Statement,
  { symbol, interval, at, time, patterns, regime, plan }: Omit<SampleFacts, "label" | "exitAt">,
  subject: string,
  closes: Float64Array,
): SampleFacts {
  const label = statedLabel({
    ...{ source: kind === "feedback" ? "feedback" : "outcome_log", subject, good, decidedAt, statedAt },
    ...(gain === null ? {} : { gain }),
    ...(r === null ? {} : { r }),
  });
  const others = patterns.filter((each) => each !== pattern);
  const exitAt = Math.max(at + 1, upperBound(closes, statedAt) - 1);
  return { symbol, interval, at, time, patterns: [pattern, ...others], regime, plan, label, exitAt };
}

function samplesOfRows(names: Samples["names"], rows: readonly Row[]): Samples {
  const trained = rows.filter(({ beside }) => beside === null);
  const entries = Int32Array.from(trained, ({ facts }) => facts.at + 1);
  const exits = Int32Array.from(trained, ({ facts }) => facts.exitAt);
  const unique = averageUniqueness(entries, exits);
  let next = 0;
  const weights = Float64Array.from(rows, ({ share, beside }) => beside ?? share * unique[next++]);
  return {
    names,
    columns: names.map((_, k) => Float64Array.from(rows, ({ values }) => values[k])),
    labels: Float64Array.from(rows, ({ facts }) => facts.label.value),
    decidedAt: Float64Array.from(rows, ({ facts }) => facts.label.decidedAt),
    settledAt: Float64Array.from(rows, ({ facts }) => facts.label.settledAt),
    weights,
  };
}
