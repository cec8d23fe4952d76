-- What workers need of a run: the queue that it is in, or no queue for one that no worker may advance; its priority; its
-- turn, while it waits for one. What is to be submitted again and again. Which workers there are.

ALTER TABLE rtfs.run ADD COLUMN queue text;
ALTER TABLE rtfs.run ADD COLUMN priority integer NOT NULL DEFAULT 0;
ALTER TABLE rtfs.run ADD COLUMN turn bigint;
CREATE INDEX run_by_turn ON rtfs.run (turn) WHERE turn IS NOT NULL;
CREATE INDEX run_by_turn_of_principal ON rtfs.run (principal, turn) WHERE turn IS NOT NULL;
CREATE INDEX run_by_queue ON rtfs.run (state) WHERE queue IS NOT NULL;

CREATE TABLE rtfs.schedule (
    id text PRIMARY KEY,
    cron text NOT NULL,
    facts text NOT NULL,
    next_at timestamptz NOT NULL
);

CREATE TABLE rtfs.worker (
    id text PRIMARY KEY,
    version text NOT NULL,
    labels text NOT NULL,
    runs integer NOT NULL,
    began timestamptz NOT NULL,
    beat_at timestamptz NOT NULL
);
