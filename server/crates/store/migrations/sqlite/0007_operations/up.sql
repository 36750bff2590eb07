-- One verb for many executions: what was asked for, and how far it is. Few rows, so that nothing is
-- needed to find the unfinished ones after a start.
CREATE TABLE batch_operations (
    project TEXT NOT NULL,
    batch_id TEXT NOT NULL,
    finished INTEGER NOT NULL,
    request BLOB NOT NULL,         -- as it came
    progress BLOB NOT NULL,        -- as it is shown
    position TEXT NOT NULL,        -- the execution that it came to last
    updated_us INTEGER NOT NULL,
    PRIMARY KEY (project, batch_id)
) STRICT, WITHOUT ROWID;
