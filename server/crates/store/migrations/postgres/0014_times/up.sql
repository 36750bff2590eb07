-- Count by the time of creation. Written once for each execution, in order.
CREATE INDEX executions_by_time ON executions (project, created_us);
