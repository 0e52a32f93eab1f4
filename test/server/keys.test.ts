import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createManualClock } from "../fixtures/clock.js";
import type { TestDatabase } from "../fixtures/database.js";
import { expectProblem } from "../fixtures/expect-problem.js";
import { ADMIN_KEY, askWho, bearer, KEYED, keyFor, startKeyedProgram } from "../fixtures/keyed.js";
import { createRecordedLog } from "../fixtures/log.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";

let database: TestDatabase;
let keyed: TestProgram;

beforeAll(async () => {
  ({ database, program: keyed } = await startKeyedProgram());
});
afterAll(() => keyed.close());

describe("an API key", () => {
  it.each<[string, Record<string, string>]>([
    ["x-api-key", { "x-api-key": ADMIN_KEY }],
    ["a bearer header", bearer(ADMIN_KEY)],
    ["a bearer header in any case", { authorization: `bEARER ${ADMIN_KEY}` }],
  ])("200 in %s", async (_name, headers) => {
    expect((await askWho(keyed, headers)).statusCode).toBe(200);
  });

  it.each<[string, Record<string, string>]>([
    ["an empty header", { "x-api-key": "" }],
    ["an empty bearer header", { authorization: "Bearer " }],
    ["a basic header", { authorization: `Basic ${Buffer.from(`admin:${ADMIN_KEY}`).toString("base64")}` }],
    ["part of the key", { "x-api-key": ADMIN_KEY.slice(0, -1) }],
    ["the key with a blank", { "x-api-key": `${ADMIN_KEY} x` }],
    ["another case", { "x-api-key": ADMIN_KEY.toUpperCase() }],
    ["a wrong bearer beside the right key", { "x-api-key": ADMIN_KEY, authorization: "Bearer wrong" }],
    ["a digest instead of the key", { "x-api-key": "a".repeat(64) }],
    ["SQL", { "x-api-key": "' or '1'='1' -- 01234567890123456789" }],
    ["a cookie", { cookie: `api_key=${ADMIN_KEY}; token=${ADMIN_KEY}` }],
  ])("401 with %s", async (_name, headers) => {
    expectProblem(await askWho(keyed, headers), "unauthenticated");
  });

  it("is refused in the address and never logged", async () => {
    const { log, lines } = createRecordedLog();
    const program = await startTestProgram({ environment: KEYED, log });
    const headers = { "x-api-key": ADMIN_KEY };
    for (const name of ["api_key", "apikey", "key", "token", "x-api-key", "authorization"]) {
      const query = `${name}=${ADMIN_KEY}`;
      expectProblem(await program.call(`/api/alerts?${query}`), "unauthenticated");
      const both = await program.call({ url: `/api/alerts?${query}`, headers });
      expectProblem(both, "invalid_request", `query ${name}`);
      expect(both.body).not.toContain(ADMIN_KEY);
      expectProblem(await program.call({ url: `/nowhere?${query}`, headers }), "route_not_found");
      expect((await program.call(`/health?${query}`)).statusCode).toBe(200);
    }
    await askWho(program, { "x-api-key": `${ADMIN_KEY}x` });
    await askWho(program, bearer(`${ADMIN_KEY}x`));
    await program.close();
    expect(lines().length).toBeGreaterThan(20);
    expect(lines().filter((line) => line.includes(ADMIN_KEY))).toEqual([]);
  });

  it("401 within a second of being revoked by another instance, while it is in constant use", async () => {
    const other = await startTestProgram({ environment: KEYED, database });
    const key = await keyFor(keyed, "busy", "viewer");
    const headers = { "x-api-key": key };
    expect((await askWho(other, headers, "10.9.9.9")).statusCode).toBe(200);
    const [{ id }] = (await keyed.call({ url: "/api/auth/keys", headers })).json().data;
    await keyed.call({ method: "DELETE", url: `/api/auth/keys/${id}`, headers });
    const revokedAt = performance.now();
    let last = 200;
    while (last === 200 && performance.now() - revokedAt < 5_000) {
      last = (await askWho(other, headers, "10.9.9.9")).statusCode;
    }
    const tookMs = performance.now() - revokedAt;
    expect(last).toBe(401);
    process.stdout.write(`revoked key refused by another instance after ${Math.round(tookMs)} ms\n`);
    expect(tookMs).toBeLessThan(3_000);
    await other.close();
  });

  it("401 from the moment it expires", async () => {
    const clock = createManualClock(Date.now());
    const program = await startTestProgram({ environment: KEYED, clock });
    const payload = { name: "brief", expires_at: new Date(clock.now() + 60_000).toISOString() };
    const headers = { "x-api-key": ADMIN_KEY };
    const made = (await program.call({ method: "POST", url: "/api/auth/keys", headers, payload })).json()
      .data;
    clock.advance(59_000);
    expect((await askWho(program, { "x-api-key": made.key })).statusCode).toBe(200);
    clock.advance(1_000);
    expectProblem(await askWho(program, { "x-api-key": made.key }), "unauthenticated");
    await program.close();
  });
});

describe("guessing credentials", () => {
  it("429 after 30 wrong ones a minute, before anything is looked up; others go on", async () => {
    const address = "10.200.0.1";
    const looked = vi.spyOn(keyed.parts.users, "authenticate");
    const known = { "x-api-key": ADMIN_KEY };
    expect((await askWho(keyed, known, address)).statusCode).toBe(200);
    for (let i = 0; i < 30; i++) {
      const wrong = { "x-api-key": `tx_guess_${String(i).padStart(40, "0")}` };
      expectProblem(await askWho(keyed, wrong, address), "unauthenticated");
    }
    expect(looked).toHaveBeenCalledTimes(31);
    for (const headers of [{ "x-api-key": "tx_guess_again_00000000000000000000000" }, bearer("a.b.c")]) {
      const answer = await askWho(keyed, headers, address);
      expectProblem(answer, "rate_limited");
      expect(Number(answer.headers["retry-after"])).toBeGreaterThan(0);
      expect(Number(answer.headers["retry-after"])).toBeLessThanOrEqual(60);
    }
    // A new key is not known to be good, and a guess would look the same.
    const newcomer = await keyFor(keyed, "newcomer", "viewer");
    looked.mockClear();
    expectProblem(await askWho(keyed, { "x-api-key": newcomer }, address), "rate_limited");
    expect(looked).not.toHaveBeenCalled();
    expect((await askWho(keyed, known, address)).statusCode).toBe(200);
    expect((await askWho(keyed, { "x-api-key": newcomer }, "10.200.0.2")).statusCode).toBe(200);
    looked.mockRestore();
  });

  it("429 for an IPv6 caller who changes the address within its network", async () => {
    const wrong = { "x-api-key": "tx_guess_00000000000000000000000000000000" };
    for (let i = 0; i < 30; i++) await askWho(keyed, wrong, `2001:db8:1:2::${i.toString(16)}`);
    expectProblem(await askWho(keyed, wrong, "2001:db8:1:2:ffff::1"), "rate_limited");
    expectProblem(await askWho(keyed, wrong, "2001:db8:1:3::1"), "unauthenticated");
  });
});
