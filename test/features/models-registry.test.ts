import pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Registry } from "../../src/features/models/registry.js";
import { createModelStore, type ModelStore } from "../../src/features/models/store.js";
import type { Database } from "../../src/platform/database.js";
import { AppError } from "../../src/platform/errors.js";
import { createTestDatabase, openTestDatabase, type TestDatabase } from "../fixtures/database.js";
import { codeOf } from "../fixtures/error-code.js";
import { eventually, expectNothingUnhandled } from "../fixtures/faults.js";
import {
  createFaultyDatabase,
  cutConnections,
  FAULTS,
  type FaultyDatabase,
} from "../fixtures/faulty-database.js";
import { candidate, createNumberRegistry, PASSED, PURPOSE, REFUSED } from "../fixtures/models.js";

expectNothingUnhandled();

const BY = { actor: "test", reason: "asked for", numbers: {} };
const TRAINED = { ...BY, action: "trained" as const };

let server: TestDatabase;
let database: Database;
let faulty: FaultyDatabase;
let admin: pg.Client;
let registry: Registry<number>;
let store: ModelStore;

beforeAll(async () => {
  server = await createTestDatabase();
  database = await openTestDatabase(server);
  admin = new pg.Client(server.connection);
  await admin.connect();
  faulty = createFaultyDatabase(database, () => cutConnections(admin));
  store = createModelStore(database, { synthetic: true, replay: null });
});

afterAll(async () => {
  await admin.end();
  await database.close();
  await server.drop();
});

beforeEach(async () => {
  await answering();
  await admin.query("truncate models, model_audits restart identity cascade");
  registry = createNumberRegistry(database);
});

/** Connections that were cut are made anew. */
async function answering(): Promise<void> {
  await eventually("the database answers", async () => {
    try {
      return (await database.query("select 1")).length === 1;
    } catch (error) {
      if (error instanceof AppError && error.code === "database_unavailable") return false;
      throw error;
    }
  });
}

const standing = async () =>
  (await admin.query("select version, status from models order by id")).rows.map(
    ({ version, status }) => `${version} ${status}`,
  );

describe("versions of a model", () => {
  it("goes through shadow to active where none is, with a row for each step", async () => {
    const version = await registry.enter(candidate(1), PASSED, TRAINED);
    expect(version).toMatchObject({ version: "1.0.0", status: "active" });
    expect(registry.serving(PURPOSE)).toMatchObject({ opened: 1, version: { version: "1.0.0" } });
    const audits = await store.audits({ modelId: version.id }, 10);
    expect(audits.map(({ action, from, to }) => [action, from, to])).toEqual([
      ["promoted", "shadow", "active"],
      ["shadowed", "candidate", "shadow"],
      ["trained", null, "candidate"],
    ]);
    expect(audits[0].numbers).toEqual({ checks: PASSED.checks });
    const events = await admin.query("select payload from events where topic = 'models'");
    expect(events.rows.at(-1)?.payload).toMatchObject({ kind: "promoted", model: { version: "1.0.0" } });
  });

  it("stays a shadow beside an active one until it is promoted", async () => {
    await registry.enter(candidate(1), PASSED, TRAINED);
    expect((await registry.enter(candidate(2), PASSED, TRAINED)).status).toBe("shadow");
    expect(registry.serving(PURPOSE)?.opened).toBe(1);
    expect(registry.shadows().map(({ opened }) => opened)).toEqual([2]);
    await registry.promote(PURPOSE, "1.1.0", BY);
    expect(registry.serving(PURPOSE)?.opened).toBe(2);
    expect(await standing()).toEqual(["1.0.0 retired", "1.1.0 active"]);
  });

  it("is found by a version in the place of its purpose, whatever the status of that one was", async () => {
    const first = await registry.enter(candidate(1), PASSED, TRAINED);
    await registry.enter(candidate(2), PASSED, TRAINED);
    await registry.promote(first, "1.1.0", BY);
    expect(await standing()).toEqual(["1.0.0 retired", "1.1.0 active"]);
  });

  it("is refused by name of the rule, and cannot be promoted then", async () => {
    const version = await registry.enter(candidate(1), REFUSED, TRAINED);
    expect(version.status).toBe("refused");
    const [audit] = await store.audits({ modelId: version.id }, 1);
    expect(audit).toMatchObject({ action: "refused", reason: "rule auc_above_least" });
    expect(await codeOf(registry.promote(PURPOSE, "1.0.0", BY))).toBe("promotion_refused");
    expect(await codeOf(registry.promote(PURPOSE, "9.0.0", BY))).toBe("model_not_found");
    expect(registry.serving(PURPOSE)).toBeNull();
  });

  it("counts the first number on with the features", async () => {
    await registry.enter(candidate(1), PASSED, TRAINED);
    await registry.enter({ ...candidate(2), featureSchema: "other" }, REFUSED, TRAINED);
    expect(await standing()).toEqual(["1.0.0 active", "2.0.0 refused"]);
  });

  it("rolls back to the version before, never to one that was rolled back", async () => {
    for (const value of [1, 2, 3]) {
      const { version, status } = await registry.enter(candidate(value), PASSED, TRAINED);
      if (status === "shadow") await registry.promote(PURPOSE, version, BY);
    }
    expect((await registry.rollBack(PURPOSE, BY))?.version).toBe("1.1.0");
    expect(registry.serving(PURPOSE)?.opened).toBe(2);
    expect((await registry.rollBack(PURPOSE, BY))?.version).toBe("1.0.0");
    expect(await registry.rollBack(PURPOSE, BY)).toBeNull();
    expect(registry.serving(PURPOSE)).toBeNull();
    expect(await codeOf(registry.rollBack(PURPOSE, BY))).toBe("model_not_found");
  });

  it("is promoted once by many who ask for it at once, with no word of itself in its place", async () => {
    await registry.enter(candidate(1), PASSED, TRAINED);
    const shadow = await registry.enter(candidate(2), PASSED, TRAINED);
    const second = createNumberRegistry(database);
    const asked = [registry, second, registry, second, registry];
    const answers = await Promise.all(asked.map((each) => each.promote(PURPOSE, "1.1.0", BY)));
    expect(answers.map(({ version, status }) => `${version} ${status}`)).toEqual(
      asked.map(() => "1.1.0 active"),
    );
    const audits = await store.audits({ modelId: shadow.id }, 20);
    expect(audits.map(({ action }) => action)).toEqual(["promoted", "shadowed", "trained"]);
  });

  it("is taken back once by two who ask for it at once, and the other is told", async () => {
    for (const value of [1, 2, 3]) {
      const { version, status } = await registry.enter(candidate(value), PASSED, TRAINED);
      if (status === "shadow") await registry.promote(PURPOSE, version, BY);
    }
    const held = new pg.Client(server.connection);
    await held.connect();
    await held.query("begin");
    const { learner, assetClass, interval, grouping } = PURPOSE;
    const key = [true, "", learner, assetClass, interval, grouping].join("|");
    await held.query("select pg_advisory_xact_lock(hashtextextended($1, 8))", [key]);
    const asked = Promise.allSettled([registry, registry].map((each) => each.rollBack(PURPOSE, BY)));
    await eventually("both wait for the lock", async () => {
      const { rows } = await admin.query(
        "select count(*)::int as n from pg_locks where locktype = 'advisory' and not granted",
      );
      return rows[0].n === 2;
    });
    await held.query("commit");
    await held.end();
    const answers = await asked;
    expect(answers.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    for (const answer of answers)
      if (answer.status === "rejected") expect(answer.reason).toMatchObject({ code: "conflict" });
    expect(await standing()).toEqual(["1.0.0 retired", "1.1.0 active", "1.2.0 retired"]);
  });

  it("is taken back, or replaced, only while it is the one that was judged", async () => {
    const first = await registry.enter(candidate(1), PASSED, TRAINED);
    const second = await registry.enter(candidate(2), PASSED, TRAINED);
    await registry.enter(candidate(3), PASSED, TRAINED);
    expect(await codeOf(registry.promote(PURPOSE, "1.1.0", BY, { against: null }))).toBe("conflict");
    await registry.promote(PURPOSE, "1.1.0", BY, { against: first.id });
    expect(await codeOf(registry.rollBack(PURPOSE, BY, first.id))).toBe("conflict");
    expect(await codeOf(registry.promote(PURPOSE, "1.2.0", BY, { against: first.id }))).toBe("conflict");
    expect(await standing()).toEqual(["1.0.0 retired", "1.1.0 active", "1.2.0 shadow"]);
    expect((await registry.rollBack(PURPOSE, BY, second.id))?.version).toBe("1.0.0");
    await registry.rollBack(PURPOSE, BY, first.id);
    expect(await codeOf(registry.rollBack(PURPOSE, BY, first.id))).toBe("model_not_found");
  });

  it("stays taken back once it was, until it is tried anew", async () => {
    await registry.enter(candidate(1), PASSED, TRAINED);
    await registry.enter(candidate(2), PASSED, TRAINED);
    await registry.promote(PURPOSE, "1.1.0", BY);
    await registry.rollBack(PURPOSE, { ...BY, reason: "it lost" });
    const asked = registry.promote(PURPOSE, "1.1.0", BY);
    await expect(asked).rejects.toThrow(/it lost/);
    expect(await codeOf(asked)).toBe("promotion_refused");
    expect(await standing()).toEqual(["1.0.0 active", "1.1.0 retired"]);
  });

  it("tells by which numbers somebody decided: those of the version and of the one it replaced", async () => {
    await registry.enter(candidate(1), PASSED, TRAINED);
    const shadow = await registry.enter({ ...candidate(2), metrics: { auc: 0.8 } }, PASSED, TRAINED);
    await registry.promote(PURPOSE, "1.1.0", BY);
    await registry.rollBack(PURPOSE, { ...BY, numbers: { decisions: 40 } });
    const [taken, promoted] = await store.audits({ modelId: shadow.id }, 2);
    expect(promoted).toMatchObject({
      action: "promoted",
      numbers: { of: { version: "1.1.0", auc: 0.8 }, replaced: { version: "1.0.0", auc: 0.7 } },
    });
    expect(taken).toMatchObject({
      action: "rolled_back",
      numbers: { decisions: 40, of: { version: "1.1.0", auc: 0.8 }, instead: { version: "1.0.0", auc: 0.7 } },
    });
  });

  it("cannot be changed or unlearned, whoever writes", async () => {
    await registry.enter(candidate(1), PASSED, TRAINED);
    for (const column of [
      "hash = repeat('0', 64)",
      "artefact = 'x'",
      "metrics = '{}'",
      "version = '3.0.0'",
    ]) {
      await expect(admin.query(`update models set ${column}`)).rejects.toThrow(/only added/);
    }
    await expect(admin.query("update model_audits set reason = ''")).rejects.toThrow(/only added/);
    await expect(admin.query("delete from model_audits")).rejects.toThrow(/only added/);
    await registry.enter(candidate(2), PASSED, TRAINED);
    await expect(admin.query("update models set status = 'active'")).rejects.toThrow(/models_active/);
  });

  it("has one active version after many were promoted at once", async () => {
    await registry.enter(candidate(0), PASSED, TRAINED);
    const others = [1, 2, 3, 4];
    for (const value of others) await registry.enter(candidate(value), PASSED, TRAINED);
    const second = createNumberRegistry(database);
    await Promise.allSettled(
      others.map((value, i) => [registry, second][i % 2].promote(PURPOSE, `1.${value}.0`, BY)),
    );
    expect((await standing()).filter((each) => each.endsWith("active"))).toHaveLength(1);
  });
});

describe("an artefact that is not what was stored", () => {
  /** As a disk would do it, past the trigger. */
  async function spoil(version: string, bytes: Uint8Array | null) {
    await admin.query("alter table models disable trigger models_fixed");
    await admin.query("update models set artefact = $2 where version = $1", [
      version,
      bytes ?? Buffer.alloc(0),
    ]);
    await admin.query("alter table models enable trigger models_fixed");
  }

  it("is found by the next look at it while it serves, and the version before serves", async () => {
    await registry.enter(candidate(1), PASSED, TRAINED);
    await registry.enter(candidate(2), PASSED, TRAINED);
    await registry.promote(PURPOSE, "1.1.0", BY);
    await registry.enter(candidate(3), PASSED, TRAINED);
    await registry.refresh();
    expect(registry.serving(PURPOSE)?.opened).toBe(2);
    await spoil("1.1.0", Buffer.from('{"value":3}'));
    await spoil("1.2.0", Buffer.from('{"value":4}'));
    await registry.refresh();
    expect(registry.serving(PURPOSE)?.opened).toBe(1);
    expect(registry.refused()).toMatchObject([{ version: "1.1.0", servedBy: "1.0.0" }]);
    expect(registry.shadows()).toEqual([]);
    await spoil("1.1.0", Buffer.from(JSON.stringify({ value: 2 })));
    await registry.refresh();
    expect(registry.serving(PURPOSE)?.opened).toBe(2);
    expect(registry.refused()).toEqual([]);
  });

  it("is refused, and the version before serves", async () => {
    await registry.enter(candidate(1), PASSED, TRAINED);
    await registry.enter(candidate(2), PASSED, TRAINED);
    await registry.promote(PURPOSE, "1.1.0", BY);
    await spoil("1.1.0", Buffer.from('{"value":3}'));
    const fresh = createNumberRegistry(database);
    await fresh.refresh();
    expect(fresh.serving(PURPOSE)).toMatchObject({ opened: 1, version: { version: "1.0.0" } });
    expect(fresh.refused()).toMatchObject([{ version: "1.1.0", servedBy: "1.0.0" }]);
    await spoil("1.0.0", null);
    const empty = createNumberRegistry(database);
    await empty.refresh();
    expect(empty.serving(PURPOSE)).toBeNull();
    expect(empty.refused()).toMatchObject([{ version: "1.1.0", servedBy: null }]);
    expect(await codeOf(empty.promote(PURPOSE, "1.0.0", BY))).toBe("model_refused");
  });
});

describe("a database that fails in the middle of a promotion", () => {
  it.each(FAULTS)("leaves the version before or the new one, whole: %s", async (fault) => {
    for (let nth = 1; ; nth++) {
      await answering();
      await admin.query("truncate models, model_audits restart identity cascade");
      await registry.enter(candidate(1), PASSED, TRAINED);
      await registry.enter(candidate(2), PASSED, TRAINED);
      const shaky = createNumberRegistry(faulty);
      faulty.failAt(nth, fault);
      const outcome = await shaky.promote(PURPOSE, "1.1.0", BY).then(
        () => "done",
        () => "failed",
      );
      const calls = faulty.calls();
      faulty.failAt(0, fault);
      const now = await standing();
      expect([
        ["1.0.0 active", "1.1.0 shadow"],
        ["1.0.0 retired", "1.1.0 active"],
      ]).toContainEqual(now);
      const { rows } = await admin.query(
        "select count(*)::int as n from model_audits where action = 'promoted'",
      );
      expect(rows[0].n).toBe(now[1].endsWith("active") ? 2 : 1);
      if (calls < nth) {
        expect(outcome).toBe("done");
        expect(nth).toBeGreaterThan(6);
        break;
      }
    }
  });
});
