import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectProblem } from "../fixtures/expect-problem.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";

let program: TestProgram;
beforeAll(async () => {
  program = await startTestProgram();
});
afterAll(() => program.close());

const get = async (url: string) => {
  const answer = await program.call(url);
  expect(answer.statusCode, answer.body).toBe(200);
  return answer.json().data;
};

describe("GET /api/options/price", () => {
  const terms = "right=call&spot=60&strike=65&years=0.25&rate=0.08";

  it("200 prices from a volatility, and gives the volatility back", async () => {
    // Haug 1998, page 2.
    const { price, greeks, volatility } = await get(`/api/options/price?${terms}&volatility=0.3`);
    expect(price).toBeCloseTo(2.1334, 4);
    expect(volatility).toEqual({ value: 0.3, reason: null });
    expect(greeks.delta).toBeCloseTo(0.3725, 3);
    const back = await get(`/api/options/price?${terms}&price=${price}`);
    expect(back.volatility.value).toBeCloseTo(0.3, 9);
  });

  it.each([
    ["price=0", "no time value"],
    ["price=60", "above upper bound"],
    ["right=put&spot=60&strike=65&years=0.25&price=1", "below intrinsic value"],
    ["right=put&spot=60&strike=65&years=0&price=5", "no time left"],
  ])("200 says why %s implies no volatility", async (query, reason) => {
    const url = query.startsWith("right") ? query : `${terms}&${query}`;
    expect(await get(`/api/options/price?${url}`)).toMatchObject({
      volatility: { value: null, reason },
      greeks: null,
    });
  });

  it("400 for both or neither, and for terms that are none", async () => {
    for (const more of ["", "&price=1&volatility=0.2"]) {
      const answer = await program.call(`/api/options/price?${terms}${more}`);
      expectProblem(answer, "invalid_request", "either volatility or price");
    }
    for (const [query, name] of [
      ["right=call&spot=0&strike=1&years=1&volatility=1", "query spot"],
      ["right=call&spot=1&strike=-1&years=1&volatility=1", "query strike"],
      ["right=both&spot=1&strike=1&years=1&volatility=1", "query right"],
      ["right=call&spot=1&strike=1&years=1e1&volatility=1", "query years"],
    ]) {
      expectProblem(await program.call(`/api/options/price?${query}`), "invalid_request", name);
    }
  });
});
