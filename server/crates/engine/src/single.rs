//! One action that runs without a workflow of its own: the definition that stands behind it, and
//! what is refused before it starts.
//!
//! Its execution names the action, and revision 0, which no stored definition has. Its input is the
//! action's: no part of it is an expression, and no defaults of the environment apply.

use std::sync::{Arc, LazyLock};

use definition::model::Workflow;
use definition::{Document, Kind, Options};
use expr::{Dict, Template, Value};

use crate::data::Data;
use crate::error::Error;
use crate::record::DefinitionRef;
use crate::resolve::{Base, Resolver, Unresolved};
use crate::step::{bind_input, missing_inputs};
use crate::world::{Definition, Provision, World};

/// Revision that stands for an action instead of a workflow.
const NO_REVISION: i32 = 0;

/// Name of the only task.
const TASK: &str = "action";

/// The workflow behind every such execution; the name of the action takes the place of the no-op.
static WORKFLOW: LazyLock<Arc<Workflow>> = LazyLock::new(|| {
    // How long it may take, and where it is to run, stands in the start parameters.
    const TEXT: &str = "\
version: '2.0'
single_action:
  output:
    result: <% task(action).result %>
  tasks:
    action:
      action: std.noop
      timeout: <% execution().params.get(timeout, 0) %>
      target: <% execution().params.get(target) %>
";
    let checked = definition::check(TEXT, Kind::Workflows, Options::default());
    match checked.document {
        Some(Document::Workflows(workflows)) => workflows[0].clone(),
        _ => unreachable!("the text above is a workflow"),
    }
});

impl DefinitionRef {
    /// What an execution names that runs one action.
    pub fn of_action(name: Arc<str>, namespace: Arc<str>) -> Self {
        Self {
            name,
            namespace,
            revision: NO_REVISION,
            source_hash: [0; 32],
            workbook: None,
        }
    }

    /// Whether it names an action instead of a workflow.
    pub const fn is_action(&self) -> bool {
        self.revision == NO_REVISION
    }
}

impl Definition {
    /// The definition behind an execution that runs one action.
    pub fn of_action(reference: DefinitionRef) -> Self {
        let mut workflow = Workflow::clone(&WORKFLOW);
        workflow.name = reference.name.clone();
        let task = workflow.tasks.get_mut(TASK);
        let task = task.expect("the workflow has this task");
        task.call.name = Template::literal(Value::from(reference.name.clone()));
        Self {
            reference,
            workflow: Arc::new(workflow),
        }
    }
}

/// Checks that an action can be run by itself with this input. `synchronous` also refuses one whose
/// result comes from outside.
pub fn check_action(
    world: &dyn World,
    project: &str,
    reference: &DefinitionRef,
    input: &Data,
    synchronous: bool,
) -> Result<(), Error> {
    let resolver = Resolver {
        world,
        project,
        namespace: reference.namespace.clone(),
        workbook: None,
    };
    let action = resolver.action(&reference.name);
    let action = action.map_err(|_| Error::UnknownAction {
        name: reference.name.clone(),
        namespace: reference.namespace.clone(),
    })?;
    let base = action.base.map_err(|unresolved| Error::Params {
        field: "action_name",
        message: unresolved.to_string(),
    })?;
    // Whoever runs one action by itself is there to hear that nobody knows it.
    if let Base::Worker(name) = &base
        && world.worker_action(project, name) != Provision::Known
    {
        if action.chain.is_empty() {
            let (name, namespace) = (name.clone(), reference.namespace.clone());
            return Err(Error::UnknownAction { name, namespace });
        }
        return Err(Error::Params {
            field: "action_name",
            message: Unresolved::BaseNotFound(name.clone()).to_string(),
        });
    }
    let empty = Dict::new();
    let given = input.value().as_dict().unwrap_or(&empty);
    let (missing, unexpected) = match action.chain.first() {
        Some(outermost) => {
            let declared = &outermost.action.input;
            let (bound, extra) = bind_input(declared, input.value());
            let unexpected: Vec<Value> = extra.keys().collect();
            (missing_inputs(declared, &bound), unexpected)
        }
        None => match &base {
            Base::Builtin(builtin) => builtin.mismatch(given),
            Base::Worker(_) => (Vec::new(), Vec::new()),
        },
    };
    if !missing.is_empty() || !unexpected.is_empty() {
        let unexpected = unexpected.iter().map(Value::to_text).collect();
        return Err(Error::InputMismatch {
            missing,
            unexpected,
        });
    }
    let is_asynchronous = matches!(&base, Base::Builtin(builtin) if builtin.is_asynchronous());
    if synchronous && is_asynchronous {
        return Err(Error::Params {
            field: "synchronous",
            message: "the result of this action comes from outside".to_owned(),
        });
    }
    Ok(())
}
