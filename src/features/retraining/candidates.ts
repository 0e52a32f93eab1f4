import { SAMPLE_SCHEMA } from "../../core/learning/samples.js";
import { DEEP_HEADS, isDeepLearner, type OpenModel } from "../models/artefact.js";
import type { Registry } from "../models/registry.js";
import { type ModelVersion, nameOf } from "../models/store.js";
import type { Update } from "./loop.js";
import { TREES } from "./lots.js";

const DAY_MS = 86_400_000;
/** By then as many decisions have come as the rules ask for, or they come too seldom to try a model that is not the newest. */
const MOST_DAYS = 365;
const MOST = 100;

/** Ends candidates that nothing can try, with the reason: they would stay for ever. */
export async function endCandidates(
  registry: Pick<Registry<OpenModel>, "list" | "refuse">,
  hasSeries: (model: ModelVersion) => Promise<boolean>,
  nowMs: number,
  note: (update: Omit<Update, "atMs">) => void,
): Promise<void> {
  for (const version of await registry.list({ status: "candidate" }, MOST)) {
    const reason = await whyUntriable(version, hasSeries, nowMs);
    if (reason === null) continue;
    await registry.refuse(version, {
      actor: "retraining",
      reason: `nothing can try it: ${reason}`,
      numbers: {},
    });
    const description = `${nameOf(version)} ${version.version}: nothing can try it: ${reason}`;
    note({ type: "refused", count: 1, of: "candidates", description });
  }
}

/** Null for one that a trial may still decide about. */
async function whyUntriable(
  version: ModelVersion,
  hasSeries: (model: ModelVersion) => Promise<boolean>,
  nowMs: number,
): Promise<string | null> {
  const { learner, grouping, featureSchema, assetClass, interval, createdAtMs } = version;
  const isDeep = isDeepLearner(learner);
  if (!isDeep && learner !== TREES) return `models of the learner ${learner} cannot be tried here`;
  if (!isDeep && grouping === "none") return "its grouping says neither regime nor pattern";
  const own = isDeep ? DEEP_HEADS[learner].featureSchema : SAMPLE_SCHEMA;
  if (featureSchema !== own)
    return `it reads features of schema ${featureSchema}, and this server has ${own}`;
  if (!isDeep && !(await hasSeries(version))) return `no series of ${assetClass} ${interval} is stored`;
  if (nowMs - createdAtMs <= MOST_DAYS * DAY_MS) return null;
  const why = isDeep ? "it was not tried" : "too few decisions have ended";
  return `${why} in the ${MOST_DAYS} days since it came`;
}
