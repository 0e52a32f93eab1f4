import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import type { Desk } from "../../src/core/execution/desk.js";
import type { DeskState } from "../../src/core/execution/state.js";
import { isTerminal } from "../../src/core/execution/states.js";
import { type Account, createLedger, type Ledger } from "../../src/features/paper-trades/ledger.js";
import { createLedgerStore } from "../../src/features/paper-trades/store.js";
import { eventually, expectNothingUnhandled } from "../fixtures/faults.js";
import { FAULTS, type Fault } from "../fixtures/faulty-database.js";
import { type FaultyProgram, startFaultyProgram } from "../fixtures/faulty-program.js";
import {
  openBusy,
  PAPER_SYMBOL,
  type Place,
  SCENARIOS,
  succeeds,
  type Trader,
} from "../fixtures/paper-scenarios.js";
import type { TestProgram } from "../fixtures/program.js";
import { sized } from "../fixtures/sizes.js";

expectNothingUnhandled();

/** Every nth statement goes wrong, others of each fault. */
const STEP = sized({ usual: 4, full: 1 });
const firstOf = (fault: Fault) => 1 + (FAULTS.indexOf(fault) % STEP);
const EACH = sized({ usual: "a quarter of its", full: "its" });

const HOUR_MS = 3_600_000;
const SETTINGS = {
  max_position_size: 100_000,
  max_daily_trades: 1_000_000,
  max_portfolio_risk: 100,
  enable_position_sizing: false,
};

let scene: FaultyProgram;
let program: TestProgram;
let other: Ledger;
let trader: Trader;

beforeAll(async () => {
  scene = await startFaultyProgram(async (started) => {
    const { second } = started;
    ({ program } = started);
    const { eventLog } = program.parts;
    other = createLedger({ database: second, store: createLedgerStore(second), eventLog });
    trader = { price: Number.NaN, reach: 0.0004, send };
    await succeeds(send("POST", "/api/risk-settings", SETTINGS));
    await look();
  });
});
afterAll(() => scene.close());

/** While a fault is planned an answer is what it is; else a call is sent until there is one. */
let armed = false;

const send: Trader["send"] = async (method, url, payload, key) => {
  const headers = key === undefined ? {} : { "idempotency-key": key };
  const body = payload === undefined ? {} : { payload };
  for (let attempt = 1; ; attempt++) {
    const answer = await program.server.inject({ method, url, headers, ...body });
    const settled = answer.statusCode !== 503 || armed || attempt === 40;
    if (settled) return { status: answer.statusCode, text: answer.body };
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};

/** Asks for the price of now. */
async function look(): Promise<void> {
  trader.price = (await program.server.inject(`/api/market/${PAPER_SYMBOL}`)).json().data.price;
}

/** What an account is, without the names of its parts. */
const outline = ({ seq, cash, reserved, positions, orders }: Readonly<DeskState>) => ({
  seq,
  cash,
  reserved,
  positions: [...positions.values()],
  orders: [...orders.values()].map(
    ({ side, type, role, state, quantity, filled, limitPrice, stopPrice }) => ({
      ...{ side, type, role, state, quantity, filled, limitPrice, stopPrice },
    }),
  ),
});

/** All that a desk knows, as JSON has it, which knows no -0. */
const wholeOf = ({ state }: Desk, { history }: Account) => {
  const { orders, positions, groups, ...rest } = state;
  const lists = { orders: [...orders], positions: [...positions], groups: [...groups] };
  return JSON.parse(JSON.stringify({ ...rest, ...lists, events: history.events }));
};

interface AccountNow {
  readonly id: string;
  readonly halt: string | null;
  readonly closed: boolean;
}

const accountsNamed = (name: string) =>
  scene.second.query<AccountNow>(
    "select id, halt, closed_at is not null as closed from paper_accounts where name = $1 order by opened_at, closed_at",
    [name],
  );

/** The accounts of a case as another process reads them. */
async function stateOf(name: string) {
  other.forget();
  const accounts = await accountsNamed(name);
  const outlines = accounts.map(async ({ id, halt, closed }) => ({
    halt,
    closed,
    ...(await other.look(id, ({ state }) => outline(state))),
  }));
  return Promise.all(outlines);
}

/** Resolves when the program's database has been found to answer again. */
const answering = () => eventually("an answering database", () => program.parts.database.status().up);

/** Holds rows, memories and announced events of a case against each other. */
async function expectSound(name: string): Promise<void> {
  await answering();
  for (const { id } of await accountsNamed(name)) {
    expect(await other.verify(id)).toEqual([]);
    const read = await other.look(id, wholeOf);
    expect(await program.parts.paper.ledger.look(id, wholeOf)).toEqual(read);
    const announced = await scene.second.query<{ payload: unknown }>(
      "select payload from events where topic = $1 order by seq",
      [`account:${id}`],
    );
    expect(announced.map(({ payload }) => payload)).toEqual(read.events);
  }
}

/** Whatever failed, a halted account has nothing at work that opens something. */
async function expectHaltsHold(name: string): Promise<void> {
  await answering();
  // A cut takes the connections of the other process, too.
  await eventually("the other process has connections", () => accountsNamed(name).then(Boolean, () => false));
  for (const { halt, orders } of await stateOf(name)) {
    if (halt === null) continue;
    const opening = orders.filter(
      ({ role, state }) => role !== "stop" && role !== "target" && !isTerminal(state),
    );
    expect(opening, name).toEqual([]);
  }
}

let cases = 0;

describe.each(SCENARIOS)("$name", (scenario) => {
  const { name: what, keyed, done } = scenario;

  let baseline: Awaited<ReturnType<typeof calm>> | undefined;
  async function calm() {
    const place = await scenario.prepare(trader, `${what}: calm`);
    const before = await stateOf(place.name);
    await succeeds(scenario.call(trader, place));
    await expectSound(place.name);
    return { before, after: await stateOf(place.name) };
  }

  it.each(scenario.faults)(
    `is done once, whichever of ${EACH} statements is %s`,
    async (fault) => {
      baseline ??= await calm();
      const { before, after } = baseline;
      for (let nth = firstOf(fault); ; nth += STEP) {
        const name = `${what}: ${fault} ${nth}`;
        const place = await scenario.prepare(trader, name);
        scene.faulty.failAt(nth, fault);
        armed = true;
        const first = await scenario.call(trader, place);
        armed = false;
        const untouched = scene.faulty.calls() < nth;
        scene.faulty.failAt(0, fault);
        if (untouched) {
          expect(first.status, first.text).toBeLessThan(300);
          expect(nth).toBeGreaterThan(keyed ? 5 : 2);
          break;
        }
        cases++;
        await expectHaltsHold(name);
        const last = await scenario.call(trader, place);
        const told = `${name}: first ${first.status} ${first.text.slice(0, 200)}, then ${last.status} ${last.text.slice(0, 300)}`;
        const state = await stateOf(name);
        await expectSound(name);
        if (keyed && fault === "failed" && last.status === 500) expect(state, told).toEqual(before);
        else {
          const code = last.status < 300 ? null : JSON.parse(last.text).code;
          expect([null, ...done], told).toContain(code);
          if (first.status < 300 && keyed) expect(last.text, told).toBe(first.text);
          expect(state, told).toEqual(after);
        }
      }
    },
    120_000,
  );
});

describe("a run over what happened since", () => {
  it.each(FAULTS)(
    `shows it once, whichever of ${EACH} statements is %s`,
    async (fault) => {
      await look();
      const first = await openBusy(trader, `run: ${fault}`);
      const places = new Map<number, Place>();
      for (let nth = firstOf(fault); nth <= 30; nth += STEP)
        places.set(nth, await openBusy(trader, `run: ${fault} ${nth}`));
      scene.clock.advance(2 * HOUR_MS);
      const run = ({ accountId }: Place) => program.parts.paper.matching.run(accountId);
      await run(first);
      const after = await stateOf(first.name);
      expect(after[0].orders.some(({ role, state }) => role !== "parent" && state === "filled")).toBe(true);
      for (let nth = firstOf(fault); ; nth += STEP) {
        const place = ensure(places.get(nth), "there are places enough");
        scene.faulty.failAt(nth, fault);
        await run(place).catch(() => undefined);
        const untouched = scene.faulty.calls() < nth;
        scene.faulty.failAt(0, fault);
        if (untouched) {
          expect(nth).toBeGreaterThan(2);
          break;
        }
        cases++;
        await answering();
        await run(place);
        expect(await stateOf(place.name)).toEqual(after);
        await expectSound(place.name);
      }
    },
    120_000,
  );
});

describe("all of it", () => {
  it("was many cases", () => {
    process.stdout.write(`${cases} statements of the order path failed\n`);
    expect(cases).toBeGreaterThan(200 / STEP);
  });
});
