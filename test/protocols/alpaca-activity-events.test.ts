import { Alpaca } from "alpaca-client";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { ULID } from "../../src/protocols/alpaca/ulid.js";
import { type AlpacaProgram, fetchAt, startAlpacaProgram, TUESDAY_MS } from "../fixtures/alpaca.js";
import { createActivityChecker } from "../fixtures/alpaca-spec.js";
import { createManualClock } from "../fixtures/clock.js";
import { createTestDatabase, type TestDatabase } from "../fixtures/database.js";
import { type EventStream, followEvents } from "../fixtures/event-stream.js";
import { eventually } from "../fixtures/faults.js";

const PATH = "/v2beta1/events/activities";
const check = createActivityChecker();

let database: TestDatabase;
let alpaca: AlpacaProgram;
beforeAll(async () => {
  database = await createTestDatabase();
  alpaca = await start();
});
afterAll(async () => {
  await alpaca.program.close();
  await database.drop();
});

const streams = new Set<EventStream>();
afterEach(() => {
  for (const stream of streams) stream.close();
  streams.clear();
});

/** The market stands still; streams end by a clock that goes. */
const start = () =>
  startAlpacaProgram({
    database,
    clock: { ...createManualClock(TUESDAY_MS), elapsed: () => performance.now() },
    alpacaSockets: { heartbeatMs: 100, checkEveryMs: 300 },
  });

interface Details {
  readonly order_id: string;
  readonly client_order_id: string;
  readonly cum_qty: string;
  readonly leaves_qty: string;
  readonly side: string;
  readonly symbol: string;
}
interface Told {
  readonly event_id: string;
  readonly ref_id: string;
  readonly activity_type: string;
  readonly net_amount: string;
  readonly qty: string;
  readonly details: Details;
}

async function follow(query: string, headers: Record<string, string> = alpaca.headers): Promise<EventStream> {
  const stream = await followEvents(`${alpaca.url}${PATH}${query}`, headers);
  streams.add(stream);
  return stream;
}
const told = ({ events }: EventStream) => events.map(({ data }) => data as unknown as Told);

async function ended(query: string, headers?: Record<string, string>): Promise<Told[]> {
  const stream = await follow(query, headers);
  expect(stream.status).toBe(200);
  await stream.ended;
  for (const { name, data } of stream.events) {
    expect(name).toBe(data.event_id);
    expect(check?.({ ...data }) ?? []).toEqual([]);
  }
  return told(stream);
}

/** Everything there is until now. */
const all = () => ended(`?since=1970-01-01&until=${new Date(Date.now() - 1).toISOString()}`);

const ask = async (
  method: "GET" | "POST" | "DELETE",
  url: string,
  payload?: object,
  headers = alpaca.headers,
) =>
  (await alpaca.program.call({ method, url, headers, ...(payload === undefined ? {} : { payload }) })).json();
const trade = (symbol: string, side: "buy" | "sell", qty: string, name: string) => {
  const order = { symbol, qty, side, type: "market", client_order_id: name };
  return ask("POST", "/v2/orders", { ...order, time_in_force: symbol.includes("/") ? "gtc" : "day" });
};

describe("GET /v2beta1/events/activities", () => {
  let known: Told[];
  beforeAll(async () => {
    await ask("GET", "/v2/account");
    await trade("AAPL", "buy", "10", "one");
    await trade("AAPL", "sell", "4", "two");
    await trade("BTC/USD", "buy", "0.01", "three");
    known = await all();
  });

  it("200 gives what there was, by the vendor's document, so that cash and positions follow from it", async () => {
    expect(known.map(({ activity_type: type }) => type)).toEqual(["CSD", "TRD", "TRD", "TRD"]);
    const ids = known.map(({ event_id: id }) => id);
    expect(ids.every((id) => ULID.test(id))).toBe(true);
    expect([...new Set(ids)].sort()).toEqual(ids);
    const cash = known.reduce((sum, { net_amount: amount }) => sum + Number(amount), 0);
    expect(cash).toBeCloseTo(Number((await ask("GET", "/v2/account")).cash), 6);
    const held = new Map<string, number>();
    for (const { qty, details } of known.slice(1)) {
      const way = details.side === "buy" ? 1 : -1;
      held.set(details.symbol, (held.get(details.symbol) ?? 0) + way * Number(qty));
    }
    const positions: { symbol: string; qty: string }[] = await ask("GET", "/v2/positions");
    expect(new Map(positions.map(({ symbol, qty }) => [symbol, Number(qty)]))).toEqual(
      new Map([...held].map(([symbol, qty]) => [symbol.replace("/", ""), qty])),
    );
    const activities: { id: string; activity_type: string }[] = await ask(
      "GET",
      "/v2/account/activities?direction=asc",
    );
    expect(
      activities.filter(({ activity_type: type }) => type === "FILL").map(({ id }) => id.split("::")[1]),
    ).toEqual(known.slice(1).map(({ ref_id: id }) => id));
    expect(
      known.slice(1).map(({ details }) => [details.client_order_id, details.cum_qty, details.leaves_qty]),
    ).toEqual([
      ["one", "10", "0"],
      ["two", "4", "0"],
      ["three", "0.01", "0"],
    ]);
  });

  it("200 resumes after any event, up to any other, each once", async () => {
    for (const [i, { event_id: id }] of known.entries()) {
      const last = ensure(known.at(-1), "the last");
      expect(await ended(`?since_id=${id}&until_id=${last.event_id}`)).toEqual(known.slice(i + 1));
      expect(await ended(`?since_id=${known[0].event_id}&until_id=${id}`)).toEqual(known.slice(1, i + 1));
      const headers = { ...alpaca.headers, "last-event-id": id };
      expect(await ended(`?since_id=${known[0].event_id}&until_id=${last.event_id}`, headers)).toEqual(
        known.slice(i + 1),
      );
    }
    expect(await ended("?since=1970-01-01&until=1999-12-31")).toEqual([]);
  });

  it("200 tells what happens from then on, after what there was and without it, and goes on after a reset", async () => {
    const [replaying, live] = [await follow(`?since_id=${known[1].event_id}`), await follow("")];
    await eventually("the past", () => replaying.events.length === 2);
    expect(live.events).toEqual([]);
    await trade("MSFT", "buy", "3", "four");
    await eventually("both", () => live.events.length === 1 && replaying.events.length === 3);
    expect(told(live)[0].details.client_order_id).toBe("four");
    expect(told(replaying)).toEqual([...known.slice(2), ...told(live)]);
    await eventually("a sign of life", () => live.comments.includes(": heartbeat"));
    // What is told now is what is told later.
    const before = told(live)[0];
    const { id } = await ask("GET", "/v2/account");
    await ask("POST", `/api/paper-trade/accounts/${id}/reset`, {});
    await trade("AAPL", "buy", "1", "five");
    await eventually("the new account", () => told(live).at(-1)?.details.client_order_id === "five");
    // What the old account held is sold as it ends.
    const since = told(live).slice(1);
    const settled = since.slice(0, -2);
    expect(settled.length).toBeGreaterThan(0);
    for (const { activity_type, details } of settled)
      expect([activity_type, details.client_order_id.split("/")[0]]).toEqual(["TRD", "settlement"]);
    const [opened, bought] = since.slice(-2);
    expect([opened.activity_type, bought.details.client_order_id]).toEqual(["CSD", "five"]);
    const ids = told(live).map(({ event_id: each }) => each);
    expect([...ids].sort()).toEqual(ids);
    expect(await ended(`?since_id=${before.event_id}&until_id=${bought.event_id}`)).toEqual([opened, bought]);
    known = [opened, bought];
  });

  it("200 has the ids that it had, also in a new process, to which a stream is said goodbye", async () => {
    const stream = await follow("");
    const old = alpaca;
    await old.program.close();
    await stream.ended;
    expect(stream.comments.at(-1)).toBe(": the server is shutting down");
    alpaca = await start();
    expect(await all()).toEqual(known);
  });

  it("200 is asked for by the official client, and read by those that read events", async () => {
    let body = "";
    const { trading } = new Alpaca({
      keyId: alpaca.key.id,
      secret: alpaca.key.secret,
      retry: false,
      fetchApi: fetchAt(alpaca.url, async (_path, answer) => {
        body = await answer.text();
      }),
    });
    const range = { since: new Date(0), until: new Date(Date.now() - 1_000) };
    const { raw } = await trading.events.subscribeToActivitiesSSERaw(range);
    expect([raw.status, raw.headers.get("content-type")]).toEqual([200, "text/event-stream; charset=utf-8"]);
    const data = body.split("\n").filter((line) => line.startsWith("data: "));
    expect(data.map((line) => JSON.parse(line.slice(6)))).toEqual(known);
  });

  it("200 with nothing of others, and ends with the key", async () => {
    await ask("POST", "/api/users", { user_id: "ann", role: "trader" }, {});
    const made = (await ask("POST", "/api/auth/keys", { name: "k", user_id: "ann" }, {})).data;
    const headers = { "apca-api-key-id": made.id, "apca-api-secret-key": made.key };
    const stream = await follow("", headers);
    await eventually("open", () => stream.comments.length > 0);
    await trade("AAPL", "buy", "1", "six");
    await ask("DELETE", `/api/auth/keys/${made.id}`, undefined, {});
    await stream.ended;
    expect([stream.events, stream.comments.at(-1)]).toEqual([[], ": the key was revoked"]);
  });

  it.each([
    ["?until=2024-01-01", "until needs since"],
    ["?until_id=01ARZ3NDEKTSV4RRFFQ69G5FAV", "until_id needs since_id"],
    ["?since=2024-01-01&since_id=01ARZ3NDEKTSV4RRFFQ69G5FAV", "cannot be used together"],
    ["?since=2024-01-02&until=2024-01-01", "until is before since"],
    ["?since_id=7", "must be a ULID"],
    ["?since=soon", "must be RFC 3339"],
  ])("400 for %s", async (query, reason) => {
    const answer = await alpaca.program.call({ url: `${PATH}${query}`, headers: alpaca.headers });
    expect([answer.statusCode, answer.json().code]).toEqual([400, 40010001]);
    expect(answer.json().message).toContain(reason);
  });

  it("401 for a key that is none, and 404 beside it, in the words of the dialect", async () => {
    const headers = { ...alpaca.headers, "apca-api-secret-key": "wrong" };
    const answer = await alpaca.program.call({ url: PATH, headers });
    expect([answer.statusCode, answer.json().code]).toEqual([401, 40110000]);
    const beside = await alpaca.program.call({ url: "/v2beta1/events/trades", headers: alpaca.headers });
    expect([beside.statusCode, beside.json().code]).toEqual([404, 40410000]);
  });

  it("429 for one stream too many", async () => {
    for (let i = 0; i < 10; i++) await follow("");
    const answer = await alpaca.program.call({ url: PATH, headers: alpaca.headers });
    expect([answer.statusCode, answer.json().code]).toEqual([429, 42910000]);
  });
});
