import { exactText } from "../../core/base/words.js";
import { computeIndicator } from "../../core/indicators/define.js";
import { INDICATORS } from "../../core/indicators/index.js";
import { parseIndicatorRequest } from "../../core/indicators/request.js";
import type { Candles } from "../../core/market/candles.js";
import type { Hit, Pattern, PatternSeries } from "../../core/patterns/define.js";
import { findPattern, findVariant, PATTERNS } from "../../core/patterns/index.js";
import { plainName } from "../../core/patterns/names.js";
import { createPatternSeries } from "../../core/patterns/series.js";
import { REGIME_WARMUP, REGIMES } from "../../core/regime/define.js";
import { computeRegimes } from "../../core/regime/regime.js";
import { AppError } from "../../platform/errors.js";
import { requireVariant } from "./encyclopaedia.js";
import type { Said, SeriesKind, TruncationSubject } from "./truncation.js";

/** A subject by name, as it travels to a thread. */
export interface SubjectRef {
  readonly kind: SeriesKind;
  readonly name: string;
}

/** What can be tested bar by bar. */
export interface SubjectTable {
  /** All of some kinds. */
  all(kinds: readonly SeriesKind[]): SubjectRef[];
  /** @throws {AppError} `invalid_request`, `pattern_unknown` for a name that is none of the kind. */
  named(kind: SeriesKind, text: string): SubjectRef;
  subjectOf(ref: SubjectRef): TruncationSubject;
}

const NAMES: Readonly<Record<SeriesKind, () => readonly string[]>> = {
  indicator: () => INDICATORS.map(({ name }) => name),
  pattern: () => PATTERNS.map(({ name }) => name),
  regime: () => ["regime"],
};

/** Every row of the tables of indicators and patterns, and the regime. */
export const SUBJECTS: SubjectTable = {
  all: (kinds) => kinds.flatMap((kind) => NAMES[kind]().map((name) => ({ kind, name }))),
  named(kind, text) {
    if (kind === "regime") {
      if (plainName(text) === "regime") return { kind, name: "regime" };
      throw new AppError("invalid_request", `body names: the one regime is called regime, not ${text}`);
    }
    if (kind === "pattern") {
      const row = findPattern(plainName(text)) ?? findVariant(requireVariant(text).variant.id)?.pattern;
      return { kind, name: row?.name ?? text };
    }
    const { request, problem } = parseIndicatorRequest(text);
    if (request === null) throw new AppError("invalid_request", `body names: ${problem}`);
    return { kind, name: text };
  },
  subjectOf({ kind, name }) {
    if (kind === "regime") return REGIME;
    return kind === "indicator" ? indicatorSubject(name) : patternSubject(name);
  },
};

function indicatorSubject(name: string): TruncationSubject {
  const { request, problem } = parseIndicatorRequest(name);
  if (request === null) throw new AppError("invalid_request", `body names: ${problem}`);
  const { indicator, values } = request;
  return {
    kind: "indicator",
    name,
    warmup: Math.min(...indicator.outputs.map((_, output) => indicator.warmup(values, output))),
    observe(candles) {
      const columns = computeIndicator(indicator, candles, values);
      return (at) => new Map(indicator.outputs.map((output, i) => [output.name, columns[i][at]]));
    },
  };
}

function patternSubject(name: string): TruncationSubject {
  const pattern = findPattern(name);
  if (pattern === null) throw new AppError("pattern_unknown", `${name} is no known pattern`);
  return patternAsSubject(pattern);
}

/** What a pattern says of a bar: every hit at it, each with all that it tells. */
export function patternAsSubject(pattern: Pattern): TruncationSubject {
  return {
    kind: "pattern",
    name: pattern.name,
    warmup: pattern.warmup,
    observe(candles, from) {
      const hits: Hit[] = [];
      pattern.find(seriesOf(candles), from, candles.time.length, hits);
      const byBar = new Map<number, Map<string, Said>>();
      for (const { variant, at, state, ...hit } of hits) {
        const said = byBar.get(at) ?? new Map<string, Said>();
        const field = `${variant.id} ${state}`;
        // Of two hits where one may be, both are compared.
        byBar.set(at, said.set(said.has(field) ? `${field} ${said.size}` : field, exactText(hit)));
      }
      return (at) => byBar.get(at) ?? new Map();
    },
  };
}

let latest: { readonly candles: Candles; readonly series: PatternSeries } | null = null;

/** The series of candles, made once for patterns that look at the same ones in turn. */
function seriesOf(candles: Candles): PatternSeries {
  if (latest?.candles !== candles) latest = { candles, series: createPatternSeries(candles) };
  return latest.series;
}

const REGIME: TruncationSubject = {
  kind: "regime",
  name: "regime",
  warmup: REGIME_WARMUP,
  observe(candles) {
    const columns = computeRegimes(candles);
    return (at) =>
      new Map<string, Said>([
        ["label", REGIMES[columns.label[at]] ?? null],
        ["duration", columns.duration[at]],
        ["volatility_level", columns.volatilityLevel[at]],
        ["direction", columns.direction[at]],
        ...columns.fits.map((fit, k) => [`fit ${REGIMES[k]}`, fit[at]] as const),
      ]);
  },
};
