import { INTERVALS, type Interval } from "../../core/market/interval.js";
import type { Pattern, PatternVariant } from "../../core/patterns/define.js";
import { findPattern, findVariant } from "../../core/patterns/index.js";
import { plainName } from "../../core/patterns/names.js";
import { meantVariants, nearVariants } from "../../core/patterns/near-names.js";
import { AppError } from "../../platform/errors.js";
import type { CandleService } from "../candles/candles.js";
import { severalMeant } from "../catalogue/pattern-names.js";
import type { Detections } from "../detections/detections.js";
import type { StoredDetection } from "../detections/store.js";
import type { Instruments } from "../instruments/instruments.js";
import { loadOutcome, type Outcome } from "./outcome.js";
import type { Reliability, ReliabilitySource } from "./reliability.js";
import { type PatternTexts, patternTexts } from "./texts.js";

/** A pattern as the encyclopaedia has it. */
export interface Entry {
  readonly pattern: Pattern;
  readonly variant: PatternVariant;
  /** All that the name means, the explained one first; several where it names a family of them. */
  readonly meant: readonly PatternVariant[];
  readonly texts: PatternTexts;
  /** The interval that was asked for, and what was measured there in any regime. */
  readonly interval: Interval;
  readonly reliability: Reliability;
  /** What was measured on every interval on which anything was. */
  readonly measured: readonly { readonly interval: Interval; readonly reliability: Reliability }[];
  /** The newest stored detections of it, with what became of them. */
  readonly examples: readonly { readonly detection: StoredDetection; readonly outcome: Outcome }[];
}

export interface Encyclopaedia {
  /** @throws {AppError} `pattern_unknown`, naming what may have been meant. */
  explain(name: string, interval: Interval): Promise<Entry>;
}

const EXAMPLES = 5;

export function createEncyclopaedia(parts: {
  detections: Pick<Detections, "list">;
  candles: Pick<CandleService, "loadRange">;
  instruments: Pick<Instruments, "resolve">;
  evidence: ReliabilitySource;
}): Encyclopaedia {
  const { detections, candles, instruments, evidence } = parts;
  return {
    async explain(name, interval) {
      const meant = requireMeant(name);
      const [{ pattern, variant }] = meant;
      const filter = { pattern: variant.id, state: "confirmed" } as const;
      const { rows } = await detections.list(filter, EXAMPLES, 0);
      const examples = await Promise.all(
        rows.map(async (detection) => {
          const instrument = await instruments.resolve(detection.symbol);
          return { detection, outcome: await loadOutcome(candles, detection, instrument) };
        }),
      );
      const measured = INTERVALS.map((each) => ({
        interval: each,
        reliability: evidence.confidenceOf(variant.id, each, null),
      })).filter(({ reliability }) => reliability.n > 0);
      const texts = patternTexts(pattern, variant);
      const reliability = evidence.confidenceOf(variant.id, interval, null);
      const variants = meant.map((each) => each.variant);
      return { pattern, variant, meant: variants, texts, interval, reliability, measured, examples };
    },
  };
}

/**
 * The variant that a text names in any spelling; a pattern's own name stands for its first.
 * @throws {AppError} as `requireVariants`.
 */
export function requireVariant(text: string): Meant {
  return requireVariants(text)[0];
}

/**
 * Every variant that a text names in any spelling: one, or those of the pattern whose name it is.
 * @throws {AppError} `pattern_unknown`, naming what may have been meant.
 */
export function requireVariants(text: string): readonly [Meant, ...Meant[]] {
  const meant = requireMeant(text);
  if (meant.length === 1 || findPattern(plainName(text)) !== null) return meant;
  throw severalMeant(
    text,
    meant.map(({ variant }) => variant.id),
  );
}

type Meant = { readonly pattern: Pattern; readonly variant: PatternVariant };

/** Every variant that a text means, one at least. @throws {AppError} `pattern_unknown`, naming what may have been meant. */
function requireMeant(text: string): readonly [Meant, ...Meant[]] {
  const [first, ...others] = meantVariants(text).flatMap((id) => findVariant(id) ?? []);
  if (first !== undefined) return [first, ...others];
  const near = nearVariants(text);
  const hint = near.length === 0 ? "" : `; did you mean ${near.join(", ")}?`;
  throw new AppError("pattern_unknown", `${JSON.stringify(text.slice(0, 60))} is no known pattern${hint}`);
}
