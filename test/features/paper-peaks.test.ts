import { beforeEach, describe, expect, it } from "vitest";
import { cashRules } from "../../src/core/execution/account.js";
import { peakAsFar } from "../../src/features/paper-trades/account-standing.js";
import type { Ledger } from "../../src/features/paper-trades/ledger.js";
import type { LedgerStore } from "../../src/features/paper-trades/store.js";
import { AppError } from "../../src/platform/errors.js";
import { useDatabase } from "../fixtures/database.js";
import { openAccount, START, startDesk } from "../fixtures/written-market.js";

const DAY = 86_400_000;
/** Midnight in New York. */
const BEGIN = Date.UTC(2024, 6, 9, 4);

const database = useDatabase();
let store: LedgerStore;
let first: Ledger;
let second: Ledger;

beforeEach(() => {
  ({ store, ledger: first } = startDesk(database()));
  ({ ledger: second } = startDesk(database()));
});

const open = () => openAccount({ store, ledger: first }, cashRules("USD"), 100);
const note = (ledger: Ledger, id: string, at: number, micros: number) =>
  ledger.act(id, { run: (_desk, { peaks }) => peaks.note(at, micros) });
const seen = (ledger: Ledger, id: string, since = BEGIN) =>
  ledger.look(id, (_desk, { peaks }) => peaks.since(since));
const kept = async (id: string) => (await store.find(id))?.peak;

describe("the peak of an account in several processes", () => {
  it("is the highest that any of them saw in the newest day", async () => {
    const id = await open();
    expect(await seen(second, id)).toBe(Number.NEGATIVE_INFINITY);
    await note(first, id, START, 120_000_000);
    expect(await kept(id)).toEqual({ startMs: BEGIN, micros: 120_000_000 });
    expect(await seen(second, id)).toBe(120_000_000);
    await note(second, id, START + 1, 130_000_000);
    await note(first, id, START + 2, 125_000_000);
    expect(await kept(id)).toEqual({ startMs: BEGIN, micros: 130_000_000 });
    expect(await seen(first, id)).toBe(130_000_000);
    // A day later there is another, and what is told late of the day before is none of it.
    await note(second, id, START + DAY, 90_000_000);
    await note(first, id, START + 3, 140_000_000);
    expect(await kept(id)).toEqual({ startMs: BEGIN + DAY, micros: 90_000_000 });
    for (const ledger of [first, second]) {
      expect(await seen(ledger, id, BEGIN + DAY)).toBe(90_000_000);
      expect(await seen(ledger, id, BEGIN + 2 * DAY)).toBe(Number.NEGATIVE_INFINITY);
    }
    expect(await first.verify(id)).toEqual([]);
  });

  it("is written where the work that saw it is refused, which is done once however often it is begun", async () => {
    const id = await open();
    await seen(second, id);
    // The other one writes meanwhile, so that the first comes too late.
    await first.act(id, { run: (desk) => desk.transfer(1, START) });
    let begun = 0;
    const work = second.act(id, {
      run(_desk, { peaks }) {
        peaks.note(START, 110_000_000);
        if (++begun === 1) throw new AppError("order_refused", "as of before");
      },
    });
    expect(await work).toBeUndefined();
    expect(begun).toBe(2);
    const refused = second.act(id, {
      run(_desk, { peaks }) {
        peaks.note(START, 115_000_000);
        throw new AppError("order_refused", "always");
      },
    });
    await expect(refused).rejects.toMatchObject({ code: "order_refused" });
    expect(await kept(id)).toEqual({ startMs: BEGIN, micros: 115_000_000 });
  });
});

describe("the peak of an account that is opened in another's stead", () => {
  it("is as far above its money, also where nothing was left", () => {
    const standing = { equity: 80, peak: 100, loss: 20, drawdown: 20 };
    const micros = (change: object, cash = 1_000) =>
      peakAsFar({ ...standing, ...change }, cash, BEGIN).micros;
    expect(micros({})).toBe(1_250_000_000);
    expect(micros({ equity: 100 })).toBe(1_000_000_000);
    expect(micros({ equity: 0 })).toBe(100_000_000_000);
    expect(micros({ equity: -5 })).toBe(100_000_000_000);
    expect(micros({ peak: 0, equity: 0 })).toBe(1_000_000_000);
    expect(micros({ equity: 0 }, 1e9)).toBe(Number.MAX_SAFE_INTEGER);
  });
});
