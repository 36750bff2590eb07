//! Calls whose target is known: actions of the server, and members of the same document. What is
//! missing or not wanted there fails when the task runs, or is dropped.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::Rule;
use crate::model::{Action, Document, Parameter, Workflow};

use super::bases;
use super::facts::CallFact;
use super::path::{Path, Quoted};
use super::sink::Sink;

/// Missing inputs that one message names.
const SHOWN_MAX: usize = 3;

/// What a workflow is started with besides its inputs: a call gives them in the same mapping.
const START_OPTIONS: [&str; 5] = ["task_name", "env", "evaluate_env", "notify", "namespace"];

/// Judges the calls that were noted in a document.
pub(super) fn check(sink: &mut Sink, document: &Document) {
    let calls = std::mem::take(&mut sink.facts.calls);
    let known = Known::of(document);
    bases::warn_of_cycles(sink, &calls, document);
    for call in &calls {
        let members = if call.is_workflow {
            &known.workflows
        } else {
            &known.actions
        };
        if let Some(signature) = members.get(&*call.name) {
            inputs(sink, call, signature);
        } else if !call.is_workflow {
            built_in(sink, call);
        }
    }
}

/// The inputs of something that can be called.
struct Signature<'d> {
    required: Vec<&'d str>,
    all: BTreeSet<&'d str>,
}

impl<'d> Signature<'d> {
    fn of(parameters: &'d [Parameter]) -> Self {
        let required = parameters.iter().filter(|one| one.default.is_none());
        Self {
            required: required.map(|one| &*one.name).collect(),
            all: parameters.iter().map(|one| &*one.name).collect(),
        }
    }
}

/// The members of a document.
#[derive(Default)]
struct Known<'d> {
    workflows: BTreeMap<&'d str, Signature<'d>>,
    actions: BTreeMap<&'d str, Signature<'d>>,
}

impl<'d> Known<'d> {
    fn of(document: &'d Document) -> Self {
        let workflow = |one: &'d std::sync::Arc<Workflow>| (&*one.name, Signature::of(&one.input));
        let action = |one: &'d std::sync::Arc<Action>| (&*one.name, Signature::of(&one.input));
        match document {
            Document::Workflows(workflows) => Self {
                workflows: workflows.iter().map(workflow).collect(),
                ..Self::default()
            },
            Document::Actions(actions) => Self {
                actions: actions.iter().map(action).collect(),
                ..Self::default()
            },
            Document::Workbook(book) => Self {
                workflows: book.workflows.iter().map(workflow).collect(),
                actions: book.actions.iter().map(action).collect(),
            },
        }
    }
}

fn built_in(sink: &mut Sink, call: &CallFact) {
    let all = sink.options().actions;
    if all.is_empty() || !call.name.starts_with("std.") {
        return;
    }
    if let Some(action) = all.iter().find(|action| *action.name == *call.name) {
        let names = action.required.iter().chain(&action.optional);
        let signature = Signature {
            required: action.required.clone(),
            all: names.copied().collect(),
        };
        return inputs(sink, call, &signature);
    }
    let suggestion = sink.suggest(&call.name, all.iter().map(|action| action.name));
    let message = format!("no action {} is built in", Quoted(&call.name));
    let (root, site) = (Path::ROOT, &call.site);
    let path = root.verbatim(&site.path);
    sink.warn(Rule::UnknownAction, &path, site.span, message)
        .suggestion = suggestion;
}

fn inputs(sink: &mut Sink, call: &CallFact, signature: &Signature<'_>) {
    let root = Path::ROOT;
    for (name, site) in &call.given {
        let is_start_option = call.is_workflow && START_OPTIONS.contains(&&**name);
        if signature.all.contains(&**name) || is_start_option {
            continue;
        }
        let suggestion = sink.suggest(name, signature.all.iter().copied());
        let (called, name) = (Quoted(&call.name), Quoted(name));
        let message = if call.is_workflow {
            format!("the workflow {called} has no input {name}, so it is not seen there")
        } else {
            format!("the action {called} has no input {name}, so the call fails")
        };
        let path = root.verbatim(&site.path);
        sink.warn(Rule::UnknownInput, &path, site.span, message)
            .suggestion = suggestion;
    }
    if !call.is_complete {
        return;
    }
    let given: BTreeSet<&str> = call.given.iter().map(|(name, _)| &**name).collect();
    // The search ends soon after as many names as are given, however many are needed.
    let is_missing = |name: &&&str| !given.contains(**name);
    let mut missing = signature.required.iter().filter(is_missing);
    let shown: Vec<String> = missing
        .by_ref()
        .take(SHOWN_MAX)
        .map(|name| Quoted(name).to_string())
        .collect();
    if shown.is_empty() {
        return;
    }
    let mut names = shown.join(", ");
    if missing.next().is_some() {
        names.push_str(" and more");
    }
    let plural = if shown.len() == 1 { "" } else { "s" };
    let what = if call.is_workflow {
        "workflow"
    } else {
        "action"
    };
    let called = Quoted(&call.name);
    let message = format!("the {what} {called} needs the input{plural} {names}");
    let path = root.verbatim(&call.site.path);
    let said = sink.warn(Rule::MissingInput, &path, call.site.span, message);
    if !call.is_workflow {
        said.help("only an environment with `__actions` could give it otherwise");
    }
}
