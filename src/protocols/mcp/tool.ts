import type { Tool as Listing } from "@modelcontextprotocol/server";
import { z } from "zod";
import { AppError, type Problem } from "../../platform/errors.js";
import type { Principal } from "../../platform/http.js";

/** One call of a tool. */
export interface ToolCall {
  readonly principal: Principal;
  /** Aborts when the caller cancels or goes away, and when the server closes. */
  readonly signal: AbortSignal;
  /** Tells the caller how far a call is, 0..100; null for callers that did not ask for it. */
  readonly progress: ((percent: number, message: string) => Promise<void>) | null;
}

/** Said of every reply beside what the tool answers with; what it means is told once, by the server. */
const ALWAYS = {
  mode: z.literal("paper"),
  synthetic: z.boolean(),
  source: z.string().nullable(),
  as_of: z.iso.datetime(),
  stale: z.boolean(),
};

/** Where the data of a reply are from. */
export interface Provenance {
  readonly synthetic: boolean;
  readonly source: string | null;
  readonly as_of: string;
  readonly stale: boolean;
}

type Fields = Readonly<Record<string, z.ZodType>>;

/** A tool as data. Its description is what a model chooses it by. */
export interface ToolDefinition<I extends z.ZodObject, F extends Fields> {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** Least role that is offered it. */
  readonly access: "viewer" | "trader";
  /** Whether it changes orders: such tools are offered by configuration, to callers with a key. */
  readonly trades?: boolean;
  readonly effect: "reads" | "adds" | "destroys";
  /** Whether it may wait longer than requests do. */
  readonly waits?: boolean;
  readonly input: I;
  readonly output: F;
  run(args: z.output<I>, call: ToolCall): Promise<{ readonly [K in keyof F]: z.input<F[K]> } & Provenance>;
}

/** A tool of any input and output. */
export interface Tool
  extends Pick<ToolDefinition<z.ZodObject, Fields>, "name" | "access" | "trades" | "waits"> {
  /** As `tools/list` tells of it. */
  readonly listing: Listing;
  /** @throws {AppError} `invalid_request` with every problem of the arguments, and what the tool throws. */
  call(args: unknown, call: ToolCall): Promise<Record<string, unknown>>;
}

export function defineTool<I extends z.ZodObject, F extends Fields>(definition: ToolDefinition<I, F>): Tool {
  const { input, run, ...told } = definition;
  const output: z.ZodObject = z.object({ ...ALWAYS, ...definition.output });
  return {
    ...told,
    listing: listingOf(definition, output),
    async call(args, call) {
      const read = input.safeParse(args ?? {});
      if (!read.success) throw invalidArguments(definition.name, read.error);
      return output.parse({ mode: "paper", ...(await run(read.data, call)) });
    },
  };
}

function listingOf(
  { name, title, description, effect, input }: ToolDefinition<z.ZodObject, Fields>,
  output: z.ZodObject,
): Listing {
  const annotations = {
    readOnlyHint: effect === "reads",
    destructiveHint: effect === "destroys",
    openWorldHint: false,
  };
  return {
    ...{ name, title, description, annotations },
    inputSchema: schemaOf(input, "input"),
    outputSchema: schemaOf(output, "output"),
  };
}

/** Of every whole number that a double holds: a bound that says nothing. */
const SAFE = Number.MAX_SAFE_INTEGER;

/**
 * As plain JSON, and short, for a model reads it with every tool: without the dialect, which older clients do not know by
 * its address, the long expressions behind formats, and bounds that every number keeps.
 */
function schemaOf(schema: z.ZodObject, io: "input" | "output"): Listing["inputSchema"] {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io,
    reused: "inline",
    override({ jsonSchema }) {
      if (jsonSchema.format !== undefined) delete jsonSchema.pattern;
      if (jsonSchema.minimum === -SAFE) delete jsonSchema.minimum;
      if (jsonSchema.maximum === SAFE) delete jsonSchema.maximum;
      // Replies are made by their schemas: nothing else is in them.
      if (io === "output" && jsonSchema.additionalProperties === false)
        delete jsonSchema.additionalProperties;
    },
  });
  return JSON.parse(JSON.stringify(rest));
}

/** Problems that are told at most, and characters of a name that the caller made up. */
const PROBLEMS_LIMIT = 20;
const NAME_LIMIT = 60;

/** What is wrong with the arguments of a tool, each by itself. */
export function invalidArguments(tool: string, { issues }: z.ZodError): AppError {
  const problems = issues.slice(0, PROBLEMS_LIMIT).map((issue): Problem => {
    const path = issue.path.map((part) => String(part).slice(0, NAME_LIMIT)).join(".");
    if (issue.code !== "unrecognized_keys") return { path, message: issue.message };
    const names = issue.keys.slice(0, PROBLEMS_LIMIT).map((key) => key.slice(0, NAME_LIMIT));
    return { path: names.join(", "), message: "is not known here" };
  });
  const words = problems.map(({ path, message }) => (path === "" ? message : `${path}: ${message}`));
  return new AppError("invalid_request", `Arguments of ${tool}: ${words.join("; ")}`, { problems });
}
