import { INTERVAL_MS } from "../../core/market/interval.js";
import type { Database, Sql } from "../../platform/database.js";
import { AppError, messageOf } from "../../platform/errors.js";
import type { EventLog } from "../../platform/event-log.js";
import { isoTime } from "../../platform/http.js";
import type { Log } from "../../platform/log.js";
import type { Alerts, Consideration } from "../alerts/alerts.js";
import type { ScoreStore } from "../models/scores.js";
import type { Decided, Deciding } from "./deciding.js";
import type { NewDecision, OrderSaid } from "./decision-store.js";
import type { Undecided } from "./found.js";
import type { Publisher } from "./publish.js";
import type { PipelineStore, TickBar } from "./store.js";
import { BAR_TOPIC, DECISION_TOPIC, SYNERGY_TOPIC } from "./topics.js";
import { barView, decisionView, synergyView } from "./views.js";

/** What came of one group. */
export interface Outcome {
  readonly sequence: number;
  readonly bars: readonly TickBar[];
  readonly synergies: readonly Undecided[];
}

/** Stores what was found, in order, and tells of it. What is there already stays: a replay stores nothing twice. */
export interface Sink {
  add(outcome: Outcome): void;
  /** Group up to which everything is stored. */
  stored(): number;
  /** Resolves when all that was added is stored. */
  idle(): Promise<void>;
  /** Resolves when everything up to a group is stored; fails where that will not be. */
  reached(sequence: number): Promise<void>;
  waiting(): number;
  /** Adds nothing more, and tries nothing again. */
  stop(): void;
}

/** Outcomes that are stored in one transaction at most. */
const AT_ONCE = 64;
const PAUSE_MS = 500;

interface SinkParts {
  readonly database: Database;
  readonly store: PipelineStore;
  readonly deciding: Deciding;
  readonly publisher: Pick<Publisher, "publish">;
  readonly scores: Pick<ScoreStore, "record">;
  readonly alerts: Pick<Alerts, "announce">;
  readonly eventLog: Pick<EventLog, "append" | "announce" | "wake">;
  readonly log: Log;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  readonly onStored?: (stored: { bars: number; synergies: number; tookMs: number }) => void;
}

export function createSink(parts: SinkParts): Sink {
  const { log, sleep } = parts;
  const keep = createKeeper(parts);
  const queue: Outcome[] = [];
  const reaching = new Set<{ sequence: number; done: () => void; fail: (error: Error) => void }>();
  let stored = 0;
  let stopped = false;
  let working: Promise<void> | null = null;

  async function work(): Promise<void> {
    while (queue.length > 0 && !stopped) {
      const part = queue.slice(0, AT_ONCE);
      try {
        await keep(part);
        queue.splice(0, part.length);
        stored = part[part.length - 1].sequence;
        for (const each of reaching)
          if (each.sequence <= stored) {
            reaching.delete(each);
            each.done();
          }
      } catch (error) {
        if (stopped) return;
        log.warn(
          { waiting: queue.length, reason: messageOf(error) },
          "bars are not stored yet; trying again",
        );
        await sleep(PAUSE_MS);
      }
    }
  }

  function start(): void {
    working ??= work().finally(() => {
      working = null;
      if (queue.length > 0 && !stopped) start();
    });
  }

  return {
    add(outcome) {
      queue.push(outcome);
      start();
    },
    stored: () => stored,
    async idle() {
      while (working !== null && !stopped) await working;
    },
    reached: (sequence) =>
      new Promise((resolve, reject) => {
        // Groups come in order: nothing that waits is of this one or before it.
        if (sequence <= stored || queue.every((outcome) => outcome.sequence > sequence)) return resolve();
        if (stopped) return reject(ended());
        const wish = { sequence, done: resolve, fail: reject };
        reaching.add(wish);
      }),
    waiting: () => queue.length,
    stop() {
      stopped = true;
      for (const { fail } of reaching) fail(ended());
      reaching.clear();
    },
  };
}

const ended = () => new AppError("overloaded", "The pipeline begins again from what was kept");

/** Stores outcomes in one transaction, and tells of them once it is committed. */
function createKeeper(parts: SinkParts): (part: readonly Outcome[]) => Promise<void> {
  const { database, store, deciding, publisher, alerts, eventLog, now } = parts;

  async function keep(part: readonly Outcome[]): Promise<void> {
    const started = performance.now();
    const bars = part.flatMap((outcome) => outcome.bars);
    const found = part.flatMap((outcome) => outcome.synergies);
    if (bars.length === 0 && found.length === 0) return;
    // What a restart finds again was decided on before: nobody is asked about it a second time.
    const synergies = await deciding(await store.unstored(found), bars);
    const considered = await database.transaction(async (sql) => {
      const added = { bars: await store.recordBars(sql, bars), synergies: 0, refused: 0 };
      const done: Consideration[] = [];
      const events: { topic: string; payload: unknown }[] = [];
      for (const each of synergies) {
        const { consideration, told } = await keepSynergy(sql, each);
        if (consideration !== null) done.push(consideration);
        events.push(...told);
        if (told.length === 0) continue;
        added.synergies++;
        if (each.synergy.decision.refusedBy !== null) added.refused++;
      }
      await store.addTotals(sql, { ...added, decisions: added.synergies });
      await eventLog.append(sql, events);
      return done;
    });
    for (const consideration of considered) alerts.announce(consideration);
    if (synergies.length > 0) eventLog.wake();
    parts.onStored?.({ bars: bars.length, synergies: synergies.length, tookMs: performance.now() - started });
    await tellBars(bars);
  }

  async function keepSynergy(sql: Sql, { synergy, instrument, snapshot }: Decided) {
    const id = await store.recordSynergy(sql, synergy);
    if (id === null) return { consideration: null, told: [] };
    const { consideration, ...published } = await publisher.publish(sql, synergy, instrument);
    const [kept] = snapshot === null ? [] : await parts.scores.record([snapshot], sql);
    const raised = { ...published, scoreId: kept?.countedId ?? null, order: orderOf(synergy.decision) };
    await store.recordDecision(sql, id, synergy.decision, raised);
    const row = { ...synergy, id };
    const decided = { ...synergy.decision, ...raised, synergy: row, decidedAt: now() };
    return {
      consideration,
      told: [
        { topic: SYNERGY_TOPIC, payload: synergyView(row) },
        { topic: DECISION_TOPIC, payload: decisionView(decided) },
      ],
    };
  }

  /** The order of a decision as it is kept with it: placed by a loop of its own, or refused at once. */
  function orderOf({ refusedBy, account }: NewDecision): OrderSaid | null {
    if (account === null || refusedBy !== null) return null;
    const { why } = account;
    return { status: why === null ? "waiting" : "refused", id: null, why };
  }

  /** Tells of bars that have just closed; those of a recording are of no news. */
  async function tellBars(bars: readonly TickBar[]): Promise<void> {
    for (const bar of bars) {
      const length = INTERVAL_MS[bar.interval];
      if (now() - (bar.time + length) > length) continue;
      const topic = `${BAR_TOPIC}:${bar.symbol}:${bar.interval}`;
      await eventLog.announce({ topic, payload: { ...barView(bar), told_at: isoTime(now()) } });
    }
  }

  return keep;
}
