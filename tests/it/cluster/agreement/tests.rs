//! That the check finds what cannot be true.

use std::time::{Duration, Instant};

use super::{Answer, Call, Noted, Table, contradictions};

const DOCUMENT: &str = "
| verb | RUNNING | PAUSED |
|---|---|---|
| pause | yes | nothing to do |
| resume | nothing to do | yes |
| rerun | refused | refused |
";

/// A call from one second to another one.
fn call(verb: &'static str, seconds: (u64, u64), answer: Answer) -> Call {
    let zero = Instant::now();
    Call {
        verb,
        request_id: format!("{verb} at {}", seconds.0),
        begun: zero + Duration::from_secs(60 * seconds.0),
        ended: zero + Duration::from_secs(60 * seconds.1),
        answer,
    }
}

fn told(state: &str, sequence: i64) -> Answer {
    Answer::Execution {
        state: state.to_owned(),
        sequence,
    }
}

fn refused(state: &str) -> Answer {
    Answer::Refused {
        state: state.to_owned(),
    }
}

fn noted(verb: &str, at: u64) -> Noted {
    Noted::Verb {
        verb: verb.to_owned(),
        request_id: format!("{verb} at {at}"),
    }
}

fn becomes(state: &str) -> Noted {
    Noted::State(state.to_owned())
}

/// Started, paused by the call at 2, and resumed by the one at 6.
fn history() -> Vec<Noted> {
    vec![
        Noted::Other,
        noted("pause", 2),
        becomes("PAUSED"),
        noted("resume", 6),
        becomes("RUNNING"),
    ]
}

fn check(more: Vec<Call>, history: &[Noted]) -> String {
    let mut calls = vec![
        call("start", (0, 1), told("RUNNING", 1)),
        call("pause", (2, 3), told("PAUSED", 3)),
        call("resume", (6, 7), told("RUNNING", 5)),
    ];
    calls.extend(more);
    contradictions(&Table::of(DOCUMENT), &calls, history).join("\n")
}

#[test]
fn what_can_be_true_is_accepted() {
    let calls = vec![
        call("get", (4, 5), told("PAUSED", 3)),
        call("pause", (4, 5), told("PAUSED", 3)),
        call("rerun", (4, 5), refused("PAUSED")),
        // It was under way when both verbs were applied, so it may have seen either state.
        call("get", (1, 8), told("RUNNING", 1)),
        call("rerun", (1, 8), refused("RUNNING")),
    ];
    assert_eq!(check(calls, &history()), "");
}

#[test]
fn what_cannot_be_true_is_found() {
    let stale = check(vec![call("get", (4, 5), told("RUNNING", 1))], &history());
    assert!(stale.contains("between 3 and 3"), "{stale}");
    let stale = check(vec![call("rerun", (4, 5), refused("RUNNING"))], &history());
    assert!(stale.contains("between 3 and 3"), "{stale}");
    let early = check(vec![call("get", (4, 5), told("RUNNING", 5))], &history());
    assert!(early.contains("between 3 and 3"), "{early}");
    let invented = check(vec![call("get", (4, 5), told("RUNNING", 3))], &history());
    assert!(invented.contains("the state then was"), "{invented}");
    let unlike = check(vec![call("pause", (4, 5), refused("PAUSED"))], &history());
    assert!(unlike.contains("between 3 and 3"), "{unlike}");
}

#[test]
fn what_is_in_the_history_is_compared() {
    let mut lost = history();
    lost[1] = Noted::Other;
    let lost = check(Vec::new(), &lost);
    assert!(lost.contains("event 3: nothing was applied"), "{lost}");
    let mut twice = history();
    twice.extend([noted("pause", 2), becomes("PAUSED")]);
    let twice = check(Vec::new(), &twice);
    assert!(twice.contains("events 2 and 6 are of one call"), "{twice}");
    let mut unasked = history();
    unasked.extend([noted("pause", 9), becomes("PAUSED")]);
    let unasked = check(Vec::new(), &unasked);
    assert!(unasked.contains("nobody asked for pause"), "{unasked}");
    let mut illegal = history();
    illegal.push(noted("resume", 6));
    let illegal = check(Vec::new(), &illegal);
    assert!(
        illegal.contains("resume was applied in RUNNING"),
        "{illegal}"
    );
    let swapped = vec![
        Noted::Other,
        noted("resume", 6),
        noted("pause", 2),
        becomes("PAUSED"),
    ];
    assert_ne!(check(Vec::new(), &swapped), "");
}
