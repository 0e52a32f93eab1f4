import { createHash } from "node:crypto";
import { BAR_COLUMNS, type Candles } from "../../core/market/candles.js";
import type { CandleService } from "../candles/candles.js";
import { type Detections, detectionOf } from "../detections/detections.js";
import type { NewDetection, StoredDetection } from "../detections/store.js";
import { sightingView } from "../detections/views.js";
import type { Instruments } from "../instruments/instruments.js";
import type { KnownInstrument } from "../instruments/store.js";
import { loadLeading } from "./leading.js";
import type { ReliabilitySource } from "./reliability.js";
import { unknownPattern } from "./subject.js";

/** One value of a detection: as it is stored, and as it was computed again. */
export interface ProofField {
  /** Path of the value in a detection as answers show it: `formation.points.0.price`. */
  readonly field: string;
  readonly stored: Value;
  readonly recomputed: Value;
  readonly same: boolean;
}

type Value = string | number | boolean | null;

/** A detection computed again from bars. */
export interface Recomputation {
  readonly verdict: "identical" | "different";
  /** Why nothing was computed; null where the pattern was found again. */
  readonly reason: string | null;
  readonly bars: number;
  /** Open of the first bar, epoch ms; null without bars. */
  readonly firstMs: number | null;
  /** SHA-256 of the bars: time, open, high, low, close and volume, each column as little-endian doubles in turn. */
  readonly hash: string;
  readonly fields: readonly ProofField[];
}

export interface Proof {
  readonly detection: StoredDetection;
  /** The moment whose knowledge of the bars was used: when it was stored, epoch ms. */
  readonly asOfMs: number;
  readonly known: Recomputation;
  /** Whether the bars are otherwise by now: restated by their source, or on another scale after a split. */
  readonly restated: boolean;
  /** From the bars as they are known now; null where they are the same. */
  readonly now: Recomputation | null;
}

/** What is measured elsewhere, or says the same as another field. */
const LEFT_OUT: ReadonlySet<string> = new Set(["confidence", "timestamp"]);

export function createProofs(parts: {
  detections: Pick<Detections, "get" | "examineWindows">;
  candles: Pick<CandleService, "loadRange">;
  instruments: Pick<Instruments, "resolve">;
  evidence: ReliabilitySource;
  now: () => number;
}) {
  const { detections, candles, instruments, evidence, now } = parts;

  async function recompute(
    detection: StoredDetection,
    instrument: KnownInstrument,
    knownAtMs: number | undefined,
  ): Promise<Recomputation> {
    const { interval, barTime, pattern, state } = detection;
    const set = await loadLeading(candles, instrument, interval, barTime, knownAtMs);
    const { time } = set.candles;
    const at = time.length - 1;
    const head = { bars: time.length, firstMs: time[0] ?? null, hash: hashBars(set.candles) };
    const compared = (found: NewDetection | null, reason: string | null): Recomputation => {
      const fields = compareFields(detection, found);
      const same = found !== null && fields.every((field) => field.same);
      return { verdict: same ? "identical" : "different", reason, ...head, fields };
    };
    if (time[at] !== barTime) return compared(null, "The bar of the detection is not among the bars");
    const [sightings] = await detections.examineWindows([{ candles: set.candles, from: at }]);
    const found = sightings.find((each) => each.pattern === pattern && each.state === state);
    if (found === undefined) return compared(null, "The pattern is not seen at the bar");
    return compared(detectionOf(found, set, evidence.confidenceOf), null);
  }

  return {
    /**
     * Computes a stored detection again from the bars that were known when it was stored, and from those known now
     * where they differ. @throws {AppError} `detection_not_found`, `pattern_unknown`, and as candles do.
     */
    async prove(id: number): Promise<Proof> {
      const detection = await detections.get(id);
      if (detection.source === "ticks") throw unknownPattern(detection);
      const instrument = await instruments.resolve(detection.symbol);
      const asOfMs = Math.min(detection.detectedAt, now());
      const known = await recompute(detection, instrument, asOfMs);
      const present = await recompute(detection, instrument, undefined);
      const restated = present.hash !== known.hash;
      return { detection, asOfMs, known, restated, now: restated ? present : null };
    },
  };
}

export type Proofs = ReturnType<typeof createProofs>;

/** SHA-256 of bars, hexadecimal. */
export function hashBars(candles: Candles): string {
  const hash = createHash("sha256");
  for (const name of BAR_COLUMNS) {
    const column = candles[name];
    const bytes = new DataView(new ArrayBuffer(8 * column.length));
    for (let i = 0; i < column.length; i++) bytes.setFloat64(8 * i, column[i], true);
    hash.update(new Uint8Array(bytes.buffer));
  }
  return hash.digest("hex");
}

/** Every value of a detection beside the same one computed again; null where the other has none. */
export function compareFields(stored: NewDetection, recomputed: NewDetection | null): ProofField[] {
  const before = valuesOf(sightingView(stored));
  const after = recomputed === null ? new Map<string, Value>() : valuesOf(sightingView(recomputed));
  const names = [...new Set([...before.keys(), ...after.keys()])].filter((name) => !LEFT_OUT.has(name));
  return names.map((field) => {
    const [was, is] = [before.get(field), after.get(field)];
    return { field, stored: was ?? null, recomputed: is ?? null, same: was !== undefined && was === is };
  });
}

/** Values by their path. */
function valuesOf(value: unknown, path = "", found = new Map<string, Value>()): Map<string, Value> {
  if (typeof value === "object" && value !== null) {
    for (const [name, inner] of Object.entries(value)) {
      valuesOf(inner, path === "" ? name : `${path}.${name}`, found);
    }
  } else found.set(path, value as Value);
  return found;
}
