-- CreateTable
CREATE TABLE "news_documents" (
    "id" BIGSERIAL NOT NULL,
    "kind" VARCHAR(10) NOT NULL,
    "url_key" CHAR(64),
    "title_key" CHAR(64),
    "publisher" VARCHAR(100) NOT NULL,
    "title" VARCHAR(300) NOT NULL,
    "summary" VARCHAR(2000) NOT NULL,
    "url" VARCHAR(2048),
    "published_at" TIMESTAMPTZ(3) NOT NULL,
    "source" TEXT NOT NULL,
    "carriers" TEXT[],
    "first_seen_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "news_documents_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "news_links" (
    "document_id" BIGINT NOT NULL,
    "symbol" VARCHAR(40) NOT NULL,
    "linked_by" VARCHAR(10) NOT NULL,
    "published_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "news_links_pkey" PRIMARY KEY ("document_id","symbol")
);

-- CreateTable
CREATE TABLE "news_collections" (
    "feed" VARCHAR(40) NOT NULL,
    "symbol" VARCHAR(40) NOT NULL,
    "asked_at" TIMESTAMPTZ(3) NOT NULL,
    "succeeded_at" TIMESTAMPTZ(3),

    CONSTRAINT "news_collections_pkey" PRIMARY KEY ("feed","symbol")
);

-- CreateTable
CREATE TABLE "document_scores" (
    "document_id" BIGINT NOT NULL,
    "model" VARCHAR(60) NOT NULL,
    "symbol" VARCHAR(40) NOT NULL,
    "score" DOUBLE PRECISION NOT NULL,
    "confidence" DOUBLE PRECISION,
    "label" VARCHAR(8) NOT NULL,
    "terms" TEXT[],
    "scored_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "document_scores_pkey" PRIMARY KEY ("document_id","model","symbol")
);

-- CreateIndex
CREATE UNIQUE INDEX "news_documents_url_key_key" ON "news_documents"("url_key");

-- CreateIndex
CREATE INDEX "news_documents_title_key_published_at_idx" ON "news_documents"("title_key", "published_at");

-- CreateIndex
CREATE INDEX "news_documents_published_at_id_idx" ON "news_documents"("published_at", "id");

-- CreateIndex
CREATE INDEX "news_links_symbol_published_at_document_id_idx" ON "news_links"("symbol", "published_at", "document_id");

-- AddForeignKey
ALTER TABLE "news_links" ADD CONSTRAINT "news_links_document_id_fkey" FOREIGN KEY ("document_id") REFERENCES "news_documents"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "document_scores" ADD CONSTRAINT "document_scores_document_id_fkey" FOREIGN KEY ("document_id") REFERENCES "news_documents"("id") ON DELETE CASCADE ON UPDATE CASCADE;
