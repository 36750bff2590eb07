-- Named sets of variables. An execution copies those that it starts with, so only the latest are
-- kept. The revision goes on where an environment was deleted and is made again under its name.
CREATE TABLE environments (
    project TEXT NOT NULL,
    name TEXT NOT NULL,
    revision INTEGER NOT NULL,
    live INTEGER NOT NULL,         -- 0 = deleted; the row keeps the revision
    description TEXT NOT NULL,
    variables TEXT NOT NULL,       -- JSON object
    created_us INTEGER NOT NULL,
    updated_us INTEGER NOT NULL,
    PRIMARY KEY (project, name)
) STRICT, WITHOUT ROWID;
