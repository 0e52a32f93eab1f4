-- CreateTable
CREATE TABLE "detection_feedback" (
    "id" BIGSERIAL NOT NULL,
    "detection_id" BIGINT NOT NULL,
    "user_id" TEXT NOT NULL,
    "verdict" VARCHAR(7) NOT NULL,
    "note" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "detection_feedback_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "detection_feedback_detection_id_user_id_id_idx" ON "detection_feedback"("detection_id", "user_id", "id");

-- AddForeignKey
ALTER TABLE "detection_feedback" ADD CONSTRAINT "detection_feedback_detection_id_fkey" FOREIGN KEY ("detection_id") REFERENCES "detections"("id") ON DELETE CASCADE ON UPDATE CASCADE;
