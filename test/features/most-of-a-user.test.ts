import { describe, expect, it } from "vitest";
import { createHookStore, MOST_HOOKS } from "../../src/features/hooks/store.js";
import { createChannelStore, MOST_CHANNELS } from "../../src/features/notifications/store.js";
import { createRuleStore, MOST_RULES, MOST_SERIES } from "../../src/features/rules/store.js";
import { createWatchlistStore, MOST_LISTS } from "../../src/features/watchlists/store.js";
import { useDatabase } from "../fixtures/database.js";
import { hookTerms } from "../fixtures/hook-terms.js";
import { ALWAYS } from "../fixtures/rule-desk.js";

const database = useDatabase();
const AT_ONCE = 24;
const LEFT = 3;

const channel = { kind: "websocket", settings: {}, secrets: "plain:{}" };
const filters = { topics: [], symbols: [], minConfidence: null };

const CASES: readonly (readonly [
  what: string,
  most: number,
  fill: string,
  make: (name: string) => Promise<unknown>,
])[] = [
  [
    "rules",
    MOST_RULES,
    "insert into alert_rules (id, user_id, name, condition, interval, watch, terms) select gen_random_uuid(), 'ann', n, '{}', '1d', 'close', '{}'",
    (name) => createRuleStore(database()).create("ann", { ...ALWAYS, name }, [], 0),
  ],
  [
    "channels",
    MOST_CHANNELS,
    "insert into notification_channels (id, user_id, kind, name, settings, secrets, filters, held_until) select gen_random_uuid(), 'ann', 'websocket', n, '{}', '', '{}', now()",
    (name) => createChannelStore(database()).create({ ...channel, userId: "ann", name, filters }),
  ],
  [
    "hooks",
    MOST_HOOKS,
    "insert into hooks (id, user_id, digest, name, mode, symbols, sources, per_minute, dedupe_minutes, max_age_s) select gen_random_uuid(), 'ann', n, n, 'log', '{}', '{}', 1, 1, 5",
    (name) => createHookStore(database()).create("ann", name, hookTerms({ name }), 0),
  ],
  [
    "lists",
    MOST_LISTS,
    "insert into watchlists (id, user_id, name, symbols) select gen_random_uuid(), 'ann', n, '{}'",
    (name) => createWatchlistStore(database()).create("ann", name, []),
  ],
];

describe("a user who makes many at once", () => {
  it.each(CASES)("has at most as many %s as may be", async (_what, most, fill, make) => {
    await database().query(
      `${fill} from (select 'n' || n as n from generate_series(1, $1::int) as n) as names`,
      [most - LEFT],
    );
    // Connections that are still being opened would take turns by themselves.
    await Promise.all(Array.from({ length: 4 }, () => database().query("select pg_sleep(0.02)")));
    const made = await Promise.all(Array.from({ length: AT_ONCE }, (_, n) => make(`x${n}`)));
    const kept = made.filter((each) => each !== null && each !== "full");
    expect(kept).toHaveLength(LEFT);
  });
});

describe("the rules of a user", () => {
  it("watch at most so many symbols together, which other users do not count among", async () => {
    const store = createRuleStore(database());
    const rows = await database().query<{ id: number }>(
      `insert into instruments (symbol, name, asset_class, exchange, currency, calendar, synthetic, replay)
       select 'X' || n, 'X', 'crypto', 'X', 'USD', '24x7', true, '' from generate_series(1, $1::int) n returning id`,
      [MOST_SERIES + 1],
    );
    const ids = rows.map(({ id }) => id);
    const [first, rest] = [ids.slice(0, 100), ids.slice(0, MOST_SERIES)];
    const kept = await store.create("ben", { ...ALWAYS, name: "first" }, first, 0);
    // What is watched already is no more.
    expect(await store.create("ben", { ...ALWAYS, name: "all" }, rest, 0)).toEqual(expect.any(String));
    const problem = /at most 500 symbols/;
    const other = { ...ALWAYS, name: "other", interval: "1h" } as const;
    await expect(store.create("ben", other, first.slice(0, 1), 0)).rejects.toThrow(problem);
    await expect(store.create("ben", { ...ALWAYS, name: "more" }, ids, 0)).rejects.toThrow(problem);
    await expect(store.replace("ben", kept ?? "", { ...ALWAYS, name: "first" }, ids, 0)).rejects.toThrow(
      problem,
    );
    expect((await store.list("ben")).map(({ name }) => name).sort()).toEqual(["all", "first"]);
    expect(await store.create("bob", other, first, 0)).toEqual(expect.any(String));
  });
});
