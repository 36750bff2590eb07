-- Count by the time of creation. Written once for each execution, in order.
CREATE INDEX executions_by_time ON executions (project, created_us);

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('executions', 'executions_by_time', '1000000 1000000 1');
ANALYZE sqlite_schema;
