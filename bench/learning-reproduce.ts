import { createHash } from "node:crypto";
import { learnCandidate } from "../src/core/learning/candidate.js";
import {
  bytesOfDataSet,
  DataSetRefused,
  decodeDataSet,
  joinDataSets,
} from "../src/core/learning/data-set.js";
import { LEARNING_TERMS } from "../src/core/learning/lesson.js";
import { packArtefact } from "../src/features/models/artefact.js";
import { metricsOf } from "../src/features/models/card.js";
import { type Grouping, lessonOf } from "../src/features/retraining/lesson.js";
import { sha256 } from "../src/platform/sha256.js";

/**
 * Learns from an exported data set as the training did that it was exported for.
 * @param texts of the file, or of all its parts.
 * @returns hash of the artefact, which equals that of the stored version, and what was measured.
 * @throws {DataSetRefused} where the file is not what it says it is, or tells too little.
 */
export function reproduce(texts: string | readonly string[], seed: number, grouping: Grouping) {
  const files = (typeof texts === "string" ? [texts] : texts).map((text) =>
    decodeDataSet(unwrapped(parse(text))),
  );
  const { dataSet, sha256: said } = joinDataSets(files);
  const digest = createHash("sha256").update(bytesOfDataSet(dataSet)).digest("hex");
  if (digest !== said) throw new DataSetRefused(`its digest is ${digest}, and it says ${said}`);
  const lesson = lessonOf({ ...dataSet, dataHash: digest, lots: [], unstable: [], early: [] }, grouping);
  const found = learnCandidate(lesson, { ...LEARNING_TERMS, seed }, null);
  if ("reason" in found) throw new DataSetRefused(found.reason);
  const head = {
    learner: "gradient_trees",
    featureSchema: dataSet.schema,
    columns: dataSet.samples.names,
  };
  const { model, evaluation, decided, reliability, verdict } = found;
  const hash = sha256(packArtefact(head, { learner: "gradient_trees", model }));
  const curve = reliability.map(({ predicted, happened, weight }) => ({
    predicted,
    happened,
    samples: weight,
  }));
  return {
    ...{ hash, data_hash: digest, seed, grouping, refused_by: verdict.refusedBy },
    metrics: metricsOf(evaluation, decided, curve, found.lots),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new DataSetRefused("it is no JSON", { cause: error });
  }
}

/** The file in an answer of `GET /api/jobs/:id/result`; what is none of these as it is. */
function unwrapped(value: unknown): unknown {
  const isAnswer = typeof value === "object" && value !== null && "success" in value && "data" in value;
  return isAnswer ? value.data : value;
}
