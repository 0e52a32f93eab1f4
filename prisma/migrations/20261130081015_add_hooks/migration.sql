-- CreateEnum
CREATE TYPE "hook_mode" AS ENUM ('log', 'notice', 'order');

-- CreateEnum
CREATE TYPE "hook_call_status" AS ENUM ('waiting', 'logged', 'noticed', 'ordered', 'refused', 'duplicate', 'turned_away');

-- CreateTable
CREATE TABLE "hooks" (
    "id" UUID NOT NULL,
    "user_id" TEXT NOT NULL,
    "name" VARCHAR(60) NOT NULL,
    "digest" CHAR(64) NOT NULL,
    "mode" "hook_mode" NOT NULL,
    "account_id" UUID,
    "symbols" TEXT[],
    "max_order_value" DOUBLE PRECISION,
    "max_orders_a_day" INTEGER,
    "sources" TEXT[],
    "per_minute" INTEGER NOT NULL,
    "dedupe_minutes" INTEGER NOT NULL,
    "max_age_s" INTEGER NOT NULL,
    "enabled" BOOLEAN NOT NULL DEFAULT true,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "hooks_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "hook_calls" (
    "id" BIGSERIAL NOT NULL,
    "hook_id" UUID NOT NULL,
    "received_at" TIMESTAMPTZ(3) NOT NULL,
    "source" TEXT NOT NULL,
    "content_type" TEXT NOT NULL,
    "body" TEXT NOT NULL,
    "digest" CHAR(64) NOT NULL,
    "given_id" VARCHAR(200),
    "fields" JSONB,
    "problem" TEXT,
    "status" "hook_call_status" NOT NULL,
    "duplicate_of" BIGINT,
    "account_id" UUID,
    "order_id" TEXT,
    "opens" BOOLEAN NOT NULL DEFAULT false,
    "code" TEXT,
    "detail" TEXT,
    "settled_at" TIMESTAMPTZ(3),

    CONSTRAINT "hook_calls_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "hooks_digest_key" ON "hooks"("digest");

-- CreateIndex
CREATE UNIQUE INDEX "hooks_user_id_name_key" ON "hooks"("user_id", "name");

-- CreateIndex
CREATE INDEX "hook_calls_hook_id_id_idx" ON "hook_calls"("hook_id", "id");

-- CreateIndex
CREATE INDEX "hook_calls_hook_id_digest_received_at_idx" ON "hook_calls"("hook_id", "digest", "received_at");

-- CreateIndex
CREATE INDEX "hook_calls_hook_id_given_id_idx" ON "hook_calls"("hook_id", "given_id");

-- CreateIndex
CREATE INDEX "hook_calls_status_id_idx" ON "hook_calls"("status", "id");

-- CreateIndex
CREATE INDEX "hook_calls_received_at_idx" ON "hook_calls"("received_at");

-- AddForeignKey
ALTER TABLE "hook_calls" ADD CONSTRAINT "hook_calls_hook_id_fkey" FOREIGN KEY ("hook_id") REFERENCES "hooks"("id") ON DELETE CASCADE ON UPDATE CASCADE;
