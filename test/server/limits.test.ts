import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { addressGroup, createCounter } from "../../src/server/counter.js";
import { expectProblem } from "../fixtures/expect-problem.js";
import { askWho, KEYED, keyFor } from "../fixtures/keyed.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";
import { hasRedisServer, startTestRedis } from "../fixtures/redis.js";
import { startScannedProgram } from "../fixtures/scanned.js";

const TIMES_ONE = { RATE_LIMIT_MULTIPLIER: "1" };

/** How many requests pass before the first 429. */
async function passing(program: TestProgram, request: () => object, most: number): Promise<number> {
  for (let i = 0; i < most; i++) {
    const answer = await program.server.inject(request());
    if (answer.statusCode === 429) return i;
  }
  return most;
}

describe("limits of the catalogue, times one", () => {
  let program: TestProgram;
  beforeAll(async () => {
    program = await startTestProgram({ environment: TIMES_ONE });
  });
  afterAll(() => program.close());

  it.each([
    ["/api/provider-health", 20],
    ["/api/workers/health", 30],
    ["/api/features", 20],
    ["/api/assets/list", 30],
    ["/api/scan/status", 30],
    ["/api/get_active_alerts", 30],
    ["/api/pattern-stats", 10],
    ["/api/export_detection_logs", 5],
    ["/api/alerts/stats", 20],
    ["/api/detection_stats", 20],
  ])("429 for GET %s after %i a minute, and only for it", async (url, limit) => {
    expect(await passing(program, () => ({ url }), 200)).toBe(limit);
    const refused = await program.call(url);
    expectProblem(refused, "rate_limited", `${limit} requests`);
    const retryAfter = Number(refused.headers["retry-after"]);
    expect(retryAfter).toBeGreaterThan(0);
    expect(retryAfter).toBeLessThanOrEqual(60);
    expect(refused.headers).toMatchObject({
      "x-ratelimit-limit": String(limit),
      "x-ratelimit-remaining": "0",
      "x-ratelimit-reset": String(retryAfter),
    });
  });

  it("200 with what is left of the limit", async () => {
    const left = async () => (await program.call("/api/symbols")).headers["x-ratelimit-remaining"];
    expect([await left(), await left()]).toEqual(["29", "28"]);
  });

  it.each([
    ["/api/scan/start", 5],
    ["/api/scan/stop", 10],
    ["/api/handle_alert_response", 20],
    ["/api/alerts/1/dismiss", 10],
    ["/api/save-profile", 30],
    ["/api/auth/keys", 10],
  ])("429 for POST %s after %i a minute, whatever the answers were", async (url, limit) => {
    expect(await passing(program, () => ({ method: "POST", url, payload: {} }), 200)).toBe(limit);
  });

  it("429 counts the addresses of one route together, and HEAD with GET", async () => {
    let i = 0;
    const request = () => ({ url: `/api/alerts/${++i}`, method: i % 2 === 0 ? "HEAD" : "GET" });
    expect(await passing(program, request, 200)).toBe(30);
  });

  it("429 for unknown routes, however they are spelled", async () => {
    const spellings = ["/api/ALERTS", "/api/features/", "/api//alerts", "/%61pi/x", "/nowhere"];
    let i = 0;
    expect(await passing(program, () => ({ url: `${spellings[i++ % 5]}` }), 300)).toBe(120);
  });

  it("never for probes and pages", async () => {
    for (const url of ["/health", "/livez", "/readyz", "/docs/static/swagger-ui.css"]) {
      expect(await passing(program, () => ({ url }), 300)).toBe(300);
    }
  });

  it("429 counts an IPv6 network as one caller", async () => {
    let i = 0;
    const request = () => ({ url: "/api/coverage", remoteAddress: `2001:db8::${(++i).toString(16)}` });
    expect(await passing(program, request, 100)).toBe(20);
    expect(
      (await program.server.inject({ url: "/api/coverage", remoteAddress: "2001:db8:0:1::1" })).statusCode,
    ).toBe(200);
  });
});

describe("users and addresses", () => {
  it("429 counts a user wherever the calls come from, and users at one address apart", async () => {
    const program = await startTestProgram({ environment: { ...KEYED, ...TIMES_ONE } });
    const [ann, bob] = [await keyFor(program, "ann", "viewer"), await keyFor(program, "bob", "viewer")];
    let i = 0;
    const request = () => ({
      url: "/api/features",
      headers: { "x-api-key": ann },
      remoteAddress: `10.3.0.${++i}`,
    });
    expect(await passing(program, request, 100)).toBe(20);
    const other = { url: "/api/features", headers: { "x-api-key": bob }, remoteAddress: "10.3.0.1" };
    expect((await program.server.inject(other)).statusCode).toBe(200);
    await program.close();
  });
});

describe("X-Forwarded-For", () => {
  /** The caller behind `hops` proxies, which append: the client may write anything before. */
  const forwarded = (spoofed: string, ...appended: string[]) => ({
    "x-forwarded-for": [spoofed, ...appended].join(", "),
  });

  /** By the number of proxies they trust. */
  let programs: TestProgram[] = [];
  beforeAll(async () => {
    const startOf = (hops: number) =>
      startTestProgram({ environment: { ...TIMES_ONE, TRUST_PROXY_HOPS: String(hops) } });
    programs = await Promise.all([0, 1, 2].map(startOf));
  });
  afterAll(async () => {
    await Promise.all(programs.map((program) => program.close()));
  });

  it.each([0, 1, 2])("429 with TRUST_PROXY_HOPS=%i whatever the client writes there", async (hops) => {
    const proxies = ["203.0.113.7", "10.0.0.1"].slice(0, hops);
    let i = 0;
    const request = () => ({
      url: "/api/features",
      headers: forwarded(`198.51.100.${++i}`, ...proxies),
      remoteAddress: "10.0.0.2",
    });
    expect(await passing(programs[hops], request, 100)).toBe(20);
  });

  it.each([1, 2])("tells clients behind %i proxies apart", async (hops) => {
    for (const client of ["203.0.113.8", "203.0.113.9"]) {
      const request = () => ({
        url: "/api/features",
        headers: forwarded("198.51.100.1", client, ...["10.0.0.1"].slice(0, hops - 1)),
        remoteAddress: "10.0.0.2",
      });
      expect(await passing(programs[hops], request, 100)).toBe(20);
    }
  });

  it("is not believed without proxies, nor are its relatives", async () => {
    let i = 0;
    const request = () => ({
      url: "/api/features",
      headers: {
        "x-forwarded-for": `198.51.100.${++i}`,
        "x-real-ip": `198.51.100.${i}`,
        forwarded: `for=198.51.100.${i}`,
        "cf-connecting-ip": `198.51.100.${i}`,
      },
    });
    expect(await passing(programs[0], request, 100)).toBe(20);
  });
});

describe("the storm of an existing dashboard", () => {
  it("passes twice with the default multiplier", async () => {
    const program = await startScannedProgram({ environment: { RATE_LIMIT_MULTIPLIER: "10" } });
    const calls = [
      "/health",
      "/api/provider-health",
      "/api/scan/status",
      "/api/market/AAPL",
      "/api/get_active_alerts",
    ];
    for (let load = 0; load < 2; load++) {
      const storm = Array.from({ length: 20 }, () => calls).flat();
      const answers = await Promise.all(storm.map((url) => program.call(url)));
      expect(answers.filter(({ statusCode }) => statusCode !== 200)).toEqual([]);
    }
    await program.close();
  }, 60_000);
});

describe("counts of several instances", () => {
  const hasRedis = hasRedisServer();

  it.skipIf(!hasRedis)(
    "are shared in Redis, kept while it is frozen or gone, and shared again after",
    async () => {
      const redis = await startTestRedis();
      const environment = { ...TIMES_ONE, REDIS_URL: redis.url };
      const [first, second] = await Promise.all([
        startTestProgram({ environment }),
        startTestProgram({ environment }),
      ]);
      await expect.poll(() => first.parts.redis?.status().up && second.parts.redis?.status().up).toBe(true);
      let i = 0;
      const alternating = {
        server: { inject: (request: object) => (i++ % 2 === 0 ? first : second).server.inject(request) },
      };
      expect(await passing(alternating as never, () => ({ url: "/api/features" }), 100)).toBe(20);

      redis.freeze();
      const frozen = await passing(first, () => ({ url: "/api/coverage" }), 100);
      expect(frozen).toBe(20);
      redis.thaw();
      await redis.kill();
      expect(await passing(second, () => ({ url: "/api/coverage" }), 100)).toBeLessThanOrEqual(20);
      // What was used up before is not forgotten.
      expect((await first.server.inject("/api/features")).statusCode).toBe(429);

      await redis.start();
      await expect
        .poll(() => first.parts.redis?.status().up && second.parts.redis?.status().up, { timeout: 5_000 })
        .toBe(true);
      i = 0;
      expect(await passing(alternating as never, () => ({ url: "/api/assets" }), 100)).toBe(30);
      await Promise.all([first.close(), second.close()]);
      await redis.stop();
    },
  );

  it.skipIf(!hasRedis)("of wrong credentials are shared too", async () => {
    const redis = await startTestRedis();
    const environment = { ...KEYED, REDIS_URL: redis.url };
    const [first, second] = await Promise.all([
      startTestProgram({ environment }),
      startTestProgram({ environment }),
    ]);
    await expect.poll(() => first.parts.redis?.status().up && second.parts.redis?.status().up).toBe(true);
    const guess = { "x-api-key": "tx_guess_00000000000000000000000000000000" };
    for (let i = 0; i < 30; i++) expectProblem(await askWho(first, guess, "10.4.0.1"), "unauthenticated");
    // The second instance learns of it with its own first failure.
    expectProblem(await askWho(second, guess, "10.4.0.1"), "unauthenticated");
    expectProblem(await askWho(second, guess, "10.4.0.1"), "rate_limited");
    await Promise.all([first.close(), second.close()]);
    await redis.stop();
  });
});

describe("createCounter", () => {
  it("starts again when the window has ended", async () => {
    const counter = createCounter(null, 80);
    await counter.increment("a");
    expect((await counter.increment("a")).count).toBe(2);
    expect(counter.peek("a").count).toBe(2);
    expect(counter.peek("b")).toEqual({ count: 0, leftMs: 0 });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(counter.peek("a").count).toBe(0);
    expect((await counter.increment("a")).count).toBe(1);
  });
});

describe("addressGroup", () => {
  it.each([
    ["127.0.0.1", "127.0.0.1"],
    ["::ffff:203.0.113.7", "203.0.113.7"],
    ["::1", "0:0:0:0::/64"],
    ["2001:db8::1", "2001:db8:0:0::/64"],
    ["2001:0db8:0001:0002:0003:0004:0005:0006", "2001:db8:1:2::/64"],
    ["2001:db8:1:2:3::6", "2001:db8:1:2::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["unknown", "unknown"],
  ])("of %s is %s", (ip, group) => {
    expect(addressGroup(ip)).toBe(group);
  });
});
