import { discord } from "./discord.js";
import { email } from "./email.js";
import { push } from "./push.js";
import { slack } from "./slack.js";
import { socket } from "./socket.js";
import { telegram } from "./telegram.js";
import { webhook } from "./webhook.js";

/** All ways to tell a user of something. */
export const CHANNELS = Object.freeze([socket, webhook, telegram, discord, slack, email, push] as const);
