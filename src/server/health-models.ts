import type { z } from "zod";
import type { RefusedVersion } from "../features/models/registry.js";
import { nameOf } from "../features/models/store.js";
import { messageOf } from "../platform/errors.js";
import type { HealthOptions } from "./health.js";
import type { detailedSchema } from "./health-schema.js";

type Components = z.input<typeof detailedSchema>["components"];

const DEEP: readonly string[] = ["sequence_net", "q_agent"];

/** Models that serve, and active versions that cannot be read. */
export async function modelsView(
  models: HealthOptions["models"],
): Promise<Pick<Components, "ml_models" | "deep_learning" | "online_learning">> {
  const { registry, online } = models;
  const serving = registry.allServing();
  const refused = registry.refused();
  const deep = serving.filter(({ version }) => DEEP.includes(version.learner));
  const versionOf = (learner: string) =>
    deep.find(({ version }) => version.learner === learner)?.version.version ?? null;
  const trees = serving.filter(({ version }) => version.learner === "gradient_trees");
  const grouped = (grouping: string) => trees.filter(({ version }) => version.grouping === grouping).length;
  return {
    ml_models: {
      ...standing(serving.length, refused, "No model has been promoted"),
      total_models: serving.length,
      global_models: grouped("regime"),
      pattern_models: grouped("pattern"),
      serving: serving.map(({ version }) => ({ model: nameOf(version), version: version.version })),
      refused: refused.map(({ purpose, version, reason, servedBy }) => {
        return { model: nameOf(purpose), version, reason, served_by: servedBy };
      }),
    },
    deep_learning: {
      ...standing(
        deep.length,
        refused.filter(({ purpose }) => DEEP.includes(purpose.learner)),
        "Neither a sequence net nor an agent has been promoted",
      ),
      model_version: versionOf("sequence_net"),
      agent_version: versionOf("q_agent"),
      pytorch_version: null,
      cuda_available: false,
      device: deep.length === 0 ? null : "cpu",
    },
    online_learning: await onlineView(online),
  };
}

function standing(count: number, refused: readonly Pick<RefusedVersion, "reason">[], absence: string) {
  if (refused.length > 0) return { status: "degraded" as const, reason: refused[0].reason };
  return count === 0
    ? { status: "unavailable" as const, reason: absence }
    : { status: "healthy" as const, reason: null };
}

/** A database that does not answer is told of by its own component, too. */
async function onlineView(online: HealthOptions["models"]["online"]): Promise<Components["online_learning"]> {
  try {
    const { length } = await online.status();
    const refused = online.refused().map(({ key, reason }) => ({ model: key, reason }));
    const named = refused.map(({ model, reason }) => ({ reason: `${model}: ${reason}` }));
    const status = standing(length, named, "No decision has ended yet");
    return { ...status, total_models: length, queue_size: 0, refused };
  } catch (error) {
    return { status: "unavailable", reason: messageOf(error), total_models: 0, queue_size: 0, refused: [] };
  }
}
