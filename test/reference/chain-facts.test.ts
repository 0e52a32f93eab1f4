import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { dayOf } from "../../src/core/market/day.js";
import type { OptionQuote } from "../../src/core/market/option-quote.js";
import { createInstrumentStore } from "../../src/features/instruments/store.js";
import { createChainFacts } from "../../src/features/options/chain-facts.js";
import { identifyUnderlying } from "../../src/features/options/underlyings.js";
import { useOptionDesk } from "../fixtures/option-desk.js";
import { sharedPath } from "../fixtures/shared.js";
import { complete, nseBody } from "./option-files.js";

const derived = sharedPath("data", "reference", "nse-chain-derived.json");
const missing = !complete || derived === null;
const desk = useOptionDesk();

describe.skipIf(missing)("facts of NSE's chain of NIFTY on 2022-03-28", () => {
  it("are the published figures, from the close of the bar in which it was taken", async () => {
    desk.clock.set(Date.parse("2022-04-10T00:00Z"));
    const { symbol, time, spot, source, quotes } = nseBody();
    const legs = quotes.map(
      (quote: Record<string, number & string>): OptionQuote => ({
        expiry: dayOf(quote.expiry),
        strike: quote.strike,
        right: quote.right as "call" | "put",
        last: quote.last,
        bid: quote.bid,
        ask: quote.ask,
        volume: quote.volume,
        openInterest: quote.oi,
        previousOpenInterest: quote.prev_oi,
      }),
    );
    await desk.open().saveRecorded({ symbol, time: Date.parse(time), spot, source, quotes: legs });
    const market = { synthetic: false, replay: null };
    const instrument = await createInstrumentStore(desk.database).save(identifyUnderlying("NIFTY"), market);
    const opens = ["2022-03-28T10:40+05:30", "2022-03-28T10:45+05:30", "2022-03-28T10:50+05:30"];
    const times = Float64Array.from(opens, (text) => Date.parse(text));
    const facts = await createChainFacts(desk).load(instrument, "5m", times);
    const published = JSON.parse(readFileSync(ensure(derived, "not skipped"), "utf8"))[
      "nse-NIFTY-2022-03-28"
    ];
    // It was taken at 10:47.
    for (const column of Object.values(facts)) expect(column[0]).toBeNaN();
    for (const bar of [1, 2]) {
      expect(facts.put_call_ratio?.[bar]).toBeCloseTo(published.pcr_oi_all_expiries, 6);
      expect(facts.max_pain?.[bar]).toBeCloseTo(published.max_pain_nearest / published.underlying, 12);
      const strikesOf = (side: readonly [number, number][], isOn: (strike: number) => boolean) =>
        side.filter(([strike]) => isOn(strike))[0][0];
      const { top5_call_oi: calls, top5_put_oi: puts, underlying } = published;
      const resistance = strikesOf(calls, (strike) => strike >= underlying);
      const support = strikesOf(puts, (strike) => strike <= underlying);
      expect(facts.resistance?.[bar]).toBeCloseTo(resistance / underlying, 12);
      expect(facts.support?.[bar]).toBeCloseTo(support / underlying, 12);
    }
  });
});
