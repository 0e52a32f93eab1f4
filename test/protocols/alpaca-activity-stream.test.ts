import { connect } from "node:net";
import fastify from "fastify";
import { serializerCompiler, validatorCompiler } from "fastify-type-provider-zod";
import { describe, expect, it, onTestFinished } from "vitest";
import { marginRules } from "../../src/core/execution/account.js";
import { fromMicros } from "../../src/core/execution/money.js";
import { createMetrics } from "../../src/platform/metrics.js";
import { activityEventRoutes } from "../../src/protocols/alpaca/activity-event-routes.js";
import { createActivityWalk } from "../../src/protocols/alpaca/activity-events.js";
import type { ActivityEvent } from "../../src/protocols/alpaca/activity-schema.js";
import { timeOfUlid, ulidOf } from "../../src/protocols/alpaca/ulid.js";
import { createActivityChecker } from "../fixtures/alpaca-spec.js";
import { createManualClock } from "../fixtures/clock.js";
import { Scene } from "../fixtures/execution-scene.js";
import { eventually } from "../fixtures/faults.js";
import { createRecordedLog } from "../fixtures/log.js";

const check = createActivityChecker();
const ACCOUNT = "6b1e3cb2-6f52-4d1c-9a35-4b2f0d3a9c11";
const OPENED = Date.parse("2024-07-09T15:00:00Z");

/** Everything that a scene did, in two strides, written at instants of which one is earlier than the one before. */
function toldOf(
  scene: Scene,
  times: (seq: number) => number = (seq) => OPENED + 1_000 * seq,
): ActivityEvent[] {
  const rules = { account: { currency: "USD" } } as never;
  const walk = createActivityWalk({ id: ACCOUNT, createdAt: OPENED, rules }, 0);
  const half = Math.floor(scene.events.length / 2);
  const moved = scene.events.map(({ seq }) => ({ seq, time: times(seq) }));
  const told = [scene.events.slice(0, half), scene.events.slice(half)].flatMap((events) =>
    walk.take(events, moved, new Map()),
  );
  // Orders of scenes have plain names where others have UUIDs.
  const named = told.map(({ details, ...event }) => ({
    ...event,
    details: "order_id" in details ? { ...details, order_id: ACCOUNT } : details,
  }));
  expect(named.flatMap((event) => check?.(event) ?? [])).toEqual([]);
  return told;
}

/** The cash and the quantity of a share that follow from what is told, as a client would keep them. */
function kept(told: readonly ActivityEvent[], symbol: string) {
  let cash = 0;
  let held = 0;
  for (const { net_amount: amount, qty = "0", details } of told) {
    cash += Number(amount);
    const isOf = "symbol" in details && details.symbol === symbol;
    const way = "side" in details && details.side === "sell" ? -1 : 1;
    if (isOf) held += way * Number(qty);
  }
  return { cash, held };
}

describe("what an account did, as it is told", () => {
  it("leads a client to its cash and its shares, through splits, dividends and a delisting", () => {
    const scene = new Scene({ account: marginRules("USD") });
    scene.hold(7);
    scene.desk.dividend("AAA", 0.25, scene.time);
    scene.desk.split("AAA", 1.5, scene.time);
    scene.submit({ id: "a", side: "sell", quantity: 3 });
    scene.bar(70, 70, 70, 70);
    scene.hold(-5, "BBB");
    scene.desk.split("BBB", 0.2, scene.time);
    scene.desk.dividend("BBB", 1, scene.time);
    scene.desk.delist("AAA", scene.time);
    const told = toldOf(scene);
    expect(told.map(({ activity_type: type, activity_subtype: sub, qty }) => [type, sub, qty])).toEqual([
      ["CSD", undefined, undefined],
      ["TRD", undefined, "7"],
      ["DIV", "CDIV", undefined],
      ["SPLIT", "FSPLIT", "-7"],
      ["SPLIT", "FSPLIT", "10"],
      ["TRD", undefined, "3"],
      ["TRD", undefined, "5"],
      ["SPLIT", "RSPLIT", "5"],
      ["SPLIT", "RSPLIT", "-1"],
      ["DIV", "CDIV", undefined],
      ["MISC", undefined, "-7"],
    ]);
    const { state } = scene.desk;
    expect(kept(told, "AAA")).toEqual({ cash: expect.closeTo(fromMicros(state.cash), 6), held: 0 });
    expect(kept(told, "BBB").held).toBe(state.positions.get("BBB")?.quantity);
    expect(told[3].details).toMatchObject({ old_rate: "2", new_rate: "3", old_qty: "7", new_qty: "10" });
    expect(told[2].details).toMatchObject({ rate: "0.25", entitled_qty: "7", cash_payout: "1.75" });
    // Half a share of the 10.5 was paid at the price of the day.
    expect(Number(told[4].net_amount)).toBeGreaterThan(0);
    expect(told.map(({ ref_id: id }) => id)).toHaveLength(new Set(told.map(({ ref_id: id }) => id)).size);
  });

  it("tells of an order in parts what was filled then, whatever a split makes of it later", () => {
    const scene = new Scene({ volumeShare: 0.01 });
    scene.submit({ id: "a", quantity: 10, type: "limit", limitPrice: 100, timeInForce: "gtc" });
    scene.bar(100, 100, 100, 100, { volume: 400 });
    scene.desk.split("AAA", 2, scene.time);
    scene.bar(50, 50, 50, 50, { volume: 100_000 });
    const fills = toldOf(scene).filter(({ activity_type: type }) => type === "TRD");
    expect(
      fills.map(({ qty, details }) =>
        "cum_qty" in details ? [qty, details.cum_qty, details.leaves_qty, details.order_status] : null,
      ),
    ).toEqual([
      ["4", "4", "6", "partially_filled"],
      ["12", "20", "0", "filled"],
    ]);
  });

  it("has ids that ascend, also where the clock of the database is set back", () => {
    const scene = new Scene();
    for (let i = 0; i < 20; i++) {
      scene.submit({ id: `b${i}`, quantity: 1 });
      scene.bar(100, 100, 100, 100);
    }
    const ids = toldOf(scene, (seq) => OPENED + (seq < 20 ? 5_000 * seq : 10 * seq)).map(
      (each) => each.event_id,
    );
    expect(ids).toHaveLength(21);
    expect([...new Set(ids)].sort()).toEqual(ids);
    expect(ids.map(timeOfUlid)).toEqual(ids.map(timeOfUlid).sort((a, b) => a - b));
  });
});

describe("ULIDs", () => {
  it("are read as their standard says, and sort as time and tail do", () => {
    // The example of the standard, made on 2016-07-30.
    expect(timeOfUlid("01ARZ3NDEKTSV4RRFFQ69G5FAV")).toBe(Date.parse("2016-07-30T23:54:10.259Z"));
    expect(ulidOf(2 ** 48 - 1, 2n ** 80n - 1n)).toBe("7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
    const parts = [0, 1, 31, 32, OPENED, 2 ** 47].flatMap((time) =>
      [0n, 1n, 31n, 32n, 2n ** 79n].map((tail) => ({ time, id: ulidOf(time, tail) })),
    );
    expect(parts.map(({ id }) => timeOfUlid(id))).toEqual(parts.map(({ time }) => time));
    const ids = parts.map(({ id }) => id);
    expect([...new Set(ids)].sort()).toEqual(ids);
  });
});

describe("the stream of activities", () => {
  it("cuts a client that does not read, says why in the log, and reads no more for it than it takes", async () => {
    const [event] = toldOf(new Scene());
    let given = 0;
    let isOver = false;
    async function* endless() {
      try {
        for (;;) {
          given++;
          yield event;
        }
      } finally {
        isOver = true;
      }
    }
    const { log, lines } = createRecordedLog();
    const app = fastify();
    app.setValidatorCompiler(validatorCompiler).setSerializerCompiler(serializerCompiler);
    activityEventRoutes(app, {
      events: { follow: endless },
      stands: async () => true,
      settings: { heartbeatMs: 50, checkEveryMs: 60_000, slowMs: 300 },
      clock: createManualClock(OPENED),
      log,
      metrics: createMetrics("test"),
    });
    const url = new URL(await app.listen({ host: "127.0.0.1", port: 0 }));
    onTestFinished(() => app.close());
    const socket = connect(Number(url.port), "127.0.0.1");
    socket.on("error", () => undefined).pause();
    socket.write("GET /v2beta1/events/activities HTTP/1.1\r\nhost: a\r\n\r\n");
    await eventually("cut", () => lines().some((line) => line.includes("a stream of events was cut")));
    await eventually("let go", () => isOver);
    const atCut = given;
    expect(lines().join("")).toContain('"reason":"slow"');
    // What waits is in the buffers of the sockets, which the system bounds, and in one of this process.
    expect(given * JSON.stringify(event).length).toBeLessThan(32 * 1024 * 1024);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(given).toBe(atCut);
    socket.destroy();
  });
});
