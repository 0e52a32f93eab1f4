import type { Client, Clients } from "./clients.js";
import type { Stream } from "./stream.js";
import { type Gap, isKept, kindOf } from "./topics.js";

/**
 * Lets a client hear topics: from a number on, from what is true now, or from now on. What is not kept has no number to go on
 * from: it says that what came meanwhile is lost, and begins with what is true now.
 * @param since number of the last event seen, by topic.
 * @throws {AppError} for what is no topic, and for topics of others.
 */
export type Subscribe<C extends Client> = (
  client: C,
  texts: readonly string[],
  since: Readonly<Record<string, number>>,
  snapshots?: boolean,
) => Promise<void>;

export function createSubscribing<C extends Client>({
  stream,
  clients,
}: {
  stream: Stream;
  clients: Clients<C>;
}): Subscribe<C> {
  const reply = (client: C, message: object) => clients.send(client, JSON.stringify(message));

  /** Sends what came after a number until nothing is missing any more: every event once and in order. */
  async function resume(client: C, topic: string, since: number): Promise<void> {
    clients.hold(client, topic);
    reply(client, { type: "subscribed", topic, since });
    const { at, ...told } = await orLeave(client, topic, () => catchUp(client, topic, since));
    reply(client, { type: "resumed", topic, seq: at, ...told });
    clients.release(client, topic, at);
  }

  /** Says of what is not kept that nothing of what was missed can be told. */
  async function beginAgain(client: C, topic: string, since: number): Promise<void> {
    clients.join(client, topic);
    reply(client, { type: "subscribed", topic, since });
    reply(client, { type: "resumed", topic, seq: since, replayed: 0, ...endOf("not_kept") });
    if (kindOf(topic)?.snapshot != null) await orLeave(client, topic, () => tellSnapshot(client, topic));
  }

  async function tellSnapshot(client: C, topic: string): Promise<number> {
    const { frame, seq } = await stream.snapshot(topic, client.principal);
    await clients.sendPaced(client, frame);
    return seq;
  }

  async function catchUp(client: C, topic: string, since: number) {
    let [at, replayed, more, forgotten] = [since, 0, false, false];
    do {
      const missed = await stream.replay(topic, at);
      for (const { frame } of missed.events) await clients.sendPaced(client, frame);
      forgotten ||= at === since && missed.forgotten;
      more = missed.more;
      at = missed.seq;
      replayed += missed.events.length;
    } while (!more && !client.ending && clients.heldTo(client, topic) > at);
    return { at, replayed, ...endOf(forgotten ? "forgotten" : more ? "more" : null) };
  }

  /** Going on without what was missed would look like a topic that is whole. */
  async function orLeave<T>(client: C, topic: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      clients.leave(client, topic);
      throw error;
    }
  }

  /** Begins with what is true now; what is told of a kept topic meanwhile comes after that. */
  async function begin(client: C, topic: string): Promise<void> {
    if (isKept(topic)) clients.hold(client, topic);
    else clients.join(client, topic);
    reply(client, { type: "subscribed", topic, since: null });
    await orLeave(client, topic, async () => {
      const seq = await tellSnapshot(client, topic);
      if (isKept(topic)) clients.release(client, topic, (await catchUp(client, topic, seq)).at);
    });
  }

  return async function subscribe(
    client: C,
    texts: readonly string[],
    since: Readonly<Record<string, number>>,
    snapshots = false,
  ) {
    const from = new Map<string, number | undefined>();
    for (const text of texts) {
      const topic = stream.topicOf(text);
      await stream.admit(topic, client.principal);
      from.set(topic, since[text] ?? since[topic] ?? from.get(topic));
    }
    for (const [topic, number] of from) {
      if (number !== undefined) await (isKept(topic) ? resume : beginAgain)(client, topic, number);
      else if (snapshots && kindOf(topic)?.snapshot != null) await begin(client, topic);
      else {
        clients.join(client, topic);
        reply(client, { type: "subscribed", topic, since: null });
      }
    }
  };
}

/** How a replay ends: whether something is missing after it, and why. */
export function endOf(gap: Gap | null): { readonly truncated: boolean; readonly reason?: Gap } {
  return gap === null ? { truncated: false } : { truncated: true, reason: gap };
}
