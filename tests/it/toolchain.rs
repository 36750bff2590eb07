//! What tests in other languages need: a Python with the SDK, and a Go.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use tokio::process::Command;

/// Names the Python that has the SDK.
const PYTHON_VARIABLE: &str = "AUTAN_PYTHON";

/// A Python with the SDK, if there is one.
pub(crate) fn python() -> Result<Option<PathBuf>> {
    let named = env::var_os(PYTHON_VARIABLE).filter(|value| !value.is_empty());
    if let Some(named) = named {
        return Ok(Some(PathBuf::from(named)));
    }
    let repository = tests_folder()
        .parent()
        .context("tests lie in the repository")?;
    let python = repository.join("sdk-python/.venv/bin/python");
    Ok(python.exists().then_some(python))
}

/// Builds a Go program of a folder below `tests`; `None` if there is no Go.
pub(crate) async fn go_build(folder: &str, program: &Path) -> Result<Option<PathBuf>> {
    let build = Command::new("go")
        .args(["build", "-o"])
        .args([program, Path::new(".")])
        .current_dir(tests_folder().join(folder))
        .output()
        .await;
    match build {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).context("starting go"),
        Ok(output) if output.status.success() => Ok(Some(program.to_owned())),
        Ok(output) => bail!("go build: {}", String::from_utf8_lossy(&output.stderr)),
    }
}

/// Says what is skipped. In CI nothing may be.
#[track_caller]
pub(crate) fn tell_missing(missing: &[String]) {
    for line in missing {
        eprintln!("{line}");
    }
    if env::var("CI").is_ok_and(|value| value == "true") {
        assert!(missing.is_empty(), "{}", missing.join("\n"));
    }
}

pub(crate) fn tests_folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
