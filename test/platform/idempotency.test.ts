import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Database } from "../../src/platform/database.js";
import { AppError } from "../../src/platform/errors.js";
import {
  createIdempotency,
  fingerprintOf,
  type Idempotency,
  idempotencyKeyOf,
  type RepeatableCall,
} from "../../src/platform/idempotency.js";
import { createTestDatabase, openTestDatabase, type TestDatabase } from "../fixtures/database.js";
import { codeOf } from "../fixtures/error-code.js";

let server: TestDatabase;
/** As two processes over one database. */
let databases: Database[];
let processes: Idempotency[];

beforeAll(async () => {
  server = await createTestDatabase();
  databases = [
    await openTestDatabase(server, { poolSize: 8 }),
    await openTestDatabase(server, { poolSize: 8 }),
  ];
  processes = databases.map(createIdempotency);
  await databases[0].query("create table effects (key text, amount int)");
});
beforeEach(async () => {
  await databases[0].query("truncate effects, idempotency_keys");
});
afterAll(async () => {
  for (const database of databases) await database.close();
  await server.drop();
});

const call = (key: string, amount = 1, userId = "ann"): RepeatableCall => ({
  userId,
  key,
  fingerprint: fingerprintOf("spend", { amount }),
});

let replays = 0;
/** A call through one of the two processes, with whether it was a replay. */
async function once(which: number, repeatable: RepeatableCall, work: Parameters<Idempotency["once"]>[1]) {
  let replayed = false;
  const reply = await processes[which].once(repeatable, work, () => {
    replayed = true;
    replays++;
  });
  return { reply, replayed };
}

/** Spends an amount through one of the two processes. */
function spend(which: number, repeatable: RepeatableCall, amount = 1) {
  return once(which % 2, repeatable, async (seal) =>
    databases[which % 2].transaction(async (sql) => {
      const [row] = await sql.query<{ number: number }>(
        "insert into effects (key, amount) values ($1, $2) returning (select count(*)::int from effects) as number",
        [repeatable.key, amount],
      );
      const reply = { key: repeatable.key, number: row.number };
      await seal(sql, reply);
      return reply;
    }),
  );
}

const effects = async () =>
  (await databases[0].query<{ count: number }>("select count(*)::int as count from effects"))[0].count;

describe("calls that may be repeated", () => {
  it("are done once, however many processes are asked at once, and all get one reply", async () => {
    const keys = Array.from({ length: 100 }, (_, n) => `key-${n}`);
    const replies = await Promise.all(
      keys.map((key) => Promise.all(Array.from({ length: 10 }, (_, n) => spend(n, call(key))))),
    );
    for (const same of replies) {
      expect(new Set(same.map(({ reply }) => JSON.stringify(reply))).size).toBe(1);
      expect(same.filter(({ replayed }) => !replayed)).toHaveLength(1);
    }
    expect(await effects()).toBe(100);
    const again = await spend(0, call("key-7"));
    expect(again).toEqual({ reply: replies[7][0].reply, replayed: true });
  });

  it("get the reply of whoever was first, where the work meets what another process has done with the key", async () => {
    const refused = once(1, call("k"), async () => {
      await spend(0, call("k"));
      throw new AppError("conflict", "It is done already");
    });
    expect(await refused).toEqual({ reply: { key: "k", number: 0 }, replayed: true });
    const failed = once(1, call("other"), async () => {
      await spend(0, call("other"));
      throw new Error("a fault");
    });
    expect(await failed).toEqual({ reply: { key: "other", number: 1 }, replayed: true });
  });

  it("get their reply when the answer to the commit was lost", async () => {
    const unheard = once(0, call("k"), async (seal) => {
      await databases[0].transaction(async (sql) => {
        await sql.query("insert into effects values ('k', 1)");
        await seal(sql, { done: 1 });
      });
      throw new AppError("database_unavailable", "lost after the commit");
    });
    expect(await codeOf(unheard)).toBe("database_unavailable");
    expect(await spend(0, call("k"))).toEqual({ reply: { done: 1 }, replayed: true });
    expect(await effects()).toBe(1);
  });

  it("are refused where the key was sent with something else, finished or not", async () => {
    const first = spend(0, call("k"));
    expect(await codeOf(spend(0, call("k", 2), 2))).toBe("idempotency_key_reused");
    await first;
    replays = 0;
    expect(await codeOf(spend(1, call("k", 2), 2))).toBe("idempotency_key_reused");
    expect(replays).toBe(0);
    expect(await effects()).toBe(1);
  });

  it("get their reply also while others come with something else under the same key", async () => {
    const first = await spend(0, call("k"));
    for (let round = 0; round < 8; round++) {
      const mixed = await Promise.all(
        Array.from({ length: 40 }, async (_, n) =>
          n % 2 === 0 ? JSON.stringify((await spend(0, call("k"))).reply) : codeOf(spend(0, call("k", 2), 2)),
        ),
      );
      expect(new Set(mixed.filter((_, n) => n % 2 === 0))).toEqual(new Set([JSON.stringify(first.reply)]));
      expect(new Set(mixed.filter((_, n) => n % 2 === 1))).toEqual(new Set(["idempotency_key_reused"]));
    }
    expect(await effects()).toBe(1);
  });

  it("of another user are other calls", async () => {
    await spend(0, call("k"));
    expect((await spend(0, call("k", 1, "bob"))).replayed).toBe(false);
    expect(await effects()).toBe(2);
  });

  it("that were refused are refused again without being tried", async () => {
    let tries = 0;
    const refuse = () =>
      once(0, call("k"), async () => {
        tries++;
        throw new AppError("conflict", "There is nothing to sell");
      });
    for (let n = 0; n < 2; n++) {
      replays = 0;
      await expect(refuse()).rejects.toMatchObject({ code: "conflict", message: "There is nothing to sell" });
      expect(replays).toBe(n);
    }
    expect(tries).toBe(1);
  });

  it("that failed fail again, without a word of what went wrong", async () => {
    const failing = () =>
      once(0, call("k"), async () => Promise.reject(new Error("password of the database")));
    await expect(failing()).rejects.toThrow("password of the database");
    const second = await failing().catch((error: unknown) => error);
    expect(second).toMatchObject({ code: "internal" });
    expect(String(second)).not.toContain("password");
  });

  it("that met what may pass are done when they are sent again", async () => {
    const busy = once(0, call("k"), async () => {
      throw new AppError("overloaded", "later");
    });
    expect(await codeOf(busy)).toBe("overloaded");
    expect((await spend(1, call("k"))).replayed).toBe(false);
    expect(await effects()).toBe(1);
  });

  it("whose transaction ended in nothing leave neither effect nor key", async () => {
    const broken = once(0, call("k"), (seal) =>
      databases[0].transaction(async (sql) => {
        await sql.query("insert into effects values ('k', 1)");
        await seal(sql, { done: true });
        throw new AppError("database_unavailable", "cut before the commit");
      }),
    );
    expect(await codeOf(broken)).toBe("database_unavailable");
    expect(await effects()).toBe(0);
    expect((await spend(0, call("k"))).replayed).toBe(false);
  });

  it("are forgotten after their time and not before", async () => {
    await spend(0, call("k"));
    expect(await processes[0].prune(3_600_000)).toBe(0);
    expect(await processes[0].prune(0)).toBe(1);
    expect((await spend(0, call("k"))).replayed).toBe(false);
  });
});

describe("what is asked for", () => {
  it("is told apart, also where nothing is sent", () => {
    const prints = [undefined, null, {}, { a: 1 }, { a: 2 }].map((input) => fingerprintOf("close", input));
    expect(new Set(prints).size).toBe(prints.length);
    expect(fingerprintOf("close", undefined)).toBe(prints[0]);
    expect(fingerprintOf("open", undefined)).not.toBe(prints[0]);
  });
});

describe("the header", () => {
  it.each([
    [undefined, null],
    ["a", "a"],
    ["~".repeat(255), "~".repeat(255)],
  ])("%s is read", (header, key) => {
    expect(idempotencyKeyOf({ headers: header === undefined ? {} : { "idempotency-key": header } })).toBe(
      key,
    );
  });

  it.each(["", "a b", "é", "x".repeat(256)])("%j is refused", (header) => {
    expect(() => idempotencyKeyOf({ headers: { "idempotency-key": header } })).toThrow(/Idempotency-Key/);
  });
});
