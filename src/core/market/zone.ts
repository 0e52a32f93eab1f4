import { upperBound } from "../base/search.js";
import { DAY_MS, dayOf } from "./day.js";

/** Calendars and zone offsets are laid out for these years; instants outside them have no session. */
export const FIRST_YEAR = 1900;
export const LAST_YEAR = 2099;

/** A time zone of the IANA database as stretches of constant offset. */
export interface Zone {
  readonly name: string;
  /** First instant of each stretch, epoch ms, ascending. */
  readonly from: Float64Array;
  /** Local clock minus UTC in ms within each stretch. */
  readonly offset: Float64Array;
}

/** The zones of exchanges hold each offset for longer than this. */
const SAMPLE_MS = 14 * DAY_MS;

const zones = new Map<string, Zone>();

/** The zone of an IANA name; its rules are those of the runtime's own time zone data. */
export function zoneOf(name: string): Zone {
  const known = zones.get(name);
  if (known !== undefined) return known;
  const zone = readZone(name);
  zones.set(name, zone);
  return zone;
}

/** Local clock minus UTC in ms at an instant. */
export function offsetAt(zone: Zone, timeMs: number): number {
  return zone.offset[Math.max(0, upperBound(zone.from, timeMs) - 1)];
}

/** The date on the clock of the zone at an instant, in days since 1970-01-01. */
export function dayAt(zone: Zone, timeMs: number): number {
  return Math.floor((timeMs + offsetAt(zone, timeMs)) / DAY_MS);
}

/**
 * The instant at which clocks of the zone show a local time, given as epoch ms of the same reading in UTC.
 * For the hour a change of clocks skips or repeats this is one of the two candidates; no exchange opens then.
 */
export function instantOf(zone: Zone, localMs: number): number {
  const guess = localMs - offsetAt(zone, localMs);
  return localMs - offsetAt(zone, guess);
}

function readZone(name: string): Zone {
  const offsetFromRules = offsetReader(name);
  const start = dayOf(`${FIRST_YEAR - 1}-12-01`) * DAY_MS;
  const end = dayOf(`${LAST_YEAR + 1}-02-01`) * DAY_MS;
  const from = [start];
  const offset = [offsetFromRules(start)];
  for (let time = start; time < end; time += SAMPLE_MS) {
    let before = time;
    let after = time + SAMPLE_MS;
    const changed = offsetFromRules(after);
    if (changed === offset[offset.length - 1]) continue;
    // Changes of clocks fall on whole seconds.
    while (after - before > 1_000) {
      const middle = Math.floor((before + after) / 2_000) * 1_000;
      if (offsetFromRules(middle) === changed) after = middle;
      else before = middle;
    }
    from.push(after);
    offset.push(changed);
  }
  return { name, from: Float64Array.from(from), offset: Float64Array.from(offset) };
}

/** Asks the runtime, which answers with text such as `1/15/2024, GMT-05:00`. */
function offsetReader(name: string): (timeMs: number) => number {
  const format = new Intl.DateTimeFormat("en-US", { timeZone: name, timeZoneName: "longOffset" });
  return (timeMs) => {
    const match = /GMT([+-])(\d{2}):(\d{2})(?::(\d{2}))?$/.exec(format.format(timeMs));
    if (match === null) return 0;
    const seconds = Number(match[2]) * 3_600 + Number(match[3]) * 60 + Number(match[4] ?? 0);
    return (match[1] === "-" ? -seconds : seconds) * 1_000;
  };
}
