import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MOST_RULES } from "../../src/features/rules/store.js";
import { expectProblem } from "../fixtures/expect-problem.js";
import { KEYED, keyFor } from "../fixtures/keyed.js";
import type { TestProgram } from "../fixtures/program.js";
import { startScannedProgram } from "../fixtures/scanned.js";

let program: TestProgram;
let mine: Record<string, string>;
let theirs: Record<string, string>;
beforeAll(async () => {
  program = await startScannedProgram({ environment: KEYED });
  mine = { "x-api-key": await keyFor(program, "ann", "trader") };
  theirs = { "x-api-key": await keyFor(program, "bob", "trader") };
});
afterAll(() => program.close());

const QUIET_FOR_NOTHING = { quiet_hours: { zone: "UTC", from: "09:00", until: "09:00", policy: "drop" } };
const NONE = "00000000-0000-4000-8000-000000000000";
const ask = (method: "GET" | "POST" | "PUT" | "DELETE", url: string, payload?: object, headers = mine) =>
  program.call({ method, url, headers, ...(payload === undefined ? {} : { payload }) });
const rule = (change: object = {}) => ({
  name: "Low and turning",
  when: "rsi(14) < 30 and close > open",
  symbols: ["aapl"],
  ...change,
});
const made = async (change: object = {}, headers = mine) =>
  (await ask("POST", "/api/rules", rule(change), headers)).json().data;

describe("POST /api/rules", () => {
  it("201 keeps a rule, which waits for its first look", async () => {
    const answer = await ask(
      "POST",
      "/api/rules",
      rule({
        rearm: "rsi(14) > 40",
        symbols: ["BTC", "aapl", "AAPL"],
        frequency: "every_time",
        cooldown_s: 3_600,
        quiet_hours: { zone: "america/new_york", from: "22:00", until: "07:00", policy: "hold" },
        digest: { zone: "UTC", at: "18:30" },
        expires_at: "2030-01-01",
      }),
    );
    expect(answer.statusCode).toBe(201);
    const { data } = answer.json();
    expect(data).toMatchObject({
      name: "Low and turning",
      expression: "rsi(14) < 30 and close > open",
      condition: { kind: "and" },
      rearm: { expression: "rsi(14) > 40", condition: { kind: "compare" } },
      interval: "1d",
      watch: "close",
      frequency: "every_time",
      cooldown_s: 3_600,
      quiet_hours: { zone: "America/New_York", from: "22:00", until: "07:00", policy: "hold" },
      digest: { zone: "UTC", at: "18:30" },
      expires_at: "2030-01-01T00:00:00.000Z",
      status: "active",
      symbols: [
        { symbol: "AAPL", phase: "new", seen_at: null, fired_at: null, unknown_for: [], suppressed: null },
        { symbol: "BTC-USD", phase: "new" },
      ],
    });
    expect((await ask("GET", `/api/rules/${data.id}`)).json().data).toEqual(data);
    expect((await ask("GET", "/api/rules")).json().data).toContainEqual(data);
  });

  it("201 takes the JSON form as it gives it", async () => {
    const first = await made();
    const second = await made({ when: first.condition });
    expect(second.expression).toBe(first.expression);
    expect(second.condition).toEqual(first.condition);
  });

  it.each([
    ["400 a condition that cannot be read", { when: "rsi(14) << 30" }, "invalid_request", "at character 10"],
    ["400 one to arm it again that cannot be", { rearm: "rsi(" }, "invalid_request", "rearm: at character 5"],
    ["400 an end that has passed", { expires_at: "2020-01-01" }, "invalid_request", "expires_at"],
    ["400 a name with what is not seen", { name: "x\u202ey" }, "invalid_request", "name"],
    ["400 no name", { name: " " }, "invalid_request", "name"],
    ["400 no symbols", { symbols: [] }, "invalid_request", "symbols"],
    ["400 too many symbols", { symbols: Array(51).fill("AAPL") }, "invalid_request", "symbols"],
    ["400 what is no symbol", { symbols: ["AA PL!"] }, "symbol_invalid", ""],
    ["404 a symbol that nobody knows", { symbols: ["NOSUCHSYMBOL"] }, "symbol_unknown", ""],
    ["400 an empty stretch of quiet hours", QUIET_FOR_NOTHING, "invalid_request", "until"],
    [
      "400 more steps than there may be",
      { when: Array.from({ length: 30 }, (_, i) => `close > sma(${9_000 + i})`).join(" or ") },
      "invalid_request",
      "steps",
    ],
  ] as const)("%s", async (_, change, code, detail) => {
    expectProblem(await ask("POST", "/api/rules", rule(change)), code, detail);
  });

  it("409 for more than a user may have", async () => {
    const headers = { "x-api-key": await keyFor(program, "many", "trader") };
    for (let n = 0; n < MOST_RULES; n++) await made({ name: `${n}` }, headers);
    expectProblem(await ask("POST", "/api/rules", rule(), headers), "conflict", String(MOST_RULES));
    const { data } = (await ask("GET", "/api/rules", undefined, headers)).json();
    expect(data.length).toBe(MOST_RULES);
    expect(data[0].name).toBe(String(MOST_RULES - 1));
  });

  it("403 for a viewer", async () => {
    const headers = { "x-api-key": await keyFor(program, "vic", "viewer") };
    expectProblem(await ask("POST", "/api/rules", rule(), headers), "forbidden");
    expect((await ask("GET", "/api/rules", undefined, headers)).json().data).toEqual([]);
  });
});

describe("PUT /api/rules/:id", () => {
  it("200 puts another in its place", async () => {
    const { id, created_at } = await made();
    const answer = await ask(
      "PUT",
      `/api/rules/${id}`,
      rule({ name: "B", when: "close > 1", symbols: ["BTC"] }),
    );
    expect(answer.json().data).toMatchObject({ id, created_at, name: "B", expression: "close > 1" });
    expect(answer.json().data.symbols).toMatchObject([{ symbol: "BTC-USD", phase: "new" }]);
  });
});

describe("POST /api/rules/:id/pause and resume", () => {
  it("200 changes the status", async () => {
    const { id } = await made();
    expect((await ask("POST", `/api/rules/${id}/pause`)).json().data.status).toBe("paused");
    expect((await ask("POST", `/api/rules/${id}/resume`)).json().data.status).toBe("active");
  });
});

describe("DELETE /api/rules/:id", () => {
  it("200 once", async () => {
    const { id } = await made();
    expect((await ask("DELETE", `/api/rules/${id}`)).statusCode).toBe(200);
    expectProblem(await ask("DELETE", `/api/rules/${id}`), "rule_not_found");
  });
});

describe("GET /api/rules/firings", () => {
  it("200 has none before any fired", async () => {
    const { id } = await made();
    expect((await ask("GET", `/api/rules/firings?rule_id=${id}`)).json().data).toEqual([]);
  });

  it("200 pages through all that fired at one moment, and before an instant as ever", async () => {
    const { id } = await made();
    const at = Date.parse("2024-07-09T14:00:00Z");
    await program.parts.database.query(
      `insert into rule_firings (id, rule_id, user_id, instrument_id, interval, watch, name, expression, bar_time, ordinal,
         fired_at, price)
       select gen_random_uuid(), $1::uuid, 'ann', (select min(id) from instruments), '1d', 'close', n::text, '', now(), 0,
         to_timestamp(($2::float8 - 60000 * (n / 7)) / 1000), n
       from generate_series(0, 13) as n`,
      [id, at],
    );
    const seen: number[] = [];
    let next: string | null = "";
    for (let pages = 0; next !== null && pages < 10; pages++) {
      const before: string = next === "" ? "" : `&before=${encodeURIComponent(next)}`;
      const page = (await ask("GET", `/api/rules/firings?rule_id=${id}&limit=3${before}`)).json();
      seen.push(...page.data.map(({ price }: { price: number }) => price));
      next = page.next;
    }
    expect(seen).toHaveLength(14);
    expect(new Set(seen).size).toBe(14);
    expect(seen.slice(0, 7).every((n) => n < 7)).toBe(true);
    const earlier = await ask("GET", `/api/rules/firings?rule_id=${id}&before=2024-07-09T14:00:00Z`);
    expect(earlier.json().data).toHaveLength(7);
    for (const wrong of ["x", `2024-07-09T14:00:00Z~${id}~x`, "2024-07-09T14:00:00Z~1"]) {
      expectProblem(await ask("GET", `/api/rules/firings?before=${wrong}`), "invalid_request", "before");
    }
  });
});

describe("the loops", () => {
  it("look at a rule as it is made, and tell its owner alone", async () => {
    const { id } = await made({ when: "close > 0", symbols: ["AAPL", "BTC"] });
    const { rules, stream } = program.parts;
    for (const loop of rules.loops) await loop.run(0, new AbortController().signal);
    const { data } = (await ask("GET", `/api/rules/${id}`)).json();
    expect(data.symbols).toMatchObject([
      { symbol: "AAPL", phase: "held", seen_at: expect.any(String) },
      { symbol: "BTC-USD", phase: "held", seen_at: expect.any(String) },
    ]);
    const names = program.parts.health.loops().map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(["rules", "rule-quotes"]));
    const topic = stream.topicOf("rules:ann");
    const ann = { userId: "ann", role: "trader", anonymous: false } as const;
    await stream.admit(topic, ann);
    await expect(stream.admit(topic, { ...ann, userId: "eve" })).rejects.toMatchObject({
      code: "rule_not_found",
    });
    expect(() => stream.topicOf("rules:an n")).toThrow("is no topic");
  });
});

describe("a rule of somebody else", () => {
  it("404 is none", async () => {
    const { id } = await made();
    for (const url of [`/api/rules/${id}`, `/api/rules/${NONE}`]) {
      expectProblem(await ask("GET", url, undefined, theirs), "rule_not_found");
      expectProblem(await ask("PUT", url, rule(), theirs), "rule_not_found");
      expectProblem(await ask("POST", `${url}/pause`, undefined, theirs), "rule_not_found");
      expectProblem(await ask("DELETE", url, undefined, theirs), "rule_not_found");
    }
    expect((await ask("GET", "/api/rules", undefined, theirs)).json().data).toEqual([]);
    expect((await ask("GET", `/api/rules/${id}`)).statusCode).toBe(200);
  });
});

describe("GET /api/decisions?of=rules", () => {
  it("200 the caller's own, by the schema of decisions", async () => {
    const { id } = await made({ name: "Anything", when: "close > 0", symbols: ["BTC"], interval: "5m" });
    const url = `/api/decisions?of=rules&rule_id=${id}`;
    const [byClose] = program.parts.rules.loops;
    await byClose.run(program.parts.clock.now(), new AbortController().signal);
    const [decided] = (await ask("GET", url)).json().data;
    expect(decided).toMatchObject({
      symbol: "BTC-USD",
      pattern: null,
      rule_id: id,
      rule_name: "Anything",
      accepted: false,
      rule: "level_is_new",
      verdicts: [
        { rule: "condition_known", passed: true },
        { rule: "level_is_new", passed: false, value: false, limit: true },
      ],
    });
    expect((await ask("GET", url, undefined, theirs)).json()).toMatchObject({ data: [], next: null });
  });

  it.each([
    ["of=rules&pattern=doji", "pattern"],
    [`rule_id=${NONE}`, "rule_id"],
    ["of=alerts", "of"],
    ["of=rules&rule=bar_is_new", "rule"],
    ["of=rules&rule_id=x", "rule_id"],
  ])("400 %s", async (query, name) => {
    expectProblem(await ask("GET", `/api/decisions?${query}`), "invalid_request", `query ${name}`);
  });
});
