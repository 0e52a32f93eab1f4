import type { z } from "zod";
import { DAY_MS, dateOf } from "../../core/market/day.js";
import type { Accounts } from "./account.js";
import {
  accountSchema,
  activitiesQuery,
  activityParams,
  activitySchema,
  configurationBody,
  configurationSchema,
  portfolioQuery,
  portfolioSchema,
} from "./account-schema.js";
import type { ActivityFilter } from "./activities.js";
import { exchange } from "./calendar.js";
import type { DialectGroup } from "./http.js";
import { endOf, type Moment, startOf } from "./times.js";

/** The caller's usual account: what it is, did and was worth. */
export function accountRoutes(routes: DialectGroup, accounts: Accounts): void {
  routes.get("/v2/account", {
    id: "alpacaAccount",
    summary: "The caller's paper account, opened with the first request",
    answer: accountSchema,
    handle: ({ principal }) => accounts.get(principal.userId),
  });
  routes.get("/v2/account/configurations", {
    id: "alpacaConfigurations",
    summary: "How the account may trade",
    answer: configurationSchema,
    handle: ({ principal }) => accounts.configuration(principal.userId),
  });
  routes.patch("/v2/account/configurations", {
    id: "alpacaConfigure",
    summary: "Suspend trading, or take it up again",
    body: configurationBody,
    answer: configurationSchema,
    handle: ({ body, principal }) => accounts.configure(principal.userId, body),
  });
  routes.get("/v2/account/activities", {
    id: "alpacaActivities",
    summary: "Fills, and whatever else moved money or shares",
    query: activitiesQuery,
    answer: activitySchema.array(),
    handle: ({ query, principal }) => accounts.activities(principal.userId, filterOf(query, null)),
  });
  routes.get("/v2/account/activities/:activity_type", {
    id: "alpacaActivitiesOfType",
    summary: "Activities of one type",
    params: activityParams,
    query: activitiesQuery.omit({ activity_types: true, category: true }),
    answer: activitySchema.array(),
    handle: ({ params, query, principal }) =>
      accounts.activities(principal.userId, filterOf(query, params.activity_type)),
  });
  routes.get("/v2/account/portfolio/history", {
    id: "alpacaPortfolioHistory",
    summary: "Equity over a period, and what was gained of what it began with",
    query: portfolioQuery,
    answer: portfolioSchema,
    handle: ({ query, principal }) => accounts.history(principal.userId, query),
  });
}

/** The date that a client wrote, also where it wrote an instant. */
const writtenDate = (moment: Moment) => dateOf("day" in moment ? moment.day : Math.floor(moment.ms / DAY_MS));

type Query = Omit<z.output<typeof activitiesQuery>, "activity_types" | "category"> &
  Partial<Pick<z.output<typeof activitiesQuery>, "activity_types" | "category">>;

function filterOf(query: Query, only: string | null): ActivityFilter {
  const { zone } = exchange();
  const { activity_types: types, category = null, date, after, until, direction } = query;
  const named = only ?? types ?? null;
  return {
    types: named === null ? null : new Set(named.toUpperCase().split(",")),
    category,
    date: date === undefined ? null : writtenDate(date),
    after: after === undefined ? Number.NEGATIVE_INFINITY : startOf(after, zone),
    until: until === undefined ? Number.POSITIVE_INFINITY : endOf(until, zone),
    ascending: direction === "asc",
    limit: query.page_size,
    token: query.page_token ?? null,
  };
}
