import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { isPublicAddress } from "../../src/platform/addresses.js";
import { createOutward, OutwardError, type Resolved } from "../../src/platform/outward.js";
import { outwardTo, type Receiver, startReceiver } from "../fixtures/receiver.js";

let receiver: Receiver;
beforeAll(async () => {
  receiver = await startReceiver();
});
afterAll(() => receiver.close());
beforeEach(() => {
  receiver.received.length = 0;
  receiver.answer((_received, response) => void response.writeHead(204).end());
});

const nothing = { headers: {}, body: "{}" };

async function failureOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "none";
  } catch (error) {
    if (error instanceof OutwardError) return error.failure;
    throw error;
  }
}

describe("addresses", () => {
  it.each([
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::7f00:1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2620:4f:8000::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
  ])("%s is none of the public internet", (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });

  it.each([
    "1.1.1.1",
    "8.8.8.8",
    "100.63.255.255",
    "100.128.0.1",
    "172.15.0.1",
    "172.32.0.1",
    "223.255.255.255",
    "2606:4700:4700::1111",
    "2a00:1450::1",
  ])("%s is one of the public internet", (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });
});

describe("spellings", () => {
  /** Everything is allowed that could lead to the receiver, but for what stands behind its address. */
  const guarded = () =>
    createOutward({
      http: true,
      ports: [80, receiver.port],
      resolve: async (host) => {
        const known: Record<string, Resolved> = {
          "127.0.0.1.nip.io": { address: "127.0.0.1", family: 4 },
          "rebound.example": { address: "::ffff:7f00:1", family: 6 },
          "metadata.google.example": { address: "169.254.169.254", family: 4 },
        };
        const found = known[host];
        if (found === undefined) throw new Error(`nobody may ask for ${host}`);
        return [{ address: "1.1.1.1", family: 4 }, found];
      },
    });

  it.each([
    "http://2130706433",
    "http://0x7f.1",
    "http://0x7f000001",
    "http://0177.0.0.1",
    "http://017700000001",
    "http://127.1",
    "http://127.0.1",
    "http://①②⑦.0.0.1",
    "http://127。0。0。1",
    "http://0",
    "http://0.0.0.0",
    "http://[::]",
    "http://[::1]",
    "http://[::ffff:127.0.0.1]",
    "http://[::ffff:7f00:1]",
    "http://[::127.0.0.1]",
    "http://[64:ff9b::127.0.0.1]",
    "http://[2002:7f00:1::]",
    "http://[fe80::1]",
    "http://[fd00:ec2::254]",
    "http://localhost",
    "http://localhost.",
    "http://LOCALHOST",
    "http://a.localhost",
    "http://db",
    "http://printer.local",
    "http://metadata.google.internal",
    "http://127.0.0.1.",
    "http://127.0.0.1.nip.io",
    "http://127.0.0.1.nip.io.",
    "http://rebound.example",
    "http://metadata.google.example",
    "http://a@169.254.169.254",
    "http://a:b@1.1.1.1",
    "http://:b@1.1.1.1",
    "http://169.254.169.254/latest/meta-data/",
    "http://100.64.0.1",
    "http://1.1.1.1:22",
    "http://1.1.1.1:5432",
    "http://1.1.1.1:6379",
    "https://1.1.1.1:8443",
    "file:///etc/passwd",
    "ftp://1.1.1.1/",
    "gopher://1.1.1.1/",
    "data:text/plain,x",
    "javascript:alert(1)",
    "//1.1.1.1",
    "1.1.1.1",
    "",
    "http://",
  ])("%s is refused, and nothing is connected to", async (text) => {
    const before = receiver.connections();
    expect(await failureOf(guarded().check(text))).toBe("refused");
    expect(await failureOf(guarded().post({ url: text, ...nothing }))).toBe("refused");
    // The same with the port at which somebody listens.
    if (URL.canParse(text) && text.startsWith("http:") && new URL(text).port === "") {
      const url = new URL(text);
      url.port = String(receiver.port);
      expect(await failureOf(guarded().post({ url: url.href, ...nothing }))).toBe("refused");
    }
    expect(receiver.connections()).toBe(before);
  });

  it("http is refused where it is not allowed", async () => {
    const outward = createOutward({ http: false, ports: [80, 443] });
    expect(await failureOf(outward.check("http://1.1.1.1/"))).toBe("refused");
    expect(await failureOf(outward.check("https://1.1.1.1/"))).toBe("none");
  });

  it("an origin that the operator vouches for may be private, and that origin alone", async () => {
    const own = `http://127.0.0.1:${receiver.port}`;
    const named = `http://printer.lan:${receiver.port}`;
    const outward = createOutward({
      http: false,
      ports: [443],
      origins: [own, named],
      resolve: async () => [{ address: "127.0.0.1", family: 4 }],
    });
    for (const url of [`${own}/path?x=1`, named]) {
      expect(await failureOf(outward.check(url))).toBe("none");
      expect((await outward.post({ url, ...nothing })).status).toBe(204);
    }
    const before = receiver.connections();
    for (const url of [
      `http://localhost:${receiver.port}`,
      `http://127.0.0.2:${receiver.port}`,
      `https://127.0.0.1:${receiver.port}`,
      `http://a@127.0.0.1:${receiver.port}`,
      "http://127.0.0.1",
      "https://printer.lan",
    ]) {
      expect(await failureOf(outward.post({ url, ...nothing })), url).toBe("refused");
    }
    expect(receiver.connections()).toBe(before);
  });

  it("a name that does not resolve now is asked again before anything is sent", async () => {
    const outward = outwardTo(receiver, {
      resolve: async () => {
        throw new Error("ENOTFOUND");
      },
    });
    const url = `http://hooks.example:${receiver.port}`;
    expect(await failureOf(outward.check(url))).toBe("none");
    expect(await failureOf(outward.post({ url, ...nothing }))).toBe("unresolved");
  });
});

describe("a POST", () => {
  it("goes to the address that was looked at, whatever the name means a moment later", async () => {
    let asked = 0;
    const outward = createOutward({
      http: true,
      ports: [receiver.port],
      isAllowed: (address) => address === "127.0.0.1",
      async resolve() {
        asked++;
        return [{ address: asked === 1 ? "127.0.0.1" : "127.0.0.2", family: 4 }];
      },
    });
    const url = `http://hooks.example:${receiver.port}/a?b=c`;
    const answer = await outward.post({ url, headers: { "x-one": "1" }, body: "told" });
    expect(answer.status).toBe(204);
    expect(asked).toBe(1);
    expect(receiver.received).toMatchObject([
      { path: "/a?b=c", body: "told", headers: { host: `hooks.example:${receiver.port}`, "x-one": "1" } },
    ]);
    // Rebound: the second look finds what is not allowed.
    expect(await failureOf(outward.post({ url, ...nothing }))).toBe("refused");
    expect(receiver.received).toHaveLength(1);
  });

  it("does not follow a redirect", async () => {
    const inside = await startReceiver();
    receiver.answer((_received, response) => void response.writeHead(302, { location: inside.url }).end());
    const answer = await outwardTo(receiver).post({ url: receiver.url, ...nothing });
    expect(answer.status).toBe(302);
    expect(inside.connections()).toBe(0);
    await inside.close();
  });

  it("ends with its time, whether the answer does not begin or the name does not resolve", async () => {
    const outward = outwardTo(receiver, { timeoutMs: 150 });
    receiver.answer(() => undefined);
    expect(await failureOf(outward.post({ url: receiver.url, ...nothing }))).toBe("timeout");
    const hanging = outwardTo(receiver, { timeoutMs: 150, resolve: () => new Promise(() => undefined) });
    const url = `http://hooks.example:${receiver.port}`;
    expect(await failureOf(hanging.post({ url, ...nothing }))).toBe("timeout");
  });

  it("is answered by a status, whether its text stays away, drips, or breaks off", async () => {
    receiver.answer((_received, response) => {
      response.writeHead(200, { "retry-after": "3" }).write("begun");
      const dripping = setInterval(() => response.write("."), 100);
      response.on("close", () => clearInterval(dripping));
    });
    const started = performance.now();
    const dripped = await outwardTo(receiver).post({ url: receiver.url, ...nothing });
    expect(performance.now() - started).toBeLessThan(3_000);
    expect(dripped).toMatchObject({ status: 200, text: expect.stringMatching(/^begun\.+$/) });
    expect(dripped.headers["retry-after"]).toBe("3");
    receiver.answer((_received, response) => void response.writeHead(503).flushHeaders());
    const late = outwardTo(receiver, { timeoutMs: 150 });
    expect(await late.post({ url: receiver.url, ...nothing })).toMatchObject({ status: 503, text: "" });
    receiver.answer((_received, response) => {
      response.writeHead(200, { "content-length": "100" }).write("half", () => response.destroy());
    });
    const broken = await outwardTo(receiver).post({ url: receiver.url, ...nothing });
    expect(broken).toMatchObject({ status: 200, text: "half" });
  });

  it("reads the beginning of an answer that does not end by itself", async () => {
    receiver.answer((_received, response) => {
      response.writeHead(200);
      const more = () => {
        while (response.write("x".repeat(10_000)) && !response.destroyed);
      };
      response.on("drain", more);
      more();
    });
    const answer = await outwardTo(receiver).post({ url: receiver.url, ...nothing });
    expect(answer).toMatchObject({ status: 200, text: "x".repeat(65_536) });
  });

  it("is given up with its caller", async () => {
    receiver.answer(() => undefined);
    const giving = new AbortController();
    const sent = failureOf(outwardTo(receiver).post({ url: receiver.url, ...nothing }, giving.signal));
    setTimeout(() => giving.abort(), 50);
    expect(await sent).toBe("aborted");
  });

  it("tells of a port where nobody listens as of the network", async () => {
    const gone = await startReceiver();
    await gone.close();
    expect(await failureOf(outwardTo(gone).post({ url: gone.url, ...nothing }))).toBe("network");
  });
});
