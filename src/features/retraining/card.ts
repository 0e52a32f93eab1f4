import type { LearningTerms } from "../../core/learning/lesson.js";
import { STATEMENT_WEIGHTS } from "../../core/learning/stated.js";
import { isoTime } from "../../platform/http.js";
import type { ArtefactHead } from "../models/artefact.js";
import { type Card, metricsOf, verdictView } from "../models/card.js";
import type { NewModel, Purpose } from "../models/store.js";
import type { Learned, LearnedMaterial } from "./learn-worker.js";

/** What a version is made of. */
export interface Made {
  readonly head: ArtefactHead;
  readonly terms: LearningTerms;
  readonly found: LearnedMaterial;
  readonly learned: Extract<Learned, { artefact: unknown }>;
  /** Symbols and intervals. */
  readonly series: readonly string[];
  /** Opens of the newest bars of these, epoch ms; not told without it. */
  readonly newestBars?: readonly number[];
  /** First moment that decisions were taken from, epoch ms; 0 for all of them. */
  readonly sinceMs?: number;
  readonly synthetic: boolean;
  readonly jobId: number | null;
}

/** Series that a card names. */
const NAMED = 200;
const LABEL =
  "the target of the trade on the pattern came before its stop and its time, and it gained after costs; or as whoever traded it says";
const LIMITS = [
  "How much a row counts by who said how it ended (source_weights) is chosen and not measured: nobody has compared what accounts, clients and users say with what then happened.",
  "Decisions on confirmed patterns with a direction; a bar without one has no score.",
  "Entry at the next open; costs as a share of the price, the same for every symbol of an asset class.",
  "Of sentiment and of the evidence of patterns is known what had been read and measured when it was decided, and nothing before.",
];

const timeOf = (ms: number | null) => (ms === null ? null : isoTime(ms));

/** A version as it is stored, with its card. */
export function newModelOf(purpose: Purpose, made: Made): NewModel {
  const { head, terms, found, learned } = made;
  const { evaluation, decided, reliability } = learned;
  const curve = reliability.map(({ predicted, happened, weight }) => ({
    predicted,
    happened,
    samples: weight,
  }));
  const { seed, ...parameters } = terms;
  return {
    ...purpose,
    ...head,
    hash: learned.hash,
    dataHash: found.dataHash,
    seed,
    parameters: { ...parameters },
    metrics: metricsOf(evaluation, decided, curve, learned.lots),
    card: cardOf(purpose, made),
    artefact: learned.artefact,
    samples: found.samples,
    firstDecisionMs: found.fromMs,
    lastDecisionMs: found.toMs,
    jobId: made.jobId,
  };
}

function cardOf({ assetClass, interval, grouping, learner }: Purpose, made: Made): Card {
  const { found, learned, series, synthetic, newestBars, sinceMs = 0 } = made;
  const more = series.length > NAMED ? [`and ${series.length - NAMED} more`] : [];
  return {
    purpose: `the chance that a trade on a pattern ends well: ${assetClass} ${interval}, by ${grouping}`,
    learner,
    learned_from: {
      series: [...series.slice(0, NAMED), ...more],
      ...(newestBars === undefined
        ? {}
        : { newest_bars: series.map((name, k) => ({ series: name, opens_at: isoTime(newestBars[k]) })) }),
      ...(sinceMs === 0 ? {} : { since: isoTime(sinceMs) }),
      source: synthetic ? "candles of the synthetic market" : "stored candles",
      synthetic,
      samples: found.samples,
      wins: found.wins,
      sources: { ...found.sources },
      source_weights: { bars: 1, ...STATEMENT_WEIGHTS },
      first_decision: timeOf(found.fromMs),
      last_decision: timeOf(found.toMs),
      label: LABEL,
    },
    stretches: learned.stretches.map(({ name, samples, from, to, settled }) => ({
      ...{ name, samples, from: timeOf(from), to: timeOf(to), settled_by: timeOf(settled) },
    })),
    embargo_share: made.terms.split.embargoShare,
    limits: LIMITS,
    verdict: verdictView(learned.verdict),
    training_ms: learned.trainingMs,
  };
}
