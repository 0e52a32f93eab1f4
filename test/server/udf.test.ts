import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { CALENDARS } from "../../src/core/market/calendars/index.js";
import { type CalendarId, calendarOf } from "../../src/core/market/session.js";
import { sessionOf } from "../../src/protocols/udf/sessions.js";
import { createManualClock } from "../fixtures/clock.js";
import { keyFor, startKeyedProgram } from "../fixtures/keyed.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";
import { createUdfClient } from "../fixtures/udf-client.js";

/** A Tuesday, an hour and a half after the open of New York. */
const clock = createManualClock(Date.parse("2024-07-09T15:00:30Z"));
const NOW_S = 1_720_537_230;
const ORIGIN = "https://pro.openbb.co";

let program: TestProgram;
const client = createUdfClient(async (path) => (await program.call(path)).body, clock.now);
beforeAll(async () => {
  program = await startTestProgram({ clock, environment: { CORS_ORIGINS: ORIGIN } });
});
afterAll(() => program.close());

describe("GET /udf/config", () => {
  it("200 names one way to find symbols, the resolutions there are, and groups of instruments there are", async () => {
    const configuration = await client.configure();
    expect(client.asked).toEqual(["config"]);
    expect(configuration).toMatchObject({
      supports_search: true,
      supports_group_request: false,
      supports_marks: true,
      supports_timescale_marks: true,
      supports_time: true,
      supported_resolutions: ["1", "5", "15", "30", "60", "240", "1D", "1W", "1M"],
    });
    const listed = await program.parts.instruments.list();
    const { exchanges = [], symbols_types = [] } = configuration;
    expect(exchanges.map(({ value }) => value)).toEqual([
      "",
      ...new Set(listed.map(({ exchange }) => exchange).sort()),
    ]);
    expect(symbols_types.map(({ value }) => value)).toEqual(["", "crypto", "fund", "index", "stock"]);
    for (const { value } of [...exchanges, ...symbols_types]) {
      const found = await client.search(
        "",
        symbols_types.some((type) => type.value === value) ? value : "",
        "",
      );
      expect(found.length).toBeGreaterThan(0);
    }
  });

  it("a client that gets none asks for groups, which are refused in words that it can read", async () => {
    const lost = createUdfClient(async (path) => {
      return path === "/udf/config" ? "no JSON" : (await program.call(path)).body;
    }, clock.now);
    expect(await lost.configure()).toMatchObject({ supports_group_request: true });
    expect(lost.asked).toEqual(["config", "symbol_info"]);
    const answer = await program.call("/udf/symbol_info?group=NYSE");
    expect([answer.statusCode, answer.json()]).toEqual([
      404,
      { s: "error", errmsg: "GET /udf/symbol_info is not served by this server" },
    ]);
  });
});

describe("GET /udf/time", () => {
  it("200 is the clock of the server in whole seconds, as plain text", async () => {
    await client.configure();
    expect(await client.serverTime()).toBe(NOW_S);
    const answer = await program.call("/udf/time");
    expect([answer.headers["content-type"], answer.body]).toEqual([
      "text/plain; charset=utf-8",
      String(NOW_S),
    ]);
  });
});

describe("GET /udf/symbols", () => {
  it.each([
    [
      "AAPL",
      { session: "0930-1600", timezone: "America/New_York", minmov: 1, pricescale: 100, type: "stock" },
    ],
    [
      "NASDAQ:AAPL",
      { ticker: "AAPL", exchange: "NASDAQ", currency_code: "USD", description: "Apple (synthetic)" },
    ],
    [
      "TCS.NS",
      { session: "0915-1530", timezone: "Asia/Kolkata", minmov: 5, pricescale: 100, currency_code: "INR" },
    ],
    ["NSE:TCS", { ticker: "TCS.NS", exchange: "NSE" }],
    ["NSE:TCS.NS", { ticker: "TCS.NS", exchange: "NSE" }],
    [
      "BTC",
      { ticker: "BTC-USD", session: "24x7", timezone: "Etc/UTC", pricescale: 100_000_000, type: "crypto" },
    ],
    ["CRYPTO:BTC-USD", { ticker: "BTC-USD" }],
    [
      "EURUSD",
      {
        ticker: "EURUSD=X",
        session: "1700-1700",
        timezone: "America/New_York",
        pricescale: 100_000,
        type: "forex",
      },
    ],
    ["FX:EURUSD=X", { ticker: "EURUSD=X", session_holidays: "", corrections: "" }],
    ["INDEX:^GSPC", { ticker: "^GSPC", type: "index", pricescale: 100 }],
    ["futures:GC=F", { ticker: "GC=F", type: "commodity", pricescale: 10_000, session: "1700-1700" }],
  ])("200 of %s", async (symbol, expected) => {
    const all = {
      has_intraday: true,
      has_daily: true,
      has_weekly_and_monthly: true,
      intraday_multipliers: ["1", "5", "15", "30", "60", "240"],
      data_status: "streaming",
      format: "price",
    };
    expect(await client.resolve(symbol)).toMatchObject({ ...all, ...expected });
  });

  it.each(["ZZZ9", "NO SUCH", "FOO:AAPL", "NASDAQ:", ":", "NYSE:ZZZ9"])(
    "404 or 400 of %j, in the protocol's word for it",
    async (symbol) => {
      await expect(client.resolve(symbol)).rejects.toThrow(/^unknown_symbol$/);
    },
  );

  it("tells the days on which an exchange is closed or keeps other hours", () => {
    const told = sessionOf(calendarOf("XNYS"), clock.now());
    expect(told.session_holidays.split(",")).toEqual(
      expect.arrayContaining(["20240704", "20241225", "20250109"]),
    );
    expect(told.corrections).toMatch(/^0930-1300:.*20241129/);
    expect(sessionOf(calendarOf("XNSE"), clock.now()).corrections).toContain("1800-1900:20241101");
  });

  it.each(Object.keys(CALENDARS) as CalendarId[])(
    "tells the hours of each session of %s within a year",
    (id) => {
      const calendar = calendarOf(id);
      const { session, timezone, session_holidays, corrections } = sessionOf(calendar, clock.now());
      if (session === "24x7") return;
      const odd = new Map(
        corrections
          .split(";")
          .filter(Boolean)
          .flatMap((part) => {
            const [hours = "", dates = ""] = part.split(":");
            return dates.split(",").map((date) => [date, hours] as const);
          }),
      );
      const closed = new Set(session_holidays.split(","));
      const clockOf = (ms: number) =>
        new Date(ms)
          .toLocaleTimeString("en-GB", { timeZone: timezone, hour: "2-digit", minute: "2-digit" })
          .replace(":", "");
      for (let day = 19_723; day < 20_088; day++) {
        const date = new Date(day * 86_400_000).toISOString().slice(0, 10).replaceAll("-", "");
        const at = calendar.day.indexOf(day);
        const isWeekend = [0, 6].includes(new Date(day * 86_400_000).getUTCDay());
        expect(closed.has(date), date).toBe(at < 0 && !isWeekend);
        if (at < 0) continue;
        expect(odd.get(date) ?? session, date).toBe(
          `${clockOf(calendar.open[at])}-${clockOf(calendar.close[at])}`,
        );
      }
    },
  );
});

describe("GET /udf/search", () => {
  it("200 by symbol, name, exchange, type, and as many as are wanted", async () => {
    const [apple] = await client.search("aapl", "", "");
    expect(apple).toEqual({
      symbol: "AAPL",
      full_name: "NASDAQ:AAPL",
      description: "Apple (synthetic)",
      exchange: "NASDAQ",
      ticker: "AAPL",
      type: "stock",
    });
    const symbols = async (query: string, type = "", exchange = "") =>
      (await client.search(query, type, exchange)).map(({ symbol }) => symbol);
    expect(await symbols("bitcoin")).toEqual(["BTC-USD"]);
    expect(await symbols("nasdaq:aapl")).toEqual(["AAPL"]);
    expect(await symbols("ARCA:AAPL")).toEqual([]);
    expect(await symbols("X:BTCUSD")).toEqual(["BTC-USD"]);
    expect(await symbols("aapl", "crypto")).toEqual([]);
    expect(await symbols("aapl", "stock", "NASDAQ")).toEqual(["AAPL"]);
    expect(await symbols("aapl", "stock", "ARCA")).toEqual([]);
    expect(new Set((await client.search("", "", "ARCA")).map(({ exchange }) => exchange))).toEqual(
      new Set(["ARCA"]),
    );
    expect((await symbols("")).length).toBe(30);
    expect((await program.call("/udf/search?limit=3")).json<unknown[]>().length).toBe(3);
    // What is found can be shown.
    for (const { full_name, ticker } of await client.search("", "", "")) {
      expect(await client.resolve(full_name)).toMatchObject({ ticker });
    }
  });
});

describe("GET /udf/quotes", () => {
  it("200 in the order asked, and those that are unknown by themselves", async () => {
    const quotes = await client.quotes(["NASDAQ:AAPL", "ZZZ9", "BTC"]);
    expect(quotes.map(({ s, n }) => [s, n])).toEqual([
      ["ok", "NASDAQ:AAPL"],
      ["error", "ZZZ9"],
      ["ok", "BTC"],
    ]);
    const { data } = (await program.call("/api/market/AAPL")).json<{ data: Record<string, number> }>();
    expect(quotes[0].v).toEqual({
      ch: data.change,
      chp: data.change_percent,
      short_name: "AAPL",
      exchange: "NASDAQ",
      original_name: "NASDAQ:AAPL",
      description: "Apple (synthetic)",
      lp: data.price,
      ask: null,
      bid: null,
      spread: null,
      open_price: data.open,
      high_price: data.high,
      low_price: data.low,
      prev_close_price: data.previous_close,
      volume: data.volume,
    });
  });
});

describe("what is not valid", () => {
  const history = `/udf/history?symbol=AAPL&resolution=5&from=${NOW_S - 600}&to=${NOW_S}`;
  const marks = `/udf/marks?symbol=AAPL&resolution=5&from=${NOW_S - 600}&to=${NOW_S}`;
  it.each([
    ["/udf/symbols", "symbol"],
    ["/udf/symbols?symbol=", "symbol"],
    [`/udf/symbols?symbol=${"A".repeat(41)}`, "symbol"],
    ["/udf/symbols?symbol=AAPL&symbol=MSFT", "symbol"],
    [`/udf/search?query=${"a".repeat(61)}`, "query"],
    ["/udf/search?query=a%0Ab", "query"],
    [`/udf/search?type=${"a".repeat(21)}`, "type"],
    [`/udf/search?exchange=${"a".repeat(41)}`, "exchange"],
    ["/udf/search?limit=0", "limit"],
    ["/udf/search?limit=101", "limit"],
    ["/udf/search?limit=ten", "limit"],
    [history.replace("AAPL", ""), "symbol"],
    [history.replace("resolution=5", "resolution=7"), "resolution"],
    [history.replace("resolution=5", "resolution=constructor"), "resolution"],
    [history.replace("resolution=5&", ""), "resolution"],
    [history.replace(/from=\d+&/, ""), "from"],
    [history.replace("from=", "from=x"), "from"],
    [history.replace("from=", "from=9"), "from"],
    [history.replace(/from=\d+/, "from=1e9"), "from"],
    [history.replace(/&to=\d+/, ""), "to"],
    [history.replace("to=", "to=1."), "to"],
    [`${history}&countback=-1`, "countback"],
    [`${history}&countback=1000001`, "countback"],
    [`${history}&countback=1.5`, "countback"],
    [`${history}&currencyCode=EUR`, "currencyCode"],
    [`${history}&currencyCode=${"E".repeat(11)}`, "currencyCode"],
    [`${history}&unitId=ounce`, "unitId"],
    [marks.replace("AAPL", ""), "symbol"],
    [marks.replace("resolution=5", "resolution="), "resolution"],
    [marks.replace(/from=\d+&/, ""), "from"],
    [marks.replace(/&to=\d+/, ""), "to"],
    [marks.replace("marks", "timescale_marks").replace("to=", "to=x"), "to"],
    ["/udf/quotes", "symbols"],
    ["/udf/quotes?symbols=,,", "symbols"],
    [`/udf/quotes?symbols=${Array.from({ length: 51 }, (_, i) => `A${i}`).join(",")}`, "symbols"],
  ])("400 for %s", async (url, parameter) => {
    const answer = await program.call(url);
    expect([answer.statusCode, answer.headers["content-type"]]).toEqual([
      400,
      "application/json; charset=utf-8",
    ]);
    const body = answer.json<{ s: string; errmsg: string }>();
    expect(Object.keys(body)).toEqual(["s", "errmsg"]);
    expect(body).toEqual({ s: "error", errmsg: expect.stringContaining(parameter) });
  });

  it("404 of a symbol that nobody knows, wherever it is asked for", async () => {
    for (const url of [history, marks, marks.replace("marks", "timescale_marks")]) {
      const answer = await program.call(url.replace("AAPL", "ZZZ9"));
      expect([answer.statusCode, answer.json()]).toEqual([404, { s: "error", errmsg: "unknown_symbol" }]);
    }
  });

  it("200 with parameters that are not the protocol's, which are ignored, and with its currency", async () => {
    for (const url of [
      `${history}&currencyCode=usd&unitId=&_=17`,
      `${marks}&_=17`,
      "/udf/time?_=1",
      "/udf/config?a=b",
    ])
      expect((await program.call(url)).statusCode).toBe(200);
  });
});

describe("errors below /udf", () => {
  const bodyOf = (answer: { json(): unknown }) => answer.json();
  const error = { s: "error", errmsg: expect.any(String) };

  it("404 and 400 for what is no route", async () => {
    for (const url of ["/udf", "/udf/", "/udf/nothing", "/udf/history/AAPL"]) {
      const answer = await program.call(url);
      expect([answer.statusCode, bodyOf(answer)], url).toEqual([404, error]);
    }
    const posted = await program.call({ method: "POST", url: "/udf/history", payload: {} });
    expect([posted.statusCode, bodyOf(posted)]).toEqual([404, error]);
    const broken = await program.server.inject("/udf/%zz");
    expect([broken.statusCode, bodyOf(broken)]).toEqual([400, error]);
    // A neighbour of the prefix is none of it.
    expect((await program.call("/udfs")).json()).toMatchObject({ code: "route_not_found" });
  });

  it("401 without a key and with a wrong one, 200 for a viewer", async () => {
    const { program: keyed } = await startKeyedProgram();
    onTestFinished(() => keyed.close());
    const key = await keyFor(keyed, "chart", "viewer");
    for (const headers of [{}, { "x-api-key": "wrong" }]) {
      const answer = await keyed.call({ url: "/udf/config", headers });
      expect([answer.statusCode, bodyOf(answer)]).toEqual([401, error]);
      expect(answer.headers["www-authenticate"]).toBeDefined();
    }
    expect((await keyed.call({ url: "/udf/config", headers: { "x-api-key": key } })).statusCode).toBe(200);
  });

  it("429 beyond the limit, with when to come back", async () => {
    const narrow = await startTestProgram({ clock, environment: { RATE_LIMIT_MULTIPLIER: "0.01" } });
    onTestFinished(() => narrow.close());
    const statuses: number[] = [];
    for (let i = 0; i < 4; i++) {
      const answer = await narrow.call("/udf/time");
      statuses.push(answer.statusCode);
      if (answer.statusCode !== 429) continue;
      expect(bodyOf(answer)).toEqual(error);
      expect(Number(answer.headers["retry-after"])).toBeGreaterThan(0);
    }
    expect(statuses).toEqual([200, 200, 429, 429]);
  });

  it("500 and 503 when the server fails or leaves", async () => {
    const broken = vi.spyOn(program.parts.instruments, "list").mockRejectedValueOnce(new Error("secret"));
    const failed = await program.server.inject("/udf/config");
    broken.mockRestore();
    expect([failed.statusCode, bodyOf(failed)]).toEqual([500, error]);
    expect(failed.body).not.toContain("secret");
    const leaving = await startTestProgram({ clock });
    onTestFinished(() => leaving.close());
    leaving.parts.health.drain();
    const gone = await leaving.call("/udf/time");
    expect([gone.statusCode, bodyOf(gone)]).toEqual([503, error]);
  });

  it("carry the headers that let a page of a listed origin read them", async () => {
    for (const url of ["/udf/config", "/udf/symbols?symbol=ZZZ9", "/udf/nothing", "/widgets.json"]) {
      const listed = await program.call({ url, headers: { origin: ORIGIN } });
      expect(listed.headers["access-control-allow-origin"], url).toBe(ORIGIN);
      const other = await program.call({ url, headers: { origin: "https://evil.example" } });
      expect(other.headers["access-control-allow-origin"], url).toBeUndefined();
    }
    expect((await program.call("/udf/config")).headers["x-synthetic"]).toBe("true");
  });
});
