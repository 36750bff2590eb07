-- What the indexes of executions are like when it matters, written down instead of measured. Without
-- it SQLite takes every index for one of ten rows, and reads a page of a rare state by uid, through
-- all executions that are in another one. Measuring would make plans depend on when it was done.
-- The limit keeps it from reading the tables: it only makes the place to write to.
PRAGMA analysis_limit = 1;
ANALYZE executions;
PRAGMA analysis_limit = 0;
DELETE FROM sqlite_stat1 WHERE tbl = 'executions';
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('executions', 'executions', '1000000 4000 1'),
    ('executions', 'executions_by_uid', '1000000 1000000 1'),
    ('executions', 'executions_by_state', '1000000 1000000 10000 1'),
    ('executions', 'executions_by_workflow', '1000000 1000000 10000 1'),
    ('executions', 'executions_by_parent', '100000 10 1'),
    ('executions', 'executions_unfinished', '1000 1000 100');
ANALYZE sqlite_schema;
