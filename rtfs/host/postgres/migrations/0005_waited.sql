-- Whether a process waits for the run and is to be notified when it ends: transactions that notify wait for each other,
-- so only these do.

ALTER TABLE rtfs.run ADD COLUMN waited boolean NOT NULL DEFAULT false;
