-- How many executions there are, so that counting does not walk through all of them. Each seat counts
-- what its server has committed, so a number may be below zero, and only the sum means something.
CREATE TABLE execution_counts (
    project TEXT COLLATE "C" NOT NULL,
    workflow_name TEXT COLLATE "C" NOT NULL,
    workflow_namespace TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    slot SMALLINT NOT NULL,
    executions BIGINT NOT NULL,
    PRIMARY KEY (project, workflow_name, workflow_namespace, state, slot)
);

INSERT INTO execution_counts (project, workflow_name, workflow_namespace, state, slot, executions)
    SELECT project, workflow_name, workflow_namespace, state, 0, count(*) FROM executions
    GROUP BY project, workflow_name, workflow_namespace, state;

-- List those in a state, or of a workflow, newest first. Written when an execution begins and ends.
CREATE INDEX executions_by_state ON executions (project, state, uid);
CREATE INDEX executions_by_workflow ON executions (project, workflow_name, uid);
