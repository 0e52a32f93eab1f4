import { join } from "node:path";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { createRng } from "../../src/core/base/rng.js";
import { createBus } from "../../src/platform/bus.js";
import type { Database } from "../../src/platform/database.js";
import { createEventLog, type EventLog } from "../../src/platform/event-log.js";
import { openTestDatabase } from "../fixtures/database.js";
import { silentLog } from "../fixtures/log.js";
import { type Receiver, startReceiver } from "../fixtures/receiver.js";
import { ROOMY } from "../fixtures/roomy-settings.js";
import { startProcess, type TxProcess } from "./process.js";
import { openSetting } from "./setting.js";

const KILLS = Number(process.env.TRIAL_DELIVERY_KILLS ?? 20);
const CHANNELS = 8;
const CALLERS = 4;
/** A life lasts up to so long after it began to listen. */
const LIFE_MS = 3_000;
/** What a killed sender had in hand is taken up again after a minute. */
const SETTLED_WITHIN_MS = 240_000;

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const setting = openSetting();
let receiver: Receiver;
let database: Database;
let eventLog: EventLog;
beforeAll(async () => {
  receiver = await startReceiver();
  receiver.answer((_, response) => void setTimeout(() => response.writeHead(204).end(), 5));
});
afterAll(async () => {
  await database.close();
  await receiver.close();
});

let running: TxProcess | null = null;
const start = async () => {
  running = await startProcess({
    DATABASE_URL: setting.database.url,
    DATA_DIR: join(setting.folder, "data"),
    WEBHOOK_ORIGINS: receiver.url,
    RATE_LIMIT_MULTIPLIER: "10000",
    EVIDENCE_MAX_AGE_HOURS: "0",
  });
  return running;
};

const answerSchema = z.object({ data: z.record(z.string(), z.unknown()) });

async function post(path: string, body: object): Promise<Record<string, unknown>> {
  const answer = await fetch(`${running?.url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${path} was answered ${answer.status}: ${await answer.text()}`);
  return answerSchema.parse(await answer.json()).data;
}

/** Rules fire as they would in another instance: an event each, in a transaction. */
async function fire(owner: string, n: number): Promise<void> {
  const at = new Date().toISOString();
  const payload = {
    kind: "fired",
    id: `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`,
    rule_id: "00000000-0000-4000-8000-000000000000",
    name: `Rule ${n}`,
    expression: "close > 1",
    symbol: "BTC-USD",
    synthetic: true,
    interval: "1m",
    watch: "close",
    bar: at,
    ordinal: 0,
    fired_at: at,
    price: n,
    source: "synthetic",
    due_at: null,
    told_at: at,
  };
  await database.transaction((sql) => eventLog.append(sql, [{ topic: `rules:${owner}`, payload }]));
}

/** Calls a hook until it is acknowledged, the same call once more now and then. */
async function callHook(path: string, n: number, again: boolean): Promise<void> {
  const body = { id: `call-${n}`, ticker: "BTC-USD", action: "buy", quantity: 0.0001 };
  for (let left = again ? 2 : 1; left > 0; ) {
    try {
      await post(path, body);
      left--;
    } catch {
      // Nobody answered, or not yet.
      await sleep(20);
    }
  }
}

interface DeliveryRow {
  readonly id: string;
  readonly channel: string;
  readonly seq: number;
  readonly state: string;
  readonly attempts: number;
}

async function settled(): Promise<DeliveryRow[]> {
  const until = performance.now() + SETTLED_WITHIN_MS;
  for (;;) {
    const [{ waiting }] = await setting.read<{ waiting: number }>(
      `select (select count(*) from notification_deliveries where state = 'pending')::int
         + (select count(*) from hook_calls where status = 'waiting')::int
         + (select count(*) from events where split_part(topic, ':', 1) = 'rules'
              and seq > (select seq from notification_cursors))::int as waiting`,
    );
    if (waiting === 0) break;
    if (performance.now() > until) throw new Error(`${waiting} were still waiting`);
    await sleep(500);
  }
  return setting.read<DeliveryRow>(
    `select id, channel_id as channel, event_seq::int as seq, state, attempts from notification_deliveries order by seq`,
  );
}

/** What others are told, and what others ask for, while the server is killed again and again. */
describe(`killed ${KILLS} times while it tells and is called`, () => {
  it("delivers each event to each channel, and does each acknowledged call once", async () => {
    await start();
    database = await openTestDatabase(setting.database, { poolSize: 2 });
    eventLog = createEventLog(
      database,
      createBus(() => undefined),
      silentLog,
    );
    const secrets = new Map<string, string>();
    for (let n = 0; n < CHANNELS; n++) {
      const settings = { url: `${receiver.url}/${n}` };
      const { secret } = await post("/api/notifications/channels", {
        kind: "webhook",
        name: `Channel ${n}`,
        settings,
        filters: { topics: ["rules"] },
      });
      secrets.set(`/${n}`, String(secret));
    }
    await post("/api/risk-settings", { ...ROOMY, enable_stop_loss: false, enable_take_profit: false });
    const hook = await post("/api/incoming-hooks", {
      name: "Calls",
      mode: "order",
      per_minute: 600,
      max_age_s: 86_400,
    });
    const [{ owner }] = await setting.read<{ owner: string }>(
      `select distinct user_id as owner from notification_channels`,
    );

    let over = false;
    let fired = 0;
    const firing = (async () => {
      while (!over) {
        await fire(owner, fired++);
        await sleep(100);
      }
    })();
    let calls = 0;
    const calling = Array.from({ length: CALLERS }, async () => {
      while (!over) {
        const n = calls++;
        await callHook(String(hook.path), n, n % 5 === 0);
        await sleep(100);
      }
    });
    const rng = createRng(10);
    for (let kill = 0; kill < KILLS; kill++) {
      await sleep(rng.next() * LIFE_MS);
      running?.kill("SIGKILL");
      expect(await running?.ended()).toBe("SIGKILL");
      await start();
    }
    over = true;
    await Promise.all([firing, ...calling]);
    const deliveries = await settled();

    expect(deliveries.every(({ state }) => state === "delivered")).toBe(true);
    expect(deliveries.length).toBe(fired * CHANNELS);
    expect(new Set(deliveries.map(({ channel, seq }) => `${channel} ${seq}`)).size).toBe(deliveries.length);
    const heard = new Map<string, number>();
    for (const { path, headers, body } of receiver.received) {
      new Webhook(secrets.get(path) ?? "").verify(body, headers as Record<string, string>);
      const id = String(headers["webhook-id"]);
      heard.set(id, (heard.get(id) ?? 0) + 1);
    }
    expect([...heard.keys()].sort()).toEqual(deliveries.map(({ id }) => id).sort());
    const twice = receiver.received.length - heard.size;
    expect(twice).toBeLessThanOrEqual(KILLS * CHANNELS);

    const done = await setting.read<{ id: string; done: number; orders: number }>(
      `select given_id as id, count(*) filter (where status = 'ordered')::int as done,
         count(distinct order_id)::int as orders from hook_calls group by given_id`,
    );
    expect(done.length).toBe(calls);
    const reasons = await setting.read<{ detail: string; calls: number }>(
      `select code || ': ' || detail as detail, count(*)::int as calls from hook_calls
       where status not in ('ordered', 'duplicate') group by 1`,
    );
    expect(reasons).toEqual([]);
    expect(done.filter(({ done: times, orders }) => times !== 1 || orders !== 1)).toEqual([]);
    const [{ orders }] = await setting.read<{ orders: number }>(
      `select count(*)::int as orders from paper_orders`,
    );
    expect(orders).toBe(calls);
    const [{ kept }] = await setting.read<{ kept: number }>(`select count(*)::int as kept from hook_calls`);
    process.stdout.write(
      `${KILLS} kills; ${fired} events to ${CHANNELS} channels: ${deliveries.length} deliveries, 0 lost, ${twice} came twice ` +
        `by the same id; ${calls} calls kept ${kept} times, ${orders} orders, 0 lost, 0 doubled\n`,
    );
    running?.kill("SIGTERM");
    expect(await running?.ended()).toBe(0);
  });
});
