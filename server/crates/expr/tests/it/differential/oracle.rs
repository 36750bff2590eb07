//! The process of Python that answers what the real languages give.

use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

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

/// A script of `tests/oracle` and the Python that runs it.
pub(crate) struct Oracle {
    python: PathBuf,
    script: &'static str,
}

/// How many questions of one process may end Python itself: its own recursion can, and so can a
/// system that is out of memory. More than that is a defect of the script.
const DEATHS: usize = 3;

/// How many processes share the questions: Python is the slow part, and CI has two processors.
const PROCESSES: usize = 2;

impl Oracle {
    /// The oracle of a script, if Python is there.
    pub(crate) fn start(script: &'static str) -> Option<Self> {
        let python = python()?;
        Some(Self { python, script })
    }

    /// Asks all questions, each an expression and data as JSON, and reads all answers.
    pub(crate) fn ask(&self, cases: &[(String, String)]) -> Vec<Answer> {
        let share = cases.len().div_ceil(PROCESSES).max(1);
        std::thread::scope(|scope| {
            let parts: Vec<_> = cases
                .chunks(share)
                .map(|part| scope.spawn(|| self.ask_all(part)))
                .collect();
            let answers = parts.into_iter().map(std::thread::ScopedJoinHandle::join);
            answers
                .flat_map(|part| part.expect("its own words are above"))
                .collect()
        })
    }

    /// The answers of one process. The question that Python did not survive is skipped, and the
    /// next process goes on after it.
    #[expect(clippy::print_stderr, reason = "a lost answer must be seen")]
    fn ask_all(&self, cases: &[(String, String)]) -> Vec<Answer> {
        let mut answers = Vec::new();
        for _ in 0..=DEATHS {
            answers.extend(self.ask_once(&cases[answers.len()..]));
            let Some((expr, data)) = cases.get(answers.len()) else {
                return answers;
            };
            eprintln!("Python did not survive {expr}\n  data   {data}");
            answers.push(Answer::Skip);
        }
        panic!("the oracle failed: its own words are above");
    }

    /// The answers until there are no more questions, or no more Python.
    #[expect(
        clippy::disallowed_methods,
        reason = "one side writes while the other reads"
    )]
    fn ask_once(&self, cases: &[(String, String)]) -> Vec<Answer> {
        let child = command(&self.python, self.script).spawn();
        let mut child = child.expect("Python was just run");
        let mut input = BufWriter::new(child.stdin.take().expect("it is piped"));
        let output = BufReader::new(child.stdout.take().expect("it is piped"));
        let questions: Vec<String> = cases
            .iter()
            .map(|(expr, data)| {
                let expr = serde_json::to_string(expr).expect("a string has a JSON form");
                format!("{{\"expr\": {expr}, \"data\": {data}}}\n")
            })
            .collect();
        let writer = std::thread::spawn(move || {
            // Python that is gone reads no more; its answers tell how far it came.
            let sent = questions
                .iter()
                .try_for_each(|question| input.write_all(question.as_bytes()));
            drop(sent.and_then(|()| input.flush()));
        });
        let lines = output.lines().map_while(Result::ok);
        let answers = lines.map_while(|line| answer(&line)).collect();
        writer.join().expect("writing does not panic");
        child.wait().expect("it was started");
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
    // The tests of crates beside this one ask, too.
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../expr/tests/oracle");
    let mut command = Command::new(python);
    command
        .args(["-B", "-W", "ignore"])
        .arg(folder.join(script))
        .env("PYTHONHASHSEED", "0")
        .env("PYTHONIOENCODING", "utf-8")
        .env("TZ", "UTC")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    command
}

/// The one that the Makefile makes.
fn own_python() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../sdk-python/.venv/bin/python")
}

/// The answer that a line holds; `None` for one that Python did not finish.
fn answer(line: &str) -> Option<Answer> {
    let line = Value::from_json(line).ok()?;
    let text = |key| {
        line.get(key)
            .and_then(|text| text.as_str().map(ToString::to_string))
    };
    Some(match (text("value"), text("error")) {
        (Some(value), _) => Answer::Value(value),
        (_, Some(error)) => Answer::Error(error),
        _ => Answer::Skip,
    })
}
