import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createRng } from "../../src/core/base/rng.js";
import { termsOf } from "../../src/core/execution/order.js";
import { tradedAs } from "../../src/features/instruments/traded.js";
import { causeOf } from "../../src/features/paper-trades/cause.js";
import { createManualClock, type ManualClock } from "../fixtures/clock.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";

/** A Monday. */
const START = Date.UTC(2024, 7, 5, 15);
const NOW = Date.UTC(2024, 9, 2, 16, 7, 30);
const HOUR_MS = 3_600_000;
/** A bar whose volume limits nothing. */
const DEEP = { until: 0, volume: 1e12, range: Number.NaN };

let program: TestProgram;
let clock: ManualClock;
beforeAll(async () => {
  clock = createManualClock(NOW);
  program = await startTestProgram({ clock });
});
afterAll(() => program.close());

async function call(method: "GET" | "POST", url: string, payload?: object) {
  const answer = await program.call({ method, url, ...(payload === undefined ? {} : { payload }) });
  return { status: answer.statusCode, ...(await answer.json()) };
}
const imported = (name: string, transactions: object[], more: object = {}) =>
  call("POST", "/api/paper-trade/accounts/import", { name, transactions, ...more });

/** An account whose orders had targets, stops, trails, reasons and layers, with splits, dividends and nights. */
async function richAccount(seed: number): Promise<string> {
  clock.set(START - HOUR_MS);
  const terms = { name: `Rich ${seed}`, cash: 2_000_000, commission_percent: 0.1 };
  const { id } = (await call("POST", "/api/paper-trade/accounts", terms)).data;
  clock.set(NOW);
  const rng = createRng(seed);
  const price = { AAPL: 220, MSFT: 410 };
  const pick = <T>(list: readonly T[]): T => list[rng.below(list.length)];
  await program.parts.paper.ledger.act(id, {
    run(desk, account) {
      for (const symbol of ["AAPL", "MSFT"]) desk.list(tradedAs(symbol));
      for (let step = 1; step <= 300; step++) {
        const at = START + step * 4 * HOUR_MS;
        const symbol = pick(["AAPL", "MSFT"] as const);
        price[symbol] = Math.round(100 * price[symbol] * (1 + 0.04 * (rng.next() - 0.5))) / 100;
        const draw = rng.next();
        if (draw < 0.4) {
          const side = pick(["buy", "sell"] as const);
          const way = side === "buy" ? 1 : -1;
          const level = (percent: number) => Math.round(price[symbol] * (100 + way * percent)) / 100;
          const bracket = {
            timeInForce: "gtc" as const,
            orderClass: "bracket" as const,
            takeProfit: { limitPrice: level(3) },
            stopLoss: { stopPrice: level(-3), limitPrice: null },
          };
          const trailing = { type: "trailing_stop" as const, timeInForce: "gtc" as const, trailPercent: 1 };
          const order = `o${step}`;
          desk.mark(symbol, price[symbol]);
          account.explain(
            order,
            causeOf(order, "native", {
              pattern: pick([null, " hammer", "=doji", 'a "flag", perhaps', "héron:x"]),
              strategy: pick([null, "swing", "-trend"]),
              model: pick([null, "m 1 "]),
              confidence: pick([null, 0.61]),
              direction: pick([1, -1, null]),
              layers: pick([
                [],
                [{ name: "rule based: a", contribution: 0.3 }],
                [
                  { name: "rule_based", contribution: -0.3 },
                  { name: "sentiment", contribution: 0.1 },
                ],
              ]),
            }),
          );
          const more = pick([{}, bracket, trailing]);
          desk.submit(termsOf({ id: order, symbol, side, quantity: 1 + rng.below(60), ...more }), {
            at,
            open: true,
          });
          desk.quote(symbol, {
            time: at + 1,
            price: price[symbol],
            bid: null,
            ask: null,
            regular: true,
            last: DEEP,
          });
        } else if (draw < 0.43) {
          const ratio = pick([2, 0.5, 0.3]);
          desk.split(symbol, ratio, at);
          price[symbol] = Math.round((100 * price[symbol]) / ratio) / 100;
        } else if (draw < 0.46) desk.dividend(symbol, 0.13, at);
        else if (draw < 0.5) desk.endOfDay({ at, nights: 1 });
        else
          desk.quote(symbol, {
            time: at,
            price: price[symbol],
            bid: null,
            ask: null,
            regular: true,
            last: DEEP,
          });
      }
    },
  });
  return id;
}

/** All that is told of an account, without what names it. */
async function figuresOf(id: string) {
  const nameless = (value: unknown) =>
    JSON.parse(
      JSON.stringify(value, (key, each) =>
        [
          "id",
          "account_id",
          "order_id",
          "last_update",
          "timestamp",
          "alert_id",
          "client_order_id",
          "benchmark",
        ].includes(key)
          ? undefined
          : each,
      ),
    );
  const told: Record<string, unknown> = {};
  for (const path of [
    "trading-stats?",
    "analytics/attribution?",
    "achievements?",
    "streak?",
    "paper-trades/performance?",
    "paper-trades?limit=500&",
  ]) {
    const { status, ...body } = await call("GET", `/api/${path}account_id=${id}`);
    expect(status, path).toBe(200);
    told[path] = nameless(body);
  }
  return told;
}

describe("GET /api/paper-trade/accounts/:id/export and POST import", () => {
  it("200, 201 carry all that figures are made of, as JSON and as CSV", async () => {
    for (const seed of [1, 2]) {
      const id = await richAccount(seed);
      const figures = await figuresOf(id);
      const { achievements } = (await call("GET", `/api/achievements?account_id=${id}`)) as {
        achievements: { id: string; progress: number }[];
      };
      expect(achievements.filter(({ progress }) => progress > 0).length).toBeGreaterThan(8);
      for (const format of ["json", "csv"]) {
        const { data } = await call("GET", `/api/paper-trade/accounts/${id}/export?format=${format}`);
        const file =
          format === "csv" ? { csv_content: data.csv_content } : { transactions: data.transactions };
        const copy = await call("POST", "/api/paper-trade/accounts/import", {
          name: `Copy ${format} ${seed}`,
          commission_percent: 0.1,
          ...file,
        });
        expect(copy, copy.detail).toMatchObject({ status: 201 });
        expect(await figuresOf(copy.data.id)).toEqual(figures);
        const again = await call("GET", `/api/paper-trade/accounts/${copy.data.id}/export?format=${format}`);
        expect(again.data.transactions).toEqual(data.transactions);
        expect(again.data.csv_content).toEqual(data.csv_content);
        expect(await program.parts.paper.ledger.verify(copy.data.id)).toEqual([]);
      }
    }
  });

  it("201 also for a bar that was walked after what it closed was opened", async () => {
    clock.set(NOW - HOUR_MS);
    const { id } = (await call("POST", "/api/paper-trade/accounts", { name: "Late" })).data;
    clock.set(NOW);
    await program.parts.paper.ledger.act(id, {
      run(desk) {
        desk.list(tradedAs("AAPL"));
        for (const [name, side, at] of [
          ["a", "buy", NOW],
          ["b", "sell", NOW - 60_000],
        ] as const) {
          desk.mark("AAPL", 200);
          desk.submit(termsOf({ id: name, symbol: "AAPL", side, quantity: 2 }), { at: at - 1, open: true });
          desk.quote("AAPL", { time: at, price: 200, bid: null, ask: null, regular: true, last: DEEP });
        }
      },
    });
    const { data } = await call("GET", `/api/paper-trade/accounts/${id}/export`);
    expect(data.transactions).toHaveLength(3);
    expect((await imported("Late copy", data.transactions)).status).toBe(201);
  });
});

describe("figures of an account", () => {
  /** Ratios, which are as many digits as there are. */
  const RATIOS = new Set([
    "profit_factor",
    "payoff",
    "sharpe",
    "sortino",
    "calmar",
    "block_days",
    "confidence",
  ]);
  const TIMES = new Set(["avg_holding_minutes", "avg_hold_minutes", "loss_probability"]);
  const MONEY =
    /^(cash|equity|capital|.*pnl|realised|unrealised|fees|dividends|borrow|best_trade|worst_trade|avg_win|avg_loss|expectancy|total_return|contribution|buying_power|.*margin|reserved|total_value|value|long_value|short_value)$/;
  const placesOf = (value: number) => {
    const [digits, exponent] = String(value).split("e");
    return Math.max(0, (digits.split(".")[1]?.length ?? 0) - Number(exponent ?? 0));
  };

  /** Names of numbers that have more places than they are known to. */
  function noiseIn(value: unknown, path: string): string[] {
    if (typeof value === "number") {
      const key = path.slice(path.lastIndexOf(".") + 1);
      if (RATIOS.has(key) || TIMES.has(key)) return [];
      const isMoney = MONEY.test(key) && !path.startsWith(".priced");
      return placesOf(value) > (isMoney ? 6 : 9) ? [`${path} ${value}`] : [];
    }
    // A figure with its reason is a ratio.
    if (value === null || typeof value !== "object" || "reason" in value) return [];
    return Object.entries(value).flatMap(([key, each]) => noiseIn(each, `${path}.${key}`));
  }

  it("200 have the places that are known, six of money and nine of prices", async () => {
    const id = await richAccount(5);
    await program.parts.rollups.remake("request", { from: "2024-08-01", to: "2024-10-02" }, id);
    const rollups = await call("GET", `/api/performance/daily?from=2024-08-01&account_id=${id}`);
    const strategies = await call("GET", `/api/performance/strategies?from=2024-08-01&account_id=${id}`);
    expect(rollups.data.length).toBeGreaterThan(10);
    const forecast = await call("GET", `/api/analytics/forecast?account_id=${id}`);
    expect(forecast.predictions).toHaveLength(1);
    const priced = await call("GET", `/api/analytics/forecast?symbol=MSFT&account_id=${id}`);
    const orders = await call("GET", `/api/paper-trade/orders?account_id=${id}`);
    const told = { ...(await figuresOf(id)), rollups, strategies, forecast, priced, orders };
    expect(noiseIn(told, "")).toEqual([]);
  });
});

describe("attribution of an account", () => {
  const at = (day: number) => `2024-09-${String(day).padStart(2, "0")}T15:00:00.000Z`;
  const fill = (order: string, side: "buy" | "sell", price: number, day: number) => ({
    ...{ at: at(day), kind: "fill", symbol: "AAPL", order, side, quantity: 2, price },
    amount: (side === "buy" ? -2 : 2) * price,
  });
  const file = [
    { at: at(2), kind: "transfer", amount: 10_000 },
    fill("a", "buy", 200, 3),
    fill("b", "sell", 210, 4),
    fill("c", "buy", 220, 5),
    fill("d", "sell", 215, 6),
    { at: at(7), kind: "interest", amount: -12.34 },
    fill("e", "buy", 220, 8),
    fill("f", "buy", 225, 9),
    fill("g", "buy", 100, 10),
    { at: at(30), kind: "interest", amount: 1.5 },
  ];

  it("200 sums to the total, with interest in a row of its own, and counts wins as statistics do", async () => {
    const { id } = (await imported("With interest", file, { leverage: 2 })).data;
    const { portfolio } = await call("GET", `/api/paper-trades?account_id=${id}`);
    const attribution = await call("GET", `/api/analytics/attribution?account_id=${id}`);
    expect(attribution.total_return).toBe(portfolio.total_pnl);
    for (const table of ["layers", "patterns", "strategies", "models"]) {
      const rows: { name: string; contribution: number; trades: number; win_rate: number | null }[] =
        attribution[table];
      const sum = rows.reduce((all, { contribution }) => all + contribution, 0);
      expect(sum, table).toBeCloseTo(portfolio.total_pnl, 6);
      expect(rows).toContainEqual(
        expect.objectContaining({ name: "interest", contribution: -10.84, trades: 0 }),
      );
      const { data: stats } = await call("GET", `/api/trading-stats?account_id=${id}`);
      expect(rows.find(({ name }) => name === "manual")).toMatchObject({ trades: 5, win_rate: 50 });
      expect(stats.win_rate).toBe(50);
    }
    const week = await call("GET", `/api/analytics/attribution?period=7d&account_id=${id}`);
    expect(week.patterns).toContainEqual(expect.objectContaining({ name: "interest", contribution: 1.5 }));
  });
});

describe("POST /api/paper-trade/accounts/import of what cannot be", () => {
  const transfer = { at: "2024-01-02T15:00:00.000Z", kind: "transfer", amount: 10_000 };
  const fill = {
    at: "2024-01-03T15:00:00.000Z",
    kind: "fill",
    symbol: "AAPL",
    order: "a",
    side: "buy",
    quantity: 2,
    price: 10,
    amount: -20,
  };
  const sale = { ...fill, order: "b", side: "sell", amount: 20, at: "2024-01-04T15:00:00.000Z" };

  it.each([
    [
      "sums beyond what is exact",
      2,
      "exactly",
      [
        { ...transfer, amount: 8e9 },
        { ...transfer, amount: 8e9 },
      ],
    ],
    [
      "the most that the form takes",
      1,
      "exactly",
      [
        { ...transfer, amount: 9e9 },
        { ...transfer, amount: 9e9 },
      ],
    ],
    ["products beyond it", 2, "exactly", [transfer, { ...fill, quantity: 1e12, price: 1e12, amount: -9e9 }]],
    [
      "a trade that was closed before it was opened",
      3,
      "opened",
      [transfer, fill, { ...sale, at: "2024-01-02T16:00:00.000Z" }],
    ],
    [
      "a split that pays what it does not give",
      3,
      "give 0",
      [
        transfer,
        fill,
        {
          ...sale,
          kind: "split",
          order: null,
          side: null,
          price: null,
          ratio: 2,
          quantity: 4,
          amount: 5_000,
        },
      ],
    ],
    [
      "a delisting likewise",
      3,
      "give 20",
      [transfer, fill, { ...sale, kind: "delisting", order: null, side: null, amount: 5_000 }],
    ],
    ["fees below 0", 2, "below 0", [transfer, { ...fill, fees: { commission: -5 }, amount: -15 }]],
    ["what is yet to come", 2, "future", [transfer, { ...fill, at: "2099-01-01T00:00:00.000Z" }]],
    ["money taken out before any was paid in", 1, "begins with", [{ ...transfer, amount: -5 }, transfer]],
    ["a trade before any money", 1, "begins with", [fill]],
    ["more taken out than there is", 2, "takes out 10001,", [transfer, { ...transfer, amount: -10_001 }]],
    [
      "what was before its first money",
      2,
      "before the first transfer",
      [transfer, { ...fill, at: "2024-01-02T14:59:59.999Z" }],
    ],
    [
      "a coin bought with money that is not there",
      2,
      "-10 in cash, and nothing is lent on BTC-USD",
      [
        { ...transfer, amount: 10 },
        { ...fill, symbol: "BTC-USD" },
      ],
    ],
    ["a coin sold short", 2, "cannot be sold short", [transfer, { ...sale, symbol: "BTC-USD" }]],
    ["half a share sold short", 2, "fractions of AAPL", [transfer, { ...sale, quantity: 0.5, amount: 5 }]],
    [
      "more shares than the equity bears",
      2,
      "an equity of 9.99, and its position needs 10",
      [{ ...transfer, amount: 9.99 }, fill],
    ],
    ["what was before 1970", 1, "1970", [{ ...transfer, at: "1969-12-31T23:59:59.000Z" }]],
  ])("400 for %s, by its row", async (name, row, reason, rows) => {
    const answer = await imported(name.slice(0, 60), rows);
    expect(answer).toMatchObject({ status: 400, code: "invalid_request" });
    expect(answer.detail).toMatch(new RegExp(`row ${row}: .*${reason}`));
    expect((await imported(`${name.slice(0, 50)} mended`, [transfer, fill, sale])).status).toBe(201);
  });

  it("400 for what trades in another currency than the account is kept in", async () => {
    const terms = { currency: "INR", leverage: 1 };
    const answer = await imported(
      "Rupees",
      [transfer, { ...fill, quantity: 1, price: 100, amount: -100 }],
      terms,
    );
    expect(answer).toMatchObject({ status: 400, code: "invalid_request" });
    expect(answer.detail).toMatch(/row 2: AAPL trades in USD, and the account is kept in INR/);
    const shares = { ...fill, symbol: "RELIANCE.NS", quantity: 1, price: 100, amount: -100 };
    expect((await imported("Rupees mended", [transfer, shares], terms)).status).toBe(201);
  });
});
