import { beforeEach, describe, expect, it } from "vitest";
import { createRng, type Rng } from "../../src/core/base/rng.js";
import { SAMPLE_NAMES } from "../../src/core/learning/samples.js";
import { createOnlineModels, type OnlineLesson } from "../../src/features/models/online.js";
import type { LabelledSnapshot } from "../../src/features/retraining/label-store.js";
import { teachOnline } from "../../src/features/retraining/teach.js";
import { useDatabase } from "../fixtures/database.js";
import { codeOf } from "../fixtures/error-code.js";
import { silentLog } from "../fixtures/log.js";

const KEY = "equity:1d:all";

const database = useDatabase();

beforeEach(() => database().query("truncate online_models"));

const open = () =>
  createOnlineModels({
    ...{ database: database(), names: SAMPLE_NAMES, now: () => 0, log: silentLog },
    market: { synthetic: true, replay: null },
  });

type Json = Record<string, unknown>;

/** Objects and lists within a value, each with the keys of its numbers. */
function holders(value: unknown): { holder: Json; keys: string[] }[] {
  if (typeof value !== "object" || value === null) return [];
  const holder = value as Json;
  const keys = Object.keys(holder).filter((key) => typeof holder[key] === "number");
  return [...(keys.length > 0 ? [{ holder, keys }] : []), ...Object.values(holder).flatMap(holders)];
}

function replacing(what: (value: number) => unknown) {
  return (state: Json, rng: Rng): unknown => {
    const all = holders(state);
    const { holder, keys } = all[rng.below(all.length)];
    const key = keys[rng.below(keys.length)];
    holder[key] = what(Number(holder[key]));
    return state;
  };
}

const PARTS = ["weights", "fared", "errors"];
const partOf = (state: Json, rng: Rng) => state[PARTS[rng.below(3)]] as Json;

/** Ten ways, of ten places each. */
const WAYS: Readonly<Record<string, (state: Json, rng: Rng) => unknown>> = {
  "a text for a number": replacing(() => "x"),
  "a number as a text": replacing(String),
  "null for a number": replacing(() => null),
  "another number": replacing((value) => value + 1),
  "the smallest other number": replacing((value) => value + Math.max(Math.abs(value) * 2 ** -52, 2 ** -1074)),
  "without a part": (state, rng) => {
    delete state[Object.keys(state)[rng.below(4)]];
    return state;
  },
  "without a field of a part": (state, rng) => {
    const part = partOf(state, rng);
    delete part[Object.keys(part)[rng.below(Object.keys(part).length)]];
    return state;
  },
  "a part of another": (state, rng) => ({
    ...state,
    weights: state[["fared", "errors", "drifts"][rng.below(3)]],
  }),
  "cut off": (state, rng) => JSON.stringify(state).slice(0, rng.below(200)),
  "another value": (_, rng) => [null, [], {}, 1, "state"][rng.below(5)],
};

const lesson = (i: number, outcome: number | null): OnlineLesson => ({
  row: Float64Array.from(SAMPLE_NAMES, (_, k) => Math.sin(i + k)),
  label: i % 3 === 0 ? 1 : 0,
  outcome,
});
const stored = async () =>
  (await database().query<{ state: Json; samples: number }>("select state, samples from online_models"))[0];
const spoil = (state: unknown) =>
  database().query("update online_models set state = $1::jsonb", [JSON.stringify(state)]);

describe("a stored state of an online model", () => {
  it("is refused in each of a hundred ways, and kept as it is", async () => {
    await open().learn(
      KEY,
      Array.from({ length: 40 }, (_, i) => lesson(i, i + 1)),
    );
    const { state } = await stored();
    let refused = 0;
    for (const [name, change] of Object.entries(WAYS)) {
      for (let place = 0; place < 10; place++) {
        await spoil(change(structuredClone(state), createRng(5, place)));
        const before = await stored();
        const online = open();
        expect(await codeOf(online.predict(KEY, lesson(1, null).row)), `${name} ${place}`).toBe(
          "model_refused",
        );
        expect(await codeOf(online.learn(KEY, [lesson(1, null)]))).toBe("model_refused");
        expect(await online.status()).toEqual([]);
        expect(await stored()).toEqual(before);
        refused += online.refused().filter(({ key, reason }) => key === KEY && reason !== "").length;
      }
    }
    expect(refused).toBe(100);
    await spoil(state);
    const whole = open();
    expect((await whole.predict(KEY, lesson(1, null).row)).samples).toBe(40);
    expect(whole.refused()).toEqual([]);
    expect((await whole.learn(KEY, [lesson(40, 41)])).samples).toBe(41);
  });

  it("is taught what it missed once it can be read again, and others are taught meanwhile", async () => {
    const rows = Array.from({ length: 60 }, (_, i): LabelledSnapshot => {
      const { row, label } = lesson(i, null);
      const moment = {
        assetClass: "equity",
        interval: "1d",
        regime: "ranging",
        pattern: "p",
        direction: 1 as const,
      };
      const times = { decidedAt: i, settledAt: i, source: "settled" };
      return { ...moment, ...times, outcome: i + 1, snapshotId: i, values: [...row], label };
    });
    let known = 20;
    const labels = {
      after: async (outcome: number, _: string, limit: number) =>
        rows.filter((row) => row.outcome > outcome && row.outcome <= known).slice(0, limit),
    };
    const teach = (since: { newest: number; held: readonly string[] }) =>
      teachOnline(open(), labels, since, new AbortController().signal);
    const counts = async () => (await open().status()).map(({ key, samples }) => [key, samples]);
    const first = await teach({ newest: 0, held: [] });
    expect(first).toEqual({ taught: 20, newest: 20, held: [] });
    const [{ state }] = await database().query<{ state: Json }>(
      "select state from online_models where key = $1",
      [KEY],
    );
    await database().query(
      `update online_models set state = jsonb_set(state, '{weights,pulls,0}', '"x"') where key = $1`,
      [KEY],
    );
    known = 40;
    const second = await teach(first);
    expect(second).toEqual({ taught: 20, newest: 40, held: [KEY] });
    expect(await teach(second)).toEqual({ taught: 0, newest: 40, held: [KEY] });
    expect(await counts()).toEqual([["equity:1d:ranging", 40]]);
    await database().query("update online_models set state = $1::jsonb where key = $2", [
      JSON.stringify(state),
      KEY,
    ]);
    known = 60;
    expect(await teach(second)).toEqual({ taught: 20, newest: 60, held: [] });
    expect(await counts()).toEqual([
      [KEY, 60],
      ["equity:1d:ranging", 60],
    ]);
  });
});
