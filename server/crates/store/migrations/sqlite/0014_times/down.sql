DELETE FROM sqlite_stat1 WHERE idx = 'executions_by_time';
DROP INDEX executions_by_time;
ANALYZE sqlite_schema;
