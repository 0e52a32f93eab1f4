import type { Database, Sql } from "../../platform/database.js";
import { AppError } from "../../platform/errors.js";
import type { EventLog } from "../../platform/event-log.js";
import type { Metrics } from "../../platform/metrics.js";
import { levelsOf } from "../detections/levels.js";
import { type Decision, type DecisionFilter, loadDecisions } from "./decisions.js";
import type { KeptLayers } from "./layers.js";
import { type AlertSettings, type Candidate, judge, type Verdict } from "./rules.js";
import { type AlertStatistics, loadStatistics } from "./statistics.js";
import type { Alert, AlertFilter, AlertStatus, AlertStore, Judged, ResponseAction } from "./store.js";
import { ALERT_TOPIC } from "./topics.js";
import { alertView } from "./views.js";
import { tellAwake, updated } from "./waking.js";

/** What became of candidates. */
export interface Consideration {
  readonly judged: readonly Judged[];
  readonly raised: readonly Alert[];
}

export type ResponseKind = "accept" | "dismiss" | "snooze";

export interface Alerts {
  /**
   * Judges candidates and raises alerts for those that pass, within the caller's transaction, in the order of
   * their bars' closes. Each gets a decision; nothing is raised twice however often it is called.
   */
  consider(sql: Sql, candidates: readonly Candidate[], enabled: boolean): Promise<Consideration>;
  /** To be called after the commit. */
  announce(consideration: Consideration): void;
  listActive(limit: number): Promise<Alert[]>;
  list(filter: AlertFilter, limit: number, offset: number): Promise<{ rows: Alert[]; total: number }>;
  /** @throws {AppError} `alert_not_found` */
  get(id: number): Promise<{ alert: Alert; verdicts: readonly Verdict[]; layers: KeptLayers | null }>;
  /** @param snoozeMs how long a snooze lasts, an hour unless given. @throws {AppError} `alert_not_found` */
  respond(
    id: number,
    kind: ResponseKind,
    action: ResponseAction | null,
    reason: string | null,
    snoozeMs?: number,
  ): Promise<Alert>;
  /** Tells of alerts whose snooze is over that they are active again, each once over all instances. @returns how many. */
  wake(): Promise<number>;
  statistics(days: number): Promise<AlertStatistics>;
  decisions(filter: DecisionFilter, limit: number): Promise<Decision[]>;
}

const SNOOZE_MS = 3_600_000;
const DAY_MS = 86_400_000;
const STATUS_OF: Readonly<Record<ResponseKind, AlertStatus>> = {
  accept: "accepted",
  dismiss: "dismissed",
  snooze: "snoozed",
};

export interface AlertOptions {
  readonly store: AlertStore;
  readonly database: Database;
  readonly eventLog: EventLog;
  readonly metrics: Metrics;
  readonly threshold: number;
  readonly leastConfidence: number;
  readonly dedupeMs: number;
  readonly synthetic: boolean;
  readonly now: () => number;
}

export function createAlerts(options: AlertOptions): Alerts {
  const { store, database, eventLog, synthetic, now } = options;
  const standpoint = () => ({ synthetic, nowMs: now() });

  async function decide(sql: Sql, candidate: Candidate, settings: AlertSettings): Promise<Judged> {
    const verdicts = judge(candidate, settings);
    if (verdicts.every(({ passed }) => passed)) {
      const passed = await store.passGuard(sql, candidate, settings.dedupeMs);
      verdicts.push({ rule: "dedupe_window", passed, value: null, limit: settings.dedupeMs });
    }
    return { candidate, verdicts };
  }

  async function find(id: number): Promise<Alert> {
    const alert = await store.find(id, standpoint());
    if (alert === null) throw new AppError("alert_not_found", `There is no alert ${id}`);
    return alert;
  }

  return {
    async consider(sql, candidates, enabled) {
      const settings: AlertSettings = { ...options, enabled };
      const judged: Judged[] = [];
      const raised: Alert[] = [];
      for (const candidate of [...candidates].sort((a, b) => a.closedAt - b.closedAt || a.id - b.id)) {
        const decision = await decide(sql, candidate, settings);
        judged.push(decision);
        if (!decision.verdicts.every(({ passed }) => passed)) continue;
        const alert = await store.raise(sql, { candidate, levels: levelsOf(candidate) });
        if (alert !== null) raised.push(alert);
      }
      await store.recordDecisions(sql, judged);
      await eventLog.append(
        sql,
        raised.map((alert) => ({
          topic: ALERT_TOPIC,
          payload: { kind: "created", alert: alertView(alert) },
        })),
      );
      return { judged, raised };
    },

    announce({ judged, raised }) {
      for (const { pattern } of raised) options.metrics.alerts.inc({ pattern });
      for (const { verdicts } of judged) {
        const refused = verdicts.find(({ passed }) => !passed);
        if (refused !== undefined) options.metrics.alertRefusals.inc({ rule: refused.rule });
      }
      if (raised.length > 0) eventLog.wake();
    },

    listActive: (limit) => store.list({ status: "active" }, standpoint(), limit, 0),

    async list(filter, limit, offset) {
      const from = standpoint();
      const [rows, total] = await Promise.all([
        store.list(filter, from, limit, offset),
        store.count(filter, from),
      ]);
      return { rows, total };
    },

    async get(id) {
      const alert = await find(id);
      const [verdicts, layers] = await Promise.all([
        store.loadDecision(alert.detectionId),
        store.loadLayers(id),
      ]);
      return { alert, verdicts: verdicts ?? [], layers };
    },

    async respond(id, kind, action, reason, snoozeMs = SNOOZE_MS) {
      const alert = await find(id);
      const at = now();
      const snoozedUntil = kind === "snooze" ? at + snoozeMs : null;
      const answered: Alert = {
        ...alert,
        status: STATUS_OF[kind],
        responseAction: action,
        respondedAt: at,
        snoozedUntil,
      };
      await database.transaction(async (sql) => {
        await store.respond(sql, id, { status: answered.status, action, reason, snoozedUntil, at });
        await eventLog.append(sql, [updated(answered)]);
      });
      eventLog.wake();
      return answered;
    },

    wake: () => tellAwake(options),
    statistics: (days) => loadStatistics(database, standpoint(), now() - days * DAY_MS),
    decisions: (filter, limit) => loadDecisions(database, synthetic, filter, limit),
  };
}
