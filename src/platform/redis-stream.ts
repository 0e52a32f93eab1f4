import { z } from "zod";
import { connectForScripts } from "./redis.js";

/** An entry of a stream: one event under its number. */
export interface StreamEntry {
  readonly seq: number;
  readonly topic: string;
  /** Epoch ms. */
  readonly time: number;
  readonly payload: unknown;
}

/** Where a stream ends: the number that was given last, and of its entry topic and time (epoch ms), null where it is gone. */
export interface StreamEnd {
  readonly seq: number;
  readonly entry: Pick<StreamEntry, "topic" | "time"> | null;
}

/**
 * A stream of Redis that holds events under their own numbers, each once and in their order, whoever adds them. Entry
 * `<seq>-0` has the fields `topic`, `time` (ISO 8601) and `data` (JSON). Every call throws where Redis does not answer.
 */
export interface RedisStream {
  /** Where it ends; null where it has not begun. @throws where its newest entry is no event. */
  newest(): Promise<StreamEnd | null>;
  /**
   * Adds entries that follow the number `after`, leaving out those that are there. All are added up to one that Redis
   * refuses, and none where the stream has come to end before `after`.
   * @returns number of the newest entry then.
   */
  append(after: number, entries: readonly StreamEntry[]): Promise<number>;
  close(): Promise<void>;
}

/** The id that was given last, also where its entry is gone; and that of the newest entry with its fields. */
const LAST_ID = `
local function lastId(key)
  if redis.call('EXISTS', key) == 0 then return nil end
  local info = redis.call('XINFO', 'STREAM', key)
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then return info[i + 1] end
  end
end
`;
const NEWEST = `${LAST_ID}
local id = lastId(KEYS[1])
if not id then return nil end
return {id, redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)}`;

/** A script stops at the first command that fails, so that no entry comes after one that is missing. */
const APPEND = `${LAST_ID}
local newest = tonumber(string.match(lastId(KEYS[1]) or '0', '^%d+'))
if newest < tonumber(ARGV[2]) then return newest end
for i = 3, #ARGV, 4 do
  local seq = tonumber(ARGV[i])
  if seq > newest then
    redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], ARGV[i] .. '-0',
      'topic', ARGV[i + 1], 'time', ARGV[i + 2], 'data', ARGV[i + 3])
    newest = seq
  end
end
return newest`;

const newestSchema = z.tuple([z.string(), z.array(z.tuple([z.string(), z.array(z.string())]))]).nullable();

/** @throws where the newest entry is no event. */
function newestOf(reply: unknown): StreamEnd | null {
  const found = newestSchema.parse(reply);
  if (found === null) return null;
  const [id, [[at, [, topic, , time]] = ["", []]]] = found;
  const end = { seq: Number.parseInt(id, 10), entry: null };
  if (at !== id) return end;
  const entry = { topic: topic ?? "", time: Date.parse(time ?? "") };
  if (!id.endsWith("-0") || Number.isNaN(entry.time)) {
    throw new Error(`entry ${id} of the stream is no event of TX`);
  }
  return { ...end, entry };
}

/**
 * @param key of the stream.
 * @param length entries that are kept, or a few more.
 */
export function createRedisStream(url: string, key: string, length: number): RedisStream {
  const redis = connectForScripts(url);
  return {
    newest: async () => newestOf(await redis.run(NEWEST, key)),
    async append(after, entries) {
      const values = entries.flatMap(({ seq, topic, time, payload }) => [
        seq,
        topic,
        new Date(time).toISOString(),
        JSON.stringify(payload),
      ]);
      return z.number().parse(await redis.run(APPEND, key, length, after, ...values));
    },
    close: redis.close,
  };
}
