//! Commands that look into executions: what one waits for, its tree, and the changes of many.

use std::fmt::Write as _;

use autan::{
    Cause, CauseKind, Change, Changes, Client, ExecutionGraph, ExecutionNode, Explanation,
};
use serde_json::{Value, json};

use super::super::Exit;
use super::super::error::Error;
use super::super::human::one_line;
use super::super::live;
use super::super::output::Output;

/// Widest text of a state that is shown.
const INFO_CHARS_MAX: usize = 80;

/// Commands that look inside.
#[derive(Clone, Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Say why an execution is not finished
    Explain {
        /// Id or uid of the execution
        id: String,
        /// Only this task execution
        #[arg(long, value_name = "ID")]
        task: Option<String>,
        /// Levels of sub-workflows to follow
        #[arg(long, default_value_t = 5)]
        depth: u32,
    },
    /// Show the tree of an execution: tasks, actions and sub-workflows
    Graph {
        /// Id or uid of the execution
        id: String,
        /// Levels of executions
        #[arg(long, default_value_t = 3)]
        depth: u32,
        /// At most so many executions, tasks and actions
        #[arg(long, default_value_t = 1000)]
        nodes: u32,
        /// Only tasks in ERROR
        #[arg(long)]
        errors: bool,
        /// Only the counts
        #[arg(long)]
        counts: bool,
    },
    /// Show the changes of all executions as they happen, until interrupted
    WatchAll {
        /// As of `list`
        #[arg(long, default_value = "", hide_default_value = true)]
        filter: String,
        /// Begin with the oldest change that the server keeps
        #[arg(long)]
        retained: bool,
        /// Show what happens to them, event by event, instead of their states
        #[arg(long)]
        events: bool,
        /// Only events of this type, such as `task_state_changed`; may be said several times
        #[arg(long = "type", value_name = "TYPE", requires = "events")]
        types: Vec<String>,
        /// Show inputs, outputs and results in the events, in JSON
        #[arg(long, requires = "events")]
        payloads: bool,
    },
}

pub(super) async fn run(client: &Client, command: Command, output: &Output) -> Result<Exit, Error> {
    match command {
        Command::Explain { id, task, depth } => {
            let mut asked = client.execution(id).explain().max_depth(depth);
            if let Some(task) = task {
                asked = asked.task(task);
            }
            output.one(&asked.await?, explanation)?;
        }
        Command::Graph {
            id,
            depth,
            nodes,
            errors,
            counts,
        } => {
            let mut asked = client.execution(id).graph().max_depth(depth);
            asked = asked.max_nodes(nodes);
            if errors {
                asked = asked.errors_only();
            }
            if counts {
                asked = asked.statistics_only();
            }
            output.one(&asked.await?, graph)?;
        }
        Command::WatchAll {
            filter,
            retained,
            events,
            types,
            payloads,
        } => {
            let mut changes = client.executions().watch(filter);
            if retained {
                changes = changes.from_retained();
            }
            if events {
                changes = changes.events();
            }
            if payloads {
                changes = changes.include_payloads();
            }
            changes = types.into_iter().fold(changes, Changes::event_type);
            watch_all(changes, output).await?;
        }
    }
    Ok(Exit::Success)
}

async fn watch_all(mut changes: Changes, output: &Output) -> Result<(), Error> {
    loop {
        let change = tokio::select! {
            change = changes.next() => change?,
            _ = tokio::signal::ctrl_c() => return Ok(()),
        };
        if output.is_json() {
            if let Some(object) = change_object(&change) {
                output.json_line(&object)?;
            }
        } else if let Some(line) = change_line(&change, output) {
            output.line(line.trim_end())?;
        }
    }
}

/// A change for scripts; one of another kind is of a newer SDK than this program.
fn change_object(change: &Change) -> Option<Value> {
    Some(match change {
        Change::Changed(execution) => json!(execution),
        Change::Happened { execution, event } => {
            json!({"execution_id": execution.execution_id, "uid": execution.uid, "event": event})
        }
        Change::Trimmed {
            execution,
            earliest_sequence,
        } => json!({
            "execution_id": execution.execution_id,
            "uid": execution.uid,
            "earliest_sequence": earliest_sequence,
        }),
        Change::Deleted {
            execution_id,
            uid,
            reason,
            principal,
            identity,
        } => json!({
            "execution_id": execution_id,
            "uid": uid,
            "deleted": true,
            "reason": reason,
            "principal": principal,
            "identity": identity,
        }),
        _ => return None,
    })
}

/// A change for people.
fn change_line(change: &Change, output: &Output) -> Option<String> {
    Some(match change {
        Change::Changed(execution) => {
            let (id, state) = (&execution.execution_id, execution.state);
            let info = one_line(&execution.state_info, INFO_CHARS_MAX);
            format!("{id}  {}  {state}  {info}", execution.workflow_name)
        }
        Change::Happened { execution, event } => {
            let line = live::line_of(event, output.paint());
            format!("{}  {line}", execution.execution_id)
        }
        Change::Trimmed {
            execution,
            earliest_sequence,
        } => {
            let id = &execution.execution_id;
            format!("{id}  events before {earliest_sequence} are not kept any more")
        }
        Change::Deleted {
            execution_id,
            reason,
            identity,
            ..
        } => {
            let reason = one_line(reason, INFO_CHARS_MAX);
            let by = match &**identity {
                "" => String::new(),
                identity => format!(" by {identity}"),
            };
            format!("{execution_id}  deleted{by}  {reason}")
        }
        _ => return None,
    })
}

fn explanation(found: &Explanation) -> String {
    let mut text = format!("{}", found.state);
    if !found.state_info.is_empty() {
        let _ = write!(text, ": {}", one_line(&found.state_info, INFO_CHARS_MAX));
    }
    text.push('\n');
    causes(&mut text, &found.causes, 1);
    if found.truncated {
        text.push_str("  … and more: ask for one task, or for a greater depth\n");
    }
    text
}

fn causes(text: &mut String, all: &[Cause], level: usize) {
    for cause in all {
        let _ = writeln!(text, "{:indent$}{}", "", cause.text, indent = level * 2);
        if let CauseKind::Child { causes: inside, .. } = &cause.kind {
            causes(text, inside, level + 1);
        }
    }
}

fn graph(found: &ExecutionGraph) -> String {
    let mut text = String::new();
    if let Some(root) = &found.root {
        execution(&mut text, root, 0);
    }
    let counts = &found.statistics;
    let _ = writeln!(
        text,
        "{} executions, {} tasks: {} active, {} success, {} error, {} cancelled, {} skipped",
        counts.executions,
        counts.tasks,
        counts.active,
        counts.success,
        counts.error,
        counts.cancelled,
        counts.skipped
    );
    if found.truncated {
        text.push_str("not all is shown: ask for a greater depth, or for more nodes\n");
    }
    text
}

fn execution(text: &mut String, node: &ExecutionNode, level: usize) {
    let indent = level * 2;
    let info = one_line(&node.state_info, INFO_CHARS_MAX);
    let line = format!(
        "{} ({})  {}  {info}",
        node.workflow_name, node.execution_id, node.state
    );
    let _ = writeln!(text, "{:indent$}{}", "", line.trim_end());
    for task in &node.tasks {
        let info = one_line(&task.state_info, INFO_CHARS_MAX);
        let undo = task.undo_of.as_ref().map_or("", |_| "undo ");
        let mut line = format!("{undo}{}  {}", task.task_name, task.state);
        if task.rolled_back {
            line.push_str("  rolled back");
        }
        if task.attempts > 1 {
            let _ = write!(line, "  attempt {}", task.attempts);
        }
        if task.item_count > 0 {
            let _ = write!(line, "  {} items", task.item_count);
        }
        let line = format!("{line}  {info}");
        let _ = writeln!(text, "{:1$}{2}", "", indent + 2, line.trim_end());
        for child in &task.children {
            execution(text, child, level + 2);
        }
    }
}
