-- What is kept of the leases under which workers run an action: a JSON object; NULL = nothing.
ALTER TABLE actions ADD COLUMN lease TEXT;

-- Actions that workers have provided, so that a call of one waits when no worker is there.
CREATE TABLE worker_actions (
    project TEXT NOT NULL,
    name TEXT NOT NULL,
    queue TEXT NOT NULL,
    details TEXT NOT NULL,         -- JSON
    created_us INTEGER NOT NULL,
    updated_us INTEGER NOT NULL,
    PRIMARY KEY (project, name, queue)
) STRICT, WITHOUT ROWID;

-- Queues of workers that were changed; all others are as new ones are.
CREATE TABLE queues (
    project TEXT NOT NULL,
    name TEXT NOT NULL,
    revision INTEGER NOT NULL,
    settings TEXT NOT NULL,        -- JSON
    updated_us INTEGER NOT NULL,
    PRIMARY KEY (project, name)
) STRICT, WITHOUT ROWID;
