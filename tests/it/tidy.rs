//! The house style, as a test over every tracked file. Functions are left to clippy.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use proto::v1::ErrorReason;

const COLUMNS_MAX: usize = 100;
/// Most bytes of any file: what a program leaves behind is soon larger.
const BYTES_MAX: u64 = 1_000_000;

const LINES_MAX: usize = 800;
/// Files that still have so many lines that are wider. The list may only shrink.
const WIDE: [(&str, usize); 28] = [
    ("sdk-go/events.go", 1),
    ("sdk-rust/src/define/yaml/tests.rs", 1),
    ("sdk-rust/src/handle.rs", 2),
    ("sdk-rust/src/payload.rs", 1),
    ("sdk-rust/src/resources/mod.rs", 1),
    ("sdk-rust/src/retry.rs", 1),
    ("server/crates/engine/src/host.rs", 1),
    ("server/crates/engine/src/id.rs", 1),
    ("server/crates/engine/src/limits.rs", 1),
    ("server/crates/engine/src/state.rs", 1),
    ("server/crates/engine/src/step/join.rs", 1),
    ("server/crates/engine/src/step/start.rs", 1),
    ("server/crates/engine/tests/it/harness.rs", 1),
    ("server/crates/expr/src/yaml/tests.rs", 2),
    ("server/crates/expr/tests/it/properties.rs", 1),
    ("server/crates/store/examples/ceiling.rs", 1),
    ("server/src/actions/egress.rs", 1),
    ("server/src/actions/tests/parameters.rs", 3),
    ("server/src/api/status.rs", 1),
    ("server/src/api/tasks.rs", 1),
    ("server/src/cli/show.rs", 1),
    ("server/src/driver/answer.rs", 1),
    ("server/src/driver/commit.rs", 1),
    ("server/src/driver/error.rs", 1),
    ("server/src/driver/recover.rs", 2),
    ("tests/it/idempotency.rs", 1),
    ("tests/src/bin/bench.rs", 3),
    ("tests/src/bin/demo.rs", 1),
];
/// Stubs that generators write.
const GENERATED: [&str; 4] = [
    "proto/src/gen/",
    "_proto/",
    "internal/pb/",
    "proto/descriptor",
];
/// Manifests of the crates that may not touch the world, and what would.
const PURE: [&str; 3] = ["expr", "definition", "engine"];
const IMPURE: [&str; 8] = [
    "tokio", "tonic", "diesel", "tracing", "rand", "reqwest", "proto", "store",
];

/// What a module of the server must not name. The path is a folder or a file below `server/src`.
const FORBIDDEN: [(&str, &[&str]); 6] = [
    (
        "api",
        &["diesel", "engine::apply", "crate::cli", "crate::actions"],
    ),
    (
        "driver",
        &[
            "proto::",
            "tonic",
            "diesel",
            "crate::api",
            "crate::cli",
            "crate::middleware",
        ],
    ),
    (
        "actions",
        &[
            "proto::",
            "tonic",
            "diesel",
            "store::",
            "crate::api",
            "crate::cli",
        ],
    ),
    (
        "middleware",
        &[
            "crate::driver",
            "crate::actions",
            "crate::cli",
            "store::",
            "diesel",
        ],
    ),
    (
        "telemetry",
        &[
            "crate::driver",
            "crate::api",
            "crate::actions",
            "crate::cli",
        ],
    ),
    (
        "cli",
        &[
            "crate::driver",
            "crate::api",
            "crate::actions",
            "store::",
            "diesel",
            "engine::",
        ],
    ),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_path_buf()
}

/// Names of all tracked files.
fn tracked() -> Vec<String> {
    let listed = Command::new("git")
        .args(["ls-files", "-z"])
        .current_dir(root())
        .output();
    let listed = listed.expect("git lists the files");
    assert!(listed.status.success(), "git does not list the files");
    let names = String::from_utf8(listed.stdout).unwrap();
    let names = names.split('\0').filter(|name| !name.is_empty());
    names.map(str::to_owned).collect()
}

/// Tracked text files that people write.
fn files() -> Vec<(String, String)> {
    let is_written = |name: &String| !GENERATED.iter().any(|part| name.contains(part));
    let written = tracked().into_iter().filter(is_written);
    written
        .filter_map(|name| {
            // Binary files, and files that are removed but not yet committed, have no text.
            let text = std::fs::read_to_string(root().join(&name)).ok()?;
            Some((name, text))
        })
        .collect()
}

fn has_extension(name: &str, extensions: &[&str]) -> bool {
    let extension = Path::new(name)
        .extension()
        .and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| extensions.contains(&extension))
}

#[track_caller]
fn none(findings: &[String]) {
    assert!(
        findings.is_empty(),
        "{} findings:\n{}",
        findings.len(),
        findings.join("\n")
    );
}

#[test]
fn files_say_what_they_own_and_stay_small() {
    let mut findings = Vec::new();
    for (name, text) in files() {
        if !has_extension(&name, &["rs", "py", "go", "proto"]) {
            continue;
        }
        if has_extension(&name, &["rs"]) && !text.starts_with("//!") {
            findings.push(format!("{name}: the first line is not `//!`"));
        }
        let lines = text.lines().count();
        if lines > LINES_MAX {
            findings.push(format!("{name}: {lines} lines"));
        }
        findings.extend(wide_lines(&name, &text));
    }
    none(&findings);
}

#[test]
fn nothing_large_is_tracked() {
    let mut findings = Vec::new();
    for name in tracked() {
        // One that is removed but not yet committed has no size.
        let bytes = std::fs::metadata(root().join(&name)).map_or(0, |file| file.len());
        if bytes > BYTES_MAX {
            findings.push(format!("{name}: {bytes} bytes"));
        }
    }
    none(&findings);
}

/// Lines that are too wide, if there are more of them than the file is known for.
fn wide_lines(name: &str, text: &str) -> Vec<String> {
    let known = WIDE.iter().find(|(file, _)| *file == name);
    let known = known.map_or(0, |(_, lines)| *lines);
    let lines = text.lines().enumerate().filter(|(_, line)| {
        // An address cannot be broken.
        line.chars().count() > COLUMNS_MAX && !line.contains("://")
    });
    let wide: Vec<String> = lines
        .map(|(index, line)| format!("{name}:{}: {} columns", index + 1, line.chars().count()))
        .collect();
    if wide.len() > known { wide } else { Vec::new() }
}

#[test]
fn work_is_not_left_lying_about() {
    // Written apart, so that this file does not find itself.
    let marks = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("XX", "X:"),
    ];
    let machine = ["/work/", "/root/", "/home/"].map(str::to_owned);
    let mut findings = Vec::new();
    for (name, text) in files() {
        if name == "tests/it/tidy.rs" || has_extension(&name, &["lock", "sum"]) {
            continue;
        }
        for (index, line) in text.lines().enumerate() {
            let place = format!("{name}:{}", index + 1);
            if marks.iter().any(|mark| line.contains(mark)) {
                findings.push(format!("{place}: unfinished: {}", line.trim()));
            }
            if machine.iter().any(|path| line.contains(path.as_str())) {
                findings.push(format!("{place}: a path of one machine: {}", line.trim()));
            }
        }
    }
    none(&findings);
}

#[test]
fn modules_of_the_server_know_only_what_they_may() {
    let mut findings = Vec::new();
    for (name, text) in files() {
        let Some(module) = name.strip_prefix("server/src/") else {
            continue;
        };
        for (folder, forbidden) in FORBIDDEN {
            let inside =
                module.starts_with(&format!("{folder}/")) || module == format!("{folder}.rs");
            if !inside {
                continue;
            }
            for (index, line) in text.lines().enumerate() {
                let line = line.trim_start();
                let used = line
                    .strip_prefix("pub(crate) ")
                    .unwrap_or(line)
                    .strip_prefix("use ");
                let Some(used) = used else { continue };
                if let Some(word) = forbidden.iter().find(|word| used.starts_with(**word)) {
                    let place = format!("server/src/{module}:{}", index + 1);
                    findings.push(format!("{place}: `{folder}` must not use `{word}`"));
                }
            }
        }
    }
    none(&findings);
}

#[test]
fn pure_crates_cannot_touch_the_world() {
    let mut findings = Vec::new();
    for name in PURE {
        let path = root().join(format!("server/crates/{name}/Cargo.toml"));
        let text = std::fs::read_to_string(path).unwrap();
        let manifest: toml::Table = text.parse().unwrap();
        let dependencies = manifest.get("dependencies").and_then(toml::Value::as_table);
        for dependency in dependencies.into_iter().flat_map(toml::Table::keys) {
            if IMPURE.contains(&dependency.as_str()) {
                findings.push(format!("{name} depends on {dependency}"));
            }
        }
    }
    none(&findings);
}

/// Reasons and their codes, from the comments of the contract.
fn promised() -> BTreeMap<String, String> {
    let path = root().join("proto/autan/v1/errors.proto");
    let text = std::fs::read_to_string(path).unwrap();
    let mut code = None;
    let mut reasons = BTreeMap::new();
    for line in text.lines().map(str::trim) {
        if let Some(comment) = line.strip_prefix("// ") {
            let word = comment.split_once(". ").map_or("", |(word, _)| word);
            let is_code = !word.is_empty()
                && word
                    .chars()
                    .all(|letter| letter.is_ascii_uppercase() || letter == '_');
            if code.is_none() && is_code {
                code = Some(word.to_owned());
            }
        } else if let Some(rest) = line.strip_prefix("ERROR_REASON_") {
            let name = rest.split_once(' ').map_or(rest, |(name, _)| name);
            if let Some(code) = code.take() {
                reasons.insert(name.to_owned(), code);
            }
        }
    }
    reasons
}

#[test]
fn every_reason_is_documented() {
    let promised = promised();
    assert!(promised.len() >= 29, "{promised:?}");
    for name in promised.keys() {
        let known = ErrorReason::from_str_name(&format!("ERROR_REASON_{name}"));
        assert!(known.is_some(), "the stubs do not know {name}");
    }
    let page = std::fs::read_to_string(root().join("docs/errors.md")).unwrap();
    let mut documented = BTreeMap::new();
    for line in page.lines() {
        let mut cells = line.split('|').map(|cell| cell.trim().trim_matches('`'));
        if let (Some(""), Some(reason), Some(code)) = (cells.next(), cells.next(), cells.next())
            && promised.values().any(|known| known == code)
        {
            documented.insert(reason.to_owned(), code.to_owned());
        }
    }
    assert_eq!(documented, promised);
}

/// Pages that name a test for each promise.
const PROMISES: &[&str] = &["docs/sdks.md", "docs/watching.md", "docs/workers.md"];

/// Names of tests in the cells of a page's tables after the first one.
fn shown(page: &str) -> Vec<String> {
    let rows = page.lines().filter(|line| line.starts_with("| "));
    let cells = rows.flat_map(|row| row.split('|').skip(2));
    let quoted = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    let is_name = |text: &&str| {
        let is_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        text.chars().all(is_word) && (text.contains('_') || text.starts_with("Test"))
    };
    quoted.filter(is_name).map(str::to_owned).collect()
}

#[test]
fn what_is_promised_is_tested() {
    let files = files();
    let mut findings = Vec::new();
    for page in PROMISES {
        let text = std::fs::read_to_string(root().join(page)).unwrap();
        let names = shown(&text);
        assert!(names.len() > 10, "{page} names hardly any test: {names:?}");
        for name in names {
            let ways = ["fn ", "def ", "func "].map(|word| format!("{word}{name}("));
            let is_there = |(_, text): &(String, String)| ways.iter().any(|way| text.contains(way));
            if !files.iter().any(is_there) {
                findings.push(format!("{page}: there is no test {name}"));
            }
        }
    }
    none(&findings);
}
