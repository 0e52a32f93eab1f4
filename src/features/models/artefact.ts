import { AGENT_COLUMNS, AGENT_LINEAGE } from "../../core/learning/agent/candidate.js";
import type { Agent } from "../../core/learning/agent/policy.js";
import { decodeAgent, encodeAgent } from "../../core/learning/agent/weights.js";
import { WeightsRefused } from "../../core/learning/define.js";
import { decodeStack, encodeStack, type LayerStack } from "../../core/learning/layer-stack.js";
import { readFields, readNames } from "../../core/learning/read-weights.js";
import { NET_LINEAGE } from "../../core/learning/sequence-net/candidate.js";
import { NET_COLUMNS } from "../../core/learning/sequence-net/columns.js";
import type { SequenceNet } from "../../core/learning/sequence-net/net.js";
import { decodeNet, encodeNet } from "../../core/learning/sequence-net/weights.js";
import {
  columnsOfModel,
  decodeTabular,
  encodeTabular,
  type TabularModel,
} from "../../core/learning/tabular.js";
import type { ModelVersion } from "./store.js";

/** A model by its learner, read and checked. */
export type OpenModel =
  | { readonly learner: "gradient_trees"; readonly model: TabularModel }
  | { readonly learner: "layer_stack"; readonly model: LayerStack }
  | { readonly learner: "sequence_net"; readonly model: SequenceNet }
  | { readonly learner: "q_agent"; readonly model: Agent };

/** What an artefact says of itself beside its weights. */
export type ArtefactHead = Pick<ModelVersion, "learner" | "featureSchema" | "columns">;

/** Heads of the learners that read windows and states, whose columns are always the same. */
export const DEEP_HEADS = {
  sequence_net: { learner: "sequence_net", featureSchema: NET_LINEAGE, columns: NET_COLUMNS },
  q_agent: { learner: "q_agent", featureSchema: AGENT_LINEAGE, columns: AGENT_COLUMNS },
} as const satisfies Record<string, ArtefactHead>;
export type DeepLearner = keyof typeof DEEP_HEADS;
export const DEEP_LEARNERS = Object.keys(DEEP_HEADS) as readonly DeepLearner[];
export const isDeepLearner = (learner: string): learner is DeepLearner => Object.hasOwn(DEEP_HEADS, learner);

const FORMAT = "tx-model-1";

/** The bytes that are stored and hashed: JSON in UTF-8. */
export function packArtefact({ learner, featureSchema, columns }: ArtefactHead, open: OpenModel): Uint8Array {
  const file = { format: FORMAT, learner, feature_schema: featureSchema, columns, weights: encode(open) };
  return Buffer.from(JSON.stringify(file));
}

function encode(open: OpenModel): unknown {
  switch (open.learner) {
    case "gradient_trees":
      return encodeTabular(open.model);
    case "layer_stack":
      return encodeStack(open.model);
    case "sequence_net":
      return encodeNet(open.model);
    case "q_agent":
      return encodeAgent(open.model);
  }
}

function decode(learner: unknown, weights: unknown): OpenModel {
  switch (learner) {
    case "gradient_trees":
      return { learner, model: decodeTabular(weights) };
    case "layer_stack":
      return { learner, model: decodeStack(weights) };
    case "sequence_net":
      return { learner, model: decodeNet(weights) };
    case "q_agent":
      return { learner, model: decodeAgent(weights) };
    default:
      throw new WeightsRefused(`no learner is called ${String(learner)}`);
  }
}

/**
 * Reads an artefact. @param said what its version says of it: learner, schema and columns in their order must agree.
 * @throws {WeightsRefused}
 */
export function openArtefact(said: ArtefactHead, bytes: Uint8Array): OpenModel {
  const file = readFields(
    parse(bytes),
    ["format", "learner", "feature_schema", "columns", "weights"],
    "an artefact",
  );
  if (file.format !== FORMAT) throw new WeightsRefused(`format ${String(file.format)} instead of ${FORMAT}`);
  if (file.learner !== said.learner) throw new WeightsRefused(`it is of the learner ${String(file.learner)}`);
  if (file.feature_schema !== said.featureSchema) throw new WeightsRefused("it is of another feature schema");
  const columns = readNames(file.columns, "columns");
  if (columns.join() !== said.columns.join())
    throw new WeightsRefused("its columns are others, or in another order");
  const open = decode(file.learner, file.weights);
  if (open.learner === "gradient_trees" && columnsOfModel(open.model).join() !== columns.join()) {
    throw new WeightsRefused("its weights are of other columns");
  }
  if (open.learner === "sequence_net" || open.learner === "q_agent") {
    const own = DEEP_HEADS[open.learner];
    if (own.featureSchema !== said.featureSchema || own.columns.join() !== columns.join())
      throw new WeightsRefused("it was made for columns of another version");
  }
  return open;
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw new WeightsRefused("it is no JSON in UTF-8", { cause: error });
  }
}
