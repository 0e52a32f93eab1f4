import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { DEEP_HEADS, type OpenModel, openArtefact } from "../../src/features/models/artefact.js";
import { candidateOf, exportOf, exportSchema } from "../../src/features/models/exchange.js";
import type { Registry } from "../../src/features/models/registry.js";
import { createModelStore, deepPurpose, type ModelVersion } from "../../src/features/models/store.js";
import { createDeepJob, type DeepInput, type DeepTerms } from "../../src/features/retraining/deep-job.js";
import { HEAD } from "../../src/features/retraining/lots.js";
import { createTryJob } from "../../src/features/retraining/try-job.js";
import { createLeases } from "../../src/platform/lease.js";
import { jobContext } from "../fixtures/backtests.js";
import { useDatabase } from "../fixtures/database.js";
import { deepVersion, drawnModel, QUICK } from "../fixtures/deep-models.js";
import { codeOf } from "../fixtures/error-code.js";
import { createTestRegistry, PASSED } from "../fixtures/models.js";
import { createTestWorkers } from "../fixtures/workers.js";

const MARKET = { synthetic: true, replay: null };
const NET: DeepInput = { learners: ["sequence_net"] };
const PURPOSE = deepPurpose("sequence_net");
const TRAINED = { actor: "test", reason: "a test", numbers: {}, action: "trained" as const };
const BY = { actor: "ann", reason: "it lost", numbers: {} };
/** Of more windows and passes than the usual ones of tests. */
const LONGER: DeepTerms = { ...QUICK, net: { ...QUICK.net, windows: 1_200, epochs: 4 } };

const database = useDatabase();
const workers = createTestWorkers();
let registry: Registry<OpenModel>;

afterAll(() => workers.close());
beforeEach(async () => {
  await database().query("truncate models, model_audits, leases restart identity cascade");
  registry = createTestRegistry(database(), MARKET, openArtefact);
  await registry.refresh();
});

const store = () => createModelStore(database(), MARKET);
const standing = async () =>
  (await registry.list(PURPOSE, 9)).map(({ version, status }) => `${version} ${status}`);

interface Change {
  readonly owner?: string;
  readonly enter?: Registry<OpenModel>["enter"];
}

function jobOf(terms: DeepTerms = QUICK, { owner = "one", enter = registry.enter }: Change = {}) {
  return createDeepJob({
    registry: { ...registry, enter },
    leases: createLeases(database(), owner),
    series: { loadSeries: async () => [] },
    read: () => Promise.reject(new Error("nothing is stored")),
    ...{ workers, terms, synthetic: true },
  });
}

/** Enters a net that learned nothing, as somebody else does meanwhile. */
async function enterOther(seed: number): Promise<ModelVersion> {
  const other = createTestRegistry(database(), MARKET, openArtefact);
  const [active] = await other.list({ ...PURPOSE, status: "active" }, 1);
  const model = deepVersion("sequence_net", drawnModel("sequence_net", seed));
  return other.enter(model, PASSED, TRAINED, { active: active?.id ?? null, with: null });
}

async function exported(version: ModelVersion) {
  const artefact = (await store().artefact(version.id)) ?? new Uint8Array();
  const file = exportOf({ ...version, version: "1.0.0" }, artefact);
  return candidateOf(exportSchema.parse(JSON.parse(JSON.stringify(file))), HEAD);
}

const tried = ({ id }: ModelVersion, parts: object = { registry }) =>
  createTryJob({ store: store(), workers, terms: QUICK, ...parts } as unknown as Parameters<
    typeof createTryJob
  >[0]).run({ model_id: id }, jobContext(9));

describe("trainings of nets and agents", { timeout: 120_000 }, () => {
  it("are one at a time, over processes too", async () => {
    const all = [jobOf(), jobOf(QUICK, { owner: "two" })].map((job, k) => job.run(NET, jobContext(k + 1)));
    const ended = await Promise.allSettled(all);
    expect(ended.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    for (const each of ended)
      if (each.status === "rejected") expect(each.reason).toMatchObject({ code: "overloaded" });
    expect(await standing()).toEqual(["1.0.0 active"]);
    // What waited finds nothing new, and no version comes of it.
    const { trained, skipped } = await jobOf(QUICK, { owner: "two" }).run(NET, jobContext(3));
    expect(trained).toEqual([]);
    expect(skipped).toMatchObject(
      [{ learner: "sequence_net", reason: /nothing new.*1\.0\.0/ }].map(matching),
    );
    expect(await standing()).toEqual(["1.0.0 active"]);
  });

  it("make no version of the bytes that are active, whatever those say that they were learned from", async () => {
    await jobOf().run(NET, jobContext(1));
    const [version] = await registry.list(PURPOSE, 1);
    const artefact = (await store().artefact(version.id)) ?? new Uint8Array();
    await database().query("truncate models, model_audits restart identity cascade");
    await registry.enter({ ...version, artefact, dataHash: "0".repeat(64), jobId: null }, PASSED, TRAINED);
    const { trained, skipped } = await jobOf().run(NET, jobContext(2));
    expect([trained, skipped.map(({ reason }) => reason)]).toEqual([
      [],
      ["nothing new: the same bytes gave version 1.0.0, which is active"],
    ]);
    expect(await standing()).toEqual(["1.0.0 active"]);
  });

  it("are compared anew with what became active while they ran, and tell of no other comparison", async () => {
    let [first, others] = [true, 0];
    const enter: typeof registry.enter = async (...given) => {
      if (first) await enterOther(++others);
      first = false;
      return registry.enter(...given);
    };
    const { trained } = await jobOf(LONGER, { enter }).run(NET, jobContext(1));
    expect(trained).toMatchObject([{ version: "1.1.0", status: "active", refused_by: null }]);
    const gain = trained[0].checks.find(({ rule }) => rule === "not_worse_than_active");
    expect(gain?.value).toBeGreaterThan(0.1);
    const { card, id } = (await registry.list(PURPOSE, 1))[0];
    expect(card.verdict).toMatchObject({ promoted: true, checks: trained[0].checks });
    const [promoted] = await store().audits({ modelId: id }, 1);
    expect(promoted).toMatchObject({
      action: "promoted",
      reason: "all rules of promotion passed; not worse than 1.0.0",
      numbers: { checks: trained[0].checks },
    });
    expect(await standing()).toEqual(["1.1.0 active", "1.0.0 retired"]);
  });

  it("enter nothing where another becomes active each time, and worse ones are refused by the second look", async () => {
    let others = 0;
    const always: typeof registry.enter = async (...given) => {
      await enterOther(++others);
      return registry.enter(...given);
    };
    expect(await codeOf(jobOf(QUICK, { enter: always }).run(NET, jobContext(1)))).toBe("conflict");
    expect(others).toBe(3);
    expect(await standing()).toEqual(["1.2.0 active", "1.1.0 retired", "1.0.0 retired"]);
    await jobOf(LONGER).run(NET, jobContext(2));
    const [better] = await registry.list(PURPOSE, 1);
    expect(better).toMatchObject({ version: "1.3.0", status: "active" });
    await registry.rollBack(PURPOSE, BY, better.id);
    let first = true;
    const enter: typeof registry.enter = async (...given) => {
      if (first) await registry.promote(PURPOSE, "1.3.0", BY, { force: true });
      first = false;
      return registry.enter(...given);
    };
    const { trained } = await jobOf(QUICK, { enter }).run(NET, jobContext(3));
    expect(trained).toMatchObject([{ status: "refused", refused_by: "not_worse_than_active" }]);
    expect(registry.serving(PURPOSE)?.version.version).toBe("1.3.0");
  });

  it("take the place of one that reads other columns, and do not say that they were compared with it", async () => {
    const model = deepVersion("sequence_net", drawnModel("sequence_net", 1));
    await registry.enter({ ...model, featureSchema: "00000000" }, PASSED, TRAINED);
    await jobOf().run(NET, jobContext(1));
    expect(await standing()).toEqual(["2.0.0 active", "1.0.0 retired"]);
    const [{ reason }] = await store().audits({ modelId: 2 }, 1);
    expect(reason).toBe("all rules of promotion passed; not compared with 1.0.0");
    expect((await registry.list(PURPOSE, 1))[0]).toMatchObject(DEEP_HEADS.sequence_net);
  });
});

describe("bytes that were taken back", { timeout: 120_000 }, () => {
  it("are refused when they are trained again, and when they come as a file, by the reason of that", async () => {
    await jobOf().run(NET, jobContext(1));
    const [version] = await registry.list(PURPOSE, 1);
    const waiting = await registry.admit(await exported(version), { ...TRAINED, action: "imported" });
    await registry.rollBack(version, BY);
    const { trained } = await jobOf().run(NET, jobContext(2));
    expect(trained).toMatchObject([{ status: "refused", refused_by: "taken_back_before" }]);
    expect(await tried(waiting)).toMatchObject({ status: "refused", refused_by: "taken_back_before" });
    const [audit] = await store().audits({ modelId: waiting.id }, 1);
    expect(audit.reason).toBe("the same bytes were taken back as version 1.0.0: it lost");
    expect(registry.serving(PURPOSE)).toBeNull();
    expect(await standing()).toEqual(["1.2.0 refused", "1.1.0 refused", "1.0.0 retired"]);
    for (const each of ["1.0.0", "1.1.0"])
      await expect(registry.promote(PURPOSE, each, BY)).rejects.toThrow(
        /taken back as version 1\.0\.0: it lost/,
      );
  });

  it("serve again where an admin says so by force, which the audit tells, and then as every other", async () => {
    const version = await enterOther(1);
    await registry.rollBack(version, BY);
    expect(await codeOf(registry.promote(PURPOSE, "1.0.0", BY))).toBe("promotion_refused");
    await registry.promote(PURPOSE, "1.0.0", { ...BY, reason: "it did not" }, { force: true });
    const [audit] = await store().audits({ modelId: version.id }, 1);
    expect(audit).toMatchObject({ action: "promoted", reason: "it did not" });
    expect(audit.numbers.although).toMatch(/taken back as version 1\.0\.0: it lost/);
    expect(await store().takenBack(version)).toBeNull();
    const second = await enterOther(2);
    expect((await registry.rollBack(PURPOSE, BY, second.id))?.version).toBe("1.0.0");
  });

  it("do not serve as the version before, either", async () => {
    await enterOther(1);
    const twin = await enterOther(1);
    expect(await standing()).toEqual(["1.1.0 active", "1.0.0 retired"]);
    expect(await registry.rollBack(PURPOSE, BY, twin.id)).toBeNull();
    const third = await enterOther(3);
    expect(await registry.rollBack(PURPOSE, BY, third.id)).toBeNull();
    expect(registry.serving(PURPOSE)).toBeNull();
  });
});

describe("a net from elsewhere", { timeout: 60_000 }, () => {
  it("is compared anew with what became active while it was tried", async () => {
    await jobOf(LONGER).run(NET, jobContext(1));
    const [version] = await registry.list(PURPOSE, 1);
    const file = await exported(version);
    await database().query("truncate models, model_audits restart identity cascade");
    await registry.refresh();
    const candidate = await registry.admit(file, { ...TRAINED, action: "imported" });
    let first = true;
    const judge: typeof registry.judge = async (...given) => {
      if (first) await enterOther(5);
      first = false;
      return registry.judge(...given);
    };
    const found = await tried(candidate, { registry: { ...registry, judge } });
    expect(found).toMatchObject({ status: "active", refused_by: null });
    expect(found.checks.find(({ rule }) => rule === "not_worse_than_active")?.value).toBeGreaterThan(0.1);
    expect(await standing()).toEqual(["1.1.0 retired", "1.0.0 active"]);
  });
});

function matching<T extends { readonly reason: RegExp }>(row: T) {
  return { ...row, reason: expect.stringMatching(row.reason) };
}
