import { PATTERNS } from "../../core/patterns/index.js";

export const CATEGORIES = [
  "reversal",
  "continuation",
  "candlestick",
  "volume",
  "support_resistance",
] as const;
type Category = (typeof CATEGORIES)[number];

/** A kind of pattern as clients of the old product name it, and the variants of the table that are it. */
export interface PatternType {
  readonly type: string;
  readonly category: Category;
  readonly description: string;
  /** Ids of variants; empty for a kind that the table does not have. */
  readonly variants: readonly string[];
}

interface Kind {
  readonly category: Category;
  readonly description: string;
  /** Rows of the pattern table, or single variants of theirs. */
  readonly names: readonly string[];
}

const KINDS: Readonly<Record<string, Kind>> = {
  head_and_shoulders: {
    category: "reversal",
    description:
      "Three tops, the middle one highest, until price closes below the line through the lows between",
    names: ["head_and_shoulders"],
  },
  inverse_head_and_shoulders: {
    category: "reversal",
    description:
      "Three bottoms, the middle one lowest, until price closes above the line through the highs between",
    names: ["inverse_head_and_shoulders"],
  },
  double_top: {
    category: "reversal",
    description: "Two tops at one height, until price closes below the low between",
    names: ["double_top"],
  },
  double_bottom: {
    category: "reversal",
    description: "Two bottoms at one height, until price closes above the high between",
    names: ["double_bottom", "ugly_double_bottom"],
  },
  triple_top: {
    category: "reversal",
    description: "Three tops at one height, until price closes below the lows between",
    names: ["triple_top"],
  },
  triple_bottom: {
    category: "reversal",
    description: "Three bottoms at one height, until price closes above the highs between",
    names: ["triple_bottom"],
  },
  ascending_triangle: {
    category: "continuation",
    description: "Level highs over rising lows",
    names: ["ascending_triangle"],
  },
  descending_triangle: {
    category: "continuation",
    description: "Falling highs over level lows",
    names: ["descending_triangle"],
  },
  symmetrical_triangle: {
    category: "continuation",
    description: "Falling highs over rising lows",
    names: ["symmetrical_triangle"],
  },
  flag: {
    category: "continuation",
    description: "A short channel against a steep move",
    names: ["flag"],
  },
  pennant: {
    category: "continuation",
    description: "A short triangle after a steep move",
    names: ["pennant"],
  },
  wedge: {
    category: "reversal",
    description: "Highs and lows that rise or fall together and come closer",
    names: ["rising_wedge", "falling_wedge"],
  },
  hammer: {
    category: "candlestick",
    description: "A small body at the top of a long lower shadow, after a fall",
    names: ["hammer"],
  },
  doji: {
    category: "candlestick",
    description: "Open and close at almost one price",
    names: ["doji", "dragonfly_doji", "gravestone_doji", "long_legged_doji"],
  },
  engulfing: {
    category: "candlestick",
    description: "A body that covers that of the bar before, the other way",
    names: ["engulfing"],
  },
  morning_star: {
    category: "candlestick",
    description: "A fall, a small body below, and a rise into the fall",
    names: ["morning_star", "morning_doji_star"],
  },
  evening_star: {
    category: "candlestick",
    description: "A rise, a small body above, and a fall into the rise",
    names: ["evening_star", "evening_doji_star"],
  },
  volume_spike: {
    category: "volume",
    description: "Volume that stands out from that of the bars before",
    names: ["volume_spike"],
  },
  volume_divergence: {
    category: "volume",
    description: "Price at a new extreme that volume does not share",
    names: ["volume_divergence"],
  },
  support_break: {
    category: "support_resistance",
    description: "A close below a level that held before",
    names: ["support_break"],
  },
  resistance_break: {
    category: "support_resistance",
    description: "A close above a level that held before",
    names: ["resistance_break"],
  },
  trend_line_break: {
    category: "support_resistance",
    description: "A close beyond a line through several lows or highs",
    names: ["trend_line_break"],
  },
};

/** The 22 kinds, each with its variants. */
export const PATTERN_TYPES: readonly PatternType[] = Object.entries(KINDS).map(
  ([type, { category, description, names }]) => ({
    type,
    category,
    description,
    variants: names.flatMap(variantsOf),
  }),
);

function variantsOf(name: string): string[] {
  const row = PATTERNS.find((pattern) => pattern.name === name);
  if (row !== undefined) return row.variants.map(({ id }) => id);
  return PATTERNS.some(({ variants }) => variants.some(({ id }) => id === name)) ? [name] : [];
}

const kindOf = new Map(
  PATTERN_TYPES.flatMap(({ type, variants }) => variants.map((id) => [id, type] as const)),
);

/** The kind that a variant is; null for those beyond the 22. */
export function typeOf(variant: string): string | null {
  return kindOf.get(variant) ?? null;
}
