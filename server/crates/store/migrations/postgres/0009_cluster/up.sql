-- Servers that share the database. A server sits in a slot: whoever holds the lock of the slot, in
-- the session that commits, is the server of its row, and nobody else writes for it.
CREATE TABLE servers (
    slot SMALLINT NOT NULL PRIMARY KEY,
    epoch BIGINT NOT NULL,           -- goes up with each server that takes the slot
    address TEXT COLLATE "C" NOT NULL, -- where the others reach it
    version TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL, -- LIVE, LEFT by itself, or FENCED by another one
    started_us BIGINT NOT NULL,      -- by the clock of the database
    expires_us BIGINT NOT NULL       -- when its time is over, or when it was fenced
);

-- Who owns which executions. Owned by nobody while it goes from one server to another.
CREATE TABLE shards (
    shard SMALLINT NOT NULL PRIMARY KEY,
    slot SMALLINT,
    epoch BIGINT NOT NULL            -- goes up with each owner
);

INSERT INTO shards (shard, slot, epoch) SELECT shard, NULL, 0 FROM generate_series(0, 255) shard;
