//! The process of Python that answers what the real languages give.

use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use expr::Value;

/// What Python said to one question.
#[derive(Debug)]
pub(crate) enum Answer {
    /// The canonical text of the value.
    Value(String),
    Error(String),
    /// It did not end in time, or filled its memory.
    Skip,
}

/// A running oracle.
pub(crate) struct Oracle(Child);

impl Oracle {
    /// Starts a script of `tests/oracle`, if Python is there.
    pub(crate) fn start(script: &str) -> Option<Self> {
        let child = command(&python()?, script).spawn();
        Some(Self(child.expect("Python was just run")))
    }

    /// Asks all questions, each an expression and data as JSON, and reads all answers.
    #[expect(
        clippy::disallowed_methods,
        reason = "one side writes while the other reads"
    )]
    pub(crate) fn ask(mut self, cases: &[(String, String)]) -> Vec<Answer> {
        let mut input = BufWriter::new(self.0.stdin.take().expect("it is piped"));
        let output = BufReader::new(self.0.stdout.take().expect("it is piped"));
        let questions: Vec<String> = cases
            .iter()
            .map(|(expr, data)| {
                let expr = serde_json::to_string(expr).expect("a string has a JSON form");
                format!("{{\"expr\": {expr}, \"data\": {data}}}\n")
            })
            .collect();
        let writer = std::thread::spawn(move || {
            for question in questions {
                input
                    .write_all(question.as_bytes())
                    .expect("Python reads all questions");
            }
        });
        let answers: Vec<Answer> = output.lines().map(|line| answer(&line.unwrap())).collect();
        writer.join().expect("all questions are written");
        assert!(self.0.wait().unwrap().success(), "the oracle failed");
        assert_eq!(answers.len(), cases.len(), "each question has an answer");
        answers
    }
}

/// The lines that a script of `tests/oracle` prints when it is run with an argument.
pub(crate) fn output(script: &str, argument: &str) -> Option<Vec<String>> {
    let run = command(&python()?, script).arg(argument).output();
    let run = run.expect("Python was just run");
    assert!(run.status.success(), "the oracle failed");
    let text = String::from_utf8(run.stdout).expect("the oracle writes UTF-8");
    Some(text.lines().map(ToString::to_string).collect())
}

/// The interpreter. Without it, or without the packages that it needs, this says so and gives
/// `None`; under `CI=true` that is a failure.
#[expect(
    clippy::disallowed_methods,
    reason = "the environment tells whether to insist"
)]
#[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
fn python() -> Option<PathBuf> {
    let python = std::env::var("AUTAN_PYTHON").map_or_else(|_| own_python(), PathBuf::from);
    let usable = Command::new(&python)
        .args(["-c", "import collections.abc, yaql, jinja2"])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if usable {
        return Some(python);
    }
    let message = format!("no yaql and jinja2 in {}", python.display());
    assert!(
        std::env::var("CI").as_deref() != Ok("true"),
        "{message}: run `make test`"
    );
    eprintln!("SKIPPED: {message}: run `make test`");
    None
}

fn command(python: &Path, script: &str) -> Command {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle");
    let mut command = Command::new(python);
    command
        .args(["-B", "-W", "ignore"])
        .arg(folder.join(script))
        .env("PYTHONHASHSEED", "0")
        .env("PYTHONIOENCODING", "utf-8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    command
}

/// The one that the Makefile makes.
fn own_python() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../sdk-python/.venv/bin/python")
}

fn answer(line: &str) -> Answer {
    let line = Value::from_json(line).expect("each answer is JSON");
    let text = |key| {
        line.get(key)
            .and_then(|text| text.as_str().map(ToString::to_string))
    };
    match (text("value"), text("error")) {
        (Some(value), _) => Answer::Value(value),
        (_, Some(error)) => Answer::Error(error),
        _ => Answer::Skip,
    }
}
