//! The table of the life cycle: every verb in every state, as scenarios that are made from it, and
//! the documentation, which is made from it too.
//!
//! After a change of the table run with `UPDATE_SCENARIOS=1`, and read what was written. Restarting
//! and deleting are not the engine's; the server tests them.

mod cases;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use definition::Kind;
use engine::lifecycle::{Answer, Operation, Rule, rule, rule_above, task_rule};
use engine::{Error, ExecutionState, ExecutionUid, HistoryKind, TaskState};

use self::cases::{At, Case, TREE, cases};
use crate::harness::Harness;
use crate::scenarios::{command_on, play};

fn updates() -> bool {
    std::env::var_os("UPDATE_SCENARIOS").is_some()
}

#[test]
fn every_verb_in_every_state_shows_what_its_file_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios/lifecycle");
    let mut wrong = Vec::new();
    let mut wanted = Vec::new();
    for case in cases() {
        let name = format!("{}.txt", case.name.replace(' ', "_"));
        let file = folder.join(name.to_lowercase());
        let mut commands = case.way.clone();
        commands.push(&case.command);
        let script = commands.join("\n\n");
        let text = format!("# {}.\n{}\n===\n{script}\n", case.what, case.document);
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

/// Brings an execution into the state of a case; gives the one that the command is for.
fn bring(case: &Case) -> (Harness, ExecutionUid) {
    let mut harness = Harness::new(Kind::Workflows, case.document);
    for step in &case.way {
        command_on(&mut harness, step).unwrap();
    }
    let mut uids = harness.executions.keys().copied();
    let first = uids.next().unwrap();
    let uid = match case.at {
        At::Above(state) => {
            assert_eq!(harness.get(first).record().state, state, "{}", case.name);
            uids.next().unwrap()
        }
        At::Execution(state) => {
            assert_eq!(harness.get(first).record().state, state, "{}", case.name);
            first
        }
        At::Task(state) => {
            let (_, name) = case.command.split_once(' ').unwrap();
            let tasks = harness.get(first).tasks();
            let task = tasks.filter(|task| &*task.name == name).last().unwrap();
            assert_eq!(task.state, state, "{}", case.name);
            first
        }
    };
    (harness, uid)
}

#[test]
fn every_verb_does_what_the_table_says() {
    for case in cases() {
        let (mut harness, uid) = bring(&case);
        let before = harness.get(uid).record().last_sequence;
        let result = command_on(&mut harness, &case.command);
        let unchanged = before == harness.get(uid).record().last_sequence;
        let (what, why) = (format!("{} ({})", case.name, case.command), case.rule.why);
        match case.rule.answer {
            Answer::Apply => assert!(result.is_ok() && !unchanged, "{what}: {result:?}"),
            Answer::NoChange => assert!(result.is_ok() && unchanged, "{what}: {result:?}"),
            Answer::Refuse => {
                let is_said = match (&result, case.at) {
                    (
                        Err(Error::ExecutionState {
                            state: met,
                            why: said,
                            ..
                        }),
                        At::Execution(state),
                    )
                    | (
                        Err(Error::AncestorState {
                            state: met,
                            why: said,
                            ..
                        }),
                        At::Above(state),
                    ) => *met == state && *said == why,
                    (
                        Err(Error::TaskState {
                            state: met,
                            why: said,
                            ..
                        }),
                        At::Task(state),
                    ) => *met == state && *said == why,
                    _ => false,
                };
                assert!(is_said && unchanged, "{what}: {result:?}");
            }
        }
    }
}

#[test]
fn those_below_hear_of_a_verb_in_the_name_of_its_caller() {
    for verb in ["pause", "cancel", "terminate"] {
        let mut harness = Harness::new(Kind::Workflows, TREE);
        command_on(&mut harness, "start top").unwrap();
        let (top, below) = {
            let mut uids = harness.executions.keys().copied();
            (uids.next().unwrap(), uids.next().unwrap())
        };
        command_on(&mut harness, verb).unwrap();
        for uid in [top, below] {
            let recorded = harness.history(uid).iter().any(|event| {
                matches!(&event.kind, HistoryKind::VerbApplied { reason, .. }
                    if reason.as_deref() == Some("for a test"))
            });
            assert!(recorded, "{verb} of {uid}");
        }
    }
}

#[test]
fn what_is_applied_is_recorded_with_its_caller() {
    for case in cases() {
        if case.rule.answer != Answer::Apply {
            continue;
        }
        let (mut harness, uid) = bring(&case);
        let known = harness.history(uid).len();
        command_on(&mut harness, &case.command).unwrap();
        let news = &harness.history(uid)[known..];
        let command = case.command.trim_start_matches("#2 ");
        let verb = command.split(' ').next().unwrap();
        let recorded = news.iter().any(|event| {
            matches!(&event.kind, HistoryKind::VerbApplied { verb: applied, reason, .. }
                if **applied == *verb && reason.as_deref() == Some("for a test"))
        });
        assert!(recorded, "{}: {news:?}", case.name);
    }
}

/// One of the tables of the documentation, and the reasons below it.
fn documented<S: Copy>(
    rows: &[(&str, Vec<(S, Rule)>)],
    word: impl Fn(S) -> &'static str,
) -> String {
    let mut table = String::from("| verb |");
    let states = rows.first().map_or(&[][..], |(_, cells)| cells);
    for (state, _) in states {
        let _ = write!(table, " {} |", word(*state));
    }
    table.push_str("\n|---|");
    table.push_str(&"---|".repeat(states.len()));
    table.push('\n');
    for (name, cells) in rows {
        let _ = write!(table, "| {name} |");
        for (_, rule) in cells {
            let sign = match rule.answer {
                Answer::Apply => "yes",
                Answer::NoChange => "nothing to do",
                Answer::Refuse => "refused",
            };
            let _ = write!(table, " {sign} |");
        }
        table.push('\n');
    }
    for (name, cells) in rows {
        let _ = write!(table, "\n**{name}**\n\n");
        let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
        for (state, rule) in cells {
            match reasons.iter_mut().find(|(known, _)| *known == rule.why) {
                Some((_, named)) => named.push(word(*state)),
                None => reasons.push((rule.why, vec![word(*state)])),
            }
        }
        for (why, named) in reasons {
            let _ = writeln!(table, "- {}: {why}", named.join(", "));
        }
    }
    table
}

/// A text with something else between the marks of a table.
fn with_table(text: &str, mark: &str, table: &str) -> String {
    let (begin, end) = (
        format!("<!-- {mark} -->\n"),
        format!("<!-- end of {mark} -->"),
    );
    let (head, rest) = text.split_once(&begin).expect("the mark of the table");
    let (_, tail) = rest.split_once(&end).expect("the end of the table");
    format!("{head}{begin}{table}{end}{tail}")
}

#[test]
fn the_documentation_has_the_tables() {
    let states = |rule: &dyn Fn(ExecutionState) -> Rule| {
        let states = ExecutionState::ALL.iter();
        states.map(|state| (*state, rule(*state))).collect()
    };
    let mut executions = Vec::new();
    let mut tasks = Vec::new();
    for operation in Operation::ALL {
        let of_state = |state| rule(*operation, state);
        executions.push((operation.word(), states(&of_state)));
        let cells = TaskState::ALL.iter();
        let cells = cells.filter_map(|state| Some((*state, task_rule(*operation, *state)?)));
        let cells: Vec<_> = cells.collect();
        if !cells.is_empty() {
            tasks.push((operation.word(), cells));
        }
    }
    let above = [("rerun or skip below", states(&rule_above))];
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/lifecycle.md");
    let text = std::fs::read_to_string(&file).unwrap();
    let of_executions = documented(&executions, ExecutionState::word);
    let mut wanted = with_table(&text, "table", &of_executions);
    let of_tasks = documented(&tasks, TaskState::word);
    wanted = with_table(&wanted, "table of tasks", &of_tasks);
    let of_above = documented(&above, ExecutionState::word);
    wanted = with_table(&wanted, "table of those above", &of_above);
    if updates() {
        std::fs::write(&file, &wanted).unwrap();
    } else {
        assert!(text == wanted, "docs/lifecycle.md should be:\n{wanted}");
    }
}
