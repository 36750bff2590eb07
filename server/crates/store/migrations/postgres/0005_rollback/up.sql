-- How far a rollback goes, and what it followed: a JSON object; NULL = none has begun.
ALTER TABLE executions ADD COLUMN rollback TEXT COLLATE "C";

-- ROLLED_BACK is one more final state.
DROP INDEX executions_unfinished;
CREATE INDEX executions_unfinished ON executions (project, workflow_name)
    WHERE state NOT IN ('SUCCESS', 'ERROR', 'CANCELLED', 'ROLLED_BACK');
