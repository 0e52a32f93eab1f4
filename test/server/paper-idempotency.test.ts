import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createManualClock } from "../fixtures/clock.js";
import { createTestDatabase, type TestDatabase } from "../fixtures/database.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";
import { ROOMY } from "../fixtures/roomy-settings.js";
import { sized } from "../fixtures/sizes.js";

/** A Wednesday: New York trades from 14:30 to 21:00 UTC. */
const NOW = Date.UTC(2024, 10, 6, 16, 7, 30);
const OTHER = randomBytes(24).toString("base64url");
const KEYS = sized({ usual: 200, full: 1_000 });
const PARALLEL = 10;
const ACCOUNTS = 10;

let database: TestDatabase;
/** As two processes over one database. */
let programs: TestProgram[];

beforeAll(async () => {
  database = await createTestDatabase();
  const environment = { ADMIN_API_KEY: OTHER, ALLOW_ANONYMOUS: "true" };
  const start = () => startTestProgram({ database, environment, clock: createManualClock(NOW) });
  programs = [await start(), await start()];
  for (const headers of [{}, { "x-api-key": OTHER }]) await post("/api/risk-settings", ROOMY, headers);
});
afterAll(async () => {
  for (const program of programs) await program.close();
  await database.drop();
});

interface Answered {
  readonly status: number;
  readonly text: string;
  readonly replayed: boolean;
  readonly body: Record<string, never> & { code: string; data: Record<string, never> };
}

async function post(url: string, payload: object | undefined, headers = {}, which = 0): Promise<Answered> {
  const body = payload === undefined ? {} : { payload };
  const answer = await programs[which % programs.length].server.inject({
    method: "POST",
    url,
    headers,
    ...body,
  });
  return {
    status: answer.statusCode,
    text: answer.body,
    replayed: answer.headers["idempotent-replayed"] === "true",
    body: answer.json(),
  };
}

const keyed = (key: string, headers = {}) => ({ "idempotency-key": key, ...headers });
const rows = <Row extends object>(text: string, values: readonly unknown[] = []) =>
  programs[0].parts.database.query<Row>(text, values);

let opened = 0;
async function openAccount(headers = {}): Promise<string> {
  const { body } = await post(
    "/api/paper-trade/accounts",
    { name: `Account ${++opened}`, cash: 100_000 },
    headers,
  );
  return String(body.data.id);
}

const buy = (account_id: string, change: object = {}) => ({
  symbol: "AAPL",
  side: "buy",
  quantity: 1,
  type: "limit",
  limit_price: 1,
  time_in_force: "gtc",
  account_id,
  ...change,
});
const market = { type: "market", limit_price: undefined, time_in_force: "day" };

describe("POST /api/paper-trade/orders with Idempotency-Key", () => {
  // To one process they come as to two, without those that the other one holds.
  it.each([
    [KEYS / 5, "one process", 1],
    [KEYS, "two processes", 2],
  ])(
    `201 once for each of %i keys that come ${PARALLEL} times at once to %s, and the same answer to all`,
    async (keys, _name, processes) => {
      const accounts: string[] = [];
      for (let n = 0; n < ACCOUNTS; n++) accounts.push(await openAccount());
      const different: string[] = [];
      let replays = 0;
      const isMarket = (n: number) => n % 100 < ACCOUNTS;
      const one = async (n: number) => {
        const payload = buy(accounts[n % ACCOUNTS], isMarket(n) ? market : {});
        const key = keyed(`${processes}-${n}`);
        const answers = await Promise.all(
          Array.from({ length: PARALLEL }, (_, k) =>
            post("/api/paper-trade/orders", payload, key, k % processes),
          ),
        );
        const [first] = answers;
        if (first.status !== 201 || answers.some(({ text }) => text !== first.text)) {
          different.push(...new Set(answers.map(({ status, text }) => `${status} ${text.slice(0, 200)}`)));
        }
        replays += answers.filter(({ replayed }) => replayed).length;
      };
      const all = Array.from({ length: keys }, (_, n) => n);
      const queue = [...all];
      const work = async () => {
        for (let n = queue.shift(); n !== undefined; n = queue.shift()) await one(n);
      };
      await Promise.all(Array.from({ length: ACCOUNTS }, work));
      expect(different.slice(0, 4)).toEqual([]);
      expect(replays).toBe(keys * (PARALLEL - 1));
      const [{ orders, fills }] = await rows<{ orders: number; fills: number }>(
        `select (select count(*)::int from paper_orders where account_id = any($1)) as orders,
         (select count(*)::int from paper_fills where account_id = any($1)) as fills`,
        [accounts],
      );
      expect({ orders, fills }).toEqual({ orders: keys, fills: all.filter(isMarket).length });
      for (const id of accounts) expect(await programs[1].parts.paper.ledger.verify(id)).toEqual([]);
    },
    240_000,
  );
});

describe("an idempotency key", () => {
  it("422 is refused for another request, under way, done or refused, by either process", async () => {
    const account = await openAccount();
    const other = buy(account, { quantity: 2 });
    const first = post("/api/paper-trade/orders", buy(account), keyed("other-body"));
    const meanwhile = await post("/api/paper-trade/orders", other, keyed("other-body"));
    expect(meanwhile).toMatchObject({ status: 422, body: { code: "idempotency_key_reused" } });
    expect((await first).status).toBe(201);
    for (const which of [0, 1]) {
      const after = await post("/api/paper-trade/orders", other, keyed("other-body"), which);
      expect(after).toMatchObject({ status: 422, body: { code: "idempotency_key_reused" } });
      const elsewhere = await post(
        "/api/paper-trades",
        { symbol: "AAPL", side: "buy" },
        keyed("other-body"),
        which,
      );
      expect(elsewhere).toMatchObject({ status: 422, body: { code: "idempotency_key_reused" } });
    }
    expect(await rows("select id from paper_orders where account_id = $1", [account])).toHaveLength(1);
  });

  it("422 gives a refusal again with its problems, though it would pass by now", async () => {
    const account = await openAccount();
    const short = buy(account, { quantity: 90_000, limit_price: 1.5, client_order_id: "later" });
    const refused = await post("/api/paper-trade/orders", short, keyed("refused"));
    expect(refused.status).toBe(422);
    const { problems } = refused.body as unknown as { problems: { code: string }[] };
    expect(problems.length).toBeGreaterThan(0);
    await post("/api/risk-settings", { max_position_size: 1_000 });
    await post("/api/risk-settings", ROOMY);
    for (const which of [0, 1]) {
      const again = await post("/api/paper-trade/orders", short, keyed("refused"), which);
      const { requestId: _now, ...now } = again.body as unknown as Record<string, unknown>;
      const { requestId: _then, ...then } = refused.body as unknown as Record<string, unknown>;
      expect(now).toEqual(then);
    }
    expect(await rows("select id from paper_orders where account_id = $1", [account])).toHaveLength(0);
  });

  it("201 is another one for another user", async () => {
    const own = await openAccount();
    const theirs = await openAccount({ "x-api-key": OTHER });
    const first = await post("/api/paper-trade/orders", buy(own), keyed("shared"));
    const second = await post(
      "/api/paper-trade/orders",
      buy(theirs),
      keyed("shared", { "x-api-key": OTHER }),
    );
    expect([first, second]).toMatchObject([
      { status: 201, replayed: false },
      { status: 201, replayed: false },
    ]);
    expect(first.body.data.id).not.toBe(second.body.data.id);
  });

  it.each([
    ["256 characters", "x".repeat(256)],
    ["a space", "a b"],
    ["no characters", ""],
  ])("400 is refused with %s", async (_what, key) => {
    const account = await openAccount();
    const answer = await post("/api/paper-trade/orders", buy(account), keyed(key));
    expect(answer).toMatchObject({ status: 400, body: { code: "invalid_request" } });
    expect(await rows("select id from paper_orders where account_id = $1", [account])).toHaveLength(0);
  });

  it("201 may have 255 characters", async () => {
    const answer = await post("/api/paper-trade/orders", buy(await openAccount()), keyed("y".repeat(255)));
    expect(answer.status).toBe(201);
  });

  it("200 gives the answer to a close again, though there is nothing left to close", async () => {
    const account = await openAccount();
    await post("/api/paper-trade/orders", buy(account, market));
    const [{ id }] = await rows<{ id: number }>(
      "select seq::int as id from paper_fills where account_id = $1",
      [account],
    );
    const body = { trade_id: id, account_id: account };
    const closed = await post("/api/close-position", body, keyed("close"));
    expect(closed.status, closed.text).toBe(200);
    for (const which of [0, 1]) {
      const again = await post("/api/close-position", body, keyed("close"), which);
      expect(again).toEqual({ ...closed, replayed: true });
    }
    const again = await post("/api/close-position", body, keyed("close-again"));
    expect(again).toMatchObject({ status: 404, replayed: false, body: { code: "position_not_found" } });
    const { requestId, instance, ...refusal } = again.body as Record<string, unknown>;
    const repeated = await post("/api/close-position", body, keyed("close-again"), 1);
    expect(repeated).toMatchObject({ status: 404, replayed: true, body: refusal });
  });

  it("200 stands for a request without a body too", async () => {
    await post("/api/paper-trades", { symbol: "MSFT", side: "buy", quantity: 1 });
    const { data } = (await programs[0].server.inject("/api/paper-trades?symbol=MSFT")).json();
    const url = `/api/paper-trades/${data[0].id}/close`;
    const closed = await post(url, undefined, keyed("bare"));
    expect(closed.status, closed.text).toBe(200);
    expect(await post(url, undefined, keyed("bare"))).toEqual({ ...closed, replayed: true });
  });
});
