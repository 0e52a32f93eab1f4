import type { AppError } from "./errors.js";
import type { Leases } from "./lease.js";

/**
 * Does work only while nobody else does, in this process or another: by a lease, which is released when the work ends.
 * @param busy what is thrown where somebody does it already.
 */
export function createAlone(
  leases: Pick<Leases, "acquire" | "release">,
  { name, ttlMs }: { readonly name: string; readonly ttlMs: number },
  busy: () => AppError,
): <T>(work: () => Promise<T>) => Promise<T> {
  let running = false;
  return async (work) => {
    if (running) throw busy();
    running = true;
    try {
      if ((await leases.acquire(name, ttlMs)) === null) throw busy();
      return await work();
    } finally {
      running = false;
      await leases.release(name);
    }
  };
}
