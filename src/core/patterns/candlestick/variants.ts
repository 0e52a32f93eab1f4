import type { Direction, Outlook, PatternVariant } from "../define.js";
import type { SignedVariants } from "./define.js";

/**
 * The trend a directed shape needs before it to mean what it says: a reversal turns it, a continuation goes on
 * with it. Shapes that books read without regard to a trend give null themselves.
 */
function trendBefore(direction: Direction, outlook: Outlook): PatternVariant["priorTrend"] {
  if (direction === 0 || outlook === "indecision") return null;
  return (direction === 1) === (outlook === "continuation") ? "up" : "down";
}

/** A shape that expects rising or falling prices, whatever TA-Lib's sign of it. */
export function directed(id: string, title: string, direction: 1 | -1, outlook: Outlook): PatternVariant {
  return { id, title, direction, outlook, priorTrend: trendBefore(direction, outlook) };
}

export function bullish(id: string, title: string, outlook: Outlook): SignedVariants {
  return { positive: directed(id, title, 1, outlook) };
}

export function bearish(id: string, title: string, outlook: Outlook): SignedVariants {
  return { negative: directed(id, title, -1, outlook) };
}

/** `bullish_<name>` and `bearish_<name>`; titles are the field's own where given. */
export function bothWays(
  name: string,
  outlook: Outlook,
  titles: readonly [rising: string, falling: string],
): SignedVariants {
  const [rising, falling] = titles;
  return {
    positive: directed(`bullish_${name}`, rising, 1, outlook),
    negative: directed(`bearish_${name}`, falling, -1, outlook),
  };
}

/** `bullish_<name>` and `bearish_<name>`, read alike in any trend. */
export function inAnyTrend({ positive, negative }: SignedVariants): SignedVariants {
  return {
    ...(positive === undefined ? {} : { positive: { ...positive, priorTrend: null } }),
    ...(negative === undefined ? {} : { negative: { ...negative, priorTrend: null } }),
  };
}

/** A shape that says that neither side has the upper hand. */
export function undecided(id: string, title: string): SignedVariants {
  return { positive: { id, title, direction: 0, outlook: "indecision", priorTrend: null } };
}

/** As `undecided`, where TA-Lib's sign is the colour of the bar: `white_<name>`, `black_<name>`. */
export function undecidedByColour(name: string, title: string): SignedVariants {
  const reading = { direction: 0, outlook: "indecision", priorTrend: null } as const;
  return {
    positive: { id: `white_${name}`, title: `White ${title}`, ...reading },
    negative: { id: `black_${name}`, title: `Black ${title}`, ...reading },
  };
}
