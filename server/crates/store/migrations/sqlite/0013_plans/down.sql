DELETE FROM sqlite_stat1 WHERE tbl = 'executions';
ANALYZE sqlite_schema;
