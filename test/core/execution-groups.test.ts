import { describe, expect, it } from "vitest";
import { marginRules } from "../../src/core/execution/account.js";
import { Scene, usd } from "../fixtures/execution-scene.js";

/** What a scene came to: its order list, its fills, and pessimistic, headline and optimistic equity in dollars. */
function expectEnd(
  scene: Scene,
  orders: string[],
  fills: string[],
  equity: number,
  bounds: readonly [number, number] = [equity, equity],
): void {
  expect(scene.orders).toEqual(orders);
  expect(scene.fills).toEqual(fills);
  const [pessimistic, optimistic] = bounds;
  expect(scene.desk.bounds()).toEqual({
    pessimistic: usd(pessimistic),
    equity: usd(equity),
    optimistic: usd(optimistic),
  });
  expect(scene.isRebuilt).toBe(true);
}

/** Ten at the market, target 105, stop 97. */
const BRACKET = {
  id: "e",
  quantity: 10,
  timeInForce: "gtc",
  orderClass: "bracket",
  takeProfit: { limitPrice: 105 },
  stopLoss: { stopPrice: 97, limitPrice: null },
} as const;

const ENTRY = "e 10 at 100 taker open";
const TARGET_ENDS = ["e filled 10/10", "e/stop canceled 0/10", "e/target filled 10/10"];
const STOP_ENDS = ["e filled 10/10", "e/stop filled 10/10", "e/target canceled 0/10"];

describe("a bracket", () => {
  it("holds its legs until the entry fills, and ends at the target", () => {
    const scene = new Scene();
    scene.submit(BRACKET);
    expect(scene.orders).toEqual(["e new 0/10", "e/stop held 0/10", "e/target held 0/10"]);
    scene.bar(100, 102, 98, 101);
    expect(scene.orders).toEqual(["e filled 10/10", "e/stop new 0/10", "e/target new 0/10"]);
    scene.bar(101, 106, 100, 106);
    expectEnd(scene, TARGET_ENDS, [ENTRY, "e/target 10 at 105 maker within"], 10_050);
    expect(scene.hash).toBe("dc97fac35c28");
    // The sibling ends in the step of the fill: same instant, next in the sequence.
    const [fill, end] = scene.events.slice(-2);
    expect([fill.event, end.event, end.at - fill.at, end.seq - fill.seq]).toEqual([
      "filled",
      "canceled",
      0,
      1,
    ]);
  });

  it("ends at the stop", () => {
    const scene = new Scene();
    scene.submit(BRACKET);
    scene.bar(100, 102, 98, 101);
    scene.bar(101, 102, 96, 97.5);
    expectEnd(scene, STOP_ENDS, [ENTRY, "e/stop 10 at 97 taker within"], 9_970);
    expect(scene.hash).toBe("fd9296900cca");
  });

  it("takes the stop where one bar holds both, and is in doubt by their distance", () => {
    const scene = new Scene();
    scene.submit(BRACKET);
    scene.bar(100, 102, 98, 101);
    scene.bar(101, 106, 96, 101);
    // Ten times 105 - 97 = 80 more, had the target come first.
    expectEnd(scene, STOP_ENDS, [ENTRY, "e/stop 10 at 97 taker within?"], 9_970, [9_970, 10_050]);
    expect(scene.hash).toBe("fd9296900cca");
  });

  it("is certain where the open lies beyond the target of a bar that holds both", () => {
    const scene = new Scene();
    scene.submit(BRACKET);
    scene.bar(100, 102, 98, 101);
    scene.bar(106, 107, 96, 101);
    expectEnd(scene, TARGET_ENDS, [ENTRY, "e/target 10 at 106 maker open"], 10_060);
    expect(scene.hash).toBe("618bee3aeeb6");
  });

  it("is out at once where the entry's open lies beyond its stop", () => {
    const scene = new Scene();
    scene.submit(BRACKET);
    scene.bar(96, 99, 95, 98);
    expectEnd(scene, STOP_ENDS, ["e 10 at 96 taker open", "e/stop 10 at 96 taker open"], 10_000);
    expect(scene.hash).toBe("d2ef8e96b413");
  });

  it("sells with a limit after its stop, which a gap skips", () => {
    const scene = new Scene();
    scene.submit({ ...BRACKET, stopLoss: { stopPrice: 97, limitPrice: 96.5 } });
    scene.bar(100, 102, 98, 101);
    scene.bar(95, 96, 94, 95);
    expectEnd(scene, ["e filled 10/10", "e/stop new 0/10", "e/target new 0/10"], [ENTRY], 9_950);
    expect(scene.hash).toBe("90daf3fb2a64");
  });
});

describe("entry and exit in one bar", () => {
  it("entry at the open, then the stop: certain", () => {
    const scene = new Scene();
    scene.submit(BRACKET);
    scene.bar(100, 104, 96, 98);
    expectEnd(scene, STOP_ENDS, [ENTRY, "e/stop 10 at 97 taker within"], 9_970);
    expect(scene.hash).toBe("2ae5dce28a20");
  });

  it("entry at the open, then the target: certain", () => {
    const scene = new Scene();
    scene.submit(BRACKET);
    scene.bar(100, 106, 98, 98);
    expectEnd(scene, TARGET_ENDS, [ENTRY, "e/target 10 at 105 maker within"], 10_050);
    expect(scene.hash).toBe("9dcb85a03e96");
  });

  it("entry by a limit on the way down, then the stop: certain, since the price came through the entry", () => {
    const scene = new Scene();
    scene.submit({ ...BRACKET, type: "limit", limitPrice: 99 });
    scene.bar(100, 104, 96, 98);
    const fills = ["e 10 at 99 maker within", "e/stop 10 at 97 taker within"];
    expectEnd(scene, STOP_ENDS, fills, 9_980);
    expect(scene.hash).toBe("c469390fb083");
  });

  it("entry by a limit on the way down and a target in the bar: not taken, since it may have come before", () => {
    const scene = new Scene();
    scene.submit({ ...BRACKET, type: "limit", limitPrice: 99 });
    scene.bar(100, 106, 98, 101);
    const orders = ["e filled 10/10", "e/stop new 0/10", "e/target new 0/10"];
    // Open at 101: 10 x 2. Had the target come after the entry: 10 x 6.
    expectEnd(scene, orders, ["e 10 at 99 maker within"], 10_020, [10_020, 10_060]);
    expect(scene.hash).toBe("de0cfd368ea2");
  });

  it("the same with a close beyond the target: taken, since the price was there after the entry", () => {
    const scene = new Scene();
    scene.submit({ ...BRACKET, type: "limit", limitPrice: 99 });
    scene.bar(100, 106, 98, 105.5);
    const fills = ["e 10 at 99 maker within", "e/target 10 at 105 maker within"];
    expectEnd(scene, TARGET_ENDS, fills, 10_060);
    expect(scene.hash).toBe("bf7eb15a197d");
  });

  it("entry by a stop on the way up, then the target: certain", () => {
    const scene = new Scene();
    scene.submit({ ...BRACKET, type: "stop", stopPrice: 102 });
    scene.bar(100, 106, 98, 103);
    const fills = ["e 10 at 102 taker within", "e/target 10 at 105 maker within"];
    expectEnd(scene, TARGET_ENDS, fills, 10_030);
    expect(scene.hash).toBe("09ec8094113b");
  });

  it("entry by a stop on the way up and a low at the stop: the stop, though it may have come before", () => {
    const scene = new Scene();
    scene.submit({ ...BRACKET, type: "stop", stopPrice: 102 });
    scene.bar(100, 103, 96, 101);
    const fills = ["e 10 at 102 taker within", "e/stop 10 at 97 taker within?"];
    // 10 x (97 - 102); at best it is still held at 101.
    expectEnd(scene, STOP_ENDS, fills, 9_950, [9_950, 9_990]);
    expect(scene.hash).toBe("927546f0a0cc");
  });

  it("of a short bracket is the mirror image", () => {
    const scene = new Scene({ account: marginRules("USD") });
    scene.submit({
      ...BRACKET,
      side: "sell",
      type: "limit",
      limitPrice: 101,
      takeProfit: { limitPrice: 95 },
      stopLoss: { stopPrice: 103, limitPrice: null },
    });
    scene.bar(100, 104, 96, 102);
    const fills = ["e 10 at 101 maker within", "e/stop 10 at 103 taker within"];
    expectEnd(scene, STOP_ENDS, fills, 9_980);
    expect(scene.hash).toBe("11b45d63009e");
  });
});

describe("legs", () => {
  it("grow with each part of the entry that fills", () => {
    const scene = new Scene({ volumeShare: 0.1 });
    scene.submit(BRACKET);
    scene.bar(100, 101, 99, 100, { volume: 40 });
    expect(scene.orders).toEqual(["e partially_filled 4/10", "e/stop new 0/4", "e/target new 0/4"]);
    scene.bar(100, 101, 99, 100, { volume: 50 });
    expect(scene.orders).toEqual(["e partially_filled 9/10", "e/stop new 0/9", "e/target new 0/9"]);
    scene.bar(96, 96, 96, 96, { volume: 1_000 });
    // The last one is bought at 96 before the stop sells all ten there: 9 x (96 - 100).
    const fills = [
      "e 4 at 100 taker open",
      "e 5 at 100 taker open",
      "e 1 at 96 taker open",
      "e/stop 10 at 96 taker open",
    ];
    expectEnd(scene, STOP_ENDS, fills, 9_964);
    expect(scene.hash).toBe("5c97aef7bbc7");
  });

  it("stop what the entry still bought on the way down to the stop", () => {
    const scene = new Scene({ volumeShare: 0.1 });
    scene.submit({ ...BRACKET, type: "limit", limitPrice: 100 });
    scene.bar(100, 101, 99, 100, { volume: 40 });
    scene.bar(101, 101, 96, 98, { volume: 1_000 });
    const fills = ["e 4 at 100 taker open", "e 6 at 100 maker within", "e/stop 10 at 97 taker within"];
    expectEnd(scene, STOP_ENDS, fills, 9_970);
    expect(scene.hash).toBe("98c20e951955");
  });

  it("take their target before the entry goes on, which the price may have met later", () => {
    const scene = new Scene({ volumeShare: 0.1 });
    scene.submit({ ...BRACKET, type: "limit", limitPrice: 100 });
    scene.bar(100, 101, 99, 100, { volume: 40 });
    scene.bar(101, 105, 99, 103, { volume: 1_000 });
    const fills = ["e 4 at 100 taker open", "e/target 4 at 105 maker within"];
    expectEnd(scene, ["e canceled 4/10", "e/stop canceled 0/4", "e/target filled 4/4"], fills, 10_020);
    expect(scene.hash).toBe("a3273089ebc5");
  });

  it("shrink with each part of the other that fills", () => {
    const scene = new Scene({ volumeShare: 0.1 });
    scene.submit(BRACKET);
    scene.bar(100, 101, 99, 100, { volume: 100 });
    scene.bar(104, 105, 104, 104, { volume: 60 });
    expect(scene.orders).toEqual(["e filled 10/10", "e/stop new 0/4", "e/target partially_filled 6/10"]);
    scene.bar(97, 97, 97, 97, { volume: 1_000 });
    const fills = ["e 10 at 100 taker open", "e/target 6 at 105 maker within", "e/stop 4 at 97 taker open"];
    // 6 x 5 - 4 x 3.
    const orders = ["e filled 10/10", "e/stop filled 4/4", "e/target canceled 6/10"];
    expectEnd(scene, orders, fills, 10_018);
    expect(scene.hash).toBe("5588a91ae862");
  });

  it("that are filled cancel what is left of the entry", () => {
    const scene = new Scene({ volumeShare: 0.1 });
    scene.submit({ ...BRACKET, type: "limit", limitPrice: 100 });
    scene.bar(100, 101, 99, 100, { volume: 40 });
    scene.bar(105, 105, 105, 105, { volume: 1_000 });
    const fills = ["e 4 at 100 taker open", "e/target 4 at 105 maker open"];
    const orders = ["e canceled 4/10", "e/stop canceled 0/4", "e/target filled 4/4"];
    expectEnd(scene, orders, fills, 10_020);
    expect(scene.hash).toBe("c98b60c3472c");
    expect(scene.reasons).toEqual(["e exit_filled", "e/stop sibling_filled"]);
  });

  it("go with an entry that never filled", () => {
    const scene = new Scene();
    scene.submit({ ...BRACKET, type: "limit", limitPrice: 98 });
    scene.cancel("e");
    expectEnd(scene, ["e canceled 0/10", "e/stop canceled 0/10", "e/target canceled 0/10"], [], 10_000);
    expect(scene.hash).toBe("ce641b0fa81f");
  });

  it("outlive an entry that filled in part and is canceled: they protect what was bought", () => {
    const scene = new Scene({ volumeShare: 0.1 });
    scene.submit({ ...BRACKET, type: "limit", limitPrice: 100 });
    scene.bar(100, 101, 99, 100, { volume: 40 });
    scene.cancel("e");
    scene.bar(96, 96, 96, 96);
    const fills = ["e 4 at 100 taker open", "e/stop 4 at 96 taker open"];
    expectEnd(scene, ["e canceled 4/10", "e/stop filled 4/4", "e/target canceled 0/4"], fills, 9_984);
    expect(scene.hash).toBe("cde4fbf8b15c");
  });

  it("go together: canceling one cancels the other", () => {
    const scene = new Scene();
    scene.submit(BRACKET);
    scene.bar(100, 101, 99, 100);
    scene.cancel("e/target");
    expectEnd(scene, ["e filled 10/10", "e/stop canceled 0/10", "e/target canceled 0/10"], [ENTRY], 10_000);
    expect(scene.hash).toBe("a3bd9d5ddc3f");
  });

  it("of a day expire with it, each", () => {
    const scene = new Scene();
    scene.submit({ ...BRACKET, timeInForce: "day" });
    scene.bar(100, 101, 99, 100.5, { last: true });
    expectEnd(scene, ["e filled 10/10", "e/stop expired 0/10", "e/target expired 0/10"], [ENTRY], 10_005);
    expect(scene.hash).toBe("4c0f3d9ef556");
  });

  it("keep their place in the group when they are replaced", () => {
    const scene = new Scene();
    scene.submit(BRACKET);
    scene.bar(100, 101, 99, 100);
    expect(scene.replace("e/stop", "s", { quantity: 5 })).toEqual(["leg_quantity_fixed"]);
    expect(scene.replace("e/stop", "s", { timeInForce: "ioc" })).toEqual(["time_in_force_not_allowed"]);
    expect(scene.replace("e/stop", "s", { stopPrice: 101 })).toEqual(["stop_on_wrong_side"]);
    expect(scene.replace("e/stop", "s", { stopPrice: 99.5 })).toEqual([]);
    scene.bar(100, 100, 99.5, 99.5);
    const orders = ["e filled 10/10", "e/stop replaced 0/10", "e/target canceled 0/10", "s filled 10/10"];
    expectEnd(scene, orders, [ENTRY, "s 10 at 99.5 taker within"], 9_995);
    expect(scene.hash).toBe("83a044c3f59b");
  });

  it("cannot be sold twice: what they hold is not for another order", () => {
    const scene = new Scene({ account: marginRules("USD") });
    scene.submit(BRACKET);
    scene.bar(100, 101, 99, 100);
    expect(scene.submit({ id: "x", side: "sell", quantity: 1 })).toEqual(["insufficient_quantity"]);
    expect(scene.desk.promised("AAA")).toBe(10);
  });

  it("hold what they close once, and orders by themselves each their own", () => {
    const scene = new Scene();
    expect(scene.desk.promised("AAA")).toBe(0);
    scene.submit({ id: "a", quantity: 10 });
    scene.bar(100, 101, 99, 100);
    expect(scene.desk.promised("AAA")).toBe(0);
    const sell = { side: "sell", type: "limit", timeInForce: "gtc" } as const;
    scene.submit({ ...sell, id: "b", quantity: 3, limitPrice: 120 });
    scene.submit({ ...sell, id: "c", quantity: 2, limitPrice: 130 });
    scene.submit({
      ...{ ...sell, id: "d", quantity: 4, orderClass: "oco" },
      ...{ takeProfit: { limitPrice: 125 }, limitPrice: null, stopLoss: { stopPrice: 90, limitPrice: null } },
    });
    expect(scene.desk.promised("AAA")).toBe(9);
    expect(scene.submit({ ...sell, id: "e", quantity: 2, limitPrice: 140 })).toEqual([
      "insufficient_quantity",
    ]);
    expect(scene.desk.cancel("c", scene.time)).toEqual([]);
    expect(scene.desk.promised("AAA")).toBe(7);
  });
});

describe("a pair", () => {
  const PAIR = {
    id: "p",
    side: "sell",
    quantity: 10,
    type: "limit",
    timeInForce: "gtc",
    orderClass: "oco",
    takeProfit: { limitPrice: 104 },
    stopLoss: { stopPrice: 97, limitPrice: null },
  } as const;

  it("cancels the stop in the step in which the target fills", () => {
    const scene = new Scene();
    scene.hold(10);
    scene.submit(PAIR);
    expect(scene.orders).toEqual(["p new 0/10", "p/stop new 0/10"]);
    scene.bar(101, 104, 100, 102);
    expectEnd(scene, ["p filled 10/10", "p/stop canceled 0/10"], ["p 10 at 104 maker within"], 10_040);
    expect(scene.hash).toBe("a31015b13da0");
  });

  it("takes the stop where one bar holds both", () => {
    const scene = new Scene();
    scene.hold(10);
    scene.submit(PAIR);
    scene.bar(101, 104, 97, 102);
    const fills = ["p/stop 10 at 97 taker within?"];
    expectEnd(scene, ["p canceled 0/10", "p/stop filled 10/10"], fills, 9_970, [9_970, 10_040]);
    expect(scene.hash).toBe("37b425c4ed8b");
  });

  it("only closes", () => {
    const scene = new Scene({ account: marginRules("USD") });
    scene.hold(5);
    expect(scene.submit(PAIR)).toEqual(["insufficient_quantity"]);
  });
});

describe("an entry with one leg", () => {
  it("releases its stop", () => {
    const scene = new Scene();
    scene.submit({ ...BRACKET, orderClass: "oto", takeProfit: null });
    scene.bar(100, 110, 98, 109);
    scene.bar(109, 110, 96, 97);
    expectEnd(
      scene,
      ["e filled 10/10", "e/stop filled 10/10"],
      [ENTRY, "e/stop 10 at 97 taker within"],
      9_970,
    );
    expect(scene.hash).toBe("78eab0505538");
  });

  it("releases its target", () => {
    const scene = new Scene();
    scene.submit({ ...BRACKET, orderClass: "oto", stopLoss: null });
    scene.bar(100, 110, 90, 95);
    const fills = [ENTRY, "e/target 10 at 105 maker within"];
    expectEnd(scene, ["e filled 10/10", "e/target filled 10/10"], fills, 10_050);
    expect(scene.hash).toBe("6d266068b02b");
  });
});
