-- The first action of a task without items lies in the row of the task: most tasks have but one, and
-- a step of an execution writes fewer rows so. What is large comes last. All NULL = it lies in
-- `actions`, or there is none. `output`, `finished_us` and `lease` can be NULL also if there is one.
ALTER TABLE tasks ADD COLUMN action_name TEXT COLLATE "C";
ALTER TABLE tasks ADD COLUMN action_state TEXT COLLATE "C";
ALTER TABLE tasks ADD COLUMN action_accepted BOOLEAN;
ALTER TABLE tasks ADD COLUMN action_attempt BIGINT;
ALTER TABLE tasks ADD COLUMN action_runner TEXT COLLATE "C";
ALTER TABLE tasks ADD COLUMN action_created_us BIGINT;
ALTER TABLE tasks ADD COLUMN action_finished_us BIGINT;
ALTER TABLE tasks ADD COLUMN action_lease TEXT COLLATE "C";
ALTER TABLE tasks ADD COLUMN action_output TEXT COLLATE "C";
ALTER TABLE tasks ADD COLUMN action_input TEXT COLLATE "C";

-- All actions, wherever they lie. The casts give both parts the same types: only then can SQLite read
-- the two by their keys, in order.
CREATE VIEW all_actions AS
    SELECT shard, uid, task, number, name, state, input, output, accepted, item, attempt, runner,
        child, created_us, finished_us, lease, false AS in_task
    FROM actions
    UNION ALL
    SELECT shard, uid, number, CAST(1 AS BIGINT), action_name, action_state, action_input,
        action_output, action_accepted, CAST(0 AS BIGINT), action_attempt, action_runner,
        CAST(NULL AS BYTEA), action_created_us, action_finished_us, action_lease, true
    FROM tasks WHERE action_name IS NOT NULL;
