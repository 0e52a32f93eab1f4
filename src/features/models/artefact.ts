import { WeightsRefused } from "../../core/learning/define.js";
import { decodeStack, encodeStack, type LayerStack } from "../../core/learning/layer-stack.js";
import { readFields, readNames } from "../../core/learning/read-weights.js";
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
  | { readonly learner: "layer_stack"; readonly model: LayerStack };

/** What an artefact says of itself beside its weights. */
export type ArtefactHead = Pick<ModelVersion, "learner" | "featureSchema" | "columns">;

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
  }
}

function decode(learner: unknown, weights: unknown): OpenModel {
  switch (learner) {
    case "gradient_trees":
      return { learner, model: decodeTabular(weights) };
    case "layer_stack":
      return { learner, model: decodeStack(weights) };
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
  return open;
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw new WeightsRefused("it is no JSON in UTF-8", { cause: error });
  }
}
