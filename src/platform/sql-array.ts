/**
 * Array parameters of bulk statements, `unnest($1::float8[])`, as the text that Postgres reads. The driver passes text
 * on as it is, whereas it would spell an array element by element, several times as slowly, on the event loop.
 */

/** Numbers, NaN and infinities among them; each comes back as the same double. */
export function numberArray(values: Float64Array | readonly (number | null)[]): string {
  if (values instanceof Float64Array) return `{${values.join(",")}}`;
  return `{${values.map((value) => value ?? "NULL").join(",")}}`;
}

export function booleanArray(values: readonly (boolean | null)[]): string {
  return `{${values.map((value) => value ?? "NULL").join(",")}}`;
}

/** @param values texts without NUL, which Postgres does not store. */
export function textArray(values: readonly (string | null)[]): string {
  return `{${values.map((value) => (value === null ? "NULL" : quoted(value))).join(",")}}`;
}

/** Control characters and halves of others: JSON spells them by letters, which Postgres would take as they are. */
const SPELLED = /[^ -\ud7ff\ue000-\uffff]/;

/** JSON's quotes are those of Postgres, and made at once. */
function quoted(text: string): string {
  if (!SPELLED.test(text)) return JSON.stringify(text);
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}
