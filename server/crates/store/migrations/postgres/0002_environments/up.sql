-- Named sets of variables. An execution copies those that it starts with, so only the latest are
-- kept. The revision goes on where an environment was deleted and is made again under its name.
CREATE TABLE environments (
    project TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    revision INTEGER NOT NULL,
    live BOOLEAN NOT NULL,           -- 0 = deleted; the row keeps the revision
    description TEXT COLLATE "C" NOT NULL,
    variables TEXT COLLATE "C" NOT NULL, -- JSON object
    created_us BIGINT NOT NULL,
    updated_us BIGINT NOT NULL,
    PRIMARY KEY (project, name)
);
