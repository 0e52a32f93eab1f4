/** Receivers served before other work gets its turn. */
const SLICE = 500;

/**
 * A function that sends frames to many in slices, one frame after the other: the event loop is never held for
 * long, and each receiver sees frames in order.
 */
export function createBroadcast<C, F>(send: (receiver: C, frame: F) => void) {
  const queue: { targets: readonly C[]; frame: F; next: number }[] = [];
  let running = false;

  function turn(): void {
    let budget = SLICE;
    while (budget > 0) {
      const job = queue[0];
      if (job === undefined) {
        running = false;
        return;
      }
      const end = Math.min(job.targets.length, job.next + budget);
      for (let i = job.next; i < end; i++) send(job.targets[i], job.frame);
      budget -= Math.max(1, end - job.next);
      job.next = end;
      if (end === job.targets.length) queue.shift();
    }
    setImmediate(turn);
  }

  return (targets: readonly C[], frame: F): void => {
    queue.push({ targets, frame, next: 0 });
    if (running) return;
    running = true;
    turn();
  };
}
