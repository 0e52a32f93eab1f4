import { createSearch, randomPoints, type Search } from "../../core/backtest/search.js";
import { type Choice, type Dimension, gridOf, gridSize, type Space } from "../../core/backtest/space.js";
import type { Strategy } from "../../core/strategies/define.js";
import {
  type Parameter,
  resolveValues,
  type Values,
  gridOf as valuesOf,
} from "../../core/strategies/parameters.js";
import { AppError } from "../../platform/errors.js";
import type { SweepOrder } from "./jobs-order.js";
import type { Chosen } from "./order.js";

type SearchOrder = Pick<SweepOrder, "method" | "trials" | "space" | "seed">;

/** Points that are asked of a search before any of them is told: the same with any number of threads. */
const ASKED_AT_ONCE = 8;

/** Which values are tried next. */
export interface Candidates {
  /** @returns none where there are no more. */
  next(): readonly Values[];
  tell(values: Values, score: number | null): void;
  readonly most: number;
}

/** @throws {AppError} `invalid_request` for a space that is none, or a grid with more points than trials. */
export function createCandidates({ strategy, values }: Chosen, order: SearchOrder): Candidates {
  const space = spaceOf(strategy, values, order);
  const complete = (point: Values): Values => ({ ...values, ...point });
  if (order.method === "grid") return listed(gridPoints(space, order).map(complete));
  if (order.method === "random") {
    return listed((randomPoints(space, order.trials, order.seed) as Values[]).map(complete));
  }
  return searched(createSearch(space, { method: order.method, seed: order.seed }), order.trials, complete);
}

/** @throws {AppError} as `createCandidates`, and `invalid_request` where nothing in the space may be tried. */
export function checkCandidates({ strategy, values }: Chosen, order: SearchOrder): void {
  if (createCandidates({ strategy, values }, order).next().length > 0) return;
  const rules = strategy.constraints.length === 0 ? "" : `: ${strategy.constraints.join("; ")}`;
  throw new AppError("invalid_request", `body space: none of its values may be tried together${rules}`);
}

function listed(points: readonly Values[]): Candidates {
  let given = false;
  return {
    most: points.length,
    next: () => {
      if (given) return [];
      given = true;
      return points;
    },
    tell: () => undefined,
  };
}

function searched(search: Search, most: number, complete: (point: Values) => Values): Candidates {
  const asked = new Map<Values, Values>();
  return {
    most,
    next() {
      const points: Values[] = [];
      while (points.length < ASKED_AT_ONCE && asked.size < most) {
        const point = search.ask() as Values | null;
        if (point === null) break;
        const values = complete(point);
        asked.set(values, point);
        points.push(values);
      }
      return points;
    },
    tell: (values, score) => search.tell(asked.get(values) ?? values, score),
  };
}

function gridPoints(space: Space, { trials }: SearchOrder): Values[] {
  if (!(gridSize(space) <= 100_000)) {
    throw new AppError(
      "invalid_request",
      "body space: a grid of more than 100000 points; name fewer or larger steps",
    );
  }
  const points = gridOf(space) as Values[];
  if (points.length <= trials) return points;
  const detail = `body trials: the grid has ${points.length} points, more than ${trials}; allow more, or search at random`;
  throw new AppError("invalid_request", detail);
}

function spaceOf(strategy: Strategy, base: Values, order: SearchOrder): Space {
  const dimensions =
    order.space === undefined ? formOf(strategy, base, order) : namedOf(strategy, order.space);
  if (dimensions.length === 0) {
    throw new AppError("invalid_request", `body space: ${strategy.id} has no number to search; name choices`);
  }
  return {
    dimensions,
    problem(point) {
      const { values, problems } = resolveValues(strategy.parameters, { ...base, ...(point as Values) });
      const [first] = problems.length > 0 ? problems : strategy.problems(values);
      return first ?? null;
    },
  };
}

/** All numbers of the form; of a grid as many values each as the trials allow, those of one being the order's own. */
function formOf({ parameters }: Strategy, base: Values, { method, trials }: SearchOrder): Dimension[] {
  const numbers = Object.entries(parameters).flatMap(([name, each]) =>
    each.kind === "integer" || each.kind === "number" ? [{ name, each }] : [],
  );
  const most = Math.max(1, Math.floor(trials ** (1 / Math.max(1, numbers.length)) + 1e-9));
  return numbers.map(({ name, each }) => {
    if (method !== "grid") return { name, kind: each.kind, min: each.min, max: each.max, step: each.step };
    return { name, kind: "choice", options: most === 1 ? [base[name]] : valuesOf(each, most) };
  });
}

function namedOf({ parameters }: Strategy, space: NonNullable<SearchOrder["space"]>): Dimension[] {
  return Object.entries(space).map(([name, range]) => {
    const parameter = parameters[name];
    if (!Object.hasOwn(parameters, name)) {
      throw new AppError("invalid_request", `body space: there is no parameter ${name}`);
    }
    const ends = Array.isArray(range) ? range : [range.min, range.max];
    const odd = ends.flatMap((value) => resolveValues({ [name]: parameter }, { [name]: value }).problems);
    if (Array.isArray(range)) {
      if (odd.length > 0) throw new AppError("invalid_request", `body space: ${odd.join("; ")}`);
      return { name, kind: "choice", options: [...new Set<Choice>(range)] };
    }
    const dimension = rangeOf(name, parameter, range);
    if (odd.length > 0) throw new AppError("invalid_request", `body space: ${odd.join("; ")}`);
    return dimension;
  });
}

function rangeOf(
  name: string,
  parameter: Parameter,
  { min, max, step }: { min: number; max: number; step?: number | undefined },
): Dimension {
  if (parameter.kind !== "integer" && parameter.kind !== "number") {
    throw new AppError("invalid_request", `body space: ${name} is no number; list its values`);
  }
  const by = step ?? parameter.step;
  const whole = parameter.kind === "number" || [min, max, by].every(Number.isInteger);
  if (min > max || !whole) throw new AppError("invalid_request", `body space: ${name} has no such range`);
  return { name, kind: parameter.kind, min, max, step: by };
}
