import { describe, expect, it } from "vitest";
import { createCallStore } from "../../src/features/hooks/call-store.js";
import { createHooks } from "../../src/features/hooks/hooks.js";
import { createHookStore, type HookTerms } from "../../src/features/hooks/store.js";
import { useDatabase } from "../fixtures/database.js";
import { hookTerms } from "../fixtures/hook-terms.js";

const OLDEST = "00000000-0000-4000-8000-000000000001";
const OTHER = "00000000-0000-4000-8000-000000000002";
const database = useDatabase();

/** Hooks of users who have two accounts each. */
const hooks = () =>
  createHooks({
    store: createHookStore(database()),
    callStore: createCallStore(database()),
    instruments: { resolve: async (symbol) => ({ symbol }) as never },
    paper: { accountOf: async (_userId, id = OLDEST) => ({ id }) as never },
    now: () => 0,
    trigger: () => undefined,
  });

describe("changes of a hook at the same time", () => {
  it("are all kept, each of the terms that it names", async () => {
    const { hook } = await hooks().create("bob", hookTerms());
    const changes: Partial<HookTerms>[] = [
      { enabled: false },
      { perMinute: 30 },
      { maxAgeS: 7 },
      { sources: ["8.8.8.8"] },
    ];
    for (let round = 0; round < 5; round++) {
      await hooks().change("bob", hook.id, hookTerms());
      await Promise.all(changes.map((change) => hooks().change("bob", hook.id, change)));
      expect(await hooks().get("bob", hook.id)).toMatchObject(Object.assign({}, ...changes));
    }
  });

  it("of mode and account leave no hook that places orders without an account", async () => {
    const { hook } = await hooks().create("cid", hookTerms());
    for (let round = 0; round < 5; round++) {
      await hooks().change("cid", hook.id, { mode: "log" });
      await Promise.all([
        hooks().change("cid", hook.id, { mode: "order" }),
        hooks().change("cid", hook.id, { accountId: OTHER }),
      ]);
      const { mode, accountId } = await hooks().get("cid", hook.id);
      expect([mode, [OLDEST, OTHER].includes(accountId ?? "")]).toEqual(["order", true]);
    }
  });
});
