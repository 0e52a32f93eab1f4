import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { refusal } from "../../src/core/execution/validate.js";
import { refusedBy } from "../../src/features/paper-trades/refusals.js";
import { createManualClock } from "../fixtures/clock.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";

/** A Wednesday: New York trades from 13:30 to 20:00 UTC. */
const NOW = Date.UTC(2024, 9, 2, 16, 7, 30);

let program: TestProgram;
beforeAll(async () => {
  program = await startTestProgram({ clock: createManualClock(NOW) });
});
afterAll(() => program.close());

async function call(
  method: "GET" | "POST" | "PATCH" | "DELETE",
  url: string,
  payload?: object,
  key?: string,
) {
  const answer = await program.call({
    method,
    url,
    ...(payload === undefined ? {} : { payload }),
    ...(key === undefined ? {} : { headers: { "idempotency-key": key } }),
  });
  const replayed = answer.headers["idempotent-replayed"] === "true";
  return { status: answer.statusCode, replayed, ...answer.json() };
}
const ACCOUNTS = "/api/paper-trade/accounts";
const open = async (name: string): Promise<string> => (await call("POST", ACCOUNTS, { name })).data.id;

describe("a closed account", () => {
  it("409 is not resumed", async () => {
    const id = await open("Ended");
    await call("POST", `${ACCOUNTS}/${id}/close`);
    expect(await call("POST", `${ACCOUNTS}/${id}/resume`)).toMatchObject({
      status: 409,
      code: "account_closed",
    });
  });

  it("200 is closed once for one key, and 409 without it or for another account", async () => {
    const id = await open("Once");
    const path = `${ACCOUNTS}/${id}/close`;
    const first = await call("POST", path, undefined, "close-once");
    expect(first).toMatchObject({ status: 200, replayed: false });
    expect(await call("POST", path, undefined, "close-once")).toMatchObject({
      status: 200,
      replayed: true,
      message: first.message,
    });
    expect(await call("POST", path)).toMatchObject({ status: 409, code: "account_closed" });
    const other = await open("Other");
    const reused = await call("POST", `${ACCOUNTS}/${other}/close`, undefined, "close-once");
    expect(reused).toMatchObject({ status: 422, code: "idempotency_key_reused" });
  });
});

describe("a reset account", () => {
  const order = (account_id: string, client_order_id: string) =>
    call("POST", "/api/paper-trade/orders", {
      account_id,
      symbol: "AAPL",
      side: "buy",
      quantity: 1,
      client_order_id,
    });
  const reset = async (id: string): Promise<string> =>
    (await call("POST", `${ACCOUNTS}/${id}/reset`, {})).data.id;
  const taken = { status: 422, problems: [expect.objectContaining({ code: "id_not_unique" })] };

  it("422 takes no order under a name that was used before it was reset, however often it was", async () => {
    const first = await open("Line");
    expect((await order(first, "mine")).status).toBe(201);
    const second = await reset(first);
    expect(await order(second, "mine")).toMatchObject(taken);
    expect((await order(second, "next")).status).toBe(201);
    const third = await reset(second);
    for (const name of ["mine", "next"]) expect(await order(third, name)).toMatchObject(taken);
    const { data: other } = await order(third, "other");
    expect(other.state).toBe("filled");
    const resting = { symbol: "AAPL", side: "buy", quantity: 1, type: "limit", limit_price: 1 };
    const { data: placed } = await call("POST", "/api/paper-trade/orders", { ...resting, account_id: third });
    const path = `/api/paper-trade/orders/${placed.id}`;
    const change = { account_id: third, limit_price: 2 };
    expect(await call("PATCH", path, { ...change, client_order_id: "mine" })).toMatchObject(taken);
    expect((await call("PATCH", path, { ...change, client_order_id: "fifth" })).status).toBe(200);
    expect(await program.parts.paper.ledger.verify(third)).toEqual([]);
  });

  it("201 leaves names to an account beside it, and to one that is opened anew", async () => {
    const [one, other] = [await open("One line"), await open("Other line")];
    for (const id of [one, other]) expect((await order(id, "same")).status).toBe(201);
    await call("POST", `${ACCOUNTS}/${one}/close`);
    expect((await order(await open("One line"), "same")).status).toBe(201);
  });
});

const paid = (amount: number) => ({ at: "2024-09-02T15:00:00.000Z", kind: "transfer", amount });

describe("an imported account", () => {
  it("201 is opened once for one key", async () => {
    const { data } = await call("GET", `${ACCOUNTS}/${await open("Source")}/export`);
    const file = { name: "Copy", transactions: data.transactions };
    const first = await call("POST", `${ACCOUNTS}/import`, file, "import-once");
    expect(first).toMatchObject({ status: 201, replayed: false, data: { cash: 100_000 } });
    const again = await call("POST", `${ACCOUNTS}/import`, file, "import-once");
    expect(again).toMatchObject({ status: 201, replayed: true, data: first.data });
    const all = (await call("GET", ACCOUNTS)).data as { name: string }[];
    expect(all.filter(({ name }) => name === "Copy")).toHaveLength(1);
    const other = { ...file, name: "Another" };
    expect(await call("POST", `${ACCOUNTS}/import`, other, "import-once")).toMatchObject({ status: 422 });
  });
});

describe("the order of a margin call", () => {
  it("200 is read by the id that the list gives it, and not canceled", async () => {
    const price = Math.round((await call("GET", "/api/market/AAPL")).data.price);
    const dear = Math.round(1.3 * price);
    const quantity = Math.floor(38_000 / dear);
    const fill = {
      at: "2024-09-03T15:00:00.000Z",
      kind: "fill",
      symbol: "AAPL",
      order: "dear",
      side: "buy",
      quantity,
      price: dear,
      amount: -dear * quantity,
    };
    const made = await call("POST", `${ACCOUNTS}/import`, {
      name: "Called",
      leverage: 4,
      transactions: [paid(10_000), fill],
    });
    expect(made.status, JSON.stringify(made)).toBe(201);
    const account_id = made.data.id;
    const order = { symbol: "AAPL", side: "sell", quantity: 1, account_id };
    expect((await call("POST", "/api/paper-trade/orders", order)).data.state).toBe("filled");
    const path = "/api/paper-trade/orders";
    const listed = (await call("GET", `${path}?status=all&account_id=${account_id}`)).data as {
      id: string;
    }[];
    const found = listed.find(({ id }) => id.startsWith("call/"));
    expect(found, JSON.stringify(listed)).toBeDefined();
    const one = `${path}/${encodeURIComponent(found?.id ?? "")}?account_id=${account_id}`;
    expect(await call("GET", one)).toMatchObject({ status: 200, data: found });
    expect(await call("DELETE", one)).toMatchObject({ status: 422, problems: [{ code: "order_forced" }] });
  });
});

describe("the figures of a refusal", () => {
  it.each([
    [1e-10, 1e-9, "(0.0000000001, limit 0.000000001)"],
    [0.125, 1, "(0.125, limit 1)"],
    [0.1 + 0.2, 0, "(0.3, limit 0)"],
    [123_456_789.126, -0.00001234567, "(123456789.126, limit -0.0000123457)"],
  ])("keep their significant digits: %d over %d", (value, limit, figures) => {
    expect(refusedBy([refusal("quantity_off_lot", "quantity", value, limit)]).message).toContain(figures);
  });
});
