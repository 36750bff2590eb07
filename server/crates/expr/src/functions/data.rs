//! Builtins that read and write JSON and YAML. The formats themselves are in `value::json` and
//! `crate::yaml`.

use super::{Builtin, Call, function};
use crate::Value;
use crate::fault::{Fault, Result};
use crate::yaml;

pub(super) const BUILTINS: &[Builtin] = &[
    function(
        "json_parse",
        "text: string",
        |call| parse_json(&call.text(0)),
        "Reads a value from JSON.",
        &[
            ("json_parse('[1, null]')", "null", "[1, null]"),
            ("json_parse($).a", "\"{\\\"a\\\": 1.5}\"", "1.5"),
        ],
    ),
    function(
        "json_dump|json_pp",
        "object: any?",
        |call| dump(call, dump_json),
        "Writes a value as JSON, indented by four spaces.",
        &[
            ("json_dump([1])", "null", "\"[\\n    1\\n]\""),
            ("json_dump({})", "null", "\"{}\""),
        ],
    ),
    function(
        "yaml_parse",
        "text: string",
        |call| parse_yaml(&call.text(0)),
        "Reads a value from YAML, without anchors.",
        &[
            (
                "yaml_parse('a: [yes, 0x10]')",
                "null",
                "{\"a\": [true, 16]}",
            ),
            ("yaml_parse($)", "\"- 1\\n- no\"", "[1, false]"),
        ],
    ),
    function(
        "yaml_dump",
        "object: any?",
        |call| dump(call, dump_yaml),
        "Writes a value as YAML in block style.",
        &[
            ("yaml_dump({a => [1]})", "null", "\"a:\\n- 1\\n\""),
            ("yaml_dump($)", "[1, \"a b\"]", "\"- 1\\n- a b\\n\""),
        ],
    ),
];

fn dump(call: &mut Call<'_, '_>, write: fn(&Value) -> Result<String>) -> Result<Value> {
    let value = call.machine.strict(call.value(0))?;
    let text = write(&value)?;
    call.machine.check_bytes(text.len())?;
    Ok(Value::from(text))
}

pub(crate) fn parse_json(text: &str) -> Result<Value> {
    Value::from_python_json(text).map_err(|error| Fault::value(error.to_string()))
}

pub(crate) fn dump_json(value: &Value) -> Result<String> {
    value
        .to_python_json(Some(4), false)
        .map_err(|error| Fault::value(error.to_string()))
}

pub(crate) fn parse_yaml(text: &str) -> Result<Value> {
    yaml::parse(text).map_err(|error| Fault::value(error.to_string()))
}

pub(crate) fn dump_yaml(value: &Value) -> Result<String> {
    yaml::dump(value).map_err(|error| Fault::value(error.to_string()))
}
