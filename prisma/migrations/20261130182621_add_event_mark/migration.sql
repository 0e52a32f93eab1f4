-- CreateTable
CREATE TABLE "event_marks" (
    "id" INTEGER NOT NULL DEFAULT 1,
    "pruned" BIGINT NOT NULL,

    CONSTRAINT "event_marks_pkey" PRIMARY KEY ("id")
);

-- Whoever deletes events leaves word of it: a number of before stands for events that may be gone.
CREATE FUNCTION "note_pruned_events"() RETURNS trigger LANGUAGE plpgsql AS
E'BEGIN INSERT INTO event_marks AS mark (id, pruned) SELECT 1, max(seq) FROM gone HAVING count(*) > 0 ON CONFLICT (id) DO UPDATE SET pruned = greatest(mark.pruned, excluded.pruned)\073 RETURN NULL\073 END';

CREATE TRIGGER "events_pruned" AFTER DELETE ON "events"
  REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION "note_pruned_events"();

-- Of a database of before, what is older than the oldest that is kept may be gone.
INSERT INTO event_marks (id, pruned) SELECT 1, min(seq) - 1 FROM events HAVING min(seq) > 1;
