DROP INDEX executions_unfinished;
CREATE INDEX executions_unfinished ON executions (project, workflow_name)
    WHERE state NOT IN ('SUCCESS', 'ERROR', 'CANCELLED', 'ROLLED_BACK');
