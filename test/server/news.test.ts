import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectProblem } from "../fixtures/expect-problem.js";
import type { TestProgram } from "../fixtures/program.js";
import { NO_MARKET, startTextsPrograms, type TextsPrograms } from "../fixtures/texts-program.js";

let programs: TextsPrograms;
let program: TestProgram;
let synthetic: TestProgram;
beforeAll(async () => {
  programs = await startTextsPrograms();
  ({ program, synthetic } = programs);
});
afterAll(() => programs.close());

describe("GET /api/news", () => {
  it("200 has texts newest first, page by page, as plain text", async () => {
    const { data, available, reason } = (await program.call("/api/news?symbol=AAPL")).json();
    expect({ available, reason }).toEqual({ available: true, reason: null });
    expect(data.map(({ kind, title }: { kind: string; title: string }) => [kind, title])).toEqual(
      expect.arrayContaining([["reddit", "Apple upgraded: strong growth and record profit"]]),
    );
    expect(data[0]).toMatchObject({
      publisher: expect.any(String),
      url: expect.stringMatching(/^https:\/\//),
      symbols: [{ symbol: "AAPL", linked_by: "cashtag" }],
    });
    const seen: number[] = [];
    for (let next = ""; ; ) {
      const page = (await program.call(`/api/news?limit=2${next}`)).json();
      seen.push(...page.data.map(({ id }: { id: number }) => id));
      if (page.next === null) break;
      next = `&after=${page.next}`;
    }
    expect(new Set(seen).size).toBe(4);
    expect(seen).toHaveLength(4);
  });

  it("200 is empty with the reason where there is no source", async () => {
    expect((await program.call("/api/news?kind=news")).json()).toMatchObject({ data: [], available: false });
    expect((await synthetic.call("/api/news")).json()).toMatchObject({
      data: [],
      next: null,
      available: false,
      reason: NO_MARKET,
    });
  });

  it("400 for places and kinds that are none", async () => {
    expectProblem(await program.call("/api/news?after=abc"), "invalid_request", "after");
    expectProblem(await program.call("/api/news?after=999999999999999-1"), "invalid_request", "after");
    expectProblem(await program.call("/api/news?kind=blog"), "invalid_request", "kind");
    expectProblem(await program.call("/api/news?limit=201"), "invalid_request", "limit");
    expectProblem(await program.call("/api/news?symbol=%3F"), "symbol_invalid");
  });
});

describe("GET /api/provider-health", () => {
  it("200 has the networks beside the sources of prices", async () => {
    const { data } = (await program.call("/api/provider-health")).json();
    expect(data.reddit).toMatchObject({ configured: true, ok: true, requests: 2, failures: 0 });
    expect(data.twitter).toMatchObject({ configured: true, ok: true });
    expect((await synthetic.call("/api/provider-health")).json().data.twitter).toMatchObject({
      configured: false,
    });
  });
});

describe("GET /health/detailed", () => {
  it("200 says that the configured classifier is not used, and why", async () => {
    const { components } =
      (await program.call("/health/detailed")).json().data ?? (await program.call("/health/detailed")).json();
    expect(components.sentiment).toMatchObject({
      status: "degraded",
      sources: ["reddit", "twitter"],
      classifier: { configured: true, available: false, reason: expect.any(String) },
    });
  });
});
