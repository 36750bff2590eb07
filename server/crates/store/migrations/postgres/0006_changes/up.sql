-- Which executions each commit has changed, in the order of the commits: watchers of many
-- executions read on from their position. One row a commit, kept for a day. The last row stays, so
-- that no position is given twice.
CREATE TABLE changes (
    shard SMALLINT NOT NULL,
    position BIGINT NOT NULL,        -- greater than that of every commit before
    time_us BIGINT NOT NULL,
    uids BYTEA NOT NULL,             -- of executions, 16 bytes each
    deleted TEXT COLLATE "C",        -- JSON list of project, id and uid; NULL = none
    PRIMARY KEY (shard, position)
);
