import { SAMPLE_NAMES } from "../../core/learning/samples.js";
import type { Bus } from "../../platform/bus.js";
import type { Database } from "../../platform/database.js";
import { messageOf } from "../../platform/errors.js";
import { type EventLog, eventCommitted } from "../../platform/event-log.js";
import type { Log } from "../../platform/log.js";
import type { Workers } from "../../platform/workers.js";
import type { Gateway } from "../../providers/gateway.js";
import type { CandleService } from "../candles/candles.js";
import type { Instruments } from "../instruments/instruments.js";
import { type AgentDesk, createAgentDesk } from "./agent.js";
import { type OpenModel, openArtefact } from "./artefact.js";
import { type BarScores, createBarScores } from "./bar-scores.js";
import { createKnowledgeStore, type KnowledgeStore } from "./knowledge.js";
import { createOnlineModels, type OnlineModels } from "./online.js";
import { createRegistry, type Registry } from "./registry.js";
import { createScoreStore, type ScoreStore } from "./scores.js";
import { createScoring, type Scoring } from "./scoring.js";
import { createShowing, type Showing } from "./showing.js";
import { createModelStore, type ModelStore } from "./store.js";
import { createTelemetry, type Telemetry } from "./telemetry.js";
import { createToldScores, type ToldScores } from "./told.js";
import { MODEL_TOPIC } from "./topics.js";
import { createTradeScoring, type TradeScoring } from "./trade-scoring.js";

/** Learned models of the market in use. */
export interface ModelFeature {
  readonly registry: Registry<OpenModel>;
  readonly modelStore: ModelStore;
  readonly knowledge: KnowledgeStore;
  readonly scoring: Scoring;
  readonly barScores: BarScores;
  readonly scores: ScoreStore;
  readonly telemetry: Telemetry;
  readonly told: ToldScores;
  readonly online: OnlineModels;
  readonly showing: Showing;
  readonly tradeScoring: TradeScoring;
  readonly agentDesk: AgentDesk;
}

/** Nothing serves until the registry is refreshed; it is again whenever a version of any instance changes. */
export function createModelFeature(parts: {
  readonly database: Database;
  readonly eventLog: EventLog;
  readonly bus: Bus;
  readonly gateway: Pick<Gateway, "synthetic" | "replay">;
  readonly candles: Pick<CandleService, "loadLatest">;
  readonly instruments: Pick<Instruments, "resolve">;
  readonly workers: Workers;
  readonly now: () => number;
  readonly log: Log;
}): ModelFeature {
  const { database, gateway, log } = parts;
  const market = { synthetic: gateway.synthetic, replay: gateway.replay };
  const modelStore = createModelStore(database, market);
  const registry = createRegistry({ ...parts, store: modelStore, open: openArtefact });
  parts.bus.subscribe(eventCommitted, ({ topic }) => {
    if (topic !== MODEL_TOPIC) return;
    registry.refresh().catch((error: unknown) => {
      log.warn({ reason: messageOf(error) }, "models were not read anew");
    });
  });
  const scoring = createScoring(registry);
  const knowledge = createKnowledgeStore(database, market);
  return {
    registry,
    modelStore,
    knowledge,
    scoring,
    barScores: createBarScores({ ...parts, knowledge, scoring }),
    showing: createShowing({ ...parts, knowledge, scoring }),
    tradeScoring: createTradeScoring({ ...parts, knowledge, scoring }),
    scores: createScoreStore(database, market),
    telemetry: createTelemetry(database, market),
    told: createToldScores(database),
    agentDesk: createAgentDesk(registry, parts),
    online: createOnlineModels({ ...parts, market, names: SAMPLE_NAMES }),
  };
}

/** The same with what is active read. @throws where the database cannot be read. */
export async function openModels(parts: Parameters<typeof createModelFeature>[0]): Promise<ModelFeature> {
  const models = createModelFeature(parts);
  await models.registry.refresh();
  await models.online.status();
  return models;
}
