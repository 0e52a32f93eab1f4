-- A close above a channel is a breakout and one below it a breakdown, whichever way the channel slopes.
UPDATE "detections" SET "pattern" = CASE "pattern"
  WHEN 'descending_channel_breakdown' THEN 'descending_channel_breakout' ELSE 'descending_channel_breakdown' END
WHERE "pattern" IN ('descending_channel_breakdown', 'descending_channel_breakout');

UPDATE "alerts" SET "pattern" = CASE "pattern"
  WHEN 'descending_channel_breakdown' THEN 'descending_channel_breakout' ELSE 'descending_channel_breakdown' END
WHERE "pattern" IN ('descending_channel_breakdown', 'descending_channel_breakout');

DELETE FROM "evidence_rows" WHERE "variant" IN ('descending_channel_breakdown', 'descending_channel_breakout');
