import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { zoneOf } from "../../src/core/market/zone.js";
import { isQuiet, nextClockTime, quietUntil } from "../../src/core/rules/quiet.js";
import {
  type Firing,
  FREQUENCIES,
  NEW_TRIGGER,
  type Observation,
  stepTrigger,
  TRIGGER_GATES,
  type TriggerStep,
  type TriggerTerms,
} from "../../src/core/rules/trigger.js";

const PLAIN: TriggerTerms = {
  frequency: "every_time",
  cooldownMs: 0,
  expiresAt: null,
  quiet: null,
  digest: null,
};
const NEW_YORK = zoneOf("America/New_York");
const at = (text: string) => Date.parse(text);

/** Each observation with what came of it; verdicts `1`, `0`, `?` at instants 1, 2, ... of bars of so many observations. */
function walk(seen: readonly Observation[], terms: TriggerTerms): TriggerStep[] {
  let state = NEW_TRIGGER;
  return seen.map((each) => {
    const step = stepTrigger(terms, state, each);
    state = step.state;
    return step;
  });
}

function seenOf(verdicts: string, rearms: string | null = null, perBar = 1): Observation[] {
  const value = (sign: string) => (sign === "?" ? -1 : Number(sign));
  return [...verdicts].map((sign, i) => ({
    verdict: value(sign),
    rearm: rearms === null ? null : value(rearms[i]),
    bar: Math.floor(i / perBar),
    at: i + 1,
    now: i + 1,
  }));
}

function fired(
  verdicts: string,
  change: Partial<TriggerTerms> = {},
  rearms?: string,
  perBar?: number,
): string {
  return walk(seenOf(verdicts, rearms, perBar), { ...PLAIN, ...change })
    .map(({ firing, suppressed }) => (firing !== null ? "!" : suppressed === null ? "." : suppressed[0]))
    .join("");
}

describe("a trigger", () => {
  it("fires at edges alone, and takes what is unknown for nothing", () => {
    expect(fired("0110100")).toBe(".!..!..");
    expect(fired("0?1?1?01")).toBe("..!....!");
    expect(fired("11101")).toBe("....!");
    expect(fired("??1101")).toBe(".....!");
  });

  it("fires once, once a bar, or each time", () => {
    expect(fired("01010101", { frequency: "once" })).toBe(".!......");
    expect(fired("01010101", { frequency: "once_per_bar" }, undefined, 4)).toBe(".!.b.!.b");
    expect(fired("01010101", {}, undefined, 4)).toBe(".!.!.!.!");
    const ordinals = walk(seenOf("01010101", null, 4), PLAIN).flatMap(({ firing }) => firing?.ordinal ?? []);
    expect(ordinals).toEqual([0, 1, 0, 1]);
  });

  it("with a level to arm it again waits for that", () => {
    expect(fired("010101", {}, "000010")).toBe(".!...!");
    expect(fired("01010011", {}, "0000100?")).toBe(".!....!.");
  });

  it("rests after a firing, and does not fire late", () => {
    expect(fired("010101", { cooldownMs: 3 })).toBe(".!.c.!");
    expect(fired("0101111", { cooldownMs: 3 })).toBe(".!.c...");
  });

  it("ends", () => {
    expect(fired("010101", { expiresAt: 5 })).toBe(".!.!..");
    expect(fired("010011", { expiresAt: 5 })).toBe(".!..e.");
  });

  it("drops or holds what falls into quiet hours", () => {
    const quiet = { zone: zoneOf("UTC"), from: 0, until: 1, policy: "drop" } as const;
    expect(fired("0101", { quiet })).toBe(".q.q");
    const [, held] = walk(seenOf("01"), { ...PLAIN, quiet: { ...quiet, policy: "hold" } });
    expect(held.firing).toEqual({ bar: 1, ordinal: 0, at: 2, dueAt: 60_000 });
    const digest = { zone: quiet.zone, minute: 9 * 60 };
    const [, digested] = walk(seenOf("01"), { ...PLAIN, digest });
    expect(digested.firing?.dueAt).toBe(9 * 3_600_000);
  });

  it.each(["hold", "drop"] as const)(
    "tells a digest that lies in quiet hours (%s) when they are over",
    (policy) => {
      const zone = zoneOf("UTC");
      const hour = 3_600_000;
      const due = (digestAt: number, now: number, from: number, until: number) => {
        const quiet = { zone, from: from * 60, until: until * 60, policy };
        const seen = seenOf("01").map((each) => ({ ...each, now: now * hour }));
        const [, step] = walk(seen, { ...PLAIN, quiet, digest: { zone, minute: digestAt * 60 } });
        return (step.firing?.dueAt ?? Number.NaN) / hour;
      };
      expect(due(23, 12, 22, 7)).toBe(24 + 7);
      expect(due(3, 12, 22, 7)).toBe(24 + 7);
      expect(due(7, 12, 22, 7)).toBe(24 + 7);
      expect(due(18, 12, 22, 7)).toBe(18);
      expect(due(14, 12, 13, 15)).toBe(15);
      if (policy === "hold") expect(due(5, 23, 22, 7)).toBe(24 + 7);
    },
  );

  it("that fires once, and whose condition holds as it begins to look, waits for what arms it", () => {
    expect(fired("11011", { frequency: "once" })).toBe("...!.");
    expect(fired("11011", { frequency: "once" }, "00000")).toBe(".....");
    expect(fired("1101101", { frequency: "once" }, "0000010")).toBe("......!");
  });
});

const observations = fc
  .array(
    fc.record({
      verdict: fc.constantFrom(1, 0, -1),
      rearm: fc.constantFrom(1, 0, -1),
      gap: fc.integer({ min: 1, max: 4 }),
      newBar: fc.boolean(),
    }),
    { maxLength: 60 },
  )
  .map((list) => {
    let [time, bar] = [0, 0];
    return list.map(({ verdict, rearm, gap, newBar }) => {
      time += gap;
      if (newBar) bar = time;
      return { verdict, rearm, bar, at: time, now: time };
    });
  });
const terms = fc.record({
  frequency: fc.constantFrom(...FREQUENCIES),
  cooldownMs: fc.constantFrom(0, 3, 10),
  expiresAt: fc.constantFrom(null, 40),
  quiet: fc.constant(null),
  digest: fc.constant(null),
});
const steps = fc.tuple(observations, terms, fc.boolean()).map(([seen, given, hasRearm]) => {
  const list = seen.map((each) => (hasRearm ? each : { ...each, rearm: null }));
  return { list, given, made: walk(list, given) };
});
const firingsOf = (made: readonly TriggerStep[]) => made.map(({ firing }) => firing);

describe("of any observations", () => {
  it("a level held never fires twice: between two firings it was over, or armed again by its own condition", () => {
    fc.assert(
      fc.property(steps, ({ list, made }) => {
        let last: number | null = null;
        firingsOf(made).forEach((firing, i) => {
          if (firing === null) return;
          expect(list[i].verdict).toBe(1);
          const between = list.slice((last ?? -1) + 1, i);
          expect(between.some(({ verdict, rearm }) => (rearm === null ? verdict === 0 : verdict !== 1))).toBe(
            true,
          );
          if (last !== null) {
            expect(between.some(({ verdict, rearm }) => (rearm === null ? verdict === 0 : rearm === 1))).toBe(
              true,
            );
          }
          last = i;
        });
      }),
      { numRuns: 2_000 },
    );
  });

  it("firings keep the cool-down, the frequency and the end", () => {
    fc.assert(
      fc.property(steps, ({ given, made }) => {
        const firings = firingsOf(made).filter((each): each is Firing => each !== null);
        for (const [i, { at: time, bar }] of firings.entries()) {
          if (given.expiresAt !== null) expect(time).toBeLessThan(given.expiresAt);
          if (i === 0) continue;
          expect(given.frequency).not.toBe("once");
          expect(time - firings[i - 1].at).toBeGreaterThanOrEqual(given.cooldownMs);
          if (given.frequency === "once_per_bar") expect(bar).toBeGreaterThan(firings[i - 1].bar);
        }
        const names = firings.map(({ bar, ordinal }) => `${bar} ${ordinal}`);
        expect(new Set(names).size).toBe(names.length);
      }),
      { numRuns: 2_000 },
    );
  });

  it("gates all pass where it fires, and the first that does not names why it does not", () => {
    const names = {
      cooldown: "cooldown_over",
      bar: "first_of_bar",
      quiet_hours: "not_quiet",
      expired: "not_expired",
    };
    fc.assert(
      fc.property(steps, ({ list, made }) => {
        made.forEach(({ firing, suppressed, gates }, i) => {
          const refusal = gates?.find(({ passed }) => !passed)?.gate ?? null;
          if (firing !== null) expect(refusal).toBe(gates === null ? "missing" : null);
          if (suppressed !== null) expect(refusal).toBe(names[suppressed]);
          if (firing === null && suppressed === null) expect([null, "level_is_new"]).toContain(refusal);
          if (gates === null) return;
          expect(list[i].verdict).toBe(1);
          expect(gates.map(({ gate }) => gate)).toEqual(TRIGGER_GATES.slice(0, gates.length));
        });
      }),
      { numRuns: 1_000 },
    );
  });

  it("those that come again, or late, change nothing", () => {
    fc.assert(
      fc.property(steps, fc.nat(59), ({ list, given, made }, back) => {
        const again = list.flatMap((each, i) => [...list.slice(Math.max(0, i - back), i), each]);
        const firings = firingsOf(walk(again, given)).filter((each) => each !== null);
        expect(firings).toEqual(firingsOf(made).filter((each) => each !== null));
      }),
      { numRuns: 500 },
    );
  });

  it("what is unknown might as well not have been seen", () => {
    fc.assert(
      fc.property(steps, ({ list, given, made }) => {
        if (list.some(({ rearm }) => rearm !== null)) return;
        const known = list.filter(({ verdict }) => verdict !== -1);
        const without = firingsOf(walk(known, given)).filter((each) => each !== null);
        expect(firingsOf(made).filter((each) => each !== null)).toEqual(without);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe("quiet hours", () => {
  const night = { zone: NEW_YORK, from: 22 * 60, until: 7 * 60 };

  it("pass midnight by the clocks of the zone, in summer and winter", () => {
    expect(isQuiet(night, at("2026-01-15T02:59:00Z"))).toBe(false);
    expect(isQuiet(night, at("2026-01-15T03:00:00Z"))).toBe(true);
    expect(isQuiet(night, at("2026-01-15T11:59:59Z"))).toBe(true);
    expect(isQuiet(night, at("2026-01-15T12:00:00Z"))).toBe(false);
    expect(isQuiet(night, at("2026-07-15T02:00:00Z"))).toBe(true);
    expect(quietUntil(night, at("2026-07-15T02:00:00Z"))).toBe(at("2026-07-15T11:00:00Z"));
  });

  it("are an hour shorter or longer in nights in which clocks change", () => {
    expect(quietUntil(night, at("2026-03-08T03:00:00Z"))).toBe(at("2026-03-08T11:00:00Z"));
    expect(quietUntil(night, at("2026-11-01T02:00:00Z"))).toBe(at("2026-11-01T12:00:00Z"));
  });

  it("end when clocks skip their end, and at both times where they show it twice", () => {
    expect(nextClockTime(NEW_YORK, 150, at("2026-03-08T06:00:00Z"))).toBe(at("2026-03-08T07:00:00Z"));
    expect(nextClockTime(NEW_YORK, 90, at("2026-11-01T04:00:00Z"))).toBe(at("2026-11-01T05:30:00Z"));
    expect(nextClockTime(NEW_YORK, 90, at("2026-11-01T05:30:00Z"))).toBe(at("2026-11-01T06:30:00Z"));
    expect(nextClockTime(NEW_YORK, 90, at("2026-11-01T06:30:00Z"))).toBe(at("2026-11-02T06:30:00Z"));
  });

  it("are over when they are said to be, in any zone and at any time", () => {
    const zones = [
      "America/New_York",
      "Europe/Berlin",
      "Asia/Kolkata",
      "Australia/Lord_Howe",
      "America/Havana",
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.nat(1_439),
        fc.nat(1_439),
        fc.integer({ min: at("2025-01-01"), max: at("2028-01-01") }),
        (name, from, until, time) => {
          const hours = { zone: zoneOf(name), from, until };
          if (!isQuiet(hours, time)) return;
          const over = quietUntil(hours, time);
          expect(over).toBeGreaterThan(time);
          expect(over - time).toBeLessThanOrEqual(26 * 3_600_000);
          if (!isQuiet(hours, over)) expect(isQuiet(hours, over - 1)).toBe(true);
        },
      ),
      { numRuns: 3_000 },
    );
  });
});
