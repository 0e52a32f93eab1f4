import { Agent, request } from "node:http";
import { z } from "zod";
import { callsAt } from "./rate.js";

/** Calls of one kind. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  /** Bodies in turns; none for calls without. */
  readonly bodies: readonly object[];
  /** Which each must have. */
  readonly status: number;
  readonly count: number;
  /** A second; null for one after the other. */
  readonly rate: number | null;
}

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** Calls a server at the address given, as its parent asks, and tells what came. */
const url = process.argv[2];
const agent = new Agent({ keepAlive: true, maxSockets: 64 });

function call(method: string, path: string, body: object | undefined): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers = text === undefined ? {} : { "content-type": "application/json" };
    const asked = request(`${url}${path}`, { agent, method, headers }, (answer) => {
      let read = "";
      answer.setEncoding("utf8");
      answer.on("data", (part: string) => {
        read += part;
      });
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, body: read }));
    });
    asked.on("error", reject);
    asked.end(text);
  });
}

async function calls({ method, path, bodies, status, count, rate }: Asked): Promise<number[]> {
  const one = async (n: number) => {
    const answer = await call(method, path, bodies[n % Math.max(1, bodies.length)]);
    if (answer.status === status) return;
    throw new Error(`${method} ${path} was answered ${answer.status}: ${answer.body.slice(0, 200)}`);
  };
  if (rate !== null) return callsAt(rate, count, one);
  const times: number[] = [];
  for (let n = 0; n < count; n++) {
    const sent = performance.now();
    await one(n);
    times.push(performance.now() - sent);
  }
  return times.sort((a, b) => a - b);
}

const body = z.record(z.string(), z.unknown());
const messageSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("call"), method: z.string(), path: z.string(), body: body.optional() }),
  z.object({
    kind: z.literal("calls"),
    method: z.string(),
    path: z.string(),
    bodies: z.array(body),
    status: z.number(),
    count: z.number(),
    rate: z.number().nullable(),
  }),
]);

async function answer(message: unknown): Promise<number[] | Answer> {
  const asked = messageSchema.parse(message);
  return asked.kind === "calls" ? calls(asked) : call(asked.method, asked.path, asked.body);
}

process.on("message", (message) => {
  answer(message).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
