-- What a list does, said word by word: for NOT IN with a list SQLite builds a table, twice, each
-- time that an execution changes.
DROP INDEX executions_unfinished;
CREATE INDEX executions_unfinished ON executions (project, workflow_name)
    WHERE state <> 'SUCCESS' AND state <> 'ERROR' AND state <> 'CANCELLED'
        AND state <> 'ROLLED_BACK';
