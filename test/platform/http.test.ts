import { Readable } from "node:stream";
import fastify from "fastify";
import { serializerCompiler, validatorCompiler } from "fastify-type-provider-zod";
import { describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { ERRORS } from "../../src/platform/errors.js";
import {
  decimalText,
  instantText,
  isoTime,
  problemResponses,
  routeGroup,
  wholeNumberText,
} from "../../src/platform/http.js";
import { registerAnswerLimit } from "../../src/server/answer-limit.js";

/** Attempts to smuggle a number in. */
const HOSTILE = [
  "",
  " ",
  " 7 ",
  "7 ",
  "+7",
  "0x10",
  "1e3",
  "1e400",
  "Infinity",
  "NaN",
  "null",
  "true",
  "1,000",
  "1_000",
  "٧",
  "7\n",
  "--7",
  "7.",
  ".7",
];

function refused(schema: z.ZodType, texts: readonly unknown[]): unknown[] {
  return texts.filter((text) => schema.safeParse(text).success);
}

describe("numbers in a query", () => {
  it("whole numbers are digits within the bounds", () => {
    const schema = wholeNumberText(0, 1_000);
    expect([schema.parse("0"), schema.parse("1000"), schema.parse("007")]).toEqual([0, 1_000, 7]);
    expect(refused(schema, [...HOSTILE, "1001", "-1", "7.5", "9".repeat(16), ["7", "8"], 7, null])).toEqual(
      [],
    );
  });

  it("decimals are digits with a point within the bounds", () => {
    const schema = decimalText(-1, 100);
    expect([schema.parse("-0.5"), schema.parse("100"), schema.parse("0.125")]).toEqual([-0.5, 100, 0.125]);
    expect(refused(schema, [...HOSTILE, "100.1", "-1.01", `0.${"1".repeat(16)}`, ["7"], 7])).toEqual([]);
  });
});

describe("instants in a query", () => {
  it("are ISO dates, date-times and epoch milliseconds", () => {
    const ms = Date.UTC(2024, 0, 2, 14, 30);
    for (const text of [
      "2024-01-02T14:30:00Z",
      "2024-01-02T09:30:00-05:00",
      "2024-01-02T14:30",
      String(ms),
    ]) {
      expect(instantText.parse(text)).toBe(ms);
    }
    expect(instantText.parse("2024-01-02")).toBe(Date.UTC(2024, 0, 2));
  });

  it("are nothing else", () => {
    const others = [
      "1704205800",
      "2024",
      "2024-1-2",
      "2024-02-30",
      "2024-01-02 (x)",
      "now",
      "2024-01-02T99:00Z",
    ];
    expect(refused(instantText, [...HOSTILE, ...others, "9".repeat(16), 1_704_205_800_000])).toEqual([]);
  });

  it("are answered in ISO 8601 UTC", () => {
    expect(isoTime(Date.UTC(2024, 0, 2, 14, 30))).toBe("2024-01-02T14:30:00.000Z");
  });
});

describe("errors", () => {
  it("have a status of an error, and a title for people", () => {
    for (const [code, { status, title }] of Object.entries(ERRORS)) {
      expect(status, code).toBeGreaterThanOrEqual(400);
      expect(status, code).toBeLessThan(600);
      expect(title, code).toMatch(/^[A-Z][^.\n]{5,60}$/);
    }
  });

  it("those of one status share a documented answer", () => {
    const responses = problemResponses(["symbol_unknown", "no_data", "internal"]);
    expect(Object.keys(responses)).toEqual(["404", "500"]);
    expect(responses[404]?.description).toBe(
      "symbol_unknown: No source knows the symbol; no_data: There is no data for the request",
    );
  });
});

describe("a route", () => {
  it("that takes too long answers once, and says nothing more when it has its answer", async () => {
    const lines: string[] = [];
    const app = fastify({
      logger: { level: "warn", stream: { write: (line: string) => void lines.push(line) } },
    });
    app.setValidatorCompiler(validatorCompiler);
    app.setSerializerCompiler(serializerCompiler);
    app.decorate("synthetic", false);
    app.decorateRequest("principal", null);
    registerAnswerLimit(app, 30);
    let ended = 0;
    const routes = routeGroup(app, { tag: "Test", access: "open", perMinute: null });
    routes.get("/slow", {
      id: "beSlow",
      summary: "Takes its time",
      answer: { data: z.number() },
      async handle() {
        await new Promise((resolve) => setTimeout(resolve, 300));
        return { data: ++ended };
      },
    });
    routes.get("/patient", {
      id: "bePatient",
      summary: "Takes its time, as it says",
      answer: { data: z.string() },
      answerWithinMs: 5_000,
      async handle() {
        await new Promise((resolve) => setTimeout(resolve, 300));
        return { data: "done" };
      },
    });
    app.get("/stream", (_request, reply) =>
      reply.send(
        Readable.from(
          (async function* () {
            for (const part of ["one", "two", "three"]) {
              yield part;
              await new Promise((resolve) => setTimeout(resolve, 150));
            }
          })(),
          { objectMode: false },
        ),
      ),
    );
    try {
      expect((await app.inject("/stream")).body).toBe("onetwothree");
      expect((await app.inject("/patient")).json()).toEqual({ success: true, data: "done" });
      const answer = await app.inject("/slow");
      expect(answer.statusCode).toBe(503);
      await vi.waitFor(() => expect(ended).toBe(1), { timeout: 15_000 });
      await new Promise((resolve) => setImmediate(resolve));
      // Of the time that was over alone, and of no second answer.
      expect(lines.map((line) => JSON.parse(line).err.code)).toEqual(["timed_out"]);
    } finally {
      await app.close();
    }
  });
});
