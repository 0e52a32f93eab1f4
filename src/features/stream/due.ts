/** What is followed by topic, and whether it is to be looked at. */
export interface Due {
  isDue: boolean;
}

/** Looks at a time: sources and the database have other work. */
const AT_ONCE = 4;

/**
 * A function that looks at all that is due, also at what becomes so meanwhile, until nothing is; a call while it does adds no
 * second round.
 * @param look never rejects.
 */
export function createDueLooks<F extends Due>(
  followed: ReadonlyMap<string, F>,
  look: (topic: string, own: F) => Promise<void>,
): () => Promise<void> {
  let looking = false;
  return async () => {
    if (looking) return;
    looking = true;
    for (;;) {
      const due = [...followed].filter(([, { isDue }]) => isDue).slice(0, AT_ONCE);
      if (due.length === 0) break;
      await Promise.all(
        due.map(([topic, own]) => {
          own.isDue = false;
          return look(topic, own);
        }),
      );
    }
    looking = false;
  };
}
