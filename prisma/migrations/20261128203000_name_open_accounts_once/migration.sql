-- Of the accounts that a user has open no two have one name.
CREATE UNIQUE INDEX "paper_accounts_open_name" ON "paper_accounts"("user_id", "name", "synthetic") WHERE "closed_at" IS NULL;
