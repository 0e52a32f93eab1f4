import { z } from "zod";
import { accessToken, flag, list, origins, url, type Variable } from "./readers.js";

const ports = list.transform((items, context): readonly number[] =>
  items.map((item) => {
    const port = /^\d{1,5}$/.test(item) ? Number(item) : 0;
    if (port < 1 || port > 65_535) context.addIssue(`${item} is no port`);
    return port;
  }),
);

const vapidKey = (characters: number, bytes: number) =>
  z
    .string()
    .regex(
      new RegExp(`^[\\w-]{${characters}}$`),
      `must be a key of ${bytes} bytes in base64url without padding`,
    );

/** Channels of notifications. */
export const NOTIFICATION_VARIABLES = {
  WEBHOOK_HTTP: {
    group: "Notifications",
    about: "true lets webhooks go to http: addresses too; private addresses are refused all the same",
    fallback: "false",
    read: flag,
  },
  WEBHOOK_PORTS: {
    group: "Notifications",
    about: "Comma list of ports that webhooks may name",
    fallback: "80,443",
    read: ports,
  },
  WEBHOOK_ORIGINS: {
    group: "Notifications",
    about:
      "Comma list of origins on networks of your own that webhooks may go to, such as http://192.168.1.5:5678",
    read: origins,
  },
  TELEGRAM_BOT_TOKEN: {
    group: "Notifications",
    about: "Bot that writes to chats whose users name none of their own",
    read: accessToken,
  },
  SMTP_URL: {
    group: "Notifications",
    about: "Server that mails go through: smtps://user:password@mail.example.com; unset offers no e-mail",
    read: url("smtp:", "smtps:"),
  },
  SMTP_FROM: {
    group: "Notifications",
    about: "Sender of mails, an address or Name <address>; required with SMTP_URL",
    read: z.string().regex(/^[^\r\n]*[^\s<>@]+@[^\s<>@]+>?$/, "must be an address or Name <address>"),
  },
  VAPID_PUBLIC_KEY: {
    group: "Notifications",
    about: "Public key that browsers subscribe with; unset offers no web push",
    read: vapidKey(87, 65),
  },
  VAPID_PRIVATE_KEY: {
    group: "Notifications",
    about: "Its private key; `npx web-push generate-vapid-keys` makes both",
    read: vapidKey(43, 32),
  },
  VAPID_SUBJECT: {
    group: "Notifications",
    about: "Whom push services may turn to: mailto:admin@example.com or an https address",
    read: url("mailto:", "https:"),
  },
} as const satisfies Record<string, Variable>;
