import type { Database } from "../../platform/database.js";
import { ATTEMPTS } from "./schedule.js";

export const STATES = ["pending", "delivered", "dead"] as const;
export type DeliveryState = (typeof STATES)[number];

/** One message to one channel, as its user sees it. Times are epoch ms. */
export interface Delivery {
  readonly id: string;
  readonly channelId: string;
  readonly kind: string;
  readonly topic: string;
  readonly type: string;
  readonly title: string;
  readonly state: DeliveryState;
  readonly attempts: number;
  readonly allowed: number;
  readonly nextAt: number;
  readonly lastStatus: number | null;
  readonly lastDetail: string | null;
  readonly createdAt: number;
  readonly endedAt: number | null;
}

export interface AttemptLine {
  readonly number: number;
  readonly at: number;
  readonly outcome: string;
  readonly status: number | null;
  readonly detail: string;
  readonly tookMs: number;
}

export interface DeliveryFilter {
  readonly channelId: string | null;
  readonly state: DeliveryState | null;
  readonly topic: string | null;
}

const FIELDS = `d.id, d.channel_id as "channelId", c.kind, d.topic, d.payload ->> 'type' as type,
  d.payload ->> 'title' as title, d.state, d.attempts, d.allowed,
  extract(epoch from greatest(d.next_at, c.held_until))::float8 * 1000 as "nextAt", d.last_status as "lastStatus",
  d.last_detail as "lastDetail", extract(epoch from d.created_at)::float8 * 1000 as "createdAt",
  extract(epoch from d.ended_at)::float8 * 1000 as "endedAt"`;
const OF_USER =
  "notification_deliveries d join notification_channels c on c.id = d.channel_id where c.user_id = $1";

const LIST = `
select ${FIELDS}, count(*) over ()::float8 as total from ${OF_USER}
  and ($2::uuid is null or d.channel_id = $2) and ($3::text is null or d.state = $3)
  and ($4::text is null or d.topic = $4)
order by d.created_at desc, d.id desc limit $5 offset $6`;

/** As many attempts again as a new message has; the number of each goes on. */
const REPLAY = `
update notification_deliveries d
set state = 'pending', allowed = d.attempts + ${ATTEMPTS}, next_at = to_timestamp($2::float8 / 1000), ended_at = null
from notification_channels c
where c.id = d.channel_id and c.user_id = $1 and c.enabled and d.state <> 'pending'`;

export function createDeliveryStore(database: Database) {
  return {
    /** The newest first. */
    async list(
      userId: string,
      { channelId, state, topic }: DeliveryFilter,
      limit: number,
      offset: number,
    ): Promise<{ rows: Delivery[]; total: number }> {
      const values = [userId, channelId, state, topic, limit, offset];
      const rows = await database.query<Delivery & { total: number }>(LIST, values);
      return { rows, total: rows[0]?.total ?? 0 };
    },
    async find(userId: string, id: string): Promise<Delivery | null> {
      const rows = await database.query<Delivery>(`select ${FIELDS} from ${OF_USER} and d.id = $2`, [
        userId,
        id,
      ]);
      return rows[0] ?? null;
    },
    /** The oldest first. */
    attempts: (id: string): Promise<AttemptLine[]> =>
      database.query<AttemptLine>(
        `select number, extract(epoch from at)::float8 * 1000 as at, outcome, status, detail, took_ms as "tookMs"
         from notification_attempts where delivery_id = $1 order by id`,
        [id],
      ),
    /** @returns whether it was sent on its way again: not where it waits, or its channel is disabled. */
    async replay(userId: string, id: string, nowMs: number): Promise<boolean> {
      const again = await database.query(`${REPLAY} and d.id = $3 returning d.id`, [userId, nowMs, id]);
      return again.length > 0;
    },
    /** Those that are dead, of one channel or of all that are enabled. @returns how many. */
    async replayDead(userId: string, channelId: string | null, nowMs: number): Promise<number> {
      const again = await database.query(
        `${REPLAY} and d.state = 'dead' and d.topic <> 'test' and ($3::uuid is null or c.id = $3) returning d.id`,
        [userId, nowMs, channelId],
      );
      return again.length;
    },
  };
}

export type DeliveryStore = ReturnType<typeof createDeliveryStore>;
