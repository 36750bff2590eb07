-- Times are microseconds since the epoch, JSON is text, uids are 16 bytes. Hot tables begin their
-- key with the shard. An index has to earn its second write: each says which question it answers.

-- What changes with every step of an execution; its payloads lie apart.
CREATE TABLE executions (
    shard INTEGER NOT NULL,
    uid BLOB NOT NULL,
    project TEXT NOT NULL,
    execution_id TEXT,             -- chosen by the client
    workflow_name TEXT NOT NULL,
    workflow_namespace TEXT NOT NULL,
    revision INTEGER NOT NULL,
    source_hash BLOB NOT NULL,
    workbook TEXT,
    state TEXT NOT NULL,
    state_info TEXT,
    run INTEGER NOT NULL,
    description TEXT NOT NULL,
    labels TEXT,                   -- JSON object; NULL = none
    parent_uid BLOB,
    parent_task INTEGER,
    parent_action INTEGER,
    item_index INTEGER NOT NULL,
    root_uid BLOB,                 -- NULL = itself
    depth INTEGER NOT NULL,
    last_sequence INTEGER NOT NULL,
    backlog TEXT,                  -- JSON list; NULL = empty
    progress TEXT NOT NULL,        -- JSON list: total, active, success, error, cancelled, skipped
    created_us INTEGER NOT NULL,
    updated_us INTEGER NOT NULL,
    finished_us INTEGER,
    PRIMARY KEY (shard, uid)
) STRICT, WITHOUT ROWID;

-- An index here must not say WHERE … IS NOT NULL: SQLite would then look at the bound values of
-- every statement on this table, and prepare it again for new ones.

-- List newest first (uids are ordered by time); find by uid.
CREATE INDEX executions_by_uid ON executions (project, uid);
-- Recover after a start; count before a definition is deleted. Holds running executions only.
CREATE INDEX executions_unfinished ON executions (project, workflow_name)
    WHERE state NOT IN ('SUCCESS', 'ERROR', 'CANCELLED');
-- List the sub-workflows of a task. Holds children only.
CREATE INDEX executions_by_parent ON executions (parent_uid, parent_task) WHERE depth > 0;

-- Find by the client's id, and refuse a second one. Not by shard: an id is unique in all of them.
CREATE TABLE execution_ids (
    project TEXT NOT NULL,
    execution_id TEXT NOT NULL,
    uid BLOB NOT NULL,
    shard INTEGER NOT NULL,
    PRIMARY KEY (project, execution_id)
) STRICT, WITHOUT ROWID;

-- What is large and changes rarely: written at the start, at the end, and when a resume changes
-- the parameters. The input comes last, so that the others are found without walking through it.
CREATE TABLE execution_payloads (
    shard INTEGER NOT NULL,
    uid BLOB NOT NULL,
    params TEXT NOT NULL,
    vars TEXT NOT NULL,
    output TEXT,
    input TEXT NOT NULL,
    PRIMARY KEY (shard, uid)
) STRICT, WITHOUT ROWID;

-- Labels once more, turned round for filters.
CREATE TABLE execution_labels (
    project TEXT NOT NULL,
    label_key TEXT NOT NULL,
    label_value TEXT NOT NULL,
    uid BLOB NOT NULL,
    shard INTEGER NOT NULL,
    PRIMARY KEY (project, label_key, label_value, uid)
) STRICT, WITHOUT ROWID;

CREATE TABLE tasks (
    shard INTEGER NOT NULL,
    uid BLOB NOT NULL,
    number INTEGER NOT NULL,
    name TEXT NOT NULL,
    is_workflow INTEGER NOT NULL,
    state TEXT NOT NULL,
    state_info TEXT,
    processed INTEGER NOT NULL,
    error_handled INTEGER NOT NULL,
    next_tasks TEXT,               -- JSON list; NULL = empty
    triggered_by TEXT,             -- JSON list; NULL = empty
    published TEXT,
    published_global TEXT,
    global_order INTEGER NOT NULL,
    runtime TEXT,                  -- JSON object; NULL = nothing remembered
    created_us INTEGER NOT NULL,
    started_us INTEGER,
    updated_us INTEGER NOT NULL,
    finished_us INTEGER,
    PRIMARY KEY (shard, uid, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE actions (
    shard INTEGER NOT NULL,
    uid BLOB NOT NULL,
    task INTEGER NOT NULL,
    number INTEGER NOT NULL,
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    input TEXT NOT NULL,
    output TEXT,
    accepted INTEGER NOT NULL,
    item INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    runner TEXT NOT NULL,
    child BLOB,
    created_us INTEGER NOT NULL,
    finished_us INTEGER,
    PRIMARY KEY (shard, uid, task, number)
) STRICT, WITHOUT ROWID;

-- The events of one execution and one commit. Keyed by the last of them: what comes after a
-- sequence begins with the first row whose last sequence is greater.
CREATE TABLE history (
    shard INTEGER NOT NULL,
    uid BLOB NOT NULL,
    last_sequence INTEGER NOT NULL,
    first_sequence INTEGER NOT NULL,
    events TEXT NOT NULL,          -- JSON list; what repeats from one to the next is left out
    PRIMARY KEY (shard, uid, last_sequence)
) STRICT, WITHOUT ROWID;

-- Answered requests, so that one that comes again gets the same answer.
CREATE TABLE requests (
    project TEXT NOT NULL,
    request_id TEXT NOT NULL,
    method TEXT NOT NULL,
    body_hash BLOB NOT NULL,
    target TEXT NOT NULL,
    created_us INTEGER NOT NULL,
    PRIMARY KEY (project, request_id)
) STRICT, WITHOUT ROWID;

-- Forget the oldest.
CREATE INDEX requests_by_time ON requests (created_us);

-- Documents, by content: a name may get a new text, a running execution keeps the one it has.
CREATE TABLE sources (
    hash BLOB NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    text TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE definitions (
    project TEXT NOT NULL,
    kind TEXT NOT NULL,
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    revision INTEGER NOT NULL,
    source_hash BLOB NOT NULL,
    workbook TEXT,
    description TEXT NOT NULL,
    tags TEXT,                     -- each tag as a JSON string in a line of its own; NULL = none
    details TEXT NOT NULL,         -- JSON
    first_created_us INTEGER NOT NULL,
    created_us INTEGER NOT NULL,
    PRIMARY KEY (project, kind, namespace, name, revision)
) STRICT, WITHOUT ROWID;

-- The last number that a name gave to a revision. Stays when the name is deleted, so that no
-- number is given twice.
CREATE TABLE definition_heads (
    project TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    namespace TEXT NOT NULL,
    last_revision INTEGER NOT NULL,
    live INTEGER NOT NULL,
    PRIMARY KEY (project, kind, name, namespace)
) STRICT, WITHOUT ROWID;

CREATE TABLE workbooks (
    project TEXT NOT NULL,
    name TEXT NOT NULL,
    namespace TEXT NOT NULL,
    revision INTEGER NOT NULL,
    source_hash BLOB NOT NULL,
    description TEXT NOT NULL,
    tags TEXT,                     -- as in definitions
    workflow_names TEXT NOT NULL,  -- JSON list
    action_names TEXT NOT NULL,    -- JSON list
    created_us INTEGER NOT NULL,
    updated_us INTEGER NOT NULL,
    PRIMARY KEY (project, name, namespace)
) STRICT, WITHOUT ROWID;

-- What the server remembers of itself.
CREATE TABLE meta (
    key TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
