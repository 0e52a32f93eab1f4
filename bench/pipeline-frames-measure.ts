import { ensure } from "../src/core/base/assert.js";
import type { TickEngine } from "../src/core/synergy/engine.js";
import { Spellings, type TickBatch } from "../src/core/ticks/batch.js";
import { decodeFrame, encodeFrame } from "../src/core/ticks/frame.js";
import { readTickText } from "../src/core/ticks/read-ndjson.js";
import { engineOf, walkSeries } from "./pipeline-run.js";
import type { Figure, Section } from "./time.js";

/** Prints a section: ticks of 500 symbols from frames of JSON and of bytes through all of the pipeline. */
const SYMBOLS = 500;
const BATCH = 100;
const TICKS = 200_000;
const series = walkSeries(SYMBOLS, 12, TICKS);
const { symbol, time, price, size } = series.ticks;
const names = Array.from({ length: SYMBOLS }, (_, s) => `SYM${s}`);
const numbers = new Map(names.map((name, s) => [name, s]));
const starts = Array.from({ length: TICKS / BATCH }, (_, b) => b * BATCH);

const texts = starts.map((from) => {
  const rows = Array.from({ length: BATCH }, (_, k) => {
    const i = from + k;
    return { symbol: names[symbol[i]], time: time[i], price: price[i], size: size[i] };
  });
  return Buffer.from(JSON.stringify(rows));
});
const frames = starts.map((from) => {
  const cut = (column: Float64Array) => column.slice(from, from + BATCH);
  return encodeFrame({
    symbols: Array.from(symbol.slice(from, from + BATCH), (s) => names[s]),
    ticks: {
      symbol: Uint16Array.from({ length: BATCH }, (_, k) => k),
      time: cut(time),
      price: cut(price),
      size: cut(size),
      id: cut(series.ticks.id),
    },
  });
});

const spellings = new Spellings();
const verdicts = new Uint8Array(BATCH);

function takeInto(engine: TickEngine, { symbols, ticks }: TickBatch): void {
  const places = symbols.map((name) => ensure(numbers.get(name), name));
  for (let k = 0; k < ticks.symbol.length; k++) ticks.symbol[k] = places[ticks.symbol[k]];
  engine.take(ticks, 0, ticks.time.length, verdicts);
  engine.findings.clear();
}

const cases = {
  alone(text: Buffer) {
    JSON.parse(text.toString());
  },
  json(text: Buffer, engine: TickEngine) {
    const read = readTickText(text.toString(), spellings);
    if ("problem" in read) throw new Error(read.problem);
    takeInto(engine, read);
  },
  bytes(frame: Uint8Array, engine: TickEngine) {
    const decoded = decodeFrame(frame, spellings);
    if ("problem" in decoded) throw new Error(decoded.problem);
    takeInto(engine, decoded.batch);
  },
};

/** Ns a tick; the engine, which knows nothing yet, is made before. */
function timed<Frame>(all: readonly Frame[], one: (frame: Frame, engine: TickEngine) => void): number {
  const engine = engineOf(series);
  const started = process.hrtime.bigint();
  for (const frame of all) one(frame, engine);
  return Number(process.hrtime.bigint() - started) / TICKS;
}

const rounds = Array.from({ length: 9 }, () => ({
  alone: timed(texts, cases.alone),
  json: timed(texts, cases.json),
  bytes: timed(frames, cases.bytes),
}));
const fastest = (name: keyof typeof cases) => Math.min(...rounds.map((round) => round[name]));
const [alone, json, bytes] = (["alone", "json", "bytes"] as const).map(fastest);
const rate = 1e3 / json;
const share = alone / json;
const met = rate >= 0.8 || share >= 0.65;
const figures: Figure[] = [
  {
    name: "ticks a second from JSON, frames of 100",
    value: rate,
    unit: "M/s",
    target: { text: ">= 0.8 M/s, or >= 0.65 of JSON.parse alone", met },
  },
  { name: "the same beside JSON.parse alone", value: share, unit: "" },
  { name: "JSON.parse alone", value: 1e3 / alone, unit: "M/s" },
  {
    name: "bytes a tick in JSON",
    value: texts.reduce((sum, text) => sum + text.length, 0) / TICKS,
    unit: "",
  },
  { name: "ticks a second from frames of bytes, 100 each", value: 1e3 / bytes, unit: "M/s" },
];
const sections: Section[] = [
  {
    row: "T6",
    title: "Frames of ticks of 500 symbols",
    notes: [],
    figures,
  },
];
process.stdout.write(JSON.stringify(sections));
