import { findVariant } from "../../core/patterns/index.js";
import { namedVariant } from "../../core/patterns/names.js";
import { AppError } from "../../platform/errors.js";

/** The variant that a text names, in any spelling. @throws {AppError} `pattern_unknown` for a text that names none. */
export function variantOf(text: string): string {
  const variant = namedVariant(text);
  if (variant === null) throw new AppError("pattern_unknown", `No pattern is called ${text}`);
  return variant.id;
}

/** Title of a variant for people; the id itself for one that the table no longer has. */
export function titleOf(variant: string): string {
  return findVariant(variant)?.variant.title ?? variant;
}
