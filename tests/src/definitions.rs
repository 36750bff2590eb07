//! What checking a definition costs: part of `make bench`. Owns the documents and what is measured.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use definition::{Kind, Options, check};
use serde_json::{Value, json};

/// How long each document is checked again and again.
const MEASURED: Duration = Duration::from_millis(500);

/// Twelve workflows, as people write them.
const WORKBOOK: &str = include_str!("../bench/provisioning.yaml");

/// The largest document that is read, in bytes.
const BYTES_MAX: usize = 1 << 20;

/// The figures, one object a line of the report.
pub fn figures() -> Result<Vec<Value>> {
    let mut all = vec![
        figure(
            "definition: 12 workflows, checked",
            Kind::Workbook,
            WORKBOOK,
            20,
        )?,
        figure(
            "definition: join of 500 tasks, checked",
            Kind::Workflows,
            &join(500),
            100,
        )?,
    ];
    let mut worst: Option<(&str, Duration)> = None;
    for (name, document) in &adversarial() {
        ensure!(document.len() <= BYTES_MAX, "{name} is too long");
        let begin = Instant::now();
        check(document, Kind::Workflows, Options::default());
        let spent = begin.elapsed();
        if worst.is_none_or(|(_, most)| spent > most) {
            worst = Some((name, spent));
        }
    }
    if let Some((name, spent)) = worst {
        all.push(json!({
            "name": "definition: the worst document of 1 MiB",
            "value": milliseconds(spent),
            "unit": "ms",
            "limit": 1000,
            "conditions": {"document": name, "bytes": BYTES_MAX, "threads": 1},
        }));
    }
    Ok(all)
}

/// The median time of a check of a document without fault, and the time in milliseconds that it
/// must stay under.
fn figure(name: &str, kind: Kind, document: &str, limit: u32) -> Result<Value> {
    let mut times = Vec::new();
    let begin = Instant::now();
    while begin.elapsed() < MEASURED || times.len() < 5 {
        let start = Instant::now();
        let checked = check(document, kind, Options::default());
        times.push(start.elapsed());
        ensure!(
            checked.document.is_some(),
            "{name}: {:?}",
            checked.diagnostics
        );
    }
    times.sort_unstable();
    Ok(json!({
        "name": name,
        "value": milliseconds(times[times.len() / 2]),
        "unit": "ms",
        "limit": limit,
        "conditions": {"bytes": document.len(), "threads": 1},
    }))
}

fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

/// So many tasks that lead to one that waits for all.
fn join(tasks: usize) -> String {
    let mut text = String::from("version: '2.0'\nwf:\n  tasks:\n    all: {join: all}\n");
    for task in 0..tasks {
        let _ = writeln!(text, "    t{task}: {{action: std.noop, on-success: all}}");
    }
    text
}

/// Documents of the largest size that are hard to check.
fn adversarial() -> Vec<(&'static str, String)> {
    const TASKS: &str = "version: '2.0'\nwf:\n  tasks:\n";
    let inline = format!("{TASKS}    t:\n      action: 'x ");
    let block = format!("{TASKS}    t:\n      action: x\n      input:\n        a: |\n");
    let names = "x".repeat(30);
    vec![
        (
            "tasks",
            filled(TASKS, "", &|n| format!("    t{n}: {{join: 0}}\n")),
        ),
        (
            "unknown tasks",
            filled(TASKS, "", &|n| {
                format!("    t_{n}_{names}: {{on-success: t{n}_{names}}}\n")
            }),
        ),
        (
            "expressions",
            filled(&block, "", &|n| {
                format!("          <% $.v{n} + f{n}() %>\n")
            }),
        ),
        (
            "parameters",
            filled(&inline, "'\n", &|n| format!("a{n}=<% $.v{n} %> ")),
        ),
        ("brackets", filled(&inline, "'\n", &|_| "a=[".to_owned())),
        (
            "variables",
            filled(TASKS, "", &|n| {
                format!("    t{n}: {{target: <% $.v{n} %>, on-error: t0}}\n")
            }),
        ),
        (
            "lines to the left",
            filled(&block.replace("        a: |\n", ""), "", &|n| {
                format!("        a{n}: [\n1]\n")
            }),
        ),
    ]
}

/// A document as long as is read, made of numbered units.
fn filled(head: &str, tail: &str, unit: &dyn Fn(usize) -> String) -> String {
    let mut text = head.to_owned();
    for number in 0.. {
        let unit = unit(number);
        if text.len() + unit.len() + tail.len() > BYTES_MAX {
            break;
        }
        text.push_str(&unit);
    }
    text + tail
}
