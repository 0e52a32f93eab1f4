import { createECDH, randomBytes } from "node:crypto";
import { afterEach, describe, expect, it } from "vitest";
import webPush from "web-push";
import type { Attempted, Means, Picture } from "../../src/features/notifications/define.js";
import { createKinds } from "../../src/features/notifications/kinds.js";
import { fitted, type Message } from "../../src/features/notifications/message.js";
import { createPictures } from "../../src/features/notifications/picture.js";
import { NOTIFIED_TOPICS } from "../../src/features/notifications/topics.js";
import { readConfig } from "../../src/platform/config.js";
import type { OutwardAnswer, OutwardRequest } from "../../src/platform/outward.js";
import { createSeal } from "../../src/platform/seal.js";
import { silentLog } from "../fixtures/log.js";
import { alertOf } from "../fixtures/notifications.js";
import { type MailServer, startMailServer } from "../fixtures/smtp.js";

const NOW = Date.parse("2026-11-30T12:00:00Z");
const ID = "0b9f1c52-6c1e-4a0e-9a53-3d9a52b3c001";
const SVG: Picture = { name: "pattern.svg", type: "image/svg+xml", bytes: Buffer.from("<svg/>") };
const PNG: Picture = { name: "pattern.png", type: "image/png", bytes: Buffer.from([0x89, 0x50]) };

const message: Message = {
  type: "alert.created",
  time: NOW,
  title: "A <b>& *bold* _one_ @everyone",
  lines: ["x < y & z > w", "[link](https://evil.example) `code`"],
  data: { id: 7 },
  detectionId: 7,
};

interface Scene {
  readonly answer?: Partial<OutwardAnswer>;
  readonly picture?: Picture | null;
  readonly environment?: Record<string, string>;
  readonly message?: Message;
}

/** Makes a channel of a kind, sends one message through it, and gives what was posted. */
async function sent(name: string, settings: object, scene: Scene = {}) {
  const posted: OutwardRequest[] = [];
  const { answer = {}, picture = null, environment = {} } = scene;
  const means: Means = {
    config: readConfig(environment),
    outward: {
      check: () => Promise.resolve(),
      async post(request) {
        posted.push(request);
        return { status: 200, headers: {}, text: "ok", ...answer };
      },
    },
    picture: () => Promise.resolve(picture),
    publish: () => Promise.resolve(),
  };
  const kinds = createKinds(createSeal(undefined, "tests"));
  const kind = kinds.find(name);
  if (kind === null) throw new Error(`there is no ${name}`);
  const target = await kind.prepare(settings, means, null);
  const stored = kinds.close(kind, target);
  const parcel = {
    id: ID,
    channelId: ID,
    message: scene.message ?? message,
    signal: new AbortController().signal,
    nowMs: NOW,
  };
  const attempted: Attempted = await kind.send(target, parcel, means);
  const [request] = posted;
  const body = request === undefined ? "" : request.body.toString("utf8");
  return { attempted, request, body, stored };
}

describe("telegram", () => {
  const TOKEN = "123456789:AAE-abcdefghijklmnopqrstuvwxyz_0123";
  const settings = { chat_id: "42", bot_token: TOKEN };

  it("sends HTML in which nothing of a text is a tag", async () => {
    const { request, body, attempted, stored } = await sent("telegram", settings);
    expect(request.url).toBe(`https://api.telegram.org/bot${TOKEN}/sendMessage`);
    expect(JSON.parse(body)).toMatchObject({
      chat_id: "42",
      parse_mode: "HTML",
      text: "<b>A &lt;b&gt;&amp; *bold* _one_ @everyone</b>\nx &lt; y &amp; z &gt; w\n[link](https://evil.example) `code`",
    });
    expect(attempted.outcome).toBe("delivered");
    expect(stored.settings).toEqual({ chat_id: "42" });
  });

  it("cuts what is too long, and no entity apart", async () => {
    const long = { ...message, title: "&".repeat(300), lines: ["<".repeat(5_000)] };
    const { text } = JSON.parse((await sent("telegram", settings, { message: long })).body);
    expect(text.length).toBeLessThanOrEqual(4_096);
    expect(text).toMatch(/^<b>(&amp;)+…<\/b>\n(&lt;)+…$/);
  });

  it("sends a PNG as a photo and an SVG as a file, with the text below", async () => {
    const photo = await sent("telegram", settings, { picture: PNG });
    expect(photo.request.url).toMatch(/sendPhoto$/);
    expect(photo.request.headers["content-type"]).toMatch(/^multipart\/form-data; boundary=/);
    expect(photo.body).toContain('name="photo"; filename="pattern.png"');
    const file = await sent("telegram", settings, { picture: SVG });
    expect(file.request.url).toMatch(/sendDocument$/);
    expect(file.body).toContain("<svg/>");
    expect(file.body).toContain("x &lt; y");
  });

  it("waits as long as its body says", async () => {
    const text =
      '{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 35","parameters":{"retry_after":35}}';
    const { attempted } = await sent("telegram", settings, { answer: { status: 429, text } });
    expect(attempted).toMatchObject({ outcome: "retry", status: 429, retryAfterMs: 35_000 });
  });

  it.each([
    [400, "Bad Request: chat not found", "refused"],
    [401, "Unauthorized", "gone"],
    [403, "Forbidden: bot was blocked by the user", "gone"],
    [502, "Bad Gateway", "retry"],
  ])("%i %s is %s", async (status, description, outcome) => {
    const text = JSON.stringify({ ok: false, error_code: status, description });
    const { attempted } = await sent("telegram", settings, { answer: { status, text } });
    expect(attempted).toMatchObject({ outcome, detail: expect.stringContaining(description) });
  });

  it("uses the bot of the server where a user names none, and needs one of both", async () => {
    const { request } = await sent(
      "telegram",
      { chat_id: "-100" },
      { environment: { TELEGRAM_BOT_TOKEN: TOKEN } },
    );
    expect(request.url).toContain(TOKEN);
    await expect(sent("telegram", { chat_id: "42" })).rejects.toThrow("bot_token");
    await expect(sent("telegram", { chat_id: "4/../2", bot_token: TOKEN })).rejects.toThrow("chat_id");
    await expect(sent("telegram", { chat_id: "42", bot_token: "1/../x" })).rejects.toThrow("bot_token");
  });
});

describe("discord", () => {
  const settings = { url: "https://discord.com/api/webhooks/123/abc-DEF_0" };

  it("sends an embed that calls nobody and has no markup of a text", async () => {
    const { body, stored } = await sent("discord", settings);
    const { embeds, allowed_mentions: mentions } = JSON.parse(body);
    expect(mentions).toEqual({ parse: [] });
    expect(embeds[0].title).toBe("A \\<b\\>& \\*bold\\* \\_one\\_ \\@everyone");
    expect(embeds[0].description).toContain("\\[link\\]\\(https://evil.example\\) \\`code\\`");
    expect(stored.settings).toEqual({});
  });

  it("has the picture beside the message", async () => {
    const { body } = await sent("discord", settings, { picture: SVG });
    expect(body).toContain('name="payload_json"');
    expect(body).toContain('name="files[0]"; filename="pattern.svg"');
  });

  it("believes the header and not the body about a wait", async () => {
    const answer = {
      status: 429,
      headers: { "retry-after": "2" },
      text: '{"message": "You are being rate limited.", "retry_after": 1337, "global": false}',
    };
    const { attempted } = await sent("discord", settings, { answer });
    expect(attempted).toMatchObject({ outcome: "retry", retryAfterMs: 2_000 });
  });

  it("is gone with its webhook", async () => {
    const answer = { status: 404, text: '{"message": "Unknown Webhook", "code": 10015}' };
    expect((await sent("discord", settings, { answer })).attempted.outcome).toBe("gone");
  });

  it.each([
    "https://discord.com.evil.example/api/webhooks/1/a",
    "https://evil.example/https://discord.com/api/webhooks/1/a",
    "https://discord.com@evil.example/api/webhooks/1/a",
    "http://discord.com/api/webhooks/1/a",
    "https://discord.com/api/webhooks/1/../../users",
  ])("%s is no address of it", async (url) => {
    await expect(sent("discord", { url })).rejects.toThrow("must be the address");
  });
});

describe("slack", () => {
  const settings = { url: "https://hooks.slack.com/services/T0/B0/xyz" };

  it("sends blocks in which nothing of a text is a link, a mention or markup", async () => {
    const { body } = await sent("slack", settings);
    const { blocks } = JSON.parse(body);
    expect(blocks[0].text).toMatchObject({ type: "plain_text", text: message.title });
    expect(blocks[1].text.text).toBe(
      "x &lt; y &amp; z &gt; w\n[link](https://evil.example) \u200b`code\u200b`",
    );
  });

  it.each([
    [400, "invalid_payload", "refused"],
    [403, "action_prohibited", "gone"],
    [404, "no_service", "gone"],
    [410, "channel_is_archived", "gone"],
    [429, "rate_limited", "retry"],
    [500, "rollup_error", "retry"],
  ])("%i %s is %s", async (status, text, outcome) => {
    const headers = status === 429 ? { "retry-after": "30" } : {};
    const { attempted } = await sent("slack", settings, { answer: { status, text, headers } });
    expect(attempted).toMatchObject({ outcome, retryAfterMs: status === 429 ? 30_000 : null });
  });

  it("is spoken to at its own address alone", async () => {
    await expect(sent("slack", { url: "https://hooks.slack.com.evil.example/services/a" })).rejects.toThrow();
  });
});

describe("e-mail", () => {
  let server: MailServer;
  afterEach(() => server.close());
  const by = (url: string) => ({ environment: { SMTP_URL: url, SMTP_FROM: "TX <tx@example.com>" } });

  it("goes through the server with text, HTML and the picture, known by one id", async () => {
    server = await startMailServer();
    const scene = { ...by(server.url), picture: SVG };
    const { attempted } = await sent("email", { to: "ann@example.com" }, scene);
    expect(attempted).toMatchObject({ outcome: "delivered", status: 250 });
    const [{ from, to, text }] = server.mails;
    expect([from, to]).toEqual(["MAIL FROM:<tx@example.com>", "RCPT TO:<ann@example.com>"]);
    expect(text).toContain(`Message-ID: <${ID}@tx.invalid>`);
    expect(text).toContain("x < y & z > w");
    expect(text.replaceAll("=\n", "")).toContain("<p>x &lt; y &amp; z &gt; w</p>");
    expect(text).toContain("filename=pattern.svg");
  });

  it("has one subject and one recipient, whatever a title says", async () => {
    server = await startMailServer();
    const evil = { ...message, title: "Buy\r\nBcc: everybody@example.com\r\n\r\nnow" };
    await sent("email", { to: "ann@example.com" }, { ...by(server.url), message: evil });
    const [head] = server.mails[0].text.split("\n\n");
    expect(head).not.toMatch(/^Bcc:/im);
    await expect(sent("email", { to: "a@b.example\r\nRCPT TO:<c@d>" }, by(server.url))).rejects.toThrow();
  });

  it.each([
    ["550 5.1.1 no such user", "refused"],
    ["450 4.2.1 try later", "retry"],
  ])("%s is %s", async (answer, outcome) => {
    server = await startMailServer();
    server.recipients(answer);
    const { attempted } = await sent("email", { to: "ann@example.com" }, by(server.url));
    expect(attempted).toMatchObject({ outcome, status: Number(answer.slice(0, 3)) });
  });

  it("is tried again where nobody listens", async () => {
    server = await startMailServer();
    const { url } = server;
    await server.close();
    expect((await sent("email", { to: "ann@example.com" }, by(url))).attempted.outcome).toBe("retry");
    server = await startMailServer();
  });
});

describe("web push", () => {
  const browser = createECDH("prime256v1");
  browser.generateKeys();
  const { publicKey, privateKey } = webPush.generateVAPIDKeys();
  const environment = {
    VAPID_PUBLIC_KEY: publicKey,
    VAPID_PRIVATE_KEY: privateKey,
    VAPID_SUBJECT: "mailto:a@example.com",
  };
  const settings = {
    endpoint: "https://push.example.com/send/abc",
    expirationTime: null,
    keys: {
      p256dh: browser.getPublicKey("base64url"),
      auth: randomBytes(16).toString("base64url"),
    },
  };

  it("is encrypted for the browser and signed by the server", async () => {
    const { request, body, attempted, stored } = await sent("web_push", settings, { environment });
    expect(request.url).toBe(settings.endpoint);
    expect(request.headers).toMatchObject({ "Content-Encoding": "aes128gcm", TTL: "86400" });
    expect(request.headers.Authorization).toMatch(new RegExp(`^vapid t=[\\w.-]+, k=${publicKey}$`));
    expect(request.body.length).toBeLessThan(4_096);
    expect(body).not.toContain("everyone");
    expect(attempted.outcome).toBe("delivered");
    expect(stored.settings).toEqual({});
  });

  it("is gone with its subscription", async () => {
    const scene = { environment, answer: { status: 410, text: "push subscription has unsubscribed" } };
    expect((await sent("web_push", settings, scene)).attempted.outcome).toBe("gone");
    const forbidden = { environment, answer: { status: 403, text: "bad key" } };
    expect((await sent("web_push", settings, forbidden)).attempted.outcome).toBe("refused");
  });
});

describe("texts", () => {
  it("fit their limit, by whole characters", () => {
    expect(fitted("abc", 3)).toBe("abc");
    expect(fitted("abcd", 3)).toBe("ab…");
    expect(fitted("🐉🐉🐉", 4)).toBe("🐉…");
    expect(fitted("&&&", 11, (text) => text.replaceAll("&", "&amp;"))).toBe("&amp;&amp;…");
  });

  it("say of a synthetic market that it is one, and never invent a hit rate", () => {
    const [{ read }] = NOTIFIED_TOPICS;
    const [told] = read({ kind: "created", alert: alertOf(1, "AAPL", { synthetic: true }) }, NOW);
    expect(told?.message.lines[0]).toBe("Synthetic market: no real price");
    expect(told?.message.lines.join()).toContain("nothing measured yet");
    const [measured] = read({ kind: "created", alert: alertOf(1, "AAPL", { confidence: 0.62 }) }, NOW);
    expect(measured?.message.lines).toEqual([
      "bullish, BUY at 101.5",
      "Entry 101.5, stop 99, target 106",
      "Hit rate: 62 % as measured",
      "Quality 0.90 of 1, bar closed 2024-07-09T14:00:00.000Z",
    ]);
  });
});

describe("pictures", () => {
  const log = silentLog;

  it("are SVG, drawn once, where no renderer is installed", async () => {
    let drawn = 0;
    const picture = createPictures({
      log,
      async draw(id) {
        drawn++;
        return `<svg id="${id}"/>`;
      },
      load: () => Promise.reject(new Error("Cannot find package")),
    });
    const [first, second] = await Promise.all([picture(message), picture(message)]);
    expect(first).toEqual({
      name: "pattern.svg",
      type: "image/svg+xml",
      bytes: Buffer.from('<svg id="7"/>'),
    });
    expect(second).toBe(first);
    expect(drawn).toBe(1);
    expect(await picture({ ...message, detectionId: null })).toBeNull();
  });

  it("are PNG where one is", async () => {
    const picture = createPictures({
      log,
      draw: () => Promise.resolve("<svg/>"),
      load: () =>
        Promise.resolve({ renderAsync: (svg: string) => Promise.resolve({ asPng: () => Buffer.from(svg) }) }),
    });
    expect(await picture(message)).toEqual({
      name: "pattern.png",
      type: "image/png",
      bytes: Buffer.from("<svg/>"),
    });
  });

  it("that cannot be drawn are left out", async () => {
    const picture = createPictures({ log, draw: () => Promise.reject(new Error("no candles")) });
    expect(await picture(message)).toBeNull();
  });
});
