//! The functions that look outside the expression, as the reference shows them. Calling them is
//! left to [`crate::Host`], what they give to whoever implements it.
//!
//! The examples are run with a host whose execution is called `order`, whose task `pay` gave 5
//! and whose task `ship` failed.

use super::{Form, FunctionDoc};

pub(super) const DOCS: &[FunctionDoc] = &[
    doc(
        "env",
        "",
        "Gives the environment that the root execution was started with.",
        &[
            ("env().region", "null", "\"eu\""),
            ("env().get(missing, none)", "null", "\"none\""),
        ],
    ),
    doc(
        "execution",
        "",
        "Gives the execution: id, name, spec, input, params, created_at, updated_at, \
         root_execution_id.",
        &[
            ("execution().name", "null", "\"order\""),
            ("execution().input.count + 1", "null", "3"),
        ],
    ),
    doc(
        "executions",
        "id: string? = null, rootExecutionId: string? = null, state: string? = null, \
         fromTime: string? = null, toTime: string? = null",
        "Gives the executions of the project that fit, as a list.",
        &[
            ("executions(state => ERROR).len()", "null", "1"),
            ("executions(state => ERROR).id", "null", "[\"e-1\"]"),
        ],
    ),
    doc(
        "task",
        "name: string? = null",
        "Gives a task, by default the one that the expression belongs to: id, name, spec, state, \
         state_info, result, published, type, workflow_execution_id, created_at, updated_at; null \
         if there is none.",
        &[
            ("task(pay).result", "null", "5"),
            ("task(ship).state", "null", "\"ERROR\""),
        ],
    ),
    doc(
        "tasks",
        "workflowExecutionId: string? = null, recursive: bool = false, state: string? = null, \
         flat: bool = false",
        "Gives the tasks of an execution, or of the whole project, that fit, as a list.",
        &[
            ("tasks().name", "null", "[\"pay\", \"ship\"]"),
            (
                "tasks().where($.state = ERROR).select($.name)",
                "null",
                "[\"ship\"]",
            ),
        ],
    ),
    doc(
        "global",
        "name: string",
        "Gives what was published globally under a name, or null.",
        &[
            ("global(price)", "null", "12.5"),
            ("coalesce(global(missing), 0)", "null", "0"),
        ],
    ),
    doc(
        "uuid",
        "",
        "Gives a new random identifier.",
        &[
            ("uuid().len()", "null", "36"),
            ("uuid().split('-').len()", "null", "5"),
        ],
    ),
];

const fn doc(
    name: &'static str,
    signature: &'static str,
    doc: &'static str,
    examples: super::Examples,
) -> FunctionDoc {
    FunctionDoc {
        group: "workflow",
        name,
        form: Form::Function,
        signature,
        doc,
        examples,
    }
}
