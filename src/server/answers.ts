import type { FastifySerializerCompiler, onSendHookHandler } from "fastify";
import { serializerCompiler } from "fastify-type-provider-zod";
import { z } from "zod";
import { isLasting } from "../platform/lasting.js";

/**
 * Writes answers as their schema has them. Rows of a list that never change are checked and written once: of a page of
 * fifty trades that takes most of the time of the answer and most of its memory. How many rows there may be is checked
 * of the others.
 * @throws ResponseSerializationError for an answer that its schema does not allow.
 */
export const answerCompiler: FastifySerializerCompiler<z.ZodType> = (route) => {
  const write = serializerCompiler(route);
  const { schema } = route;
  if (!(schema instanceof z.ZodObject)) return write;
  /** The JSON of rows, by the field that they are in. */
  const known = new Map<string, WeakMap<object, string>>();

  function writtenIn(field: string): WeakMap<object, string> {
    const found = known.get(field) ?? new WeakMap<object, string>();
    known.set(field, found);
    return found;
  }

  return (answer: object) => {
    const lists = Object.entries(answer).filter(
      (entry): entry is [string, unknown[]] =>
        entry[0] in schema.shape && Array.isArray(entry[1]) && entry[1].some(isLasting),
    );
    if (lists.length === 0) return write(answer);
    const asked = lists.map(([field, rows]) => {
      const written = writtenIn(field);
      return [field, rows.filter((row) => !(isLasting(row) && written.has(row)))] as const;
    });
    const { data } = z.safeEncode(route.schema, { ...answer, ...Object.fromEntries(asked) });
    // What is wrong with it, the whole answer tells, if it is not that there are too few rows.
    if (data === undefined) return write(answer);
    const made = data as Readonly<Record<string, unknown>>;
    const texts = new Map<string, string>();
    for (const [at, [field, rows]] of lists.entries())
      texts.set(field, textOfList(rows, asked[at][1], made[field] as unknown[], writtenIn(field)));
    let text = "";
    for (const [field, value] of Object.entries(made))
      if (value !== undefined)
        text += `${text === "" ? "" : ","}${JSON.stringify(field)}:${texts.get(field) ?? JSON.stringify(value)}`;
    return `{${text}}`;
  };
};

/** A longer text is copied with its headers, and a shorter one is copied sooner than a buffer is had. */
const LONG_TEXT = 8_192;

/** Hands long answers on as bytes: as text they would be copied once more on the heap, to be written with their headers. */
export const longAsBytes: onSendHookHandler = (_request, _reply, payload, done) => {
  done(null, typeof payload === "string" && payload.length >= LONG_TEXT ? Buffer.from(payload) : payload);
};

/**
 * The JSON of rows, in their order.
 * @param asked rows that something was just made of, whose JSON is kept of those that last.
 */
function textOfList(
  rows: readonly unknown[],
  asked: readonly unknown[],
  made: readonly unknown[],
  known: WeakMap<object, string>,
): string {
  let next = 0;
  // Put together piece by piece: a join would copy all of it, and so would the one of the fields.
  let texts = "";
  for (const row of rows) {
    const text =
      next < asked.length && Object.is(row, asked[next])
        ? JSON.stringify(made[next++])
        : known.get(row as object);
    if (isLasting(row) && text !== undefined) known.set(row, text);
    texts += texts === "" ? text : `,${text}`;
  }
  return `[${texts}]`;
}
