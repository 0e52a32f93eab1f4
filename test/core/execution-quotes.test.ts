import { describe, expect, it } from "vitest";
import { cashRules } from "../../src/core/execution/account.js";
import { GTC_DAYS } from "../../src/core/execution/context.js";
import { NO_COSTS, type Slippage } from "../../src/core/execution/costs.js";
import { createDesk } from "../../src/core/execution/desk.js";
import type { DeskEvent } from "../../src/core/execution/events.js";
import { tradedShare } from "../../src/core/execution/instrument.js";
import { noteQuoted, type QuotedFills, takenBetween } from "../../src/core/execution/quoted.js";
import { rebuild } from "../../src/core/execution/state.js";
import type { LastBar } from "../../src/core/execution/walk.js";
import { MINUTE_MS, OPEN_MS, Scene } from "../fixtures/execution-scene.js";

/** A desk that may take a hundredth of the volume, with a million. */
class Quotes extends Scene {
  #quotes = 0;

  constructor(slippage: Slippage = { kind: "none" }, volumeShare = 0.01) {
    super({ volumeShare, capital: 1_000_000, costs: { ...NO_COSTS, slippage } });
  }

  /** The next quote at 100, after a bar of 10,000 units that ended at the open unless told otherwise. */
  quote(last: Partial<LastBar> | null = {}, symbol = "AAA"): void {
    const bar = last === null ? null : { until: OPEN_MS, volume: 10_000, range: Number.NaN, ...last };
    const time = this.time + ++this.#quotes;
    this.desk.quote(symbol, { time, price: 100, bid: 100, ask: 100, regular: true, last: bar });
  }
}

describe("quotes of one minute", () => {
  it("share what the volume of the last bar allows, and a newer bar renews it", () => {
    const scene = new Quotes();
    scene.submit({ id: "a", quantity: 250, timeInForce: "gtc" });
    scene.submit({ id: "b", quantity: 30, timeInForce: "gtc" });
    scene.quote();
    scene.quote();
    expect(scene.orders).toEqual(["a partially_filled 100/250", "b new 0/30"]);
    scene.time += MINUTE_MS;
    scene.quote({ until: scene.time, volume: 12_000 });
    expect(scene.orders).toEqual(["a partially_filled 220/250", "b new 0/30"]);
    // Told again as of before, the older bar gives nothing new.
    scene.quote();
    scene.time += MINUTE_MS;
    scene.quote({ until: scene.time });
    expect(scene.orders).toEqual(["a filled 250/250", "b filled 30/30"]);
    expect(scene.isRebuilt).toBe(true);
  });

  it("leave each symbol its own", () => {
    const scene = new Quotes();
    scene.submit({ id: "a", quantity: 250 });
    scene.submit({ id: "b", quantity: 250, symbol: "BBB" });
    scene.quote();
    scene.quote({ volume: 5_000 }, "BBB");
    expect(scene.orders).toEqual(["a partially_filled 100/250", "b partially_filled 50/250"]);
  });

  it("share it also with a desk that was made of its events", () => {
    const scene = new Quotes();
    scene.submit({ id: "a", quantity: 250 });
    scene.quote({ volume: 15_000 });
    const events: DeskEvent[] = [];
    const account = cashRules("USD");
    const rules = { account, costs: NO_COSTS, volumeShare: 0.01, gtcDays: GTC_DAYS };
    const desk = createDesk(
      rules,
      [tradedShare("AAA")],
      (event) => events.push(event),
      rebuild(scene.events),
    );
    const last = { until: OPEN_MS, volume: 16_000, range: Number.NaN };
    desk.quote("AAA", { time: OPEN_MS + 9, price: 100, bid: 100, ask: 100, regular: true, last });
    expect(events).toMatchObject([{ fill: { quantity: 10 } }]);
  });

  it("cut off what must be filled at once, and refuse what must be filled whole", () => {
    const scene = new Quotes();
    scene.submit({ id: "fok", quantity: 101, timeInForce: "fok" });
    scene.submit({ id: "ioc", quantity: 101, timeInForce: "ioc" });
    scene.submit({ id: "late", quantity: 1, timeInForce: "ioc" });
    scene.quote();
    expect(scene.orders).toEqual(["fok canceled 0/101", "ioc canceled 100/101", "late canceled 0/1"]);
    expect(scene.reasons.every((reason) => reason.endsWith("not_filled_at_once"))).toBe(true);
  });

  it("fill nothing where no volume is known or the bar had none, and all where its market tells none", () => {
    const scene = new Quotes();
    scene.submit({ id: "a", quantity: 250 });
    scene.quote(null);
    scene.quote({ volume: 0 });
    expect(scene.orders).toEqual(["a new 0/250"]);
    scene.quote({ volume: null });
    expect(scene.orders).toEqual(["a filled 250/250"]);
  });

  it("leave the bar of their minute what they did not take, and the next one all of its share", () => {
    const scene = new Quotes();
    scene.submit({ id: "a", quantity: 500, timeInForce: "gtc" });
    scene.quote({ volume: 6_000 });
    scene.bar(100, 101, 99, 100, { volume: 8_000 });
    expect(scene.fills).toEqual(["a 60 at 100 taker quote", "a 20 at 100 taker open"]);
    scene.bar(100, 101, 99, 100, { volume: 8_000 });
    expect(scene.fills.slice(2)).toEqual(["a 80 at 100 taker open"]);
  });
});

describe("slippage at a quote", () => {
  const filled = (slippage: Slippage, last: Partial<LastBar> | null) => {
    const scene = new Quotes(slippage, 1);
    scene.submit({ id: "a", quantity: 1_000, timeInForce: "gtc" });
    scene.quote(last);
    return scene.fills;
  };

  it("by the share of the volume: 100 (1 + 0.5 (1,000 / 10,000)²)", () => {
    expect(filled({ kind: "volume_share", impact: 0.5 }, {})).toEqual(["a 1000 at 100.5 taker quote"]);
    // A bar without volume counts as taken whole.
    expect(filled({ kind: "volume_share", impact: 0.5 }, { volume: null })).toEqual([
      "a 1000 at 150 taker quote",
    ]);
  });

  it("by the range of the bars: 100 + 0.25 of 1.2, and what is said while it is not known", () => {
    const slippage = { kind: "volatility", share: 0.25, elseBps: 40 } as const;
    expect(filled(slippage, { range: 1.2 })).toEqual(["a 1000 at 100.3 taker quote"]);
    expect(filled(slippage, {})).toEqual(["a 1000 at 100.4 taker quote"]);
  });
});

describe("what was filled at quotes", () => {
  it("is kept by the minute, in order, for a week", () => {
    const fills: QuotedFills = new Map();
    noteQuoted(fills, "AAA", OPEN_MS + 61_000, 2);
    noteQuoted(fills, "AAA", OPEN_MS + 59_000, 3);
    noteQuoted(fills, "AAA", OPEN_MS + 119_999, 4.5);
    expect(fills.get("AAA")).toEqual([
      { minute: OPEN_MS, quantity: 3 },
      { minute: OPEN_MS + MINUTE_MS, quantity: 6.5 },
    ]);
    expect(takenBetween(fills, "AAA", OPEN_MS, OPEN_MS + MINUTE_MS)).toBe(3);
    expect(takenBetween(fills, "AAA", OPEN_MS + MINUTE_MS, Number.POSITIVE_INFINITY)).toBe(6.5);
    expect(takenBetween(fills, "BBB", OPEN_MS, Number.POSITIVE_INFINITY)).toBe(0);
    noteQuoted(fills, "AAA", OPEN_MS + 7 * 86_400_000 + MINUTE_MS, 1);
    expect(fills.get("AAA")?.map(({ quantity }) => quantity)).toEqual([6.5, 1]);
  });
});
