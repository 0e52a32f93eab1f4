import type { Database, Sql } from "../../platform/database.js";
import { takeTurn } from "../../platform/turns.js";
import type { Target } from "./define.js";

/** What a channel tells of; empty lists for everything. */
export interface Filters {
  readonly topics: readonly string[];
  readonly symbols: readonly string[];
  /** Measured hit rate, 0..1; null demands none. */
  readonly minConfidence: number | null;
}

export interface Channel {
  readonly id: string;
  readonly userId: string;
  readonly kind: string;
  readonly name: string;
  /** What may be shown of where it leads. */
  readonly settings: Target;
  /** The rest, sealed. */
  readonly secrets: string;
  readonly enabled: boolean;
  readonly reason: string | null;
  /** Until when nothing is sent, epoch ms: what was answered asked for it, or something is being sent. */
  readonly heldUntil: number;
  readonly filters: Filters;
  /** Epoch ms. */
  readonly createdAt: number;
  readonly updatedAt: number;
}

export type NewChannel = Pick<Channel, "userId" | "kind" | "name" | "settings" | "secrets" | "filters">;
export type Change = Partial<Pick<Channel, "name" | "settings" | "secrets" | "filters" | "enabled">>;

/** Channels of a user at most. */
export const MOST_CHANNELS = 50;

const FIELDS = `id, user_id as "userId", kind, name, settings, secrets, enabled, reason, filters,
  extract(epoch from held_until)::float8 * 1000 as "heldUntil",
  extract(epoch from created_at)::float8 * 1000 as "createdAt",
  extract(epoch from updated_at)::float8 * 1000 as "updatedAt"`;

const CREATE = `
insert into notification_channels (id, user_id, kind, name, settings, secrets, filters, held_until)
select gen_random_uuid(), $1, $2, $3, $4::jsonb, $5, $6::jsonb, to_timestamp(0)
where (select count(*) from notification_channels where user_id = $1) < $7 returning ${FIELDS}`;

const CHANGE = `
update notification_channels set name = coalesce($3::text, name), settings = coalesce($4::jsonb, settings),
  secrets = coalesce($5::text, secrets), filters = coalesce($6::jsonb, filters),
  enabled = coalesce($7::boolean, enabled), reason = case when $7::boolean is null then reason end, updated_at = now(),
  held_until = case when $4::jsonb is null and $5::text is null and $7::boolean is distinct from true then held_until
    else to_timestamp(0) end
where user_id = $1 and id = $2 and ($8::jsonb is null or settings = $8::jsonb) and ($9::text is null or secrets = $9::text)
returning ${FIELDS}`;

/** What waits of a channel that tells nothing any more; it can be sent again. */
const END_PENDING = `
update notification_deliveries set state = 'dead', ended_at = now(), last_detail = 'the channel was disabled'
where channel_id = $1 and state = 'pending'`;

export function createChannelStore(database: Database) {
  const one = async (sql: Sql, text: string, values: readonly unknown[]): Promise<Channel | null> =>
    (await sql.query<Channel>(text, values))[0] ?? null;

  return {
    list: (userId: string): Promise<Channel[]> =>
      database.query<Channel>(
        `select ${FIELDS} from notification_channels where user_id = $1 order by created_at, id`,
        [userId],
      ),
    find: (userId: string, id: string): Promise<Channel | null> =>
      one(database, `select ${FIELDS} from notification_channels where user_id = $1 and id = $2`, [
        userId,
        id,
      ]),
    /** @returns null where the user has as many as may be. */
    create: ({ userId, kind, name, settings, secrets, filters }: NewChannel): Promise<Channel | null> =>
      database.transaction(async (sql) => {
        await takeTurn(sql, "notification_channels", userId);
        const target = [JSON.stringify(settings), secrets, JSON.stringify(filters)];
        return one(sql, CREATE, [userId, kind, name, ...target, MOST_CHANNELS]);
      }),
    /** @param from what the change was computed from, where it was. @returns null where there is no such channel, or it leads elsewhere now. */
    change(
      userId: string,
      id: string,
      { name, settings, secrets, filters, enabled }: Change,
      from: Pick<Channel, "settings" | "secrets"> | null,
    ): Promise<Channel | null> {
      return database.transaction(async (sql) => {
        const changed = await one(sql, CHANGE, [
          userId,
          id,
          name ?? null,
          settings === undefined ? null : JSON.stringify(settings),
          secrets ?? null,
          filters === undefined ? null : JSON.stringify(filters),
          enabled ?? null,
          from === null ? null : JSON.stringify(from.settings),
          from?.secrets ?? null,
        ]);
        if (changed?.enabled === false) await sql.query(END_PENDING, [id]);
        return changed;
      });
    },
    async delete(userId: string, id: string): Promise<boolean> {
      const gone = await database.query(
        "delete from notification_channels where user_id = $1 and id = $2 returning id",
        [userId, id],
      );
      return gone.length > 0;
    },
    /** Those that may be told something, for the loop that looks who is. */
    enabled: (sql: Sql): Promise<Channel[]> =>
      sql.query<Channel>(`select ${FIELDS} from notification_channels where enabled`),
    /** Tells nothing any more, for a reason that its user is shown. */
    async disable(sql: Sql, id: string, reason: string): Promise<void> {
      await sql.query(
        "update notification_channels set enabled = false, reason = $2, updated_at = now() where id = $1",
        [id, reason],
      );
      await sql.query(END_PENDING, [id]);
    },
  };
}

export type ChannelStore = ReturnType<typeof createChannelStore>;
