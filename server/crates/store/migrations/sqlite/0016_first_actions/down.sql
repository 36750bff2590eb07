-- Back to rows of their own.
INSERT INTO actions (shard, uid, task, number, name, state, input, output, accepted, item, attempt,
        runner, child, created_us, finished_us, lease)
    SELECT shard, uid, task, number, name, state, input, output, accepted, item, attempt, runner,
        child, created_us, finished_us, lease
    FROM all_actions WHERE in_task;
DROP VIEW all_actions;
ALTER TABLE tasks DROP COLUMN action_input;
ALTER TABLE tasks DROP COLUMN action_output;
ALTER TABLE tasks DROP COLUMN action_lease;
ALTER TABLE tasks DROP COLUMN action_finished_us;
ALTER TABLE tasks DROP COLUMN action_created_us;
ALTER TABLE tasks DROP COLUMN action_runner;
ALTER TABLE tasks DROP COLUMN action_attempt;
ALTER TABLE tasks DROP COLUMN action_accepted;
ALTER TABLE tasks DROP COLUMN action_state;
ALTER TABLE tasks DROP COLUMN action_name;
