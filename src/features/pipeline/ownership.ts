import { AppError, messageOf } from "../../platform/errors.js";
import type { Lease, Leases } from "../../platform/lease.js";
import type { Log } from "../../platform/log.js";
import type { LoopDefinition } from "../../platform/loop.js";
import type { Session } from "./session.js";

/** Where the pipeline runs: here, elsewhere, or nowhere yet. */
export type PipelineState = "running" | "starting" | "elsewhere" | "idle" | "stopped";

/** The one session that this process may have: while it holds the lease, and no other does. */
export interface Ownership {
  current(): Session | null;
  /** Opens one where there is none. @throws {AppError} `pipeline_elsewhere`, `shutting_down`, and what opening throws. */
  ensure(): Promise<Session>;
  /** Something was sent: there will be something to save. */
  touch(): void;
  state(): PipelineState;
  readonly loop: LoopDefinition;
  /** Stores all that was taken, and lets others take over. */
  stop(): Promise<void>;
}

export const PIPELINE_LEASE = "pipeline";
const LEASE_MS = 15_000;
const EVERY_MS = 1_000;
const SAVE_MS = 60_000;
/** How often it is looked whether there is something to go on from. */
const LOOK_MS = 30_000;

export interface OwnershipParts {
  readonly leases: Pick<Leases, "acquire" | "release">;
  /** Opens a session under a lease. @param onLost for when it cannot go on. */
  readonly open: (lease: () => Lease, onLost: (error: unknown) => void) => Promise<Session>;
  /** Whether ticks have been taken before. */
  readonly isBegun: () => Promise<boolean>;
  /** Length of the shortest bars, ms, and how long after their end they are closed by the clock. */
  readonly barMs: number;
  readonly graceMs: number;
  readonly now: () => number;
  readonly log: Log;
}

export function createOwnership(parts: OwnershipParts): Ownership {
  const { leases, log } = parts;
  let held: Held | null = null;
  let opening: Promise<Session> | null = null;
  let isElsewhere = false;
  let isStopped = false;

  async function open(): Promise<Session> {
    const lease = await leases.acquire(PIPELINE_LEASE, LEASE_MS);
    isElsewhere = lease === null;
    if (lease === null) {
      throw new AppError("pipeline_elsewhere", "Another process takes ticks: send them there", {
        retryAfterS: 5,
      });
    }
    let failure: { readonly error: unknown } | null = null;
    let own: Held | null = null;
    function lose(error: unknown): void {
      if (failure !== null) return;
      failure = { error };
      log.error({ err: error }, "the pipeline cannot go on; it begins again from what was kept");
      if (own === null) return;
      if (held === own) held = null;
      own.session
        .stop(true)
        .catch((reason: unknown) => log.error({ err: reason }, "the pipeline was not ended"));
    }
    const session = await parts.open(() => lease, lose);
    if (isStopped || failure !== null) {
      await session.stop(true);
      throw isStopped ? closed() : unsteady();
    }
    own = { session, lose };
    held = own;
    return session;
  }

  function ensure(): Promise<Session> {
    if (isStopped) return Promise.reject(closed());
    if (held !== null) return Promise.resolve(held.session);
    opening ??= open().finally(() => {
      opening = null;
    });
    return opening;
  }

  const { run, touch } = createUpkeep(parts, { current: () => held, ensure });

  return {
    current: () => held?.session ?? null,
    ensure,
    touch,
    state() {
      if (isStopped) return "stopped";
      if (held !== null) return "running";
      if (opening !== null) return "starting";
      return isElsewhere ? "elsewhere" : "idle";
    },
    loop: { name: PIPELINE_LEASE, everyMs: () => EVERY_MS, timeoutMs: 30_000, run },
    async stop() {
      isStopped = true;
      await opening?.catch((error: unknown) =>
        log.debug({ reason: messageOf(error) }, "the pipeline was not opened"),
      );
      await held?.session.stop(false);
      held = null;
      await leases.release(PIPELINE_LEASE);
    },
  };
}

/** A session, and how it is told that it cannot go on. */
interface Held {
  readonly session: Session;
  readonly lose: (error: unknown) => void;
}

const unsteady = () => new AppError("overloaded", "The pipeline begins again from what was kept");
const closed = () => new AppError("shutting_down", "The server is shutting down", { retryAfterS: 2 });

/** What is done from time to time: the lease is renewed, bars are closed by the clock, and states are saved. */
function createUpkeep(
  { leases, isBegun, barMs, graceMs, now }: OwnershipParts,
  session: { readonly current: () => Held | null; readonly ensure: () => Promise<Session> },
) {
  let passed = 0;
  let savedAt = now();
  let looksAt = 0;
  let isChanged = false;

  /** Whether there is nothing to do: nobody has sent anything yet. */
  async function isIdle(): Promise<boolean> {
    if (session.current() !== null || isChanged) return false;
    if (now() < looksAt) return true;
    looksAt = now() + LOOK_MS;
    return !(await isBegun());
  }

  return {
    touch(): void {
      isChanged = true;
    },
    async run(): Promise<void> {
      if (await isIdle()) return;
      const open = await session.ensure().catch((error: unknown) => {
        if (error instanceof AppError && error.code === "pipeline_elsewhere") return null;
        throw error;
      });
      if (open === null) return;
      if ((await leases.acquire(PIPELINE_LEASE, LEASE_MS)) === null) {
        session.current()?.lose(new Error("another process has taken over"));
        return;
      }
      const slot = Math.floor((now() - graceMs) / barMs);
      if (slot > passed && open.symbols().length > 0) {
        passed = slot;
        await open.pass();
      }
      if (!isChanged || now() - savedAt < SAVE_MS) return;
      isChanged = false;
      savedAt = now();
      try {
        await open.save();
      } catch (error) {
        isChanged = true;
        throw error;
      }
    },
  };
}
