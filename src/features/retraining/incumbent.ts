import { DEEP_HEADS, type DeepLearner, type OpenModel, packArtefact } from "../models/artefact.js";
import type { Registry } from "../models/registry.js";
import type { Compared } from "../models/steps.js";
import { deepPurpose, type ModelVersion } from "../models/store.js";

/** What a net or an agent is compared with. */
export interface Incumbent {
  readonly compared: Compared;
  /** Artefact of what serves; null where nothing does that reads the same columns. */
  readonly artefact: Uint8Array | null;
  /** The version that is active, whether or not it can be read. */
  readonly active: ModelVersion | null;
}

export type IncumbentRegistry = Pick<Registry<OpenModel>, "serving" | "list" | "refresh">;

/** What is active is told before what serves is read: where another takes its place in between, no version is entered. */
export async function incumbentOf(registry: IncumbentRegistry, learner: DeepLearner): Promise<Incumbent> {
  const purpose = deepPurpose(learner);
  const [active = null] = await registry.list({ ...purpose, status: "active" }, 1);
  await registry.refresh();
  const serving = registry.serving(purpose);
  const { featureSchema } = DEEP_HEADS[learner];
  const other = serving?.version.featureSchema === featureSchema ? serving : null;
  return {
    compared: { active: active?.id ?? null, with: other?.version.version ?? null },
    artefact: other === null ? null : packArtefact(DEEP_HEADS[learner], other.opened),
    active,
  };
}
