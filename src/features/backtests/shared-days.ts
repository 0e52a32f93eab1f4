import type { TrialFamily } from "./store.js";

/** Share of the days of a trial that another must have to be compared with it. */
const LEAST_SHARED = 0.9;

/** Trials that can be compared day by day. */
export interface SharedDays {
  /** Days since 1970-01-01 that all of their data sets have, ascending; null where all have returns of the same days. */
  readonly days: Int32Array | null;
  /** Places of the trials in the family, ascending. */
  readonly places: readonly number[];
}

/**
 * The trials on bars that have nearly all days of one data set, those on itself among them. Of one that has not a return
 * on each of its days, since its account was lost, those of the same data set that have as many.
 * @param places of trials that are looked at. @param n returns of the one that they are to be compared with.
 */
export function sharedDays(
  { datasets, datasetIds, n: lengths }: TrialFamily,
  places: Int32Array,
  datasetId: number,
  n: number,
): SharedDays {
  const byId = new Map(datasets.map(({ id, days }) => [id, days]));
  const own = byId.get(datasetId) ?? null;
  if (own === null || own.length !== n) {
    const alike = [...places].filter((place) => datasetIds[place] === datasetId && lengths[place] === n);
    return { days: null, places: alike };
  }
  let common = own;
  const sharing = new Set<number>();
  for (const { id, days } of datasets) {
    if (days === null) continue;
    if (intersect(own, days).length < LEAST_SHARED * own.length) continue;
    sharing.add(id);
    common = intersect(common, days);
  }
  const whole = (place: number) => lengths[place] === byId.get(datasetIds[place])?.length;
  return {
    days: common,
    places: [...places].filter((place) => sharing.has(datasetIds[place]) && whole(place)),
  };
}

/** Returns on some of the days that they are of. @param on ascending, each of them one of `days`; null for all. */
export function returnsOn(
  returns: Float64Array,
  days: Int32Array | null | undefined,
  on: Int32Array | null,
): Float64Array {
  if (on === null || days === null || days === undefined || on.length === days.length) return returns;
  let at = 0;
  return Float64Array.from(on, (day) => {
    while (days[at] < day) at++;
    return returns[at];
  });
}

function intersect(a: Int32Array, b: Int32Array): Int32Array {
  let at = 0;
  return a.filter((day) => {
    while (at < b.length && b[at] < day) at++;
    return b[at] === day;
  });
}
