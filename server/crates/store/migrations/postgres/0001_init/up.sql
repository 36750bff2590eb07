-- The same as for SQLite, in other words. Texts are compared byte by byte, as everywhere in Autan.
-- Times are microseconds since the epoch, JSON is text, uids are 16 bytes. Hot tables begin their
-- key with the shard. An index has to earn its second write: each says which question it answers.
-- Pages keep room for the next version of a row, so that a change need not touch the indexes.

-- What changes with every step of an execution; its payloads lie apart.
CREATE TABLE executions (
    shard SMALLINT NOT NULL,
    uid BYTEA NOT NULL,
    project TEXT COLLATE "C" NOT NULL,
    execution_id TEXT COLLATE "C",   -- chosen by the client
    workflow_name TEXT COLLATE "C" NOT NULL,
    workflow_namespace TEXT COLLATE "C" NOT NULL,
    revision INTEGER NOT NULL,
    source_hash BYTEA NOT NULL,
    workbook TEXT COLLATE "C",
    state TEXT COLLATE "C" NOT NULL,
    state_info TEXT COLLATE "C",
    run INTEGER NOT NULL,
    description TEXT COLLATE "C" NOT NULL,
    labels TEXT COLLATE "C",         -- JSON object; NULL = none
    parent_uid BYTEA,
    parent_task BIGINT,
    parent_action BIGINT,
    item_index BIGINT NOT NULL,
    root_uid BYTEA,                  -- NULL = itself
    depth INTEGER NOT NULL,
    last_sequence BIGINT NOT NULL,
    backlog TEXT COLLATE "C",        -- JSON list; NULL = empty
    progress TEXT COLLATE "C" NOT NULL, -- JSON list of counts
    created_us BIGINT NOT NULL,
    updated_us BIGINT NOT NULL,
    finished_us BIGINT,
    PRIMARY KEY (shard, uid)
) WITH (fillfactor = 70);

-- List newest first (uids are ordered by time); find by uid.
CREATE INDEX executions_by_uid ON executions (project, uid);
-- Recover after a start; count before a definition is deleted. Holds running executions only.
CREATE INDEX executions_unfinished ON executions (project, workflow_name)
    WHERE state NOT IN ('SUCCESS', 'ERROR', 'CANCELLED');
-- List the sub-workflows of a task. Holds children only.
CREATE INDEX executions_by_parent ON executions (parent_uid, parent_task) WHERE depth > 0;

-- Find by the client's id, and refuse a second one. Not by shard: an id is unique in all of them.
CREATE TABLE execution_ids (
    project TEXT COLLATE "C" NOT NULL,
    execution_id TEXT COLLATE "C" NOT NULL,
    uid BYTEA NOT NULL,
    shard SMALLINT NOT NULL,
    PRIMARY KEY (project, execution_id)
);

-- What is large and changes rarely: written at the start, at the end, and when a resume changes
-- the parameters. The input comes last, so that the others are found without walking through it.
CREATE TABLE execution_payloads (
    shard SMALLINT NOT NULL,
    uid BYTEA NOT NULL,
    params TEXT COLLATE "C" NOT NULL,
    vars TEXT COLLATE "C" NOT NULL,
    output TEXT COLLATE "C",
    input TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (shard, uid)
);

-- Labels once more, turned round for filters.
CREATE TABLE execution_labels (
    project TEXT COLLATE "C" NOT NULL,
    label_key TEXT COLLATE "C" NOT NULL,
    label_value TEXT COLLATE "C" NOT NULL,
    uid BYTEA NOT NULL,
    shard SMALLINT NOT NULL,
    PRIMARY KEY (project, label_key, label_value, uid)
);

CREATE TABLE tasks (
    shard SMALLINT NOT NULL,
    uid BYTEA NOT NULL,
    number BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    is_workflow BOOLEAN NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    state_info TEXT COLLATE "C",
    processed BOOLEAN NOT NULL,
    error_handled BOOLEAN NOT NULL,
    next_tasks TEXT COLLATE "C",     -- JSON list; NULL = empty
    triggered_by TEXT COLLATE "C",   -- JSON list; NULL = empty
    published TEXT COLLATE "C",
    published_global TEXT COLLATE "C",
    global_order BIGINT NOT NULL,
    runtime TEXT COLLATE "C",        -- JSON object; NULL = nothing remembered
    created_us BIGINT NOT NULL,
    started_us BIGINT,
    updated_us BIGINT NOT NULL,
    finished_us BIGINT,
    PRIMARY KEY (shard, uid, number)
) WITH (fillfactor = 70);

CREATE TABLE actions (
    shard SMALLINT NOT NULL,
    uid BYTEA NOT NULL,
    task BIGINT NOT NULL,
    number BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    input TEXT COLLATE "C" NOT NULL,
    output TEXT COLLATE "C",
    accepted BOOLEAN NOT NULL,
    item BIGINT NOT NULL,
    attempt BIGINT NOT NULL,
    runner TEXT COLLATE "C" NOT NULL,
    child BYTEA,
    created_us BIGINT NOT NULL,
    finished_us BIGINT,
    PRIMARY KEY (shard, uid, task, number)
) WITH (fillfactor = 70);

-- The events of one execution and one commit. Keyed by the last of them: what comes after a
-- sequence begins with the first row whose last sequence is greater.
CREATE TABLE history (
    shard SMALLINT NOT NULL,
    uid BYTEA NOT NULL,
    last_sequence BIGINT NOT NULL,
    first_sequence BIGINT NOT NULL,
    events TEXT COLLATE "C" NOT NULL, -- JSON list; what repeats from one to the next is left out
    PRIMARY KEY (shard, uid, last_sequence)
);

-- Answered requests, so that one that comes again gets the same answer.
CREATE TABLE requests (
    project TEXT COLLATE "C" NOT NULL,
    request_id TEXT COLLATE "C" NOT NULL,
    method TEXT COLLATE "C" NOT NULL,
    body_hash BYTEA NOT NULL,
    target TEXT COLLATE "C" NOT NULL,
    created_us BIGINT NOT NULL,
    PRIMARY KEY (project, request_id)
);

-- Forget the oldest.
CREATE INDEX requests_by_time ON requests (created_us);

-- Documents, by content: a name may get a new text, a running execution keeps the one it has.
CREATE TABLE sources (
    hash BYTEA NOT NULL PRIMARY KEY,
    kind TEXT COLLATE "C" NOT NULL,
    text TEXT COLLATE "C" NOT NULL
);

CREATE TABLE definitions (
    project TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    namespace TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    revision INTEGER NOT NULL,
    source_hash BYTEA NOT NULL,
    workbook TEXT COLLATE "C",
    description TEXT COLLATE "C" NOT NULL,
    tags TEXT COLLATE "C",           -- each tag as a JSON string in a line of its own; NULL = none
    details TEXT COLLATE "C" NOT NULL, -- JSON
    first_created_us BIGINT NOT NULL,
    created_us BIGINT NOT NULL,
    PRIMARY KEY (project, kind, namespace, name, revision)
);

-- The last number that a name gave to a revision. Stays when the name is deleted, so that no
-- number is given twice.
CREATE TABLE definition_heads (
    project TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    namespace TEXT COLLATE "C" NOT NULL,
    last_revision INTEGER NOT NULL,
    live BOOLEAN NOT NULL,
    PRIMARY KEY (project, kind, name, namespace)
);

CREATE TABLE workbooks (
    project TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    namespace TEXT COLLATE "C" NOT NULL,
    revision INTEGER NOT NULL,
    source_hash BYTEA NOT NULL,
    description TEXT COLLATE "C" NOT NULL,
    tags TEXT COLLATE "C",           -- as in definitions
    workflow_names TEXT COLLATE "C" NOT NULL, -- JSON list
    action_names TEXT COLLATE "C" NOT NULL, -- JSON list
    created_us BIGINT NOT NULL,
    updated_us BIGINT NOT NULL,
    PRIMARY KEY (project, name, namespace)
);

-- Refuses a commit in which something is not as it has to be.
CREATE FUNCTION autan_require(holds BOOLEAN, otherwise TEXT) RETURNS BOOLEAN
LANGUAGE plpgsql AS $$
BEGIN
    IF NOT holds THEN
        RAISE EXCEPTION USING MESSAGE = otherwise;
    END IF;
    RETURN holds;
END
$$;

-- What the server remembers of itself.
CREATE TABLE meta (
    key TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    value TEXT COLLATE "C" NOT NULL
);
