//! `autan evaluate`: one expression over given data.

use std::path::Path;

use autan::ExpressionLanguage;
use serde_json::Value;

use super::Exit;
use super::connect::Globals;
use super::error::Error;
use super::input::{Pair, object, pair, read_object};
use super::output::Output;
use super::show;

/// Arguments of `autan evaluate`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    /// The expression, such as `<% $.items.len() %>` or `{{ _.name }}`
    expression: String,
    /// What `$` and `_` are: JSON, or a JSON or YAML file (`-` is standard input)
    #[arg(short, long, value_name = "FILE|JSON")]
    context: Option<String>,
    /// A variable that `env()` gives; JSON if it parses, else text
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    env: Vec<Pair>,
    /// Take the text for one expression of this language, without its brackets
    #[arg(short, long, value_enum)]
    language: Option<LanguageArg>,
}

/// The two languages, as words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum LanguageArg {
    /// What stands in `<% %>`
    Yaql,
    /// What stands in `{{ }}`
    Jinja,
}

pub(super) async fn run(globals: &Globals, args: Args, output: &Output) -> Result<Exit, Error> {
    let client = globals.connect().await?;
    let mut call = client.evaluate(args.expression);
    if let Some(context) = &args.context {
        call = call.context(&read_context(context)?)?;
    }
    if !args.env.is_empty() {
        call = call.env(&object(args.env))?;
    }
    if let Some(language) = args.language {
        call = call.language(match language {
            LanguageArg::Yaql => ExpressionLanguage::Yaql,
            LanguageArg::Jinja => ExpressionLanguage::Jinja,
        });
    }
    match call.await {
        Ok(value) if output.is_json() => {
            output.line(value.json_text().unwrap_or_default())?;
            Ok(Exit::Success)
        }
        Ok(value) => {
            output.line(show::payload(Some(&value)))?;
            Ok(Exit::Success)
        }
        // The expression is what was asked about, so its fault is an answer.
        Err(autan::Error::Expression(error)) => {
            output.one(&*error, |error| {
                format!("error: {error}\n{}", error.excerpt)
            })?;
            Ok(Exit::Failure)
        }
        Err(error) => Err(error.into()),
    }
}

/// JSON, if it is some; else the content of a file of that name.
fn read_context(text: &str) -> Result<Value, Error> {
    match serde_json::from_str(text) {
        Ok(value) => Ok(value),
        Err(_) => read_object(Path::new(text)).map(Value::Object),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_context_is_json_or_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("context.yaml");
        std::fs::write(&path, "a: [1]\n").unwrap();
        let file = path.to_str().unwrap().to_owned();
        for (text, expected) in [
            ("{\"a\": 1}", json!({"a": 1})),
            ("[1, 2]", json!([1, 2])),
            (&*file, json!({"a": [1]})),
        ] {
            assert_eq!(read_context(text).unwrap(), expected, "{text}");
        }
        let missing = folder.path().join("missing").display().to_string();
        let error = read_context(&missing).unwrap_err().to_string();
        assert!(error.starts_with("cannot read"), "{error}");
    }
}
