-- Which records of the ledger are of calls that sequence rules look for, in the order in which they were decided about.

CREATE TABLE rtfs.occurrence (
    place bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    chain text NOT NULL,
    seq bigint NOT NULL,
    time bigint NOT NULL,
    by text NOT NULL
);
CREATE INDEX occurrence_by_time ON rtfs.occurrence (time);
