-- One verb for many executions: what was asked for, and how far it is. Few rows, so that nothing is
-- needed to find the unfinished ones after a start.
CREATE TABLE batch_operations (
    project TEXT COLLATE "C" NOT NULL,
    batch_id TEXT COLLATE "C" NOT NULL,
    finished BOOLEAN NOT NULL,
    request BYTEA NOT NULL,          -- as it came
    progress BYTEA NOT NULL,         -- as it is shown
    position TEXT COLLATE "C" NOT NULL, -- the execution that it came to last
    updated_us BIGINT NOT NULL,
    PRIMARY KEY (project, batch_id)
);
