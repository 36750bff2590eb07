//! Values from arguments and files.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::error::Error;

/// Stands for standard input where a file is named.
const STDIN: &str = "-";

/// `key=value` with a JSON value, or a plain text where it is none.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pair {
    pub(super) key: String,
    pub(super) value: Value,
}

/// Reads `key=value`.
pub(super) fn pair(text: &str) -> Result<Pair, String> {
    let (key, rest) = split(text)?;
    Ok(Pair {
        key: key.to_owned(),
        value: value(rest),
    })
}

/// Reads `key=text`, where the text is a text even if it looks like a number.
pub(super) fn label(text: &str) -> Result<(String, String), String> {
    let (key, rest) = split(text)?;
    Ok((key.to_owned(), rest.to_owned()))
}

/// A JSON value, or a plain text where it is none.
pub(super) fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}

fn split(text: &str) -> Result<(&str, &str), String> {
    match text.split_once('=') {
        Some((key, rest)) if !key.is_empty() => Ok((key, rest)),
        _ => Err(format!("`{text}` is not of the form KEY=VALUE")),
    }
}

/// Inputs of a workflow.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct InputArgs {
    /// One input; the value is JSON if it parses, else text
    #[arg(short, long = "input", value_name = "KEY=VALUE", value_parser = pair)]
    input: Vec<Pair>,
    /// A JSON or YAML file with inputs (`-` is standard input); --input wins
    #[arg(long, value_name = "FILE")]
    input_file: Option<PathBuf>,
}

impl InputArgs {
    /// All inputs as one object; `None` if none were given.
    pub(super) fn read(self) -> Result<Option<Map<String, Value>>, Error> {
        let object = match &self.input_file {
            Some(path) => Some(read_object(path)?),
            None => None,
        };
        Ok(merge(object, self.input))
    }
}

/// The object with these pairs in it, if there is anything at all.
fn merge(object: Option<Map<String, Value>>, pairs: Vec<Pair>) -> Option<Map<String, Value>> {
    let mut object = object;
    for Pair { key, value } in pairs {
        object.get_or_insert_default().insert(key, value);
    }
    object
}

/// An object of pairs.
pub(super) fn object(pairs: impl IntoIterator<Item = Pair>) -> Map<String, Value> {
    pairs
        .into_iter()
        .map(|pair| (pair.key, pair.value))
        .collect()
}

/// The object that a JSON or YAML file holds.
pub(super) fn read_object(path: &Path) -> Result<Map<String, Value>, Error> {
    parse_object(path, &read_text(path)?)
}

fn parse_object(path: &Path, text: &str) -> Result<Map<String, Value>, Error> {
    let wrong = |message: String| Error::Content {
        path: path.to_owned(),
        expected: "a JSON or YAML object",
        message,
    };
    match serde_yaml::from_str(text).map_err(|error| wrong(error.to_string()))? {
        Value::Object(object) => Ok(object),
        Value::Null => Err(wrong("it is empty".to_owned())),
        Value::Array(_) => Err(wrong("it is a list".to_owned())),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            Err(wrong("it is a single value".to_owned()))
        }
    }
}

/// A whole file, or standard input, as text.
pub(super) fn read_text(path: &Path) -> Result<String, Error> {
    let bytes = read_file(path)?;
    String::from_utf8(bytes).map_err(|error| Error::Content {
        path: path.to_owned(),
        expected: "UTF-8 text",
        message: error.utf8_error().to_string(),
    })
}

/// A whole file, or standard input.
pub(super) fn read_file(path: &Path) -> Result<Vec<u8>, Error> {
    let read = if path.as_os_str() == STDIN {
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        fs::read(path)
    };
    read.map_err(|source| Error::File {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_json_if_they_can_be() {
        for (text, key, expected) in [
            ("n=1", "n", json!(1)),
            ("n=9007199254740993", "n", json!(9_007_199_254_740_993_i64)),
            ("b=true", "b", json!(true)),
            ("t=hello world", "t", json!("hello world")),
            ("t=\"1\"", "t", json!("1")),
            ("l=[1, 2]", "l", json!([1, 2])),
            ("o={\"a\": null}", "o", json!({"a": null})),
            ("broken={a}", "broken", json!("{a}")),
            ("empty=", "empty", json!("")),
            ("url=http://x?a=b", "url", json!("http://x?a=b")),
        ] {
            assert_eq!(
                pair(text),
                Ok(Pair {
                    key: key.to_owned(),
                    value: expected
                })
            );
        }
        assert_eq!(label("v=1"), Ok(("v".to_owned(), "1".to_owned())));
        for text in ["", "key", "=value"] {
            assert_eq!(
                pair(text),
                Err(format!("`{text}` is not of the form KEY=VALUE"))
            );
        }
    }

    /// Reads inputs with this file content and these pairs; the object or the error as text.
    fn check(file: Option<&str>, pairs: &[&str]) -> String {
        let object = match file
            .map(|text| parse_object(Path::new("input"), text))
            .transpose()
        {
            Ok(object) => object,
            Err(Error::Content { message, .. }) => return message,
            Err(other) => panic!("{other}"),
        };
        match merge(
            object,
            pairs.iter().map(|text| pair(text).unwrap()).collect(),
        ) {
            Some(object) => Value::Object(object).to_string(),
            None => "none".to_owned(),
        }
    }

    #[test]
    fn inputs_come_from_files_and_arguments() {
        assert_eq!(check(None, &[]), "none");
        assert_eq!(check(None, &["a=1"]), "{\"a\":1}");
        assert_eq!(
            check(Some("a: 1\nb: [x]"), &["a=2"]),
            "{\"a\":2,\"b\":[\"x\"]}"
        );
        assert_eq!(check(Some("{\"a\": 1}"), &[]), "{\"a\":1}");
        assert_eq!(check(Some("[1]"), &[]), "it is a list");
        assert_eq!(check(Some(""), &[]), "it is empty");
        assert_eq!(check(Some("text"), &[]), "it is a single value");
    }
}
