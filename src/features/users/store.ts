import type { Database } from "../../platform/database.js";
import type { Role } from "../../platform/http.js";

export interface StoredKey {
  readonly id: string;
  readonly name: string;
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
  readonly lastUsedAt: Date | null;
}

export interface StoredUser {
  readonly id: string;
  readonly role: Role;
  readonly email: string | null;
  readonly displayName: string | null;
  readonly avatarUrl: string | null;
  readonly preferences: Readonly<Record<string, unknown>>;
}

/** What is undefined stays as it is; null takes it away. */
export interface Profile {
  readonly email?: string | null | undefined;
  readonly displayName?: string | null | undefined;
  readonly avatarUrl?: string | null | undefined;
  readonly preferences?: Readonly<Record<string, unknown>> | undefined;
}

/** A key as it is checked: with the user it stands for. */
export interface KeyHolder {
  readonly keyId: string;
  readonly userId: string;
  readonly role: Role;
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
}

const KEY_FIELDS = {
  id: true,
  name: true,
  createdAt: true,
  expiresAt: true,
  revokedAt: true,
  lastUsedAt: true,
} as const;

export function createUserStore({ prisma }: Database) {
  async function findHolder(where: { digest: string } | { id: string }): Promise<KeyHolder | null> {
    const key = await prisma.apiKey.findUnique({ where, include: { user: true } });
    if (key === null) return null;
    const { id: keyId, userId, expiresAt, revokedAt } = key;
    return { keyId, userId, role: key.user.role, expiresAt, revokedAt };
  }

  return {
    findHolderByDigest: (digest: string) => findHolder({ digest }),
    findHolderByKeyId: (id: string) => findHolder({ id }),

    async touchKey(id: string, at: Date): Promise<void> {
      await prisma.apiKey.updateMany({ where: { id }, data: { lastUsedAt: at } });
    },

    async saveUser(id: string, role: Role): Promise<void> {
      await prisma.user.upsert({ where: { id }, create: { id, role }, update: { role } });
    },

    /** Creates the user when absent; never changes the role of one that exists. */
    async saveProfile(id: string, roleWhenNew: Role, profile: Profile, at: Date): Promise<StoredUser> {
      const { email, displayName, avatarUrl, preferences } = profile;
      const data = {
        ...(email === undefined ? {} : { email }),
        ...(displayName === undefined ? {} : { displayName }),
        ...(avatarUrl === undefined ? {} : { avatarUrl }),
        ...(preferences === undefined ? {} : { preferences: preferences as object }),
        updatedAt: at,
      };
      const user = await prisma.user.upsert({
        where: { id },
        create: { id, role: roleWhenNew, ...data },
        update: data,
      });
      return { ...user, preferences: user.preferences as Record<string, unknown> };
    },

    async userExists(id: string): Promise<boolean> {
      return (await prisma.user.count({ where: { id } })) > 0;
    },

    async createKey(
      userId: string,
      name: string,
      digest: string,
      expiresAt: Date | null,
    ): Promise<StoredKey> {
      return prisma.apiKey.create({ data: { userId, name, digest, expiresAt }, select: KEY_FIELDS });
    },

    /** Makes the digest the one live key of that name of the user, whatever it was before. */
    async replaceKey(userId: string, name: string, digest: string, at: Date): Promise<void> {
      const live = { userId, name, revokedAt: null, expiresAt: null };
      await prisma.$transaction([
        prisma.apiKey.updateMany({
          where: { userId, name, revokedAt: null, NOT: { digest } },
          data: { revokedAt: at },
        }),
        prisma.apiKey.upsert({ where: { digest }, create: { digest, ...live }, update: live }),
      ]);
    },

    async listKeys(userId: string): Promise<StoredKey[]> {
      return prisma.apiKey.findMany({ where: { userId }, select: KEY_FIELDS, orderBy: { createdAt: "asc" } });
    },

    /** False when there is no such live key, of the user or, with null, of anybody. */
    async revokeKey(userId: string | null, id: string, at: Date): Promise<boolean> {
      const { count } = await prisma.apiKey.updateMany({
        where: { id, revokedAt: null, ...(userId === null ? {} : { userId }) },
        data: { revokedAt: at },
      });
      return count > 0;
    },
  };
}

export type UserStore = ReturnType<typeof createUserStore>;
