/** Receivers served before other work gets its turn. */
const SLICE = 500;

/**
 * A function that sends frames to many in slices: the event loop is never held for long, and each receiver sees frames in
 * order. What comes faster than all can be served piles up for each, and is sent to it at once.
 * @param send takes the frames that wait for a receiver, the oldest first. They are its own until it returns.
 */
export function createBroadcast<C extends object, F>(send: (receiver: C, frames: readonly F[]) => void) {
  const waiting = new WeakMap<C, F[]>();
  /** Those for whom something waits, in the order in which they are served. */
  let due: C[] = [];
  let next = 0;
  let running = false;

  function turn(): void {
    const end = Math.min(due.length, next + SLICE);
    for (; next < end; next++) {
      const frames = waiting.get(due[next]);
      if (frames === undefined) continue;
      send(due[next], frames);
      frames.length = 0;
    }
    if (next === due.length) {
      due = [];
      next = 0;
      running = false;
    } else setImmediate(turn);
  }

  return (receivers: readonly C[], frame: F): void => {
    for (const receiver of receivers) {
      const frames = waiting.get(receiver);
      if (frames === undefined) waiting.set(receiver, [frame]);
      else frames.push(frame);
      // Whoever waits already is served once, with all.
      if (frames === undefined || frames.length === 1) due.push(receiver);
    }
    if (running) return;
    running = true;
    setImmediate(turn);
  };
}
