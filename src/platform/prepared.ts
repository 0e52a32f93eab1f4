const names = new Map<string, string>();

/**
 * A statement that each connection plans once: for long ones that run often, whose plan takes longer than they do.
 * @returns the text itself, to be run like other texts.
 */
export function prepared(text: string): string {
  if (!names.has(text)) names.set(text, `tx_${names.size + 1}`);
  return text;
}

/** The name under which connections know a text; undefined for one that is planned each time. */
export function preparedName(text: string): string | undefined {
  return names.get(text);
}
