//! Scenarios as data: each file holds a document, and commands with the state that follows them.
//!
//! Every scenario runs twice: as it stands, and with the server stopped and started again after
//! each command. Both must show the same, so what is stored is enough to go on from.
//!
//! To add one, write the document and the commands, and run with `UPDATE_SCENARIOS=1`; then read
//! what was written. Commands:
//!
//! ```text
//! start WORKFLOW [INPUT [PARAMS]]      pause [timeouts-run] | resume [ENV] | cancel
//! terminate [WHY] | stop STATE [MESSAGE]      update [KEY=VALUE] [description=TEXT] [env=OBJECT]
//! complete TASK[ITEM] RESULT           fail TASK[ITEM] ERROR      cancel-action TASK[ITEM]
//! pause-action TASK | resume-action TASK      hand-over TASK       advance SECONDS
//! rerun [reset] [env=OBJECT] [input=OBJECT] [TASK]      skip TASK [RESULT]      retry TASK
//! rollback [TASK]
//! hold TASK[ITEM] LEASE [PROGRESS]     lose TASK[ITEM] LEASE REASON
//! worker-done TASK[ITEM] LEASE RESULT  worker-fail TASK[ITEM] LEASE [never|after=SECONDS] ERROR
//! worker-defer TASK[ITEM] LEASE
//! ```
//!
//! Further documents begin with a line `--- KIND [NAMESPACE]`, KIND being one of `workflows`,
//! `workbook` and `actions`. A start with the parameter `namespace` finds its workflow there.
//!
//! A command is for the first execution that was started; `#2` before it means the second one of
//! all executions, children counted.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use engine::{
    ActionVerb, Caller, Data, Dispatch, Event, ExecutionState, ExecutionUid, Lease, NextAttempt,
    Outcome, Source, Verb, WorkerReport,
};

use crate::harness::{Harness, START_US};

#[test]
fn scenarios() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|f| f.unwrap().path())
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    let mut wrong = Vec::new();
    for file in &files {
        let text = std::fs::read_to_string(file).unwrap();
        let (shown, restarted) = (play(&text, false), play(&text, true));
        if std::env::var_os("UPDATE_SCENARIOS").is_some() {
            std::fs::write(file, &shown).unwrap();
        } else if shown != text {
            wrong.push(format!("{} now shows:\n{shown}", file.display()));
        }
        if shown != restarted {
            wrong.push(format!(
                "{} after restarts shows:\n{restarted}",
                file.display()
            ));
        }
    }
    assert!(files.len() > 10, "the scenarios are missing");
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// The text of a scenario with what its commands show now.
pub(crate) fn play(text: &str, restart: bool) -> String {
    let (document, script) = text.split_once("\n===\n").expect("a document and a script");
    let mut harness = Harness::of_documents(document);
    let mut shown = format!("{document}\n===\n");
    for block in script
        .split("\n\n")
        .filter(|block| !block.trim().is_empty())
    {
        let command = block.trim().lines().next().unwrap();
        let answer = match command_on(&mut harness, command) {
            Ok(()) => String::new(),
            Err(error) => format!("refused: {error}\n"),
        };
        if restart {
            harness.restart();
        }
        let _ = write!(shown, "{command}\n----\n{answer}{}\n", show(&harness));
    }
    shown
}

pub(crate) fn command_on(harness: &mut Harness, command: &str) -> Result<(), engine::Error> {
    let (which, command) = match command.strip_prefix('#') {
        Some(rest) => {
            let (number, command) = rest.split_once(' ').unwrap();
            (number.parse::<usize>().unwrap() - 1, command)
        }
        None => (0, command),
    };
    let (verb, rest) = command.split_once(' ').unwrap_or((command, ""));
    if verb == "start" {
        let mut words = rest.splitn(3, ' ');
        let workflow = words.next().unwrap();
        let mut json = || words.next().filter(|text| !text.is_empty()).unwrap_or("{}");
        let (input, params) = (json(), json());
        return harness.try_start(workflow, input, params).map(|_| ());
    }
    if verb == "advance" {
        harness.advance(rest.parse().unwrap());
        return Ok(());
    }
    let uid = ordered(harness)[which];
    let data = |text: &str| Data::parse(text).unwrap();
    match verb {
        "pause" => {
            let timeouts_run = rest == "timeouts-run";
            harness.verb(uid, Verb::Pause { timeouts_run })
        }
        "terminate" => {
            let message = (!rest.is_empty()).then(|| rest.into());
            harness.verb(uid, Verb::Terminate { message })
        }
        "retry" => {
            let task = find_task(harness, uid, rest).number;
            harness.verb(uid, Verb::Retry { task })
        }
        "update" => update(harness, uid, rest),
        "resume" => {
            let env = (!rest.is_empty()).then(|| data(rest));
            harness.verb(uid, Verb::Resume { env })
        }
        "cancel" => {
            let outcome = ExecutionState::Cancelled;
            harness.verb(
                uid,
                Verb::Stop {
                    outcome,
                    message: Some("Cancelled by a test.".into()),
                },
            )
        }
        "stop" => {
            let (state, message) = rest.split_once(' ').unwrap_or((rest, ""));
            let outcome = ExecutionState::from_word(state).unwrap();
            let message = (!message.is_empty()).then(|| message.into());
            harness.verb(uid, Verb::Stop { outcome, message })
        }
        "rerun" => rerun(harness, uid, rest),
        "rollback" => {
            let to = (!rest.is_empty()).then(|| find_done(harness, uid, rest));
            harness.verb(uid, Verb::Rollback { to })
        }
        "skip" => {
            let (name, result) = rest.split_once(' ').unwrap_or((rest, ""));
            let task = find_task(harness, uid, name).number;
            let result = (!result.is_empty()).then(|| data(result));
            harness.verb(uid, Verb::Skip { task, result })
        }
        _ => command_on_action(harness, uid, verb, rest),
    }
}

fn rerun(harness: &mut Harness, uid: ExecutionUid, words: &str) -> Result<(), engine::Error> {
    let (mut task, mut reset, mut env, mut input) = (None, false, None, None);
    for word in words.split_whitespace() {
        match word.split_once('=') {
            Some(("env", object)) => env = Some(Data::parse(object).unwrap()),
            Some(("input", object)) => input = Some(Data::parse(object).unwrap()),
            _ if word == "reset" => reset = true,
            _ => task = Some(find_task(harness, uid, word).number),
        }
    }
    let verb = Verb::Rerun {
        task,
        reset,
        env,
        input,
    };
    harness.verb(uid, verb)
}

fn update(harness: &mut Harness, uid: ExecutionUid, words: &str) -> Result<(), engine::Error> {
    let (mut labels, mut description, mut env) = (None, None, None);
    for word in words.split_whitespace() {
        match word.split_once('=') {
            Some(("env", object)) => env = Some(Data::parse(object).unwrap()),
            Some(("description", text)) => description = Some(text.into()),
            Some((key, value)) => {
                let labels = labels.get_or_insert_with(BTreeMap::new);
                labels.insert(key.into(), value.into());
            }
            None => panic!("{word} has no value"),
        }
    }
    let verb = Verb::Update {
        labels,
        description,
        env,
    };
    harness.verb(uid, verb)
}

fn command_on_action(
    harness: &mut Harness,
    uid: ExecutionUid,
    verb: &str,
    rest: &str,
) -> Result<(), engine::Error> {
    let (name, value) = rest.split_once(' ').unwrap_or((rest, "null"));
    let (task, action) = find_action(harness, uid, name);
    let data = || Data::parse(value).unwrap();
    match verb {
        "complete" => harness.end_action(uid, task, action, Outcome::Success(data())),
        "fail" => harness.end_action(uid, task, action, Outcome::Error(data())),
        "cancel-action" => harness.end_action(uid, task, action, Outcome::Cancelled),
        "hand-over" => harness.apply(
            uid,
            Event::ActionHandedOver {
                task,
                action,
                lease: None,
            },
        ),
        "pause-action" | "resume-action" => {
            let verb = match verb {
                "pause-action" => ActionVerb::Pause,
                _ => ActionVerb::Resume,
            };
            let caller = Caller::default();
            let event = Event::ActionVerb {
                task,
                action,
                verb,
                caller,
            };
            harness.apply(uid, event)
        }
        _ => command_of_worker(harness, uid, (task, action), verb, value),
    }
}

/// What a worker does under a lease, which is `NAME/LOST`: its name, and how many were lost before.
fn command_of_worker(
    harness: &mut Harness,
    uid: ExecutionUid,
    (task, action): (u32, u32),
    verb: &str,
    words: &str,
) -> Result<(), engine::Error> {
    let (lease, rest) = words.split_once(' ').unwrap_or((words, ""));
    let (name, lost) = lease.split_once('/').unwrap_or((lease, "0"));
    let mut lease = Lease {
        id: Some(name.into()),
        worker: format!("worker of {name}").into(),
        queue: "default".into(),
        lost: lost.parse().unwrap(),
        ..Lease::default()
    };
    let done = |lease: Lease, outcome, next_attempt| Event::ActionDone {
        task,
        action,
        outcome,
        source: Source::Worker(Box::new(WorkerReport {
            lease,
            is_over: false,
            next_attempt,
        })),
    };
    let event = match verb {
        "hold" => {
            lease.progress = (!rest.is_empty()).then(|| Data::parse(rest).unwrap());
            let lease = Box::new(lease);
            Event::ActionHeld {
                task,
                action,
                lease,
            }
        }
        "lose" => {
            let reason = serde_json::from_value(rest.into()).unwrap();
            let lease = Box::new(lease);
            Event::ActionLost {
                task,
                action,
                lease,
                loss: reason,
            }
        }
        "worker-defer" => {
            let lease = Some(Box::new(lease));
            Event::ActionHandedOver {
                task,
                action,
                lease,
            }
        }
        "worker-done" => done(lease, Outcome::Success(Data::parse(rest).unwrap()), None),
        "worker-fail" => {
            let (hint, error) = match rest.split_once(' ') {
                Some(("never", error)) => (Some(NextAttempt::Never), error),
                Some((hint, error)) if hint.starts_with("after=") => {
                    let seconds: i64 = hint["after=".len()..].parse().unwrap();
                    (Some(NextAttempt::After(seconds * 1_000_000)), error)
                }
                _ => (None, rest),
            };
            done(lease, Outcome::Error(Data::parse(error).unwrap()), hint)
        }
        other => panic!("unknown command {other}"),
    };
    harness.apply(uid, event)
}

/// The latest action execution of `TASK` or `TASK[ITEM]`.
fn find_action(harness: &Harness, uid: ExecutionUid, name: &str) -> (u32, u32) {
    let (name, item) = match name.split_once('[') {
        Some((name, item)) => (name, item.trim_end_matches(']').parse::<u32>().unwrap()),
        None => (name, 0),
    };
    let task = find_task(harness, uid, name);
    let mut actions = task.actions.iter().filter(|action| action.index == item);
    (
        task.number,
        actions
            .next_back()
            .unwrap_or_else(|| panic!("no item {item} of {name} in\n{}", show(harness)))
            .number,
    )
}

/// The latest execution of a task.
fn find_task<'a>(harness: &'a Harness, uid: ExecutionUid, name: &str) -> &'a engine::TaskRecord {
    let records = harness.get(uid).tasks();
    records
        .filter(|record| &*record.name == name)
        .max_by_key(|record| record.number)
        .unwrap_or_else(|| panic!("no task {name}"))
}

/// The number of the latest execution of a task that undoes nothing.
fn find_done(harness: &Harness, uid: ExecutionUid, name: &str) -> u32 {
    let records = harness.get(uid).tasks();
    records
        .filter(|record| &*record.name == name && !record.is_undo())
        .map(|record| record.number)
        .max()
        .unwrap_or_else(|| panic!("no task {name}"))
}

/// Executions in the order in which they were started: those from outside first.
fn ordered(harness: &Harness) -> Vec<ExecutionUid> {
    harness.executions.keys().copied().collect()
}

fn show(harness: &Harness) -> String {
    let mut shown = String::new();
    for (index, uid) in ordered(harness).iter().enumerate() {
        let execution = harness.get(*uid);
        let record = execution.record();
        let _ = write!(
            shown,
            "#{} {} {}",
            index + 1,
            record.definition.name,
            record.state.word()
        );
        if !record.labels.is_empty() {
            let _ = write!(shown, " {:?} {:?}", record.labels, record.description);
        }
        if let Some(info) = &record.state_info {
            let _ = write!(shown, " ({})", without_ids(info));
        }
        if let Some(output) = &record.output {
            let _ = write!(shown, " {}", without_ids(output.text()));
        }
        shown.push('\n');
        for task in execution.tasks() {
            let undo = if task.is_undo() { "undo of " } else { "" };
            let _ = write!(shown, "  {undo}{} {}", task.name, task.state.word());
            if task.runtime.rolled_back {
                shown.push_str(" rolled back");
            }
            if let Some(info) = &task.state_info {
                let _ = write!(shown, " ({})", without_ids(info));
            }
            if let Some(published) = &task.published {
                let _ = write!(shown, " {}", published.text());
            }
            if let Some(published) = &task.published_global {
                let _ = write!(shown, " global {}", published.text());
            }
            if let Some((_, due)) = task.runtime.due {
                let _ = write!(shown, " due {}s", (due - START_US) / 1_000_000);
            }
            shown.push('\n');
            for action in &task.actions {
                let state = action.state.word();
                let _ = write!(shown, "    {}[{}] {state}", action.name, action.index);
                if !action.accepted && action.state.is_final() {
                    shown.push_str(" not accepted");
                }
                let is_it = |dispatch: &&Dispatch| {
                    let (id, number) = (dispatch.action.task, dispatch.action.number);
                    id.execution == *uid && (id.number, number) == (task.number, action.number)
                };
                let dispatch = harness.dispatched.iter().find(is_it);
                if let Some(target) = dispatch.and_then(|dispatch| dispatch.target.as_ref()) {
                    let _ = write!(shown, " at {target}");
                }
                if let Some(output) = &action.output {
                    let _ = write!(shown, " {}", without_ids(output.text()));
                }
                shown.push('\n');
            }
        }
    }
    shown
}

/// Ids are of no interest, and those of children differ with the time.
fn without_ids(text: &str) -> String {
    let mut shown = text.replace('\n', " ");
    for (name, shown_as) in [
        ("task_ex_id=", "task"),
        ("action_ex_id=", "action"),
        ("wf_ex_id=", "child"),
    ] {
        while let Some(start) = shown.find(name) {
            let end = shown[start..]
                .find([']', ','])
                .map_or(shown.len(), |end| start + end);
            shown.replace_range(start..end, shown_as);
        }
    }
    shown
}
