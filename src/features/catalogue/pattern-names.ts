import { findVariant } from "../../core/patterns/index.js";
import { meantVariants } from "../../core/patterns/near-names.js";
import { AppError } from "../../platform/errors.js";

/** Names that are listed of what a text may mean. */
const LISTED = 10;

/** The variant that a text names, in any spelling. @throws {AppError} `pattern_unknown` for a text that names none, or several. */
export function variantOf(text: string): string {
  const [first, ...others] = meantVariants(text);
  if (first === undefined) throw new AppError("pattern_unknown", `No pattern is called ${text}`);
  if (others.length > 0) throw severalMeant(text, [first, ...others]);
  return first;
}

/** The error for a text that names several variants where one is needed. */
export function severalMeant(text: string, meant: readonly string[]): AppError {
  const more = meant.length > LISTED ? ` and ${meant.length - LISTED} more` : "";
  const names = `${meant.slice(0, LISTED).join(", ")}${more}`;
  return new AppError(
    "pattern_unknown",
    `${JSON.stringify(text.slice(0, 60))} names several patterns: ${names}`,
  );
}

/** Title of a variant for people; the id itself for one that the table no longer has. */
export function titleOf(variant: string): string {
  return findVariant(variant)?.variant.title ?? variant;
}
