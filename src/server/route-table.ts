import type { FastifyInstance, RouteOptions } from "fastify";
import type { Role } from "../platform/http.js";

export interface RegisteredRoute {
  readonly method: string;
  /** As registered: `/api/alerts/:id`. */
  readonly url: string;
  readonly access: Role | "open";
}

/** What is registered, for whoever must know all of it. */
export interface RouteTable {
  list(): RegisteredRoute[];
  /** Methods that the routes of a request's path answer. */
  methodsOf(path: string): string[];
}

/** Routes for which nobody said who may call them take a key. */
export const DEFAULT_ACCESS: Role = "viewer";

/** The table of all routes that are added after this call. */
export function createRouteTable(app: FastifyInstance): RouteTable {
  const routes: RouteOptions[] = [];
  let expressions: { expression: RegExp; methods: readonly string[] }[] | null = null;
  app.addHook("onRoute", (route) => {
    // `*` answers preflights of every path, so it says nothing about any.
    if (route.url === "*") return;
    routes.push(route);
    expressions = null;
  });
  return {
    list: () =>
      routes.flatMap(({ method, url, config }) =>
        [method].flat().map((each) => ({ method: each, url, access: config?.access ?? DEFAULT_ACCESS })),
      ),
    methodsOf(path) {
      expressions ??= routes.map(({ url, method }) => ({
        expression: expressionOf(url),
        methods: [method].flat(),
      }));
      const found = expressions.filter(({ expression }) => expression.test(path));
      return [...new Set(found.flatMap(({ methods }) => methods))].sort();
    },
  };
}

/** Matches the paths of a route's pattern: `:name` is a segment, `*` is the rest. */
function expressionOf(url: string): RegExp {
  const parts = url.split("/").map((part) => {
    if (part.startsWith(":")) return "[^/]+";
    return part === "*" ? ".*" : part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  });
  return new RegExp(`^${parts.join("/")}$`);
}
