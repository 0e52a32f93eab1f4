-- CreateTable
CREATE TABLE "order_previews" (
    "digest" CHAR(64) NOT NULL,
    "user_id" TEXT NOT NULL,
    "account_id" UUID NOT NULL,
    "asked" JSONB NOT NULL,
    "checked" BOOLEAN NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "used_at" TIMESTAMPTZ(3),
    "order_id" TEXT,

    CONSTRAINT "order_previews_pkey" PRIMARY KEY ("digest")
);

-- CreateIndex
CREATE INDEX "order_previews_expires_at_idx" ON "order_previews"("expires_at");
