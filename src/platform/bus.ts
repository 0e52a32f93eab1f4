/** A kind of event, with the type of what it carries. */
export interface EventKind<T> {
  readonly name: string;
  /** Only for the compiler; never set. */
  readonly payload?: T;
}

export function defineEvent<T>(name: string): EventKind<T> {
  return Object.freeze({ name });
}

/** Tells listeners of this process what happened, in the order of publishing. Payloads are never changed after. */
export interface Bus {
  publish<T>(kind: EventKind<T>, payload: T): void;
  /** Returns the function that ends the subscription. */
  subscribe<T>(kind: EventKind<T>, listener: (payload: T) => void): () => void;
}

/** @param onError is told of a listener that throws; the others still hear the event. */
export function createBus(onError: (error: unknown, event: string) => void): Bus {
  const listeners = new Map<string, Set<(payload: never) => void>>();
  return {
    publish(kind, payload) {
      for (const listener of listeners.get(kind.name) ?? []) {
        try {
          listener(payload as never);
        } catch (error) {
          onError(error, kind.name);
        }
      }
    },
    subscribe(kind, listener) {
      const known = listeners.get(kind.name) ?? new Set();
      listeners.set(kind.name, known);
      const entry = listener as (payload: never) => void;
      known.add(entry);
      return () => known.delete(entry);
    },
  };
}
