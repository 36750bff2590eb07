DROP INDEX executions_by_workflow;
DROP INDEX executions_by_state;
DROP TABLE execution_counts;
