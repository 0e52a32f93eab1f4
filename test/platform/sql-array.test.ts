import { afterAll, beforeAll, expect, it } from "vitest";
import { createRng } from "../../src/core/base/rng.js";
import type { Database } from "../../src/platform/database.js";
import { booleanArray, numberArray, textArray } from "../../src/platform/sql-array.js";
import { createTestDatabase, openTestDatabase, type TestDatabase } from "../fixtures/database.js";

let testDatabase: TestDatabase;
let database: Database;
beforeAll(async () => {
  testDatabase = await createTestDatabase("empty");
  database = await openTestDatabase(testDatabase);
});
afterAll(async () => {
  await database.close();
  await testDatabase.drop();
});

async function back(type: string, text: string): Promise<unknown[]> {
  const rows = await database.query<{ value: unknown }>(
    `select value from unnest($1::${type}[]) with ordinality as given(value, place) order by place`,
    [text],
  );
  return rows.map(({ value }) => value);
}

it("numbers come back as the same doubles", async () => {
  const rng = createRng(3);
  const bits = new DataView(new ArrayBuffer(8));
  const random = Array.from({ length: 2_000 }, () => {
    bits.setUint32(0, rng.below(2 ** 32));
    bits.setUint32(4, rng.below(2 ** 32));
    return bits.getFloat64(0);
  }).filter(Number.isFinite);
  const { MAX_SAFE_INTEGER, MAX_VALUE, MIN_VALUE, EPSILON } = Number;
  const values = [0, 1, -1, 0.1, 1e21, 1e-7, MAX_SAFE_INTEGER, MAX_VALUE, MIN_VALUE, EPSILON, ...random];
  const odd = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  expect(await back("float8", numberArray([...values, ...odd]))).toEqual([...values, ...odd]);
  expect(await back("float8", numberArray(Float64Array.from(values)))).toEqual(values);
  expect(await back("int", numberArray([5, -5]))).toEqual([5, -5]);
  expect(await back("float8", numberArray([]))).toEqual([]);
});

it("texts come back as they were, whatever they hold", async () => {
  const values = [
    "",
    "plain",
    "NULL",
    "null",
    null,
    '"',
    "\\",
    '\\"{},',
    " space ",
    "a,b",
    "{x}",
    "'; --",
    "é😀\n\t",
    'é "quoted" \\',
    '\u0001\b\u001f"\\\u007f\u2028\ufffd',
  ];
  const json = JSON.stringify({ rule: 'a "quoted" \\ one', list: [1, null] });
  expect(await back("text", textArray([...values, json]))).toEqual([...values, json]);
  expect(await back("jsonb", textArray([json]))).toEqual([JSON.parse(json)]);
  expect(await back("text", textArray([]))).toEqual([]);
});

it("truth values come back, and none for none", async () => {
  expect(await back("bool", booleanArray([true, false, null]))).toEqual([true, false, null]);
});
