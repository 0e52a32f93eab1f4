import type { InjectOptions } from "fastify";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MOST_ROWS } from "../../src/features/pipeline/schema.js";
import { createManualClock } from "../fixtures/clock.js";
import { KEYED } from "../fixtures/keyed.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";

const START = Date.UTC(2024, 2, 5, 15);
const clock = createManualClock(START + 600_000);
let program: TestProgram;

beforeAll(async () => {
  program = await startTestProgram({ clock, environment: KEYED });
});
afterAll(() => program.close());

const ask = (request: InjectOptions) =>
  program.call({ ...request, headers: { "x-api-key": KEYED.ADMIN_API_KEY, ...request.headers } });
const get = async (url: string) => (await ask({ url })).json();
const post = async (payload: string, type = "application/json") =>
  (await ask({ method: "POST", url: "/api/ticks", payload, headers: { "content-type": type } })).json();
const row = (second: number, more: object = {}) => ({
  ...{ symbol: "SOL-USD", time: START + 1_000 * second, price: 100, size: 1 },
  ...more,
});
const deep = JSON.parse(`${"[".repeat(40)}${"]".repeat(40)}`);

describe("POST /api/ticks/quotes", () => {
  const send = async (payload: object[]) =>
    (await ask({ method: "POST", url: "/api/ticks/quotes", payload })).json();
  const quotes = (count: number, sides: object) =>
    Array.from({ length: count }, (_, i) => ({ symbol: `ZZ${i}`, time: START, ...sides }));
  const good = { symbol: "EUR-USD", time: START, bid: 1.08, ask: 1.0802 };

  it("200 where quotes say nothing: they keep none of later symbols out", async () => {
    const empty = await send(quotes(10_050, { bid: 0, ask: 0 }));
    expect(empty.rejected[0]).toEqual({ index: 0, reason: "empty" });
    const negative = await send(quotes(10_050, { bid: -1, ask: 2 }));
    expect(negative.rejected[0]).toEqual({ index: 0, reason: "negative" });
    expect(await send([good])).toMatchObject({ accepted: 1, rejected: [] });
  });

  it("200 where sides of more symbols are told than are remembered: they are told that there is no room", async () => {
    const { rejected } = await send(quotes(10_050, { bid: 1 }));
    expect(rejected[0]).toEqual({ index: 0, reason: "one_sided" });
    expect(rejected.at(-1)).toEqual({
      index: 10_049,
      reason: "no_room: sides of 10000 symbols are remembered",
    });
    const later = { ...good, time: START + 5_000 };
    expect(await send([later, { ...later, symbol: "S P" }])).toMatchObject({
      rejected: [{ index: 1, reason: "symbol is not a symbol" }],
    });
  });
});

describe("POST /api/ticks", () => {
  it("200 where a row has what no text may have: it alone is refused, as in lines", async () => {
    const rows = [
      row(0),
      row(1, { symbol: "SO\0L" }),
      row(2, { symbol: "\ud800" }),
      row(3, { time: "\0" }),
      // Other keys are passed over.
      row(4, { note: "a\0b", "k\0": 1 }),
      row(5, { note: deep }),
      row(6, { size: deep }),
      "\0",
      deep,
    ];
    const refused = [
      { index: 1, reason: "symbol is not a symbol" },
      { index: 2, reason: "symbol is not a symbol" },
      { index: 3, reason: "time is neither epoch ms nor RFC 3339" },
      { index: 6, reason: "not_finite: size is not a finite number" },
      { index: 7, reason: "row is not an object" },
      { index: 8, reason: "row is not an object" },
    ];
    const array = await post(JSON.stringify(rows));
    expect(array).toMatchObject({ accepted: 3, rejected: refused });
    expect(await post(JSON.stringify({ ticks: rows }))).toMatchObject({ accepted: 3, rejected: refused });
    const lines = rows.map((each) => JSON.stringify(each)).join("\n");
    expect(await post(lines, "application/x-ndjson")).toMatchObject({ accepted: 3, rejected: refused });
    expect(await post(`${lines}\n\0{`, "application/x-ndjson")).toMatchObject({
      rejected: [...refused, { index: 9, reason: "row is not JSON" }],
    });
    expect(await post(`${"[".repeat(1_000_000)}${"]".repeat(1_000_000)}`)).toMatchObject({
      rejected: [{ index: 0, reason: "row is not an object" }],
    });
    const { data } = await get("/api/pipeline/status");
    expect(data.refused).toMatchObject({ not_finite: 4 });
  });

  it("400 for what is round the rows and cannot be kept, as everywhere", async () => {
    for (const envelope of [
      { ticks: [row(7)], "a\0": 1 },
      { ticks: [row(7)], more: { a: deep } },
      { ticks: [row(7)], more: "\ud800" },
    ]) {
      const { code, detail } = await post(JSON.stringify(envelope));
      expect(code).toBe("invalid_request");
      expect(detail).toMatch(/NUL|nested deeper|well-formed/);
    }
    const quotes = await ask({ method: "POST", url: "/api/ticks/quotes", payload: [{ symbol: "A\0" }] });
    expect(quotes.json().detail).toContain("NUL");
  });

  it("400 that names the shapes and how many rows there may be", async () => {
    const many = JSON.stringify(Array.from({ length: MOST_ROWS + 1 }, () => 0));
    const shapes = `must be a list of at most ${MOST_ROWS} rows, an object {"ticks": [...]} with such a list alone, or as many lines of JSON as application/x-ndjson`;
    const sent = `${MOST_ROWS + 1} rows were sent: ${shapes}`;
    expect((await post(many)).detail).toBe(`body: ${sent}`);
    expect((await post(`{"ticks":${many}}`)).detail).toBe(`body: ${sent}`);
    for (const body of ["{}", JSON.stringify(row(0)), "5", '{"ticks":1}'])
      expect((await post(body)).detail, body).toBe(`body: ${shapes}`);
  });
});

describe("GET /api/pipeline/:symbol/bars", () => {
  it("404 for a symbol that was never heard of, as its indicators; 200 where ticks came and no bar was closed", async () => {
    expect(await get("/api/pipeline/ZZZZ/bars")).toMatchObject({ code: "no_data" });
    expect(await get("/api/pipeline/ZZZZ/indicators")).toMatchObject({ code: "no_data" });
    expect(await get("/api/pipeline/SOL-USD/bars")).toMatchObject({ success: true, data: [], next: null });
  });
});
