import fastify from "fastify";
import { serializerCompiler } from "fastify-type-provider-zod";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { createRng } from "../../src/core/base/rng.js";
import { everLasting } from "../../src/platform/lasting.js";
import { answerCompiler, longAsBytes } from "../../src/server/answers.js";

const row = z.object({ id: z.number(), price: z.number().nullable(), at: z.string() });
const schema = z.object({
  data: z.array(row).max(9),
  others: z.array(row).min(1).optional(),
  total: z.number(),
});
const route = { schema, method: "GET", url: "/rows" };
const write = answerCompiler(route);

describe("answers with rows that never change", () => {
  it("are those that a check of every row would give, whatever was answered before", () => {
    const plain = serializerCompiler(route);
    const rng = createRng(11);
    // A key that no schema knows goes, as from rows that are checked.
    const rows = Array.from({ length: 12 }, (_, id) => {
      const made = { id, price: id % 3 === 0 ? null : id / 7, at: `a${id}`, beside: true };
      return id % 4 === 0 ? made : everLasting(made);
    });
    const pick = (most: number) =>
      Array.from({ length: rng.below(most) }, () => rows[rng.below(rows.length)]);
    for (let n = 0; n < 300; n++) {
      const [data, others] = [pick(10), [rows[1], ...pick(4)]];
      const answer = { total: n, data, ...(n % 2 === 0 ? { others } : {}) };
      expect(write(answer)).toBe(plain(structuredClone(answer)));
    }
  });

  it("are refused for a row that their own schema does not allow", () => {
    const wrong = everLasting({ id: 1, price: "ten", at: "a" });
    expect(() => write({ total: 1, data: [wrong] })).toThrow(/match the schema/);
    expect(() => write({ total: 1, data: [wrong] })).toThrow(/match the schema/);
    const sound = everLasting({ id: 1, price: 10, at: "a" });
    expect(write({ total: 1, data: [sound] })).toContain('"price":10');
    expect(() => write({ total: "1", data: [sound] })).toThrow(/match the schema/);
    const other = answerCompiler({
      ...route,
      schema: z.object({ data: z.array(row.extend({ price: z.null() })) }),
    });
    expect(() => other({ data: [sound] })).toThrow(/match the schema/);
  });

  it("leave out what the schema leaves out, and lists that it does not know", () => {
    const sound = everLasting({ id: 1, price: 10, at: "a" });
    const answer = { total: 1, data: [sound], others: undefined, unknown: [sound] };
    expect(write(answer)).toBe('{"data":[{"id":1,"price":10,"at":"a"}],"total":1}');
  });

  it("cannot be changed afterwards", () => {
    const lasting = everLasting({ id: 1, price: 10, at: "a" });
    expect(() => Object.assign(lasting, { price: 11 })).toThrow(TypeError);
  });
});

describe("long answers", () => {
  it.each([10, 8_191, 8_192, 100_000])("of %i characters arrive as they were written", async (length) => {
    const server = fastify();
    server.addHook("onSend", longAsBytes);
    const text = "é€𝄞a".repeat(length).slice(0, length);
    server.get("/", () => text);
    const { body, headers } = await server.inject("/");
    expect(body).toBe(text);
    expect(headers["content-length"]).toBe(String(Buffer.byteLength(text)));
    expect(headers["content-type"]).toBe("text/plain; charset=utf-8");
    await server.close();
  });
});
