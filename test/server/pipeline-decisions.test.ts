import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { InjectOptions } from "fastify";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TabularModel } from "../../src/core/learning/tabular.js";
import { createManualClock } from "../fixtures/clock.js";
import { createTestDatabase, type TestDatabase } from "../fixtures/database.js";
import { KEYED, keyFor } from "../fixtures/keyed.js";
import { PASSED } from "../fixtures/models.js";
import { tellStory } from "../fixtures/planted-synergies.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";
import { telling, trainedModel } from "../fixtures/trained.js";

const STORY = tellStory({
  ...{ seed: 2, story: "type_1", way: 1 },
  ...{ calendar: "24x7", history: 150, ticksPerBar: 4 },
});
/** Close of the bar at which its gap is filled, the last leg. */
const KNOWN = STORY.bars.time[STORY.filled] + 300_000;
const DAY = 86_400_000;
const TRAINED = { actor: "test", reason: "a test", numbers: {}, action: "trained" as const };
const HERE = { assetClass: "crypto", interval: "5m" };

const clock = createManualClock(KNOWN + 60_000);
const folder = mkdtempSync(join(tmpdir(), "tx-decisions-"));
/** Each symbol and the days after the first at which its story is told. */
const TOLD = {
  "BTC-USD": 0,
  "ETH-USD": 1,
  "SOL-USD": 2,
  "XRP-USD": 3,
  "LTC-USD": 4,
  "ADA-USD": 5,
  "DOGE-USD": 6,
  "AVAX-USD": 7,
};
type Symbol = keyof typeof TOLD;
const environment = { ...KEYED, MARKET_DATA: "files", FILES_DIR: folder };
let database: TestDatabase;
let program: TestProgram;
let key: string;
let account: string;

interface Decision {
  readonly synergy_id: number;
  readonly outcome: string;
  readonly refused_by: string | null;
  readonly confidence: number;
  readonly confidence_basis: string;
  readonly model: {
    score: number | null;
    version: string | null;
    why: string | null;
    score_id: number | null;
  };
  readonly paper: { account_id: string; status: string; order_id: string | null; why: string | null } | null;
  readonly equity: number;
  readonly equity_basis: string;
  readonly position_size: number;
  readonly stop_loss_price: number;
  readonly take_profit_price: number;
  readonly risk_amount: number;
  readonly alert_id: number | null;
  readonly rules: readonly {
    rule: string;
    passed: boolean | null;
    value: number | null;
    why: string | null;
  }[];
}

/** The bars of the story as candles of the source, so that orders meet the prices that were decided on. */
function writeStory(symbol: Symbol, count: number): void {
  const { time, open, high, low, close, volume } = STORY.bars;
  const rows = ["timestamp,open,high,low,close,volume"];
  for (const [i, at] of time.subarray(0, count).entries()) {
    const opened = new Date(at + TOLD[symbol] * DAY).toISOString();
    rows.push([opened, open[i], high[i], low[i], close[i], volume[i]].join());
  }
  writeFileSync(join(folder, `${symbol}-5m.csv`), `${rows.join("\n")}\n`);
}

beforeAll(async () => {
  for (const symbol of Object.keys(TOLD) as Symbol[]) writeStory(symbol, STORY.bars.time.length);
  database = await createTestDatabase();
  program = await startTestProgram({ clock, environment, database });
  key = await keyFor(program, "tom", "trader");
  const opened = await ask("POST", "/api/paper-trade/accounts", { name: "Synergies", cash: 40_000 });
  account = opened.data.id;
  await ask("POST", "/api/risk-settings", { max_position_size: 100_000, diversification_limit: 1_000 });
  await begin(account);
}, 60_000);
afterAll(async () => {
  await program.close();
  await database.drop();
  rmSync(folder, { recursive: true, force: true });
});

/** Ends the program and begins another over the same database. */
async function begin(id: string | null) {
  await program.close();
  const more = id === null ? {} : { PIPELINE_ACCOUNT: id };
  program = await startTestProgram({ clock, environment: { ...environment, ...more }, database });
}

async function ask(method: "GET" | "POST", url: string, payload?: object) {
  const headers = { "x-api-key": key };
  const body = payload === undefined ? {} : { payload };
  const answer = await program.call({ method, url, headers, ...body } as InjectOptions);
  expect(answer.statusCode, answer.body).toBeLessThan(300);
  return answer.json();
}

/** Sends the story of a symbol at its hour, and waits for what was decided. */
async function tell(symbol: Symbol): Promise<Decision> {
  const days = TOLD[symbol];
  clock.set(KNOWN + days * DAY + 60_000);
  const { time, price, size } = STORY.ticks;
  const rows = Array.from(time, (at, i) => ({
    symbol,
    time: at + days * DAY,
    price: price[i],
    size: size[i],
  }));
  await ask("POST", "/api/ticks", { ticks: rows.filter((row) => row.time < KNOWN + days * DAY + 60_000) });
  return decided(symbol);
}

async function decided(symbol: string): Promise<Decision> {
  for (let k = 0; k < 200; k++) {
    const { data } = await ask("GET", `/api/pipeline/${symbol}/decisions`);
    if (data.length > 0) return data[0];
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`nothing was decided on ${symbol}`);
}

const placeOrders = () => program.parts.decisionOrders.run(clock.now(), new AbortController().signal);
const ruleOf = ({ rules }: Decision, name: string) => rules.find(({ rule }) => rule === name);

/** One that says the same of everything: the chance that its calibrator begins with. */
function saying(score: number): TabularModel {
  const model = telling(1);
  return { ...model, calibrator: { kind: "platt", slope: 0, intercept: Math.log(score / (1 - score)) } };
}

describe("a decision without a model", () => {
  it("says which is missing, and is sized by the money of the account", async () => {
    const decision = await tell("BTC-USD");
    expect(decision).toMatchObject({
      ...{ outcome: "accepted", confidence_basis: "quality", equity: 40_000, equity_basis: "account" },
      model: { score: null, version: null, score_id: null, why: "no model has been promoted for crypto 5m" },
      paper: { account_id: account, status: "waiting", order_id: null, why: null },
    });
    expect(ruleOf(decision, "model_below_least")).toMatchObject({ passed: null, value: null });
    expect(ruleOf(decision, "position_limit")).toMatchObject({ passed: true, value: 0 });
    // The risk budget of one percent, of which quality takes a part.
    expect(decision.risk_amount).toBeLessThanOrEqual(400);
    expect(decision.risk_amount).toBeGreaterThan(100);
  });

  it("is placed once in the account, with its stop and target, however often it is tried", async () => {
    await Promise.all([placeOrders(), placeOrders()]);
    await placeOrders();
    const decision = await decided("BTC-USD");
    expect(decision.paper).toMatchObject({ status: "placed", why: null });
    const { data } = await ask("GET", `/api/paper-trade/orders?account_id=${account}`);
    expect(data).toHaveLength(1);
    expect(data[0]).toMatchObject({
      ...{ id: decision.paper?.order_id, client_order_id: `synergy-${decision.synergy_id}` },
      ...{ symbol: "BTC-USD", side: "buy", quantity: decision.position_size },
    });
    const levels = JSON.stringify(data[0]);
    for (const level of [decision.stop_loss_price, decision.take_profit_price])
      expect(levels).toContain(String(Math.round(level * 100) / 100));
  });

  it("counts what is held, and says where the account cannot bear what the rule would risk", async () => {
    const other = await tell("ETH-USD");
    expect(ruleOf(other, "position_limit")).toMatchObject({ passed: true, value: 1 });
    expect(other.paper).toMatchObject({ status: "waiting" });
    await placeOrders();
    expect((await decided("ETH-USD")).paper).toMatchObject({
      status: "refused",
      why: expect.stringContaining("insufficient_buying_power"),
    });
  });
});

describe("a decision with a model", () => {
  beforeAll(async () => {
    await program.parts.models.registry.enter(trainedModel(saying(0.7), HERE), PASSED, TRAINED);
  });

  it("takes its score for its confidence, and what the model was shown is kept to be proved", async () => {
    const decision = await tell("SOL-USD");
    expect(decision).toMatchObject({ outcome: "accepted", confidence_basis: "score" });
    expect(decision.confidence).toBe(decision.model.score);
    expect(decision.model).toMatchObject({
      why: null,
      version: expect.any(String),
      score_id: expect.any(Number),
    });
    expect(ruleOf(decision, "model_below_least")).toMatchObject({
      passed: true,
      value: decision.model.score,
    });
    const { data } = await ask("GET", `/api/ml/scores/${decision.model.score_id}/proof`);
    expect(data.stored.score).toBe(decision.model.score);
    expect(data.recomputed.score).toBe(decision.model.score);
  });

  it("is refused where it scores too little, and raises no alert and no order", async () => {
    const low = trainedModel(saying(0.3), HERE);
    const { version } = await program.parts.models.registry.enter(low, PASSED, TRAINED);
    const purpose = { learner: low.learner, grouping: low.grouping, ...HERE };
    await program.parts.models.registry.promote(purpose, version, {
      actor: "test",
      reason: "a test",
      numbers: {},
    });
    const decision = await tell("XRP-USD");
    expect(decision).toMatchObject({ outcome: "refused", refused_by: "model_below_least", alert_id: null });
    expect(decision.model.score).toBeCloseTo(0.3, 6);
    expect(decision.paper).toMatchObject({ status: "none" });
  });
});

describe("an order that cannot be placed", () => {
  it("is refused with the reason: too late, another account, one that is closed", async () => {
    const { data } = await ask("POST", "/api/paper-trade/accounts", { name: "Other", cash: 40_000 });
    await program.parts.database.query("update models set status = 'retired'");
    await program.parts.models.registry.refresh();
    expect((await tell("LTC-USD")).paper).toMatchObject({ status: "waiting" });
    await begin(data.id);
    await placeOrders();
    expect((await decided("LTC-USD")).paper).toMatchObject({
      ...{ status: "refused", account_id: account },
      why: expect.stringContaining("account_changed"),
    });

    expect((await tell("ADA-USD")).paper).toMatchObject({ status: "waiting" });
    clock.set(KNOWN + 5 * DAY + 400_000);
    await placeOrders();
    expect((await decided("ADA-USD")).paper?.why).toBe(
      "too_late: it was 400 s after the close, and 300 s are allowed",
    );

    await ask("POST", `/api/paper-trade/accounts/${data.id}/close`);
    const closed = await tell("DOGE-USD");
    expect(closed).toMatchObject({ outcome: "accepted", equity: 100_000, equity_basis: "PIPELINE_EQUITY" });
    expect(closed.paper).toMatchObject({ status: "refused", why: expect.stringContaining("account_closed") });
  });
});

describe("an order whose account has no price since the close", () => {
  it("waits for one, and is told what it waited for where none comes", async () => {
    const { data } = await ask("POST", "/api/paper-trade/accounts", { name: "Behind", cash: 40_000 });
    await program.parts.database.query("update models set status = 'retired'");
    await begin(data.id);
    // The last price of the source lies below the stop.
    writeStory("AVAX-USD", STORY.filled - 6);
    const decision = await tell("AVAX-USD");
    expect(STORY.bars.close[STORY.filled - 7]).toBeLessThan(decision.stop_loss_price);
    await placeOrders();
    expect((await decided("AVAX-USD")).paper).toMatchObject({ status: "waiting" });

    clock.set(KNOWN + 7 * DAY + 301_000);
    await placeOrders();
    expect((await decided("AVAX-USD")).paper).toMatchObject({
      ...{ status: "refused", order_id: null },
      why: expect.stringMatching(
        /^too_late: .*; before, provider_unavailable: No price since the close is known/,
      ),
    });
  });

  it("is placed once the source has come as far", async () => {
    await program.parts.database.query(
      "update tick_decisions set order_status = 'waiting', order_why = null where order_why like 'too_late%'",
    );
    clock.set(KNOWN + 7 * DAY + 60_000);
    await placeOrders();
    expect((await decided("AVAX-USD")).paper).toMatchObject({ status: "waiting" });
    writeStory("AVAX-USD", STORY.bars.time.length);
    clock.set(KNOWN + 7 * DAY + 150_000);
    await placeOrders();
    expect((await decided("AVAX-USD")).paper).toMatchObject({ status: "placed", why: null });
  });
});

describe("a decision from before models and accounts were asked", () => {
  it("says that none was", async () => {
    await program.parts.database.query(
      "update tick_decisions set model_why = null, account_id = null, account_why = null, order_status = null, order_id = null",
    );
    expect(await decided("AVAX-USD")).toMatchObject({
      model: { score: null, version: null, why: "no model was asked of synergies then", score_id: null },
      ...{ paper: null, equity_basis: "PIPELINE_EQUITY" },
    });
  });
});
