DROP INDEX executions_by_workflow;
CREATE INDEX executions_by_workflow ON executions (project, workflow_name, uid);
