import { AppError } from "../../platform/errors.js";
import type { Principal } from "../../platform/http.js";
import { type Client, type Clients, TOPICS_A_CLIENT } from "./clients.js";
import type { Stream } from "./stream.js";
import { type Gap, isKept, kindOf } from "./topics.js";

/**
 * Lets a client hear topics: from a number on, from what is true now, or from now on. What is not kept has no number to go on
 * from: it says that what came meanwhile is lost, and begins with what is true now. Each topic is admitted by itself.
 * @param since number of the last event seen, by topic.
 * @throws {AppError} `invalid_request` for more topics than a client may hear, and for the number of one that is not among
 * them: none is joined then.
 */
export type Subscribe<C extends Client> = (
  client: C,
  texts: readonly string[],
  since: Readonly<Record<string, number>>,
  snapshots?: boolean,
) => Promise<Subscribed>;

/** What came of a subscription: topics that are heard now, and those that are not, as they were asked for. */
export interface Subscribed {
  readonly topics: readonly string[];
  readonly refused: readonly Refused[];
}

export interface Refused {
  readonly topic: string;
  readonly error: unknown;
}

export function createSubscribing<C extends Client>({
  stream,
  clients,
  refuse,
}: {
  stream: Stream;
  clients: Clients<C>;
  /** Tells a client of a topic that it does not hear. */
  refuse: (client: C, refused: Refused) => void;
}): Subscribe<C> {
  const reply = (client: C, message: object) => clients.send(client, JSON.stringify(message));

  /** Sends what came after a number until nothing is missing any more: every event once and in order. */
  async function resume(client: C, topic: string, since: number): Promise<void> {
    clients.hold(client, topic);
    reply(client, { type: "subscribed", topic, since, seq: since });
    const { at, ...told } = await orLeave(client, topic, () => catchUp(client, topic, since));
    reply(client, { type: "resumed", topic, seq: at, ...told });
    clients.release(client, topic, at);
  }

  /** Says of what is not kept that nothing of what was missed can be told. */
  async function beginAgain(client: C, topic: string, since: number): Promise<void> {
    clients.join(client, topic);
    reply(client, { type: "subscribed", topic, since, seq: null });
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

  /** Goes on after a number, with what was held since it; mostly there is nothing, and nothing is read. */
  async function goOn(client: C, topic: string, seq: number): Promise<void> {
    const missed = clients.heldTo(client, topic) > seq;
    clients.release(client, topic, missed ? (await catchUp(client, topic, seq)).at : seq);
  }

  /** Begins with what comes from now on: of what is kept it says after which number. */
  async function follow(client: C, topic: string): Promise<void> {
    if (!isKept(topic)) {
      clients.join(client, topic);
      reply(client, { type: "subscribed", topic, since: null, seq: null });
      return;
    }
    clients.hold(client, topic);
    await orLeave(client, topic, async () => {
      const seq = await stream.newestOf([topic]);
      reply(client, { type: "subscribed", topic, since: null, seq });
      await goOn(client, topic, seq);
    });
  }

  /** Begins with what is true now; what is told of a kept topic meanwhile comes after that. */
  async function begin(client: C, topic: string): Promise<void> {
    if (isKept(topic)) clients.hold(client, topic);
    else clients.join(client, topic);
    // Of what is kept the snapshot says after which number it is.
    reply(client, { type: "subscribed", topic, since: null, seq: null });
    await orLeave(client, topic, async () => {
      const seq = await tellSnapshot(client, topic);
      if (isKept(topic)) await goOn(client, topic, seq);
    });
  }

  async function open(client: C, topic: string, since: number | undefined, snapshots: boolean) {
    if (since !== undefined) await (isKept(topic) ? resume : beginAgain)(client, topic, since);
    else if (snapshots && kindOf(topic)?.snapshot != null) await begin(client, topic);
    else await follow(client, topic);
  }

  return async function subscribe(client, texts, since, snapshots = false) {
    const refused: Refused[] = [];
    const tell = (topic: string, error: unknown) => {
      refused.push({ topic, error });
      refuse(client, { topic, error });
    };
    requireAsked(texts, since);
    const admitted = await admitEach(stream, texts, client.principal, tell);
    requireRoom(client, [...admitted.keys()]);
    const topics: string[] = [];
    for (const [topic, named] of admitted) {
      try {
        await open(client, topic, numberFor(topic, named, since), snapshots);
        topics.push(topic);
      } catch (error) {
        tell(topic, error);
      }
    }
    return { topics, refused };
  };
}

/**
 * The topics that somebody may hear, each with all its spellings.
 * @param refuse is told of each that is none or of somebody else, as it was asked for.
 */
export async function admitEach(
  stream: Pick<Stream, "topicOf" | "admit">,
  texts: readonly string[],
  principal: Principal,
  refuse: (text: string, error: unknown) => void,
): Promise<Map<string, readonly string[]>> {
  const admitted = new Map<string, readonly string[]>();
  for (const text of new Set(texts)) {
    try {
      const topic = stream.topicOf(text);
      await stream.admit(topic, principal);
      admitted.set(topic, [...(admitted.get(topic) ?? []), text]);
    } catch (error) {
      refuse(text, error);
    }
  }
  return admitted;
}

/** The last event seen of a topic, by any of its spellings. */
function numberFor(
  topic: string,
  spellings: readonly string[],
  since: Readonly<Record<string, number>>,
): number | undefined {
  const numbers = [...spellings, topic].flatMap((text) => (Object.hasOwn(since, text) ? [since[text]] : []));
  return numbers.at(0);
}

/** @throws {AppError} for the number of a topic that is not asked for: its events would be missed unseen. */
function requireAsked(texts: readonly string[], since: Readonly<Record<string, number>>): void {
  const stray = Object.keys(since).find((text) => !texts.includes(text));
  if (stray === undefined) return;
  throw new AppError("invalid_request", `since: ${stray.slice(0, 100)} is none of the topics asked for`);
}

function requireRoom(client: Client, topics: readonly string[]): void {
  const { size } = new Set([...client.topics, ...topics]);
  if (size > TOPICS_A_CLIENT)
    throw new AppError("invalid_request", `At most ${TOPICS_A_CLIENT} topics a connection`);
}

/** How a replay ends: whether something is missing after it, and why. */
export function endOf(gap: Gap | null): { readonly truncated: boolean; readonly reason?: Gap } {
  return gap === null ? { truncated: false } : { truncated: true, reason: gap };
}
