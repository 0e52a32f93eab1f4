import { z } from "zod";
import { momentText } from "./times.js";
import { ULID } from "./ulid.js";

const eventId = z
  .string()
  .transform((text) => text.toUpperCase())
  .pipe(z.string().regex(ULID, "must be a ULID"))
  .meta({ type: "string", description: "event_id of an event" });

export const activityEventsQuery = z
  .object({
    since: momentText.optional().describe("First moment of telling that counts; nothing past unless given"),
    until: momentText.optional().describe("Last moment of telling, included, after which the stream ends"),
    since_id: eventId.optional().describe("Id of the last event that is known already"),
    until_id: eventId.optional().describe("Id of the last event that is wanted, after which the stream ends"),
  })
  .refine((query) => query.since === undefined || query.since_id === undefined, {
    message: "since and since_id cannot be used together",
  })
  .refine((query) => query.until === undefined || query.since !== undefined, {
    message: "until needs since",
  })
  .refine((query) => query.until_id === undefined || query.since_id !== undefined, {
    message: "until_id needs since_id",
  });

const untold = z.null().describe("No source tells it");
const systemDate = { system_date: z.iso.date().describe("When it was booked, by the date of New York") };
const heldOn = { ...systemDate, symbol: z.string(), position_date: z.iso.date() };

const tradeDetails = z.object({
  execution_type: z.literal("fill"),
  order_id: z.uuid(),
  client_order_id: z.string(),
  order_status: z.enum(["filled", "partially_filled"]),
  side: z.enum(["buy", "sell"]),
  symbol: z.string(),
  asset_id: z.uuid(),
  cum_qty: z.string(),
  leaves_qty: z.string(),
  commission: z.string().describe("All fees of the fill"),
});
const dividendDetails = z.object({
  ...heldOn,
  entitled_qty: z.string(),
  rate: z.string(),
  cash_payout: z.string(),
  ex_date: z.iso.date().optional().describe("Absent of those that somebody imported"),
  cusip: untold,
  foreign: untold,
  special: untold,
});
const splitDetails = z.object({
  ...heldOn,
  group_id: z.uuid().describe("The same of what goes and of what comes"),
  old_qty: z.string(),
  new_qty: z.string(),
  old_rate: z.string(),
  new_rate: z.string(),
  old_cusip: untold,
  new_cusip: untold,
});
const otherDetails = z.object({ ...systemDate, symbol: z.string().optional() });

export const activityEventSchema = z
  .object({
    event_id: z.string().describe("ULID of when it was written: ascends from event to event"),
    account_id: z.uuid(),
    ref_id: z.uuid().describe("Of a fill its execution_id"),
    activity_type: z.enum(["TRD", "CSD", "CSW", "DIV", "FEE", "INT", "SPLIT", "MISC"]),
    activity_subtype: z.enum(["CDIV", "MGN", "FSPLIT", "RSPLIT"]).optional(),
    status: z.literal("executed"),
    at: z.string().describe("When it was so"),
    executed_at: z.string(),
    settle_date: z.iso.date(),
    currency: z.string(),
    qty: z.string().optional(),
    price: z.string().optional(),
    net_amount: z.string().describe("What the cash changed by, fees included"),
    details: z.union([tradeDetails, dividendDetails, splitDetails, otherDetails]),
  })
  .meta({ id: "AlpacaActivityEvent" });

export type ActivityEvent = z.input<typeof activityEventSchema>;
