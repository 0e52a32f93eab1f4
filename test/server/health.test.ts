import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";

let program: TestProgram;

beforeAll(async () => {
  program = await startTestProgram();
});
afterAll(() => program.close());

describe("GET /health", () => {
  it("200 says that all is well and that prices are synthetic", async () => {
    const answer = await program.server.inject("/health");
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toMatchObject({
      status: "healthy",
      database: "connected",
      redis: "not_configured",
      market_data: ["synthetic"],
      synthetic: true,
    });
  });
});

describe("GET /readyz", () => {
  it("200 while the database answers", async () => {
    const answer = await program.server.inject("/readyz");
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toEqual({ status: "ready", reason: null });
  });
});
