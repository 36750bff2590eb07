//! The programs of `tests/workers`: found, started, and ended in every way.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use e2e::server::binary;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::support::PATIENCE;
use crate::toolchain::{self, tests_folder};

/// How the program of a language is started.
#[derive(Clone, Debug)]
pub(crate) struct Language {
    name: &'static str,
    command: Vec<PathBuf>,
    /// Whether its arguments say where the server is. Otherwise only its environment does.
    has_place: bool,
}

impl Language {
    /// All languages whose tools are there; programs are built into the folder.
    pub(crate) async fn all(folder: &Path) -> Vec<Self> {
        let rust = PathBuf::from(env!("CARGO_BIN_EXE_scenario-worker"));
        let mut all = vec![Self {
            name: "rust",
            command: vec![rust],
            has_place: true,
        }];
        let mut missing = Vec::new();
        let script = tests_folder().join("workers/python/worker.py");
        match toolchain::python().unwrap() {
            Some(python) => all.push(Self {
                name: "python",
                command: vec![python, script],
                has_place: true,
            }),
            None => missing.push("SKIPPED python: no toolchain".to_owned()),
        }
        match toolchain::go_build("workers/go", &folder.join("worker"))
            .await
            .unwrap()
        {
            Some(program) => all.push(Self {
                name: "go",
                command: vec![program],
                has_place: true,
            }),
            None => missing.push("SKIPPED go: no toolchain".to_owned()),
        }
        toolchain::tell_missing(&missing);
        all
    }

    /// Any program as a worker, through the command line.
    pub(crate) fn stdio(arguments: &[&str], program: &Path) -> Self {
        let mut command = vec![binary().unwrap(), "worker".into(), "stdio".into()];
        command.extend(arguments.iter().map(PathBuf::from));
        command.extend(["--".into(), "sh".into(), program.into()]);
        Self {
            name: "stdio",
            command,
            has_place: false,
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    fn place<'a>(&self, address: &'a str, project: &'a str) -> Vec<&'a str> {
        if self.has_place {
            vec!["--server", address, "--project", project]
        } else {
            Vec::new()
        }
    }
}

/// A worker process; killed when this value is dropped.
pub(crate) struct Program {
    child: Child,
    pid: String,
}

impl Program {
    /// Starts one and waits until it is welcomed.
    pub(crate) async fn start(
        language: &Language,
        address: &str,
        project: &str,
        log: &Path,
    ) -> Self {
        let mut program = Self::begin(language, address, project, log);
        let stdout = program.child.stdout.take().unwrap();
        let line = timeout(PATIENCE, BufReader::new(stdout).lines().next_line()).await;
        let line = line.expect("it is welcomed in time").unwrap();
        assert_eq!(line.as_deref(), Some("ready"), "{}", language.name);
        program
    }

    /// Starts one and waits for nothing.
    pub(crate) fn begin(language: &Language, address: &str, project: &str, log: &Path) -> Self {
        let (program, arguments) = language.command.split_first().unwrap();
        let child = Command::new(program)
            .args(arguments)
            .args(language.place(address, project))
            .env("AUTAN_SERVER", format!("http://{address}"))
            .env("AUTAN_PROJECT", project)
            .env("AUTAN_TEST_LOG", log)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let pid = child.id().unwrap().to_string();
        Self { child, pid }
    }

    /// Tells it to end.
    pub(crate) async fn terminate(&self) {
        let told = Command::new("kill")
            .args(["-TERM", &self.pid])
            .status()
            .await;
        assert!(told.unwrap().success());
    }

    /// Ends it at once.
    pub(crate) async fn kill(&mut self) {
        self.child.kill().await.unwrap();
    }

    /// Waits for its end and gives its exit code.
    pub(crate) async fn ended(mut self) -> Option<i32> {
        let status = timeout(PATIENCE, self.child.wait()).await;
        status.expect("it ends in time").unwrap().code()
    }
}
