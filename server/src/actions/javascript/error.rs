//! Why a script has no result. The texts become error results, so authors of workflows read them.

use rquickjs::{CaughtError, Coerced, Ctx, Exception, FromJs as _};

use super::SCRIPT;

/// Why the action fails.
#[derive(Debug, thiserror::Error)]
pub(super) enum Problem {
    /// There is nothing to run.
    #[error("'script' must be a text")]
    NoScript,
    /// The context has no form in the language.
    #[error("'context' cannot be given to a script: {0}")]
    NoContext(String),
    /// The script has thrown something, or is none.
    #[error("{what}{}", at(.line.as_ref()))]
    Thrown { what: String, line: Option<u32> },
    /// It took too long.
    #[error("the script ran longer than {seconds} s")]
    TimedOut { seconds: u64 },
    /// It needs too much.
    #[error("the script needs more than {bytes} bytes of memory")]
    OutOfMemory { bytes: usize },
    /// A part of the result is nothing that a workflow can hold.
    #[error("{place} is {what}, which a workflow cannot hold")]
    Unusable { place: String, what: &'static str },
    /// The result is too large.
    #[error("the result has more than {max} bytes")]
    TooLarge { max: usize },
    /// The result has no form outside.
    #[error("the result cannot be used: {0}")]
    NoResult(String),
    /// The engine does not start.
    #[error("the JavaScript engine cannot be set up: {0}")]
    NoEngine(String),
}

fn at(line: Option<&u32>) -> String {
    line.map_or_else(String::new, |line| format!(" (line {line})"))
}

/// What was thrown, in words.
pub(super) fn thrown<'js>(js: &Ctx<'js>, caught: CaughtError<'js>) -> Problem {
    match caught {
        CaughtError::Exception(exception) => of_exception(&exception),
        CaughtError::Value(value) => {
            let text = if value.is_object() {
                let json = js.json_stringify(value.clone()).ok().flatten();
                json.and_then(|json| json.to_string().ok())
            } else {
                let text = Coerced::<String>::from_js(js, value).ok();
                text.map(|text| text.0)
            };
            Problem::Thrown {
                what: text.unwrap_or_else(|| "something without a text was thrown".into()),
                line: None,
            }
        }
        CaughtError::Error(rquickjs::Error::Allocation) => Problem::OutOfMemory { bytes: 0 },
        CaughtError::Error(error) => Problem::NoResult(error.to_string()),
    }
}

fn of_exception(exception: &Exception<'_>) -> Problem {
    let name: Option<Coerced<String>> = exception.as_object().get("name").ok();
    let name = name.map_or_else(|| "Error".into(), |name| name.0);
    let message = exception.message().unwrap_or_default();
    if (name.as_str(), message.as_str()) == ("InternalError", "out of memory") {
        return Problem::OutOfMemory { bytes: 0 };
    }
    let colon = if message.is_empty() { "" } else { ": " };
    Problem::Thrown {
        what: format!("{name}{colon}{message}"),
        line: exception.stack().as_deref().and_then(line_in),
    }
}

/// The line of the script in a stack such as `at f (script:3:7)`.
fn line_in(stack: &str) -> Option<u32> {
    let (_, rest) = stack.split_once(&format!("{SCRIPT}:"))?;
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}
