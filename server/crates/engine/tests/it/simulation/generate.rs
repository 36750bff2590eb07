//! Workflows made by chance: each is valid, and ends if its actions do.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use expr::Value;

use super::Chance;

/// Levels of workflows that call one another: `w0` calls `w1`, which calls `w2`.
const LEVELS: usize = 3;

/// Tasks of the reverse workflow `back`, which those of the levels call.
const BACK_TASKS: usize = 4;

/// What the generator was taught after seeds had been pinned: drawn apart, so that without it the
/// other choices stay what they were.
pub(super) struct Later(Option<Chance>);

impl Later {
    /// What belongs to a seed; nothing for one that was pinned before.
    pub(super) fn new(seed: u64, is_pinned: bool) -> Self {
        Self((!is_pinned).then(|| Chance::new(seed ^ 0x6c61_7465_7200_0000)))
    }

    fn percent(&mut self, percent: usize) -> bool {
        self.0
            .as_mut()
            .is_some_and(|chance| chance.percent(percent))
    }
}

/// A document with one workflow a level, and a reverse one.
pub(super) fn document(chance: &mut Chance, later: &mut Later) -> String {
    let mut document = "version: '2.0'\n".to_owned();
    for level in 0..LEVELS {
        workflow(chance, later, level, &mut document);
    }
    reverse(chance, &mut document);
    document
}

/// A reverse workflow: each task requires some of those before it.
fn reverse(chance: &mut Chance, document: &mut String) {
    document.push_str("back:\n  type: reverse\n  input: [{seed: 0}]\n  tasks:\n");
    for task in 0..BACK_TASKS {
        let _ = writeln!(document, "    b{task}:");
        about(chance, "      ", document);
        body(chance, LEVELS, document);
        policies(chance, document);
        rollback(chance, LEVELS, document);
        publishing(chance, document);
        let before = (0..task).filter(|_| chance.percent(60));
        let before: Vec<String> = before.map(|task| format!("b{task}")).collect();
        if !before.is_empty() {
            let _ = writeln!(document, "      requires: [{}]", before.join(", "));
        }
    }
}

fn workflow(chance: &mut Chance, later: &mut Later, level: usize, document: &mut String) {
    let _ = writeln!(document, "w{level}:\n  input: [{{seed: 0}}]");
    if chance.percent(20) {
        let _ = writeln!(document, "  vars: {{v: '<% $.seed %>', n: 0}}");
    }
    if chance.percent(40) {
        let _ = writeln!(
            document,
            "  output: {{n: '<% $.get(n, 0) %>', g: '<% global(g) %>'}}"
        );
    }
    if chance.percent(20) {
        let _ = writeln!(
            document,
            "  output-on-error: {{why: '<% $.get(why, none) %>'}}"
        );
    }
    if chance.percent(15) {
        let when = *chance.pick(&["error", "cancel", "[error, cancel]"]);
        let _ = writeln!(document, "  rollback-on: {when}");
    }
    if later.percent(25) {
        document.push_str("  catch-expression-errors: true\n");
    }
    about(chance, "  ", document);
    defaults(chance, document);
    document.push_str("  tasks:\n");
    let count = 1 + chance.below(6);
    let edges = Edges::new(chance, count);
    for task in 0..count {
        let begin = document.len();
        let _ = writeln!(document, "    t{task}:");
        about(chance, "      ", document);
        body(chance, level, document);
        policies(chance, document);
        rollback(chance, level, document);
        publishing(chance, document);
        edges.write(chance, later, task, document);
        if later.percent(15) {
            // Wherever it reads `n`, that may be missing.
            let bold = document.split_off(begin).replace("$.get(n, 0)", "$.n");
            document.push_str(&bold);
        }
    }
}

/// What is said of a workflow or a task to people.
fn about(chance: &mut Chance, indent: &str, document: &mut String) {
    for line in ["description: made by chance", "tags: [made, by, chance]"] {
        if chance.percent(5) {
            let _ = writeln!(document, "{indent}{line}");
        }
    }
}

/// What tasks take if they say nothing themselves.
fn defaults(chance: &mut Chance, document: &mut String) {
    if !chance.percent(25) {
        return;
    }
    let some = [
        "on-error: [noop]",
        "on-error: [noop]",
        "on-success: [noop]",
        "on-complete: [noop]",
        "on-skip: [noop]",
        "retry: {count: 1, delay: 1}",
        "timeout: 7",
        "wait-before: 1",
        "wait-after: 1",
        "pause-before: '<% $.get(n, 0) = 2 %>'",
        "concurrency: 2",
        "fail-on: '<% $.get(n, 0) = 3 %>'",
        "safe-rerun: true",
    ];
    let _ = writeln!(document, "  task-defaults: {{{}}}", chance.pick(&some));
}

/// What the task runs.
fn body(chance: &mut Chance, level: usize, document: &mut String) {
    let items = chance.percent(25);
    if items {
        let source = *chance.pick(&[
            "<% range(3) %>",
            "<% [] %>",
            "<% range($.get(n, 2)) %>",
            "{{ [1, 2, 3, 4] }}",
        ]);
        let _ = writeln!(document, "      with-items: i in {source}");
        if chance.percent(50) {
            let _ = writeln!(document, "      concurrency: {}", 1 + chance.below(2));
        }
    }
    let body = match chance.below(20) {
        0..9 => "action: std.async_noop".to_owned(),
        9..12 => "action: std.echo output='<% [$.get(n), env().word, global(g)] %>'".to_owned(),
        12..13 => "action: std.echo\n      input: {output: '<% [$.get(n)] %>'}".to_owned(),
        13..14 => "action: std.fail".to_owned(),
        14..15 => "action: std.sleep seconds=2".to_owned(),
        15..16 => "action: std.echo output='<% $.missing %>'".to_owned(),
        16..17 if level < LEVELS => {
            let target = chance.below(BACK_TASKS);
            format!("workflow: back task_name='b{target}'")
        }
        _ if level + 1 < LEVELS => format!("workflow: w{} seed='<% $.seed %>'", level + 1),
        _ => "action: std.noop".to_owned(),
    };
    let _ = writeln!(document, "      {body}");
}

fn policies(chance: &mut Chance, document: &mut String) {
    let lines = [
        "wait-before: 1",
        "wait-after: 2",
        "timeout: 5",
        "retry: {count: 2, delay: 1}",
        "retry: {count: 2, delay: 0, break-on: '<% $.get(n, 0) > 2 %>'}",
        "retry: {count: 3, delay: 1, continue-on: '<% task().state = SUCCESS %>'}",
        "pause-before: true",
        "fail-on: '<% $.get(n, 0) = 3 %>'",
        "keep-result: false",
        "safe-rerun: '<% $.get(n, 0) > 1 %>'",
        "target: '<% env().word %>'",
    ];
    let mut used: Vec<&str> = Vec::new();
    for line in lines {
        let key = line.split(':').next().unwrap_or_default();
        if chance.percent(8) && !used.contains(&key) {
            let _ = writeln!(document, "      {line}");
            used.push(key);
        }
    }
}

/// What undoes the task.
fn rollback(chance: &mut Chance, level: usize, document: &mut String) {
    if !chance.percent(35) {
        return;
    }
    let called = match chance.below(10) {
        0..3 => "action: std.noop",
        3..6 => "action: std.async_noop",
        6..8 => "action: std.echo, input: {output: '<% [task().result, $.get(n)] %>'}",
        8 if level < LEVELS => "workflow: back, input: {seed: 2}",
        _ => "action: std.fail",
    };
    let policies = [
        "",
        "",
        ", timeout: 5",
        ", retry: {count: 2, delay: 1}",
        ", target: '<% env().word %>'",
    ];
    let policy = *chance.pick(&policies);
    let _ = writeln!(document, "      rollback: {{{called}{policy}}}");
}

fn publishing(chance: &mut Chance, document: &mut String) {
    let lines = [
        "publish: {n: '<% $.get(n, 0) + 1 %>', r: '<% task().result %>'}",
        "publish-on-error: {why: '<% task().state_info %>'}",
        "publish-on-skip: {r: '<% task().result %>', skipped: true}",
    ];
    for line in lines {
        if chance.percent(40) {
            let _ = writeln!(document, "      {line}");
        }
    }
}

/// Which task leads to which. The first is never led to, so that there is a start; edges go
/// onward, but for one that goes back as long as a counter is small.
struct Edges {
    to: Vec<Vec<usize>>,
    back: Option<(usize, usize)>,
}

impl Edges {
    fn new(chance: &mut Chance, count: usize) -> Self {
        let mut to = vec![Vec::new(); count];
        for later in 1..count {
            for edges in &mut to[..later] {
                if chance.percent(45) {
                    edges.push(later);
                }
            }
        }
        let back = (count > 2 && chance.percent(25)).then(|| {
            let from = 2 + chance.below(count - 2);
            (from, 1 + chance.below(from))
        });
        Self { to, back }
    }

    fn write(&self, chance: &mut Chance, later: &mut Later, task: usize, document: &mut String) {
        let inbound = self.to.iter().filter(|to| to.contains(&task)).count();
        if inbound > 0 && chance.percent(60) && self.back.is_none_or(|(_, to)| to != task) {
            let join = match chance.below(3) {
                0 => "one",
                1 if inbound > 1 => "2",
                _ => "all",
            };
            let join = if later.percent(30) {
                "all-active"
            } else {
                join
            };
            let _ = writeln!(document, "      join: {join}");
        } else if inbound > 0 && later.percent(30) {
            // In a circle, too.
            document.push_str("      join: all-active\n");
        }
        // Each edge is of one kind, so that joins count it once.
        let mut clauses: [Vec<String>; 4] = Default::default();
        for to in &self.to[task] {
            let kind = *chance.pick(&[0, 0, 0, 1, 2, 3]);
            let target = match chance.below(6) {
                0 => format!("t{to}: <% $.get(n, 0) < 3 %>"),
                1 => format!("t{to}: <% task().state != ERROR %>"),
                _ => format!("t{to}"),
            };
            clauses[kind].push(target);
        }
        let back = self.back.filter(|(from, _)| *from == task);
        if let Some((_, to)) = back {
            clauses[0].push(format!("t{to}: <% $.c < 3 %>"));
        }
        if chance.percent(8) {
            let command = *chance.pick(&["pause", "fail", "succeed", "noop", "fail msg=enough"]);
            let kind = chance.below(4);
            let at = chance.below(clauses[kind].len() + 1);
            clauses[kind].insert(at, command.to_owned());
        }
        let names = ["on-success", "on-error", "on-complete", "on-skip"];
        for (name, targets) in names.iter().zip(&clauses) {
            if targets.is_empty() {
                continue;
            }
            let counts = back.is_some() && *name == "on-success";
            let counter = "publish: {branch: {c: '<% $.get(c, 0) + 1 %>'}}";
            let scoped = *chance.pick(&[
                "",
                "",
                "publish: {branch: {b: '<% $.get(n, 0) %>'}}",
                "publish: {global: {g: {k: '<% $.get(n, 0) %>'}}}",
                "publish: {atomic: {g: {c: '<% coalesce(global(g), {}).get(c, 0) + 1 %>'}}}",
            ]);
            let scoped = if counts { counter } else { scoped };
            if scoped.is_empty() {
                let _ = writeln!(document, "      {name}: [{}]", listed(targets));
            } else {
                let _ = writeln!(document, "      {name}:\n        {scoped}");
                let _ = writeln!(document, "        next: [{}]", listed(targets));
            }
        }
    }
}

fn listed(targets: &[String]) -> String {
    let quoted = targets.iter().map(|target| match target.split_once(": ") {
        Some((name, condition)) => format!("{{{name}: '{condition}'}}"),
        None => format!("'{target}'"),
    });
    quoted.collect::<Vec<_>>().join(", ")
}

/// Keys that mean nothing to the engine, or would make workflows that cannot run.
const LEFT_OUT: &[(&str, &str)] = &[
    ("workflow", "name"),
    ("workflow", "version"),
    ("task", "name"),
    ("task", "version"),
    ("task", "type"),
    // Each task would require itself.
    ("task-defaults", "requires"),
    // Only actions of workers have these; the scenarios of workers play them.
    ("task", "start-to-close"),
    ("task", "schedule-to-start"),
    ("task", "heartbeat"),
    ("task", "action-version"),
    ("task", "affinity-key"),
    ("rollback", "start-to-close"),
    ("rollback", "schedule-to-start"),
    ("rollback", "heartbeat"),
    ("rollback", "action-version"),
    ("rollback", "affinity-key"),
    ("task-defaults", "start-to-close"),
    ("task-defaults", "schedule-to-start"),
    ("task-defaults", "heartbeat"),
];

#[test]
fn the_generator_knows_every_key() {
    let mut missing: BTreeSet<(&str, &str)> = definition::keys()
        .into_iter()
        .flat_map(|(place, keys)| keys.into_iter().map(move |key| (place, key)))
        .collect();
    for key in LEFT_OUT {
        assert!(missing.remove(key), "{key:?} is no key");
    }
    for seed in 0..300 {
        let document = document(&mut Chance::new(seed), &mut Later::new(seed, false));
        let document = definition::load(&document).unwrap();
        strike(&document, "document", &mut missing);
    }
    assert!(missing.is_empty(), "never made: {missing:?}");
}

/// Strikes out the keys that stand in one place of a document, and in those below it.
fn strike(value: &Value, place: &str, missing: &mut BTreeSet<(&str, &str)>) {
    let Some(dict) = value.as_dict() else { return };
    for (key, below) in dict.iter() {
        let key = key.to_text();
        missing.retain(|(of, known)| *of != place || *known != key);
        let next = match (place, key.as_str()) {
            ("document", _) => "workflow",
            ("workflow", "tasks") => "tasks",
            ("tasks", _) => "task",
            ("workflow", "task-defaults") => "task-defaults",
            ("task" | "task-defaults" | "rollback", "retry") => "retry",
            ("task", "rollback") => "rollback",
            ("task", "on-success" | "on-error" | "on-complete" | "on-skip") => "clause",
            ("clause", "publish") => "publish",
            _ => continue,
        };
        strike(&below, next, missing);
    }
}
