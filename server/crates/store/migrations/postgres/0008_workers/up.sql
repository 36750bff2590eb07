-- What is kept of the leases under which workers run an action: a JSON object; NULL = nothing.
ALTER TABLE actions ADD COLUMN lease TEXT COLLATE "C";

-- Actions that workers have provided, so that a call of one waits when no worker is there.
CREATE TABLE worker_actions (
    project TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    queue TEXT COLLATE "C" NOT NULL,
    details TEXT COLLATE "C" NOT NULL, -- JSON
    created_us BIGINT NOT NULL,
    updated_us BIGINT NOT NULL,
    PRIMARY KEY (project, name, queue)
);

-- Queues of workers that were changed; all others are as new ones are.
CREATE TABLE queues (
    project TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    revision INTEGER NOT NULL,
    settings TEXT COLLATE "C" NOT NULL, -- JSON
    updated_us BIGINT NOT NULL,
    PRIMARY KEY (project, name)
);
