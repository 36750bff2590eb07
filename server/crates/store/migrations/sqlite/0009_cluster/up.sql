-- One server has the file, and all that is in it: these stay empty. They are here so that both
-- databases have the same tables.
CREATE TABLE servers (
    slot INTEGER NOT NULL PRIMARY KEY,
    epoch INTEGER NOT NULL,
    address TEXT NOT NULL,
    version TEXT NOT NULL,
    state TEXT NOT NULL,
    started_us INTEGER NOT NULL,
    expires_us INTEGER NOT NULL
);

CREATE TABLE shards (
    shard INTEGER NOT NULL PRIMARY KEY,
    slot INTEGER,
    epoch INTEGER NOT NULL
);
