-- List those of a workflow in a state, newest first; a list of a workflow alone is put together from
-- its states. Written when an execution begins and ends.
DROP INDEX executions_by_workflow;
CREATE INDEX executions_by_workflow ON executions (project, workflow_name, state, uid);
