import { assert } from "../src/core/base/assert.js";
import { marginRules } from "../src/core/execution/account.js";
import { GTC_DAYS } from "../src/core/execution/context.js";
import { NO_COSTS } from "../src/core/execution/costs.js";
import { createDesk, type Desk } from "../src/core/execution/desk.js";
import { tradedShare } from "../src/core/execution/instrument.js";
import { termsOf } from "../src/core/execution/order.js";
import { orderList } from "../src/core/execution/order-list.js";
import { randomWalk } from "./data.js";
import { type Bench, timeCases } from "./time.js";

const BARS = 200_000;
const TARGETS_NS = { idle: 1_000, resting: 3_000 };
const FACTS = { until: 0, regular: true, first: false, last: false, range: Number.NaN };

export const bench: Bench = {
  name: "Execution",
  run() {
    const candles = randomWalk(BARS, 61, 0.01);
    const walk = (orders: number, position: boolean) => () => {
      const desk = deskWith(orders, position);
      for (let i = 0; i < BARS; i++) desk.bar("WALK", candles, i, FACTS);
      return desk;
    };
    const cases = [
      { name: "a bar without orders", items: BARS, run: () => void walk(0, false)() },
      { name: "a bar with a position", items: BARS, run: () => void walk(0, true)() },
      { name: "a bar with five resting orders", items: BARS, run: () => void walk(5, false)() },
    ];
    const lists = [1, 2].map(() => orderList(walk(5, false)().state.orders.values(), []));
    assert(lists[0] === lists[1], "two walks over the same bars differ");
    const [idle, holding, resting] = timeCases(cases, 5);
    const target = (ns: number, most: number) => ({ text: `<= ${most / 1_000} us`, met: ns <= most });
    return [
      {
        row: "X1",
        title: "One bar through a desk",
        notes: [],
        figures: [
          { name: idle.name, value: idle.minNs, unit: "ns", target: target(idle.minNs, TARGETS_NS.idle) },
          {
            name: holding.name,
            value: holding.minNs,
            unit: "ns",
            target: target(holding.minNs, TARGETS_NS.idle),
          },
          {
            name: resting.name,
            value: resting.minNs,
            unit: "ns",
            target: target(resting.minNs, TARGETS_NS.resting),
          },
        ],
      },
    ];
  },
};

function deskWith(orders: number, position: boolean): Desk {
  const rules = { account: marginRules("USD"), costs: NO_COSTS, volumeShare: null, gtcDays: GTC_DAYS };
  const desk = createDesk(rules, [tradedShare("WALK")], () => undefined);
  desk.transfer(1_000_000, 0);
  desk.mark("WALK", 100);
  const moment = { at: 0, open: true };
  const order = { symbol: "WALK", side: "buy", timeInForce: "gtc", quantity: 10 } as const;
  for (let k = 0; k < orders; k++) {
    const terms =
      k % 2 === 0
        ? { type: "limit" as const, limitPrice: 0.01 }
        : { type: "stop" as const, stopPrice: 90_000 + k };
    desk.submit(termsOf({ ...order, ...terms, id: `resting-${k}`, quantity: 1 }), moment);
  }
  if (position) desk.submit(termsOf({ ...order, id: "entry" }), moment);
  return desk;
}
