/** A value of a JSON document. */
type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export interface Document {
  readonly [key: string]: unknown;
  readonly components?: {
    readonly [key: string]: unknown;
    readonly schemas?: Readonly<Record<string, unknown>>;
  };
}

/** Marks operations that may be called without a body; gone from the document that is served. */
export const OPTIONAL_BODY = "x-body-is-optional";

/**
 * The generated document in the form it is served: optional bodies are optional, formats stand without the long
 * expressions behind them, defaults have the type they are documented with, and only components in use are left.
 */
export function tidyDocument(document: Document): Document {
  const tidy = tidied(document as unknown as Json) as unknown as Document;
  const { schemas = {} } = tidy.components ?? {};
  const used = usedComponents(tidy, schemas);
  const kept = Object.entries(schemas).filter(([name]) => used.has(name));
  return {
    ...tidy,
    components: {
      ...tidy.components,
      schemas: Object.fromEntries(kept.sort(([a], [b]) => (a < b ? -1 : 1))),
    },
  };
}

function tidied(value: Json): Json {
  if (Array.isArray(value)) return value.map(tidied);
  if (typeof value !== "object" || value === null) return value;
  const { [OPTIONAL_BODY]: optional, ...rest } = value as Record<string, Json>;
  const entries = Object.entries(rest).filter(
    ([key]) => !(key === "pattern" && typeof rest.format === "string"),
  );
  const result = Object.fromEntries(entries.map(([key, child]) => [key, tidied(child)]));
  const { requestBody, type, default: preset } = result;
  if (optional === true && typeof requestBody === "object" && requestBody !== null) {
    result.requestBody = { ...requestBody, required: false };
  }
  // Query strings are text; the default of a number among them is written as a number.
  if ((type === "integer" || type === "number") && typeof preset === "string")
    result.default = Number(preset);
  return result;
}

/** Names of the components that the paths reach, directly or through others. */
function usedComponents(document: Document, schemas: Readonly<Record<string, unknown>>): ReadonlySet<string> {
  const used = new Set<string>();
  const open: unknown[] = [document.paths];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const [, name] of JSON.stringify(next).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
      if (name === undefined || used.has(name)) continue;
      used.add(name);
      open.push(schemas[name]);
    }
  }
  return used;
}
