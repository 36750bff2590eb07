//! End-to-end scenarios, each run through every SDK.
//!
//! Owns finding the scenarios, running them and comparing. A scenario is data, see
//! `scenarios/README.md`; performing its steps is for the drivers (`tests/drivers`), one in each
//! language, which do not know what is expected.

#[path = "../drivers/rust/driver.rs"]
mod driver;

use std::env;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use e2e::server::TestServer;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::time::timeout;

use crate::support::PATIENCE;
use crate::toolchain::{self, tests_folder};

/// Runs only the scenarios whose name contains the text.
const ONLY_VARIABLE: &str = "AUTAN_SCENARIO";

/// Ids of the server look like this: hexadecimal digits and dashes.
const ID_SHAPE: &str = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

/// One folder of `tests/scenarios`.
#[derive(Debug)]
struct Scenario {
    name: String,
    source: String,
    case: Case,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    steps: Vec<Value>,
    #[serde(default)]
    expect: Expected,
}

/// What becomes of the execution called `run`; all absent if there is none in the end.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Expected {
    state: Value,
    output: Value,
    tasks: Value,
    history: Value,
}

/// How the driver of a language is run.
#[derive(Clone, Debug)]
enum Driver {
    Rust,
    Program {
        language: &'static str,
        command: Vec<PathBuf>,
    },
}

impl Driver {
    fn language(&self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Program { language, .. } => language,
        }
    }

    async fn run(&self, case: &Value) -> Result<Value> {
        let run = async {
            match self {
                Self::Rust => driver::drive(case).await,
                Self::Program { command, .. } => run_program(command, case).await,
            }
        };
        timeout(PATIENCE, run).await.context("it takes too long")?
    }
}

#[tokio::test]
async fn scenarios_are_the_same_in_every_language() {
    let scenarios = Arc::new(scenarios().expect("the scenarios can be read"));
    assert!(!scenarios.is_empty(), "there are no scenarios");
    // The build folder of the Go driver.
    let scratch = tempfile::tempdir().unwrap();
    let mut missing = Vec::new();
    let mut drivers = vec![Driver::Rust];
    for (language, found) in [("python", python()), ("go", go(scratch.path()).await)] {
        match found.unwrap_or_else(|error| panic!("{language}: {error:#}")) {
            Some(command) => drivers.push(Driver::Program { language, command }),
            None => missing.push(format!("SKIPPED {language}: no toolchain")),
        }
    }
    toolchain::tell_missing(&missing);

    let server = TestServer::start_in_memory().await.unwrap();
    let address = server.address().to_owned();
    let languages = drivers.into_iter().map(|driver| {
        let (scenarios, address) = (scenarios.clone(), address.clone());
        tokio::spawn(async move { run_all(&scenarios, &driver, &address).await })
    });
    let mut findings = Vec::new();
    for language in languages.collect::<Vec<_>>() {
        findings.extend(language.await.unwrap());
    }
    assert!(
        findings.is_empty(),
        "{} of scenario × language fail:\n{}",
        findings.len(),
        findings.join("\n")
    );
}

/// The rows of the table of verbs, as the document of the life cycle shows it.
fn verbs() -> Vec<String> {
    let page = tests_folder().join("../docs/lifecycle.md");
    let page = std::fs::read_to_string(page).expect("the document is there");
    let (_, table) = page.split_once("<!-- table -->").expect("it has a table");
    let rows = table
        .lines()
        .skip(1)
        .take_while(|line| line.starts_with('|'));
    let cells = rows.skip(2).filter_map(|row| row.split('|').nth(1));
    cells.map(|cell| cell.trim().to_owned()).collect()
}

/// The row of the table that a step asks for, if any. After a rollback only an undo is skipped.
fn verb_of(step: &Value, is_after_rollback: bool) -> Option<&'static str> {
    let has = |field: &str| step.get(field).is_some();
    Some(match step["do"].as_str()? {
        "pause" => "pause",
        "resume" if has("env") => "resume with changes",
        "resume" => "resume",
        "cancel" => "cancel",
        "terminate" => "terminate",
        "stop" => "stop",
        "rerun" if has("task") => "rerun a task",
        "rerun" => "rerun",
        "rollback" if has("task") => "rollback to a task",
        "rollback" => "rollback",
        "skip" if is_after_rollback => "skip an undo",
        "skip" => "skip a task",
        "retry" => "retry a task now",
        "update" if has("env") => "update env",
        "update" => "update",
        "restart" => "restart",
        "delete" if has("force") => "delete by force",
        "delete" => "delete",
        _ => return None,
    })
}

#[test]
fn every_verb_has_a_scenario_in_which_it_is_applied() {
    let mut missing = verbs();
    assert!(missing.len() > 15, "the table was not found: {missing:?}");
    for scenario in scenarios().expect("the scenarios can be read") {
        let mut is_after_rollback = false;
        for step in &scenario.case.steps {
            let is_refused = step["answer"].get("refused").is_some();
            is_after_rollback |= step["do"] == "rollback" && !is_refused;
            let applied = verb_of(step, is_after_rollback).filter(|_| !is_refused);
            missing.retain(|verb| Some(verb.as_str()) != applied);
        }
    }
    assert!(missing.is_empty(), "no scenario applies {missing:?}");
}

/// Every scenario through one language, each in a project of its own.
async fn run_all(scenarios: &[Scenario], driver: &Driver, address: &str) -> Vec<String> {
    let mut findings = Vec::new();
    for scenario in scenarios {
        let language = driver.language();
        let case = json!({
            "address": address,
            "project": format!("{}-{language}", scenario.name.replace('/', "-")),
            "identity": "the night shift",
            "source": scenario.source,
            "steps": scenario.case.steps,
        });
        let differences = match driver.run(&case).await {
            Ok(mut seen) => {
                redact(&mut seen);
                scenario.case.differences(&seen)
            }
            Err(error) => format!("  {error:#}\n"),
        };
        if !differences.is_empty() {
            findings.push(format!("{} × {language}:\n{differences}", scenario.name));
        }
    }
    findings
}

impl Case {
    /// What an SDK saw otherwise than expected, a line each; empty if nothing.
    fn differences(&self, seen: &Value) -> String {
        let mut text = String::new();
        let mut same = |what: &str, wanted: &Value, seen: &Value| {
            if wanted != seen {
                let _ = writeln!(text, "  {what}: wanted {wanted}\n    got {seen}");
            }
        };
        for (index, step) in self.steps.iter().enumerate() {
            let what = format!("answer of step {}", index + 1);
            let answer = &seen["answers"][index];
            // A refusal is never passed over: a step that may be refused says so.
            if step.get("answer").is_some() || answer.get("refused").is_some() {
                same(&what, &step["answer"], answer);
            }
        }
        same("state", &self.expect.state, &seen["state"]);
        same("output", &self.expect.output, &seen["output"]);
        same("tasks", &self.expect.tasks, &seen["tasks"]);
        same("history", &self.expect.history, &seen["history"]);
        same("watch", &self.expect.history, &seen["watch"]);
        text
    }
}

/// Reads all scenarios, in order of their names `area/name`.
fn scenarios() -> Result<Vec<Scenario>> {
    let root = tests_folder().join("scenarios");
    let only = env::var(ONLY_VARIABLE).unwrap_or_default();
    let mut scenarios = Vec::new();
    for area in folders(&root)? {
        for folder in folders(&area)? {
            let name = folder.strip_prefix(&root)?.display().to_string();
            if name.contains(&only) {
                let scenario = Scenario::read(name, &folder);
                scenarios.push(scenario.with_context(|| folder.display().to_string())?);
            }
        }
    }
    Ok(scenarios)
}

fn folders(parent: &Path) -> Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    for entry in std::fs::read_dir(parent).with_context(|| parent.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            folders.push(path);
        }
    }
    folders.sort();
    Ok(folders)
}

impl Scenario {
    fn read(name: String, folder: &Path) -> Result<Self> {
        let contract = std::fs::read_to_string(folder.join("README.md")).context("README.md")?;
        if contract.lines().count() > 4 {
            bail!("README.md has more than 4 lines");
        }
        let case = std::fs::read_to_string(folder.join("case.yaml")).context("case.yaml")?;
        Ok(Self {
            name,
            source: std::fs::read_to_string(folder.join("workflow.yaml"))
                .context("workflow.yaml")?,
            case: serde_yaml::from_str(&case).context("case.yaml")?,
        })
    }
}

/// Command of the Python driver, if there is a Python with the SDK.
fn python() -> Result<Option<Vec<PathBuf>>> {
    let driver = tests_folder().join("drivers/python/driver.py");
    Ok(toolchain::python()?.map(|python| vec![python, driver]))
}

/// Builds the Go driver into a folder and returns its command, if there is a Go.
async fn go(folder: &Path) -> Result<Option<Vec<PathBuf>>> {
    let built = toolchain::go_build("drivers/go", &folder.join("driver")).await?;
    Ok(built.map(|program| vec![program]))
}

/// Hands a case to a driver and reads what it saw.
async fn run_program(command: &[PathBuf], case: &Value) -> Result<Value> {
    let (program, arguments) = command.split_first().context("a command has a program")?;
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("starting {}", program.display()))?;
    let mut stdin = child.stdin.take().context("no pipe to the driver")?;
    // A driver that dies before it has read everything says why on stderr.
    let _ = stdin.write_all(case.to_string().as_bytes()).await;
    drop(stdin);
    let output = child
        .wait_with_output()
        .await
        .context("waiting for the driver")?;
    if !output.status.success() {
        bail!(
            "{}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
    }
    serde_json::from_slice(&output.stdout).context("the driver did not print JSON")
}

/// Replaces ids in texts, which differ from run to run, by `ID`.
fn redact(value: &mut Value) {
    match value {
        Value::String(text) => {
            while let Some(start) = (0..text.len()).find(|start| is_id(text, *start)) {
                text.replace_range(start..start + ID_SHAPE.len(), "ID");
            }
        }
        Value::Array(items) => items.iter_mut().for_each(redact),
        Value::Object(fields) => fields.values_mut().for_each(redact),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Whether an id of the server begins at this byte.
fn is_id(text: &str, start: usize) -> bool {
    let bytes = text.as_bytes().get(start..start + ID_SHAPE.len());
    bytes.is_some_and(|bytes| {
        bytes.iter().zip(ID_SHAPE.bytes()).all(|(byte, shape)| {
            if shape == b'-' {
                *byte == b'-'
            } else {
                byte.is_ascii_hexdigit()
            }
        })
    })
}
