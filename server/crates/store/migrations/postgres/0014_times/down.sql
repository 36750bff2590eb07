DROP INDEX executions_by_time;
