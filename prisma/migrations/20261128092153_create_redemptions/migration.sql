-- CreateTable
CREATE TABLE "redemptions" (
    "nonce" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "redeemed_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "redemptions_pkey" PRIMARY KEY ("nonce")
);

-- CreateIndex
CREATE INDEX "redemptions_expires_at_idx" ON "redemptions"("expires_at");
