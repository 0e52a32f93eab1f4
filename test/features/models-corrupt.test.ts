import pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { createRng, type Rng } from "../../src/core/base/rng.js";
import { WeightsRefused } from "../../src/core/learning/define.js";
import { GROUP_SETTINGS, trainGroupedTrees } from "../../src/core/learning/grouped-trees.js";
import { type LayerVote, stackLayers } from "../../src/core/learning/layer-stack.js";
import { binReference } from "../../src/core/learning/stability.js";
import type { TabularModel } from "../../src/core/learning/tabular.js";
import { LAYERS } from "../../src/core/signals/fuse.js";
import { DEEP_HEADS, openArtefact, packArtefact } from "../../src/features/models/artefact.js";
import { STACK } from "../../src/features/models/layers.js";
import type { NewModel } from "../../src/features/models/store.js";
import type { Database } from "../../src/platform/database.js";
import { sha256 } from "../../src/platform/sha256.js";
import { createTestDatabase, openTestDatabase, type TestDatabase } from "../fixtures/database.js";
import { deepVersion, drawnModel } from "../fixtures/deep-models.js";
import { candidate, createTestRegistry, PASSED } from "../fixtures/models.js";
import { plantedSamples } from "../fixtures/planted-samples.js";

const TRAINED = { actor: "test", reason: "asked for", numbers: {}, action: "trained" as const };

let server: TestDatabase;
let database: Database;
let admin: pg.Client;

beforeAll(async () => {
  server = await createTestDatabase();
  database = await openTestDatabase(server);
  admin = new pg.Client(server.connection);
  await admin.connect();
});
afterAll(async () => {
  await admin.end();
  await database.close();
  await server.drop();
});
beforeEach(() => admin.query("truncate models, model_audits restart identity cascade"));

const open = () => createTestRegistry(database, { synthetic: true, replay: null }, openArtefact);

/** A version of trees that were grown on planted rows. */
function treesOf(seed: number): NewModel {
  const samples = plantedSamples(300, 8, seed);
  const keys = Array.from(samples.labels, () => "");
  const settings = {
    ...GROUP_SETTINGS,
    global: { ...GROUP_SETTINGS.global, rounds: 30 },
  };
  const model: TabularModel = {
    trees: trainGroupedTrees(samples, keys, settings, seed),
    calibrator: { kind: "platt", slope: 0.9, intercept: 0.1 },
    bins: samples.columns.map((column) => binReference(column)),
  };
  const head = { learner: "gradient_trees", featureSchema: "abc", columns: samples.names };
  const artefact = packArtefact(head, { learner: "gradient_trees", model });
  return { ...candidate(1), ...head, artefact, hash: sha256(artefact) };
}

/** Weights of layers that were learned of votes of which two layers tell how they end. */
function stackOf(seed: number): NewModel {
  const rng = createRng(seed);
  const votes = Array.from({ length: 120 }, (_, i): LayerVote => {
    const label = rng.next() < 0.5 ? 1 : 0;
    const value = (telling: number) => telling * (2 * label - 1) + (1 - telling) * (2 * rng.next() - 1);
    const values = { rules: value(0.2), deep: value(0), multi_timeframe: value(0), sentiment: value(0.3) };
    return { values, direction: 1, label, decidedAt: i, settledAt: i + 0.5 };
  });
  const model = ensure(stackLayers(votes.slice(0, 80), votes.slice(80)), "both labels are there");
  const head = { learner: STACK.learner, featureSchema: "layers-1", columns: LAYERS };
  const artefact = packArtefact(head, { learner: "layer_stack", model });
  return { ...candidate(1, STACK), ...head, artefact, hash: sha256(artefact) };
}

const VERSIONS = {
  gradient_trees: [treesOf(1), treesOf(2)],
  sequence_net: [1, 2].map((seed) => deepVersion("sequence_net", drawnModel("sequence_net", seed))),
  q_agent: [1, 2].map((seed) => deepVersion("q_agent", drawnModel("q_agent", seed))),
  layer_stack: [stackOf(1), stackOf(2)],
} as const;
const LEARNERS = Object.keys(VERSIONS) as (keyof typeof VERSIONS)[];

type Json = Record<string, unknown>;
type Spoil = (model: NewModel, rng: Rng) => Uint8Array;

const bytesOf = (file: unknown) => Buffer.from(JSON.stringify(file));
const fileOf = ({ artefact }: NewModel): Json & { weights: Json } =>
  JSON.parse(Buffer.from(artefact).toString("utf8"));

/** Objects and lists within a value, each with the keys of its numbers. */
function holders(value: unknown): { holder: Json; keys: string[] }[] {
  if (typeof value !== "object" || value === null) return [];
  const holder = value as Json;
  const keys = Object.keys(holder).filter((key) => typeof holder[key] === "number");
  return [...(keys.length > 0 ? [{ holder, keys }] : []), ...Object.values(holder).flatMap(holders)];
}

/** Puts something in the place of one number of the weights. */
function replacing(what: unknown): Spoil {
  return (model, rng) => {
    const file = fileOf(model);
    const all = holders(file.weights);
    const { holder, keys } = all[rng.below(all.length)];
    holder[keys[rng.below(keys.length)]] = what;
    return bytesOf(file);
  };
}

const changing =
  (change: (file: Json & { weights: Json }, rng: Rng, model: NewModel) => void): Spoil =>
  (model, rng) => {
    const file = fileOf(model);
    change(file, rng, model);
    return bytesOf(file);
  };

/** Ten ways, of ten places each. Bits are told by the hash alone where a good number stands for another. */
const WAYS: Readonly<Record<string, Spoil>> = {
  "cut off": ({ artefact }, rng) => artefact.subarray(0, rng.below(artefact.length)),
  "a bit flipped": ({ artefact }, rng) => {
    const bytes = Uint8Array.from(artefact);
    bytes[rng.below(bytes.length)] ^= 1 << rng.below(8);
    return bytes;
  },
  "not a number": replacing(Number.NaN),
  "a text for a number": replacing("0.5"),
  "beyond all numbers": (model, rng) => {
    const text = Buffer.from(replacing(424_242)(model, rng)).toString("utf8");
    return Buffer.from(text.replace("424242", "1e999"));
  },
  "a foreign schema": changing((file, rng) => {
    file.feature_schema = rng.below(2 ** 31).toString(16);
  }),
  "another learner": (model, rng) => {
    const others = LEARNERS.filter((learner) => learner !== model.learner);
    return VERSIONS[others[rng.below(others.length)]][rng.below(2)].artefact;
  },
  missing: () => new Uint8Array(0),
  "without a field": changing((file, rng) => {
    const keys = Object.keys(file.weights);
    delete file.weights[keys[rng.below(keys.length)]];
  }),
  "columns in another order": changing((file, rng, { columns }) => {
    const at = rng.below(columns.length - 1);
    const names = [...columns];
    [names[at], names[at + 1]] = [names[at + 1], names[at]];
    file.columns = names;
  }),
};
const PLACES = 10;

/** As a disk would do it, past the trigger. */
async function store(id: number, artefact: Uint8Array) {
  await admin.query("alter table models disable trigger models_fixed");
  await admin.query("update models set artefact = $2 where id = $1", [id, artefact]);
  await admin.query("alter table models enable trigger models_fixed");
}

describe.each(LEARNERS)("a stored artefact of %s", (learner) => {
  const [before, active] = VERSIONS[learner];

  it("is refused in each of a hundred ways, and the version before serves", async () => {
    const registry = open();
    const first = await registry.enter(before, PASSED, TRAINED);
    const compared = { active: first.id, with: null };
    const second = await registry.enter(active, PASSED, TRAINED, compared);
    expect(registry.serving(active)?.version.version).toBe("1.1.0");
    expect(registry.refused()).toEqual([]);
    let refused = 0;
    for (const [name, spoil] of Object.entries(WAYS)) {
      for (let place = 0; place < PLACES; place++) {
        await store(second.id, spoil(active, createRng(7, place)));
        const fresh = open();
        await fresh.refresh();
        expect([name, place, fresh.refused()]).toMatchObject([
          name,
          place,
          [{ version: "1.1.0", servedBy: "1.0.0" }],
        ]);
        const serving = fresh.serving(active);
        expect(serving?.version.version).toBe("1.0.0");
        expect(serving?.opened).toEqual(openArtefact(before, before.artefact));
        refused += fresh.refused().length;
      }
    }
    expect(refused).toBe(100);
    await store(second.id, active.artefact);
    const whole = open();
    await whole.refresh();
    expect(whole.refused()).toEqual([]);
    expect(whole.serving(active)?.version.version).toBe("1.1.0");
  });

  it("is refused by what it says alone, where the hash is of what was spoiled", () => {
    for (const [name, spoil] of Object.entries(WAYS)) {
      if (name === "a bit flipped" && ["gradient_trees", "layer_stack"].includes(learner)) continue;
      for (let place = 0; place < PLACES; place++) {
        const bytes = spoil(active, createRng(8, place));
        expect(() => openArtefact(active, bytes), `${name} ${place}`).toThrow(WeightsRefused);
      }
    }
    expect(openArtefact(active, active.artefact).learner).toBe(learner);
  });
});

it("a net with a parameter that is no number is refused whatever its checksum says", () => {
  const open = drawnModel("sequence_net", 1);
  if (open.learner !== "sequence_net") throw new Error("no net");
  const values = open.model.values.slice();
  values[17] = Number.NaN;
  const head = DEEP_HEADS.sequence_net;
  const bytes = packArtefact(head, { ...open, model: { ...open.model, values } });
  expect(() => openArtefact(head, bytes)).toThrow("a parameter is not finite");
});
