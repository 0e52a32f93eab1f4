import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readBody, secretIn, withoutSecret } from "../../src/features/hooks/body.js";
import { commandOf } from "../../src/features/hooks/command.js";
import { isSource, mayCall } from "../../src/features/hooks/sources.js";

const command = (body: object | string) => {
  const { fields, problem } = readBody(typeof body === "string" ? body : JSON.stringify(body));
  return commandOf(fields, problem);
};
const order = (change: object = {}) => ({
  kind: "order",
  symbol: "AAPL",
  side: "buy",
  size: { units: 10 },
  limit: null,
  stop: null,
  target: null,
  strategy: null,
  ...change,
});
const all = { kind: "close", symbol: "AAPL", quantity: null };
const AAPL = { ticker: "AAPL" };
const BUY = { ...AAPL, action: "buy", quantity: 10 };
const many = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`field_${i}`, `${i}`]));
const pairs = (fields: object) =>
  Object.entries(fields)
    .map((pair) => pair.join("="))
    .join("\n");

describe("a command", () => {
  it.each<[string, object | string, object]>([
    ["plain", { ...AAPL, action: "buy", quantity: 10 }, order()],
    ["in numbers as text", { symbol: "AAPL", action: "BUY", contracts: "10" }, order()],
    ["in pairs", "ticker=AAPL, action=buy, qty=10", order()],
    ["in lines", "ticker=AAPL\naction=buy\nqty=10\n", order()],
    [
      "of an exchange",
      { ticker: "NASDAQ:AAPL", action: "buy", shares: 10 },
      order({ symbol: "NASDAQ:AAPL" }),
    ],
    [
      "with the exchange beside it",
      { ticker: "BTCUSD", exchange: "BINANCE", action: "buy", quantity: 10 },
      order({ symbol: "BINANCE:BTCUSD" }),
    ],
    [
      "with an exchange that is not known beside it",
      { ...AAPL, exchange: "BATS", action: "buy", quantity: 10 },
      order(),
    ],
    ["with the price that was seen", { ...AAPL, action: "buy", quantity: 10, price: 187.5 }, order()],
    [
      "with a limit",
      { ...AAPL, action: "buy", quantity: 10, type: "limit", price: "187.5" },
      order({ limit: 187.5 }),
    ],
    [
      "by risk",
      { ...AAPL, action: "sell", risk: "1.5%", stop_loss: 200, take_profit: 150 },
      order({ side: "sell", size: { riskPercent: 1.5 }, stop: 200, target: 150 }),
    ],
    [
      "with a limit by its own name",
      { ...AAPL, action: "buy", quantity: 10, orderType: "LIMIT", limitPrice: 187.5 },
      order({ limit: 187.5 }),
    ],
    [
      "that says things twice, and alike",
      {
        ...AAPL,
        ...{ symbol: "NASDAQ:aapl", action: "Long", side: "buy", qty: 10, contracts: "10.0", size: "1e1" },
        ...{ type: "limit", order_type: "LIMIT", price: 187.5, limit_price: "187.50" },
        ...{ stop_loss: 180, sl: "180", strategy: { order: { action: "buy" } }, strategy_name: "Mine" },
      },
      order({ limit: 187.5, stop: 180, strategy: "Mine" }),
    ],
    [
      "that says its symbol with and without the exchange beside it",
      { ticker: "TCS", symbol: "NSE:TCS", exchange: "NSE", action: "buy", quantity: 10 },
      order({ symbol: "NSE:TCS" }),
    ],
    [
      "with names and values that are nothing",
      { ...AAPL, action: "buy", quantity: 10, limit_price: null, notional: "", risk: null, side: " " },
      order(),
    ],
    ["with a long note", { ...AAPL, action: "buy", quantity: 10, note: "x".repeat(1_000) }, order()],
    ["to close", { ...AAPL, action: "close" }, all],
    ["to close a part", { ...AAPL, action: "exit", quantity: 4 }, { ...all, quantity: 4 }],
    ["to be flat", { ...AAPL, action: "flat", quantity: 4 }, all],
  ])("%s", (_name, body, expected) => {
    expect(command(body)).toEqual(expected);
  });

  it.each<[string, string, string, string, object]>([
    ["opens a long one", "buy", "long", "flat", order()],
    ["opens a short one", "sell", "short", "flat", order({ side: "sell" })],
    ["turns it round", "sell", "short", "long", order({ side: "sell" })],
    ["closes a long one", "sell", "flat", "long", all],
    ["closes a short one", "buy", "flat", "short", all],
    ["takes some of a long one off", "sell", "long", "long", { ...all, quantity: 10 }],
    ["takes some of a short one off", "buy", "short", "short", { ...all, quantity: 10 }],
  ])("of a strategy that %s", (_name, action, position, before, expected) => {
    const strategy = {
      ...AAPL,
      strategy: {
        order: { action, contracts: "10", price: "187.5", id: "Long" },
        market_position: position,
        prev_market_position: before,
      },
    };
    expect(command(strategy)).toEqual(expected);
  });

  it.each<[string, object | string, string]>([
    ["that is no command", "AAPL crossed 200", "unreadable"],
    ["that is no object", "[1,2]", "unreadable"],
    ["without a symbol", { action: "buy", quantity: 1 }, "ticker_missing"],
    [
      "of an exchange that is not known",
      { ticker: "BATS:AAPL", action: "buy", quantity: 1 },
      "symbol_invalid",
    ],
    ["without an action", { ...AAPL, quantity: 1 }, "action_missing"],
    ["with an action that is none", { ...AAPL, action: "hold" }, "action_unknown"],
    ["with a position that is none", { ...AAPL, market_position: "up" }, "position_unknown"],
    ["without a quantity", { ...AAPL, action: "buy" }, "quantity_missing"],
    ["with a quantity of nothing", { ...AAPL, action: "buy", quantity: 0 }, "number_invalid"],
    ["with a quantity that is none", { ...AAPL, action: "buy", quantity: "1e999" }, "number_invalid"],
    ["by risk without a stop", { ...AAPL, action: "buy", risk: 1 }, "stop_loss_missing"],
    ["by more risk than there is", { ...AAPL, action: "buy", risk: 101, stop: 1 }, "number_invalid"],
    ["of a type that is none", { ...AAPL, action: "buy", quantity: 1, type: "stop" }, "type_unknown"],
    ["with a limit of nothing", { ...AAPL, action: "buy", quantity: 1, type: "limit" }, "price_missing"],
    [
      "with a placeholder that nobody filled in",
      { ...AAPL, action: "{{strategy.order.action}}", quantity: 1 },
      "placeholder_unfilled",
    ],
    ["named as what every object has", { ...AAPL, action: "constructor", quantity: 1 }, "action_unknown"],
  ])("%s is unclear", (_name, body, code) => {
    expect(command(body)).toMatchObject({ kind: "unclear", code, detail: expect.any(String) });
  });

  it.each<[string, object | string]>([
    ["of more fields", { ...BUY, ...many(60), type: "limit", limit_price: 1 }],
    ["of more pairs", pairs({ ...BUY, ...many(60), type: "limit", limit_price: 1 })],
    ["in objects that are deeper", { ...BUY, a: { b: { c: { d: { e: { stop_loss: 1 } } } } } }],
    ["in longer texts", { ...BUY, type: `limit${" ".repeat(1_000)}` }],
    ["in longer texts of pairs", pairs({ ...BUY, note: "x".repeat(1_001) })],
    ["in longer names", { ...BUY, ["x".repeat(81)]: 1 }],
    ["twice in one name", { ...BUY, type: "market", TYPE: "limit", price: 1 }],
    ["twice in one name of pairs", pairs({ ...BUY, Action: "sell" })],
  ])("is not guessed of what says more than is read, %s", (_name, body) => {
    expect(command(body)).toMatchObject({ kind: "unclear", code: "unreadable", detail: expect.any(String) });
  });

  it.each<[string, object]>([
    ["at the most", { ...BUY, ...many(57) }],
    ["in pairs", { ...BUY, Action: "buy" }],
  ])("is read of what says as much as is read, %s", (_name, body) => {
    expect([command(body), command(pairs(body))]).toEqual([order(), order()]);
  });

  it.each<[string, object, string]>([
    ["with a limit and no type", { ...BUY, limit_price: 1 }, "type_missing"],
    ["with a limit in camel case and no type", { ...BUY, limitPrice: 1 }, "type_missing"],
    ["with a limit that is an object and no type", { ...BUY, limit_price: { price: 1 } }, "type_missing"],
    ["with a limit at the market", { ...BUY, type: "market", limit: 1 }, "ambiguous"],
    ["with two limits", { ...BUY, type: "limit", price: 1, limit_price: 2 }, "ambiguous"],
    ["with a list of stops", { ...BUY, stop_loss: [100] }, "number_invalid"],
    ["with an empty list of stops", { ...BUY, stop_loss: [] }, "number_invalid"],
    ["with an object of a stop", { ...BUY, stop_loss: { price: 100 } }, "number_invalid"],
    ["with an empty object of a stop", { ...BUY, stop_loss: {} }, "number_invalid"],
    ["with a list of targets", { ...BUY, tp: [{ price: 1 }] }, "number_invalid"],
    ["with a stop in a name with a dot", { ...BUY, "stop_loss.price": 100 }, "number_invalid"],
    ["with an object of a quantity", { ...BUY, qty: { value: 1 } }, "number_invalid"],
    ["with a list of types", { ...BUY, type: ["limit"], price: 1 }, "type_unknown"],
    ["with an object of a position", { ...BUY, position: { is: "flat" } }, "position_unknown"],
    ["with a list of actions", { ...BUY, side: ["sell"] }, "action_unknown"],
    ["with a quantity and money", { ...BUY, notional: 1_000 }, "ambiguous"],
    ["with risk and money", { ...AAPL, action: "buy", risk: 1, stop: 1, notional: 1 }, "ambiguous"],
    ["with money alone", { ...AAPL, action: "buy", notional: 1_000 }, "quantity_missing"],
    ["that closes so much money", { ...AAPL, action: "close", notional: 1_000 }, "quantity_missing"],
    ["with a quantity and risk", { ...BUY, risk: 1, stop_loss: 1 }, "ambiguous"],
    ["with two sides", { ...AAPL, action: "sell", side: "buy", quantity: 1 }, "ambiguous"],
    ["with a side that is none", { ...BUY, side: "hold" }, "ambiguous"],
    ["with two symbols", { ...BUY, symbol: "MSFT" }, "ambiguous"],
    ["with two quantities", { ...BUY, contracts: "11" }, "ambiguous"],
    ["with two stops", { ...BUY, sl: 1, stop_loss: 2 }, "ambiguous"],
    ["with two positions", { ...BUY, position: "flat", market_position: "long" }, "ambiguous"],
    ["with two types", { ...BUY, type: "market", order_type: "limit", price: 1 }, "ambiguous"],
  ])("%s is unclear: nothing is guessed", (_name, body, code) => {
    expect(command(body)).toMatchObject({ kind: "unclear", code, detail: expect.any(String) });
  });

  it("of a number that is none is told by the name that was sent", () => {
    expect(command({ ...BUY, type: "limit", price: "-1" })).toMatchObject({
      detail: expect.stringMatching(/^price is -1,/),
    });
  });

  it("with a number beyond all numbers is unclear", () => {
    const body = JSON.stringify({ ...BUY, stop_loss: 7 }).replace(":7", ":1e999");
    expect(command(body)).toMatchObject({ kind: "unclear", code: "number_invalid" });
  });

  it("is read of anything without failing", () => {
    const names = fc.constantFrom(
      "ticker",
      "action",
      "quantity",
      "market_position",
      "risk",
      "stop",
      "type",
      "x",
    );
    const values = fc.oneof(
      fc.string(),
      fc.double(),
      fc.constantFrom("buy", "AAPL", "1", null, true),
      fc.jsonValue(),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.dictionary(names, values).map((each) => JSON.stringify(each)),
        ),
        (body) => {
          expect(command(body).kind).toMatch(/^(order|close|unclear)$/);
        },
      ),
      { numRuns: 2_000, seed: 7 },
    );
  });
});

describe("a body", () => {
  it.each(["secret", "passphrase", "Secret"])("is kept without its %s", (name) => {
    const secret = "hook_abc";
    const body = JSON.stringify({ [name]: secret, note: `my ${secret}` });
    expect(secretIn(body)).toBe(secret);
    const kept = withoutSecret(body, secret);
    expect(kept).not.toContain(secret);
    expect(readBody(kept).fields).toEqual({ note: "my ***" });
  });

  it("is kept without a secret that is spelled with escapes", () => {
    const kept = withoutSecret('{"SECRET":"hook\\u005fabc","n":1}', "hook_abc");
    expect(kept).toBe('{"SECRET":"***","n":1}');
  });

  it("has an id where it names one, and none where nobody filled it in", () => {
    expect(readBody('{"id":17}').givenId).toBe("17");
    expect(readBody("alert_id=a-1").givenId).toBe("a-1");
    expect(readBody('{"id":"{{strategy.order.id}}"}').givenId).toBeNull();
    expect(readBody('{"order_id":"Long"}').givenId).toBeNull();
  });

  it("has another id for each that differs, however long they are", () => {
    const long = "x".repeat(200);
    expect(readBody(JSON.stringify({ id: long })).givenId).toBe(long);
    const ids = [`${long}1`, `${long}2`, `${"x".repeat(2_000)}1`, `${"x".repeat(2_000)}2`];
    for (const body of [(id: string) => JSON.stringify({ id }), (id: string) => `id=${id}`]) {
      const given = ids.map((id) => readBody(body(id)).givenId ?? "");
      expect(new Set(given).size).toBe(4);
      expect(given.every((id) => /^sha256:[0-9a-f]{64}$/.test(id))).toBe(true);
    }
  });

  it.each(['{"id":12345678901234567890}', '{"id":[]}', '{"id":{}}'])("has no id of its own in %s", (body) => {
    expect(readBody(body).givenId).toBeNull();
  });

  it("of more than is read has the first of it, its id and its secret, and says so", () => {
    const body = JSON.stringify({ ...many(61), text: "y".repeat(2_000), secret: "hook_abc", id: "one" });
    const { fields, problem, givenId } = readBody(body);
    expect([Object.keys(fields ?? {}).length, problem, givenId]).toEqual([
      60,
      "There are more than 60 fields",
      "one",
    ]);
    expect(secretIn(body)).toBe("hook_abc");
    const escaped = body.replace("hook_abc", "hook\\u005fabc");
    expect(withoutSecret(escaped, "hook_abc")).not.toMatch(/abc/);
    expect(secretIn(pairs({ ...many(61), passphrase: "hook_abc" }))).toBe("hook_abc");
  });

  it("gives fields that the database can hold", () => {
    expect(readBody('{"a":"x\\u0000y\\ud800","b":{"c":[1,true,null]}}').fields).toEqual({
      a: "x\ufffdy\ufffd",
      "b.c.0": 1,
      "b.c.1": true,
    });
  });
});

describe("sources", () => {
  it("are addresses, networks and presets", () => {
    for (const good of ["1.2.3.4", "10.0.0.0/8", "::1", "fd00::/8", "tradingview"])
      expect(isSource(good), good).toBe(true);
    for (const bad of ["", "1.2.3", "1.2.3.4/33", "1.2.3.4/8/8", "example.com", "::/129", "constructor"]) {
      expect(isSource(bad), bad).toBe(false);
    }
  });

  it("may call where they are listed, or nothing is", () => {
    expect(mayCall("9.9.9.9", [])).toBe(true);
    expect(mayCall("52.89.214.238", ["tradingview"])).toBe(true);
    expect(mayCall("::ffff:52.89.214.238", ["tradingview"])).toBe(true);
    expect(mayCall("52.89.214.239", ["tradingview"])).toBe(false);
    expect(mayCall("10.1.2.3", ["10.0.0.0/8"])).toBe(true);
    expect(mayCall("11.1.2.3", ["10.0.0.0/8", "::1"])).toBe(false);
    expect(mayCall("fd00::5", ["fd00::/8"])).toBe(true);
  });
});
