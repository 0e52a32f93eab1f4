import { createHash } from "node:crypto";
import type { MessagePort } from "node:worker_threads";
import { learnNet, type NetCandidate, type NetTerms } from "../../core/learning/sequence-net/candidate.js";
import { historyWindows } from "../../core/learning/shapes-history.js";
import type { Candles } from "../../core/market/candles.js";
import { sha256 } from "../../platform/sha256.js";
import { giveWay } from "../../platform/workers.js";
import { DEEP_HEADS, openArtefact, packArtefact } from "../models/artefact.js";
import type { DeepProgress } from "./deep-progress.js";

export interface NetOrder {
  /** Stored series, whose shapes are learned from where there are enough. */
  readonly series: readonly Candles[];
  readonly terms: NetTerms;
  /** Artefact of the active version; null where there is none that reads the same columns. */
  readonly incumbent: Uint8Array | null;
  /** Data hash of what serves; null where the same would not give the same. */
  readonly learnedHash: string | null;
  readonly port: MessagePort;
}

export interface LearnedNet extends Omit<NetCandidate, "net" | "epochs"> {
  readonly artefact: Uint8Array;
  readonly hash: string;
  /** SHA-256 of the stored windows and of the terms, which the drawn ones follow from. */
  readonly dataHash: string;
  /** Passes over the windows. */
  readonly epochs: number;
  readonly windows: number;
  /** Of the stored windows, epoch ms; null without any that were learned from. */
  readonly fromMs: number | null;
  readonly toMs: number | null;
  readonly trainingMs: number;
}

/** Learns and tries a sequence net. @returns null where nothing of what it would learn from is new. */
export default function learn({ series, terms, incumbent, learnedHash, port }: NetOrder): LearnedNet | null {
  giveWay();
  const started = performance.now();
  const head = DEEP_HEADS.sequence_net;
  const history = series.map((candles) => historyWindows(candles, terms.seed));
  const dataHash = dataHashOf(terms, history);
  if (dataHash === learnedHash) return null;
  const opened = incumbent === null ? null : openArtefact(head, incumbent);
  const active = opened?.learner === "sequence_net" ? opened.model : null;
  const total = terms.epochs + terms.fineEpochs + 1;
  let done = 0;
  const tell = (phase: string) => {
    const progress: DeepProgress = { phase: `sequence_net: ${phase}`, done, total };
    port.postMessage(progress);
  };
  tell("drawing windows");
  const { net, epochs, ...candidate } = learnNet(history, terms, active, ({ macroF1 }) => {
    done++;
    tell(`pass ${done}, macro-F1 ${macroF1.toFixed(2)}`);
    return true;
  });
  const artefact = packArtefact(head, { learner: "sequence_net", model: net });
  const learned = candidate.storedLearned > 0;
  return {
    ...candidate,
    artefact,
    hash: sha256(artefact),
    dataHash,
    epochs: epochs.length,
    windows: terms.windows + candidate.storedLearned,
    fromMs: learned ? leastOf(history.flatMap(({ begins }) => begins[0] ?? [])) : null,
    toMs: learned ? -leastOf(history.flatMap(({ ends }) => -(ends.at(-1) ?? 0))) : null,
    trainingMs: performance.now() - started,
  };
}

function dataHashOf(terms: NetTerms, history: ReturnType<typeof historyWindows>[]): string {
  const hash = createHash("sha256").update(JSON.stringify(terms));
  for (const { values, labels } of history) hash.update(values).update(labels);
  return hash.digest("hex");
}

const leastOf = (values: readonly number[]) => values.reduce((least, each) => Math.min(least, each));
