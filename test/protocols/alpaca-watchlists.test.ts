import { Alpaca } from "alpaca-client";
import Alpaca3 from "alpaca-client-3/dist/alpaca-trade-api.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MOST_SYMBOLS } from "../../src/features/watchlists/store.js";
import { type AlpacaProgram, fetchAt, startAlpacaProgram } from "../fixtures/alpaca.js";
import { createVendorChecker } from "../fixtures/alpaca-spec.js";

const check = createVendorChecker();
const NO_LIST = "00000000-0000-4000-8000-000000000000";

let alpaca: AlpacaProgram;
const wrong: string[] = [];
beforeAll(async () => {
  alpaca = await startAlpacaProgram();
});
afterAll(() => alpaca.program.close());

interface List {
  readonly id: string;
  readonly name: string;
  readonly account_id: string;
  readonly assets: readonly { readonly symbol: string }[];
}

const symbolsOf = ({ assets }: List) => assets.map(({ symbol }) => symbol);

async function send(method: "GET" | "POST" | "PUT" | "DELETE", url: string, payload?: object) {
  const body = payload === undefined ? {} : { payload };
  const answer = await alpaca.program.call({ method, url, headers: alpaca.headers, ...body });
  const parsed = answer.body === "" ? null : answer.json();
  const path = decodeURIComponent(url.split("?")[0] ?? "").replace("BTC/USD", "BTCUSD");
  wrong.push(...(check?.(path, answer.statusCode, parsed, method) ?? []));
  return { status: answer.statusCode, body: parsed };
}

const create = async (name: string, symbols: readonly (string | null)[] = []): Promise<List> => {
  const { status, body } = await send("POST", "/v2/watchlists", { name, symbols });
  expect(status, JSON.stringify(body)).toBe(200);
  return body;
};

describe("watchlists", () => {
  it("are made, told, renamed, filled, emptied and deleted, by id and by name", async () => {
    const made = await create("Tech & more", ["msft", "AAPL", null, "BTC/USD", "AAPL"]);
    expect(symbolsOf(made)).toEqual(["MSFT", "AAPL", "BTC/USD"]);
    const { body: account } = await send("GET", "/v2/account");
    expect(made.account_id).toBe(account.id);
    const byName = `/v2/watchlists:by_name?name=${encodeURIComponent("Tech & more")}`;
    expect((await send("GET", byName)).body).toEqual(made);
    const path = `/v2/watchlists/${made.id}`;
    expect((await send("GET", path)).body).toEqual(made);
    expect(symbolsOf((await send("POST", path, { symbol: "SPY" })).body)).toEqual([
      "MSFT",
      "AAPL",
      "BTC/USD",
      "SPY",
    ]);
    // What is there already stays where it is.
    expect(symbolsOf((await send("POST", byName, { symbol: "msft" })).body)).toHaveLength(4);
    expect(symbolsOf((await send("DELETE", `${path}/BTC%2FUSD`)).body)).toEqual(["MSFT", "AAPL", "SPY"]);
    const renamed = await send("PUT", byName, { name: "Few" });
    expect(renamed.body).toMatchObject({ id: made.id, name: "Few" });
    expect(symbolsOf(renamed.body)).toEqual(["MSFT", "AAPL", "SPY"]);
    expect(symbolsOf((await send("PUT", path, { name: "Few", symbols: ["KO"] })).body)).toEqual(["KO"]);
    const lists = (await send("GET", "/v2/watchlists")).body as List[];
    expect(lists.map(({ id, name }) => [id, name])).toContainEqual([made.id, "Few"]);
    expect(lists.every((list) => !("assets" in list))).toBe(true);
    expect((await send("DELETE", "/v2/watchlists:by_name?name=Few")).status).toBe(204);
    expect((await send("GET", path)).status).toBe(404);
  });

  it("of one user alone: others neither see nor change them", async () => {
    const { id } = await create("Mine", ["AAPL"]);
    const other = await startOther();
    for (const [method, url, payload] of [
      ["GET", `/v2/watchlists/${id}`],
      ["GET", "/v2/watchlists:by_name?name=Mine"],
      ["PUT", `/v2/watchlists/${id}`, { name: "Theirs" }],
      ["POST", `/v2/watchlists/${id}`, { symbol: "SPY" }],
      ["DELETE", `/v2/watchlists/${id}/AAPL`],
      ["DELETE", `/v2/watchlists/${id}`],
    ] as const) {
      expect(await other(method, url, payload), `${method} ${url}`).toBe(404);
    }
    expect(symbolsOf((await send("GET", `/v2/watchlists/${id}`)).body)).toEqual(["AAPL"]);
  });

  it("refuse what they cannot be, in the words of the dialect", async () => {
    const { id } = await create("Taken");
    const second = await create("Second");
    const path = `/v2/watchlists/${id}`;
    for (const [method, url, payload, expected] of [
      ["POST", "/v2/watchlists", { name: "Taken" }, { status: 422, code: 42210000 }],
      ["PUT", `/v2/watchlists/${second.id}`, { name: "Taken" }, { status: 422, code: 42210000 }],
      ["POST", "/v2/watchlists", { name: "" }, { status: 422, code: 40010001 }],
      ["POST", "/v2/watchlists", { name: "n".repeat(65) }, { status: 422, code: 40010001 }],
      ["POST", "/v2/watchlists", { name: "a\u0000b" }, { status: 422, code: 40010001 }],
      ["POST", "/v2/watchlists", {}, { status: 422, code: 40010001 }],
      ["POST", "/v2/watchlists", { name: "N", symbols: "AAPL" }, { status: 422, code: 40010001 }],
      ["POST", "/v2/watchlists", { name: "N", symbols: ["ZZ9PLURAL"] }, { status: 422, code: 40010001 }],
      ["POST", path, { symbol: "ZZ9PLURAL" }, { status: 422, code: 40010001 }],
      ["POST", path, {}, { status: 422, code: 40010001 }],
      ["DELETE", `${path}/AAPL`, undefined, { status: 404 }],
      ["DELETE", `${path}/ZZ9PLURAL`, undefined, { status: 404, code: 40410000 }],
      ["GET", `/v2/watchlists/${NO_LIST}`, undefined, { status: 404, code: 40410000 }],
      ["GET", "/v2/watchlists/first", undefined, { status: 400, code: 40010001 }],
      ["GET", "/v2/watchlists:by_name", undefined, { status: 400, code: 40010001 }],
      ["GET", "/v2/watchlists:by_name?name=None", undefined, { status: 404, code: 40410000 }],
      ["DELETE", "/v2/watchlists:by_name?name=None", undefined, { status: 404, code: 40410000 }],
    ] as const) {
      const { status, body } = await send(method, url, payload);
      expect({ status, ...body }, `${method} ${url} ${JSON.stringify(payload)}`).toMatchObject(expected);
    }
    expect(symbolsOf((await send("GET", path)).body)).toEqual([]);
  });

  it("lose nothing where many are added at once, and never hold more than they may", async () => {
    const { id } = await create("Crowd");
    const symbols = ["AAPL", "MSFT", "SPY", "KO", "META", "AMZN", "QQQ", "BTC/USD", "ETH/USD"];
    await Promise.all(
      [...symbols, ...symbols].map((symbol) => send("POST", `/v2/watchlists/${id}`, { symbol })),
    );
    const whole = (await send("GET", `/v2/watchlists/${id}`)).body as List;
    expect(symbolsOf(whole).toSorted()).toEqual(symbols.toSorted());
    const many = Array.from({ length: MOST_SYMBOLS + 1 }, () => "AAPL");
    expect((await send("PUT", `/v2/watchlists/${id}`, { name: "Crowd", symbols: many })).status).toBe(422);
    const made = await Promise.all(
      Array.from({ length: 8 }, () => send("POST", "/v2/watchlists", { name: "Once" })),
    );
    expect(made.map(({ status }) => status).toSorted()).toEqual([
      200,
      ...Array.from({ length: 7 }, () => 422),
    ]);
  });

  it("are what the official clients expect", async () => {
    const { url, key } = alpaca;
    const { watchlists } = new Alpaca({
      keyId: key.id,
      secret: key.secret,
      retry: false,
      fetchApi: fetchAt(url, async () => undefined),
    }).trading;
    const made = await watchlists.postWatchlist({
      createWatchlistRequest: { name: "Newer", symbols: ["AAPL"] },
    });
    const { id: watchlistId } = made;
    await watchlists.addAssetToWatchlist({ watchlistId, addAssetToWatchlistRequest: { symbol: "BTC/USD" } });
    await watchlists.removeAssetFromWatchlist({ watchlistId, symbol: "AAPL" });
    const read = await watchlists.getWatchlistByName({ name: "Newer" });
    expect(read.assets?.map(({ symbol }) => symbol)).toEqual(["BTC/USD"]);
    await watchlists.deleteWatchlistById({ watchlistId });

    const older = new Alpaca3({ keyId: key.id, secretKey: key.secret, baseUrl: url, dataBaseUrl: url });
    const { id } = await older.sendRequest("/watchlists", null, { name: "Older", symbols: ["AAPL"] }, "POST");
    await older.addToWatchlist(id, "KO");
    await older.deleteFromWatchlist(id, "AAPL");
    expect(symbolsOf(await older.getWatchlist(id))).toEqual(["KO"]);
    const left = (await older.getWatchlists()).map(({ name }: List) => name);
    expect(left).toContain("Older");
    expect(left).not.toContain("Newer");
    await older.deleteWatchlist(id);
    await expect(older.getWatchlist(id)).rejects.toThrow("404");
  });

  it.skipIf(check === null)("have the shapes that the vendor's document says", () => {
    expect([...new Set(wrong)]).toEqual([]);
  });
});

/** Calls as another user of the same server. */
async function startOther() {
  const { call } = alpaca.program;
  await call({ method: "POST", url: "/api/users", payload: { user_id: "other", role: "trader" } });
  const made = await call({
    method: "POST",
    url: "/api/auth/keys",
    payload: { name: "other", user_id: "other" },
  });
  const { id, key } = made.json<{ data: { id: string; key: string } }>().data;
  const headers = { "apca-api-key-id": id, "apca-api-secret-key": key };
  return async (method: "GET" | "POST" | "PUT" | "DELETE", url: string, payload?: object) =>
    (await call({ method, url, headers, ...(payload === undefined ? {} : { payload }) })).statusCode;
}
