-- The first action of a task without items lies in the row of the task: most tasks have but one, and
-- a step of an execution writes fewer rows so. What is large comes last. All NULL = it lies in
-- `actions`, or there is none. `output`, `finished_us` and `lease` can be NULL also if there is one.
ALTER TABLE tasks ADD COLUMN action_name TEXT;
ALTER TABLE tasks ADD COLUMN action_state TEXT;
ALTER TABLE tasks ADD COLUMN action_accepted INTEGER;
ALTER TABLE tasks ADD COLUMN action_attempt INTEGER;
ALTER TABLE tasks ADD COLUMN action_runner TEXT;
ALTER TABLE tasks ADD COLUMN action_created_us INTEGER;
ALTER TABLE tasks ADD COLUMN action_finished_us INTEGER;
ALTER TABLE tasks ADD COLUMN action_lease TEXT;
ALTER TABLE tasks ADD COLUMN action_output TEXT;
ALTER TABLE tasks ADD COLUMN action_input TEXT;

-- All actions, wherever they lie. The casts give both parts the same types: only then can SQLite read
-- the two by their keys, in order.
CREATE VIEW all_actions AS
    SELECT shard, uid, task, number, name, state, input, output, accepted, item, attempt, runner,
        child, created_us, finished_us, lease, CAST(0 AS INTEGER) AS in_task
    FROM actions
    UNION ALL
    SELECT shard, uid, number, CAST(1 AS INTEGER), action_name, action_state, action_input,
        action_output, action_accepted, CAST(0 AS INTEGER), action_attempt, action_runner,
        CAST(NULL AS BLOB), action_created_us, action_finished_us, action_lease, CAST(1 AS INTEGER)
    FROM tasks WHERE action_name IS NOT NULL;
