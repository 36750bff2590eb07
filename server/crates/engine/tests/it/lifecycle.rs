//! The table of the life cycle: every verb in every state, as scenarios that are made from it, and
//! the documentation, which is made from it too.
//!
//! After a change of the table run with `UPDATE_SCENARIOS=1`, and read what was written. Restarting
//! and deleting are not the engine's; the server tests them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use definition::Kind;
use engine::lifecycle::{Answer, Operation, rule};
use engine::{Error, ExecutionState, HistoryKind};

use crate::harness::Harness;
use crate::scenarios::{command_on, play};

/// In each state that can be seen from outside it has a task that has failed, and while it is not
/// finished one that runs and one that waits.
const DOCUMENT: &str = "\
version: '2.0'
wf:
  output: {done: true}
  tasks:
    work: {action: std.async_noop, timeout: 600, rollback: {action: std.async_noop}}
    broken: {action: std.fail, on-error: noop}
    later: {action: std.noop, wait-before: 60}";

/// What brings an execution into a state; none for a state that nobody sees between two commits.
fn way_to(state: ExecutionState) -> Option<&'static [&'static str]> {
    match state {
        ExecutionState::Idle => None,
        ExecutionState::Running => Some(&["start wf"]),
        ExecutionState::Paused => Some(&["start wf", "pause"]),
        ExecutionState::Success => Some(&["start wf", "complete work 1", "advance 60"]),
        ExecutionState::Error => Some(&["start wf", "fail work \"no\"", "advance 60"]),
        ExecutionState::Cancelled => Some(&["start wf", "cancel"]),
        ExecutionState::RollingBack => Some(&["start wf", "complete work 1", "rollback"]),
        ExecutionState::RolledBack => {
            Some(&["start wf", "complete work 1", "rollback", "complete work 2"])
        }
    }
}

/// The command that asks for an operation; none for one that is not the engine's.
fn command(operation: Operation) -> Option<&'static str> {
    match operation {
        Operation::Pause => Some("pause"),
        Operation::Resume => Some("resume"),
        Operation::ResumeWithEnv => Some("resume {\"a\":1}"),
        Operation::Cancel => Some("cancel"),
        Operation::Terminate => Some("terminate enough"),
        Operation::Stop => Some("stop SUCCESS enough"),
        Operation::Rerun => Some("rerun"),
        Operation::RerunTask => Some("rerun broken"),
        Operation::Rollback => Some("rollback"),
        Operation::SkipTask => Some("skip broken"),
        Operation::RetryTask => Some("retry later"),
        Operation::Update => Some("update team=eu description=new"),
        Operation::UpdateEnv => Some("update env={\"a\":1}"),
        Operation::Restart | Operation::Delete | Operation::DeleteForced => None,
    }
}

/// Every operation in every state.
fn cells() -> impl Iterator<Item = (Operation, ExecutionState)> {
    let states = |operation: &Operation| {
        let operation = *operation;
        let states = ExecutionState::ALL.iter();
        states.map(move |state| (operation, *state))
    };
    Operation::ALL.iter().flat_map(states)
}

fn updates() -> bool {
    std::env::var_os("UPDATE_SCENARIOS").is_some()
}

#[test]
fn every_verb_in_every_state_shows_what_its_file_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios/lifecycle");
    let mut wrong = Vec::new();
    let mut wanted = Vec::new();
    for (operation, state) in cells() {
        let (Some(command), Some(way)) = (command(operation), way_to(state)) else {
            continue;
        };
        let name = format!(
            "{}_{}.txt",
            operation.word().replace(' ', "_"),
            state.word()
        );
        let file = folder.join(name.to_lowercase());
        let commands = way.iter().copied().chain([command]);
        let script = commands.collect::<Vec<_>>().join("\n\n");
        let why = rule(operation, state).why;
        let text = format!("# In {}: {why}.\n{DOCUMENT}\n===\n{script}\n", state.word());
        let (shown, restarted) = (play(&text, false), play(&text, true));
        if updates() {
            std::fs::write(&file, &shown).unwrap();
        } else if std::fs::read_to_string(&file).ok().as_ref() != Some(&shown) {
            wrong.push(format!("{} should say:\n{shown}", file.display()));
        }
        if shown != restarted {
            wrong.push(format!("{} after restarts:\n{restarted}", file.display()));
        }
        wanted.push(file);
    }
    let found = std::fs::read_dir(folder).unwrap();
    let found = found.map(|entry| entry.unwrap().path());
    let strangers: Vec<PathBuf> = found.filter(|path| !wanted.contains(path)).collect();
    assert!(strangers.is_empty(), "not in the table: {strangers:?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn every_verb_does_what_the_table_says() {
    for (operation, state) in cells() {
        let (Some(command), Some(way)) = (command(operation), way_to(state)) else {
            continue;
        };
        let mut harness = Harness::new(Kind::Workflows, DOCUMENT);
        for step in way {
            command_on(&mut harness, step).unwrap();
        }
        let uid = *harness.executions.keys().next().unwrap();
        let before = harness.get(uid).record().clone();
        let result = command_on(&mut harness, command);
        let after = harness.get(uid).record();
        let what = format!("{command} in {}", state.word());
        assert_eq!(before.state, state, "{what}");
        let unchanged = before.last_sequence == after.last_sequence;
        let rule = rule(operation, state);
        match rule.answer {
            Answer::Apply => assert!(result.is_ok() && !unchanged, "{what}: {result:?}"),
            Answer::NoChange => assert!(result.is_ok() && unchanged, "{what}: {result:?}"),
            Answer::Refuse => {
                let refused = matches!(&result, Err(Error::ExecutionState { state: met, why, .. })
                    if *met == state && *why == rule.why);
                assert!(refused && unchanged, "{what}: {result:?}");
            }
        }
    }
}

#[test]
fn what_is_applied_is_recorded_with_its_caller() {
    for (operation, state) in cells() {
        let (Some(command), Some(way)) = (command(operation), way_to(state)) else {
            continue;
        };
        if rule(operation, state).answer != Answer::Apply {
            continue;
        }
        let mut harness = Harness::new(Kind::Workflows, DOCUMENT);
        for step in way {
            command_on(&mut harness, step).unwrap();
        }
        let uid = *harness.executions.keys().next().unwrap();
        let known = harness.history(uid).len();
        command_on(&mut harness, command).unwrap();
        let news = &harness.history(uid)[known..];
        let verb = command.split(' ').next().unwrap();
        let recorded = news.iter().any(|event| {
            matches!(&event.kind, HistoryKind::VerbApplied { verb: applied, reason, .. }
                if **applied == *verb && reason.as_deref() == Some("for a test"))
        });
        assert!(recorded, "{command} in {}: {news:?}", state.word());
    }
}

#[test]
fn the_documentation_has_the_table() {
    let mut table = String::from("| verb |");
    let states = ExecutionState::ALL;
    for state in states {
        let _ = write!(table, " {} |", state.word());
    }
    table.push_str("\n|---|");
    table.push_str(&"---|".repeat(states.len()));
    table.push('\n');
    for operation in Operation::ALL {
        let _ = write!(table, "| {} |", operation.word());
        for state in states {
            let sign = match rule(*operation, *state).answer {
                Answer::Apply => "yes",
                Answer::NoChange => "nothing to do",
                Answer::Refuse => "refused",
            };
            let _ = write!(table, " {sign} |");
        }
        table.push('\n');
    }
    for operation in Operation::ALL {
        let _ = write!(table, "\n**{}**\n\n", operation.word());
        let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
        for state in states {
            let why = rule(*operation, *state).why;
            match reasons.iter_mut().find(|(known, _)| *known == why) {
                Some((_, named)) => named.push(state.word()),
                None => reasons.push((why, vec![state.word()])),
            }
        }
        for (why, named) in reasons {
            let _ = writeln!(table, "- {}: {why}", named.join(", "));
        }
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/lifecycle.md");
    let text = std::fs::read_to_string(&file).unwrap();
    let (begin, end) = ("<!-- table -->\n", "<!-- end of table -->");
    let (head, rest) = text.split_once(begin).expect("the mark of the table");
    let (_, tail) = rest.split_once(end).expect("the end of the table");
    let wanted = format!("{head}{begin}{table}{end}{tail}");
    if updates() {
        std::fs::write(&file, &wanted).unwrap();
    } else {
        assert!(text == wanted, "docs/lifecycle.md should have:\n{table}");
    }
}
