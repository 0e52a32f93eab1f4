import type { FastifySerializerCompiler } from "fastify";
import { serializerCompiler } from "fastify-type-provider-zod";
import { z } from "zod";
import { isLasting } from "../platform/lasting.js";

/**
 * Writes answers as their schema has them. Rows of a list that never change are checked once: of a page of fifty trades
 * that takes most of the time of the answer and most of its memory. How many rows there may be is checked of the others.
 * @throws ResponseSerializationError for an answer that its schema does not allow.
 */
export const answerCompiler: FastifySerializerCompiler<z.ZodType> = (route) => {
  const write = serializerCompiler(route);
  const { schema } = route;
  if (!(schema instanceof z.ZodObject)) return write;
  /** What the schema made of rows, by the field that they are in. */
  const known = new Map<string, WeakMap<object, unknown>>();

  function madeIn(field: string): WeakMap<object, unknown> {
    const found = known.get(field) ?? new WeakMap<object, unknown>();
    known.set(field, found);
    return found;
  }

  return (answer: object) => {
    const lists = Object.entries(answer).filter(
      (entry): entry is [string, unknown[]] => Array.isArray(entry[1]) && entry[1].some(isLasting),
    );
    if (lists.length === 0) return write(answer);
    const asked = lists.map(([field, rows]) => {
      const made = madeIn(field);
      return [field, rows.filter((row) => !(isLasting(row) && made.has(row)))] as const;
    });
    const { data } = z.safeEncode(route.schema, { ...answer, ...Object.fromEntries(asked) });
    // What is wrong with it, the whole answer tells, if it is not that there are too few rows.
    if (data === undefined) return write(answer);
    const whole: Record<string, unknown> = { ...(data as object) };
    for (const [at, [field, rows]] of lists.entries())
      whole[field] = joined(rows, asked[at][1], whole[field] as unknown[], madeIn(field));
    return JSON.stringify(whole);
  };
};

/**
 * What was made of rows, in their order.
 * @param asked rows that something was just made of, which is kept of those that last.
 */
function joined(
  rows: readonly unknown[],
  asked: readonly unknown[],
  made: readonly unknown[],
  known: WeakMap<object, unknown>,
): unknown[] {
  let next = 0;
  return rows.map((row) => {
    if (next === asked.length || !Object.is(row, asked[next])) return known.get(row as object);
    if (isLasting(row)) known.set(row, made[next]);
    return made[next++];
  });
}
