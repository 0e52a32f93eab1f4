import { oldestSeen } from "./look.js";
import type { Watched } from "./watch-store.js";

/**
 * Rules of one symbol and interval together, which share the bars, in the order in which they are looked at: of each user
 * one group, then of each the next. Within those of a user what was seen longest ago comes first. So whoever watches
 * thousands of symbols waits longer for themselves, and nobody else does.
 */
export function inTurns(watched: readonly Watched[]): Watched[][] {
  const groups = new Map<string, Watched[]>();
  for (const each of watched) {
    const key = `${each.instrumentId} ${each.interval}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [each]);
    else group.push(each);
  }
  const waiting = [...groups.values()]
    .map((group) => ({ group, since: oldestSeen(group) }))
    .sort((a, b) => a.since - b.since);
  const taken = new Map<string, number>();
  const turns = waiting.map(({ group }) => {
    // A group of several users comes when the first of them has a turn.
    const users = new Set(group.map(({ userId }) => userId));
    const turn = Math.min(...Array.from(users, (user) => taken.get(user) ?? 0));
    for (const user of users) taken.set(user, (taken.get(user) ?? 0) + 1);
    return { group, turn };
  });
  return turns.sort((a, b) => a.turn - b.turn).map(({ group }) => group);
}
