DROP INDEX executions_by_workflow;
CREATE INDEX executions_by_workflow ON executions (project, workflow_name, uid);

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('executions', 'executions_by_workflow', '1000000 1000000 10000 1');
ANALYZE sqlite_schema;
