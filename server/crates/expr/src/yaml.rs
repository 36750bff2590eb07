//! YAML for `yaml_parse` and `yaml_dump`, as PyYAML's safe loader and dumper have it in Mistral:
//! anchors and aliases are text. Reading definitions, with positions and all findings at once, is
//! left to `definition`; both go by `mask` and `resolve`.
//!
//! The reader limits size and nesting before anything is built. Dates stay text, for JSON has
//! none.

use std::fmt::Write;

use saphyr_parser::{Event, Parser, ScalarStyle, Tag};

use crate::value::float_text;
use crate::{Dict, Value};

pub(crate) mod mask;
pub mod resolve;

use mask::Mask;
use resolve::{Malformed, Resolved};

/// The longest text that is read, in bytes.
const BYTES_MAX: usize = 1 << 20;

/// How deeply it may be nested.
const DEPTH_MAX: usize = 100;

/// Keys of so many characters and more get lines of their own.
const SIMPLE_KEY_CHARS: usize = 128;

/// Characters of a bad scalar that an error shows.
const SHOWN_CHARS_MAX: usize = 60;

/// Why YAML cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum YamlError {
    #[error("invalid YAML: {0}")]
    Syntax(#[from] saphyr_parser::ScanError),
    #[error("the YAML is longer than {BYTES_MAX} bytes")]
    TooLong,
    #[error("the YAML is nested deeper than {DEPTH_MAX} levels")]
    TooDeep,
    #[error("the YAML holds more than one document")]
    SeveralDocuments,
    #[error("the YAML uses every private use character of Unicode")]
    NoStandIn,
    #[error("the tag `{0}` is not supported here")]
    Tag(String),
    #[error("`<<` merges a mapping or a list of mappings")]
    Merge,
    #[error("a {0} cannot be a key in YAML")]
    Key(&'static str),
    #[error("`{0}` is no number that can be read")]
    Scalar(String),
    #[error("a {0} has no YAML form")]
    Kind(&'static str),
}

/// Reads one document; an empty text gives null.
pub(crate) fn parse(text: &str) -> Result<Value, YamlError> {
    if text.len() > BYTES_MAX {
        return Err(YamlError::TooLong);
    }
    let (mask, text) = Mask::apply(text).ok_or(YamlError::NoStandIn)?;
    let mut builder = Builder {
        mask,
        open: Vec::new(),
        root: None,
    };
    let mut documents = 0;
    for event in Parser::new_from_str(&text) {
        let (event, _) = event?;
        documents += usize::from(matches!(event, Event::DocumentStart(_)));
        if documents > 1 {
            return Err(YamlError::SeveralDocuments);
        }
        builder.take(event)?;
    }
    Ok(builder.root.unwrap_or_default())
}

/// A collection whose end has not been read yet.
enum Open {
    List(Vec<Value>),
    /// The items so far, the key whose value comes next, and what gives way to the items because
    /// it is merged in.
    Dict(Dict, Option<Key>, Dict),
}

enum Key {
    Plain(Value),
    /// `<<`
    Merge,
}

struct Builder {
    mask: Mask,
    open: Vec<Open>,
    root: Option<Value>,
}

impl Builder {
    fn take(&mut self, event: Event<'_>) -> Result<(), YamlError> {
        match event {
            Event::Scalar(text, style, _, tag) => {
                let text = self.mask.remove(&text).into_owned();
                let is_plain = style == ScalarStyle::Plain;
                self.scalar(&text, is_plain, tag.as_deref())
            }
            Event::SequenceStart(_, tag) => {
                expect_tag(tag.as_deref(), "seq")?;
                self.open(Open::List(Vec::new()))
            }
            Event::MappingStart(_, tag) => {
                expect_tag(tag.as_deref(), "map")?;
                self.open(Open::Dict(Dict::new(), None, Dict::new()))
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            _ => Ok(()),
        }
    }

    fn scalar(&mut self, text: &str, is_plain: bool, tag: Option<&Tag>) -> Result<(), YamlError> {
        let resolved = match tag {
            Some(tag) if tag.is_yaml_core_schema() => resolve::tagged(&tag.suffix, text),
            Some(tag) if !is_non_specific(tag) => Err(Malformed::UnknownTag),
            _ if is_plain => resolve::plain(text),
            _ => Ok(Resolved::Value(Value::from(text))),
        };
        let expects_key = matches!(self.open.last(), Some(Open::Dict(_, None, _)));
        match (resolved, tag) {
            (Ok(Resolved::Value(value)), _) => self.add(value),
            (Ok(Resolved::Date), _) => self.add(Value::from(text)),
            (Ok(Resolved::Default), _) if expects_key => self.add(Value::from(text)),
            (Ok(Resolved::Merge), _) if expects_key => {
                if let Some(Open::Dict(_, key, _)) = self.open.last_mut() {
                    *key = Some(Key::Merge);
                }
                Ok(())
            }
            (Err(Malformed::UnknownTag), Some(tag)) => Err(unknown(tag)),
            _ => Err(YamlError::Scalar(
                text.chars().take(SHOWN_CHARS_MAX).collect(),
            )),
        }
    }

    fn open(&mut self, collection: Open) -> Result<(), YamlError> {
        if self.open.len() >= DEPTH_MAX {
            return Err(YamlError::TooDeep);
        }
        self.open.push(collection);
        Ok(())
    }

    fn close(&mut self) -> Result<(), YamlError> {
        match self.open.pop() {
            Some(Open::List(items)) => self.add(Value::from(items)),
            Some(Open::Dict(own, _, merged)) if merged.is_empty() => self.add(Value::Dict(own)),
            Some(Open::Dict(own, _, mut merged)) => {
                for (key, value) in own.iter() {
                    merged.insert(key, value);
                }
                self.add(Value::Dict(merged))
            }
            None => Ok(()),
        }
    }

    fn add(&mut self, value: Value) -> Result<(), YamlError> {
        match self.open.last_mut() {
            None => self.root = Some(value),
            Some(Open::List(items)) => items.push(value),
            Some(Open::Dict(dict, key, merged)) => match key.take() {
                Some(Key::Plain(key)) => {
                    dict.insert(key, value);
                }
                Some(Key::Merge) => merge(merged, &value)?,
                None if matches!(value, Value::List(_) | Value::Dict(_)) => {
                    return Err(YamlError::Key(value.type_name()));
                }
                None => *key = Some(Key::Plain(value)),
            },
        }
        Ok(())
    }
}

/// Merges a mapping, or a list of mappings of which earlier ones win.
fn merge(into: &mut Dict, value: &Value) -> Result<(), YamlError> {
    match value {
        Value::Dict(dict) => {
            for (key, value) in dict.iter() {
                into.insert(key, value);
            }
            Ok(())
        }
        Value::List(items) => items.iter().rev().try_for_each(|item| match item {
            Value::Dict(_) => merge(into, item),
            _ => Err(YamlError::Merge),
        }),
        _ => Err(YamlError::Merge),
    }
}

/// The tag `!` alone: "whatever is usual".
fn is_non_specific(tag: &Tag) -> bool {
    (tag.handle.is_empty() && tag.suffix == "!") || (tag.handle == "!" && tag.suffix.is_empty())
}

fn expect_tag(tag: Option<&Tag>, wanted: &str) -> Result<(), YamlError> {
    match tag {
        Some(tag) if tag.is_yaml_core_schema() && tag.suffix == wanted => Ok(()),
        Some(tag) if !is_non_specific(tag) => Err(unknown(tag)),
        _ => Ok(()),
    }
}

fn unknown(tag: &Tag) -> YamlError {
    let handle = if tag.is_yaml_core_schema() {
        "!!"
    } else {
        &tag.handle
    };
    YamlError::Tag(format!("{handle}{}", tag.suffix))
}

/// Writes a document in block style, keys sorted where all are text, as PyYAML does.
pub(crate) fn dump(value: &Value) -> Result<String, YamlError> {
    let mut out = String::new();
    match value {
        Value::List(items) if !items.is_empty() => block(value, 0, &mut out)?,
        Value::Dict(dict) if !dict.is_empty() => block(value, 0, &mut out)?,
        Value::Set(_) | Value::Seq(_) => return Err(YamlError::Kind(value.type_name())),
        _ => {
            let text = flat(value, 0)?;
            out.push_str(&text);
            out.push('\n');
            if !text.starts_with(['\'', '"', '[', '{']) {
                out.push_str("...\n");
            }
        }
    }
    Ok(out)
}

fn block(value: &Value, indent: usize, out: &mut String) -> Result<(), YamlError> {
    if indent > 2 * DEPTH_MAX {
        return Err(YamlError::TooDeep);
    }
    match value {
        Value::List(items) => {
            for (index, item) in items.iter().enumerate() {
                pad(index, indent, out);
                out.push_str("- ");
                within(item, indent, out)?;
            }
        }
        Value::Dict(dict) => {
            let mut items: Vec<(Value, Value)> = dict.iter().collect();
            if items.iter().all(|(key, _)| key.as_str().is_some()) {
                items.sort_by(|(left, _), (right, _)| left.as_str().cmp(&right.as_str()));
            }
            for (index, (key, item)) in items.iter().enumerate() {
                pad(index, indent, out);
                let shown = flat(key, indent)?;
                if is_long_key(key) {
                    out.push_str("? ");
                    out.push_str(&shown);
                    out.push('\n');
                    out.extend(std::iter::repeat_n(' ', indent));
                    out.push_str(": ");
                    within(item, indent, out)?;
                    continue;
                }
                out.push_str(&shown);
                out.push(':');
                match item {
                    // A list stands below its key without further indent.
                    Value::List(inner) if !inner.is_empty() => {
                        out.push('\n');
                        out.extend(std::iter::repeat_n(' ', indent));
                        block(item, indent, out)?;
                    }
                    Value::Dict(inner) if !inner.is_empty() => {
                        out.push('\n');
                        out.extend(std::iter::repeat_n(' ', indent + 2));
                        block(item, indent + 2, out)?;
                    }
                    _ => {
                        out.push(' ');
                        out.push_str(&flat(item, indent)?);
                        out.push('\n');
                    }
                }
            }
        }
        _ => {}
    }
    Ok(())
}

/// A value that begins on the line of its mark, and goes on below it.
fn within(item: &Value, indent: usize, out: &mut String) -> Result<(), YamlError> {
    match item {
        Value::List(inner) if !inner.is_empty() => block(item, indent + 2, out),
        Value::Dict(inner) if !inner.is_empty() => block(item, indent + 2, out),
        _ => {
            out.push_str(&flat(item, indent)?);
            out.push('\n');
            Ok(())
        }
    }
}

/// Whether a key gets a line of its own, as PyYAML gives to those that are empty, long or of
/// several lines.
fn is_long_key(key: &Value) -> bool {
    let breaks = ['\n', '\u{85}', '\u{2028}', '\u{2029}'];
    let is_long = |text: &str| {
        text.is_empty() || text.contains(breaks) || text.chars().count() >= SIMPLE_KEY_CHARS
    };
    key.as_str().is_some_and(is_long)
}

/// The first line of a block goes where its parent has led to.
fn pad(index: usize, indent: usize, out: &mut String) {
    if index > 0 {
        out.extend(std::iter::repeat_n(' ', indent));
    }
}

fn flat(value: &Value, indent: usize) -> Result<String, YamlError> {
    Ok(match value {
        Value::Null => "null".into(),
        Value::Bool(flag) => flag.to_string(),
        Value::Int(_) | Value::BigInt(_) => value.to_text(),
        Value::Float(number) => float_yaml(*number),
        Value::Str(text) => scalar(text, indent),
        Value::List(_) => "[]".into(),
        Value::Dict(_) => "{}".into(),
        Value::DateTime(moment) => moment.to_text(' '),
        Value::Set(_) | Value::Binary(_) | Value::TimeSpan(_) | Value::Regex(_) | Value::Seq(_) => {
            return Err(YamlError::Kind(value.type_name()));
        }
    })
}

fn float_yaml(number: f64) -> String {
    if number.is_nan() {
        return ".nan".into();
    }
    if number.is_infinite() {
        return if number > 0.0 {
            ".inf".into()
        } else {
            "-.inf".into()
        };
    }
    let text = float_text(number);
    // Without a point it would be read back as text.
    if text.contains('.') {
        text
    } else {
        text.replacen('e', ".0e", 1)
    }
}

fn scalar(text: &str, indent: usize) -> String {
    let special = |c: char| c != '\n' && (c.is_control() || !c.is_ascii());
    if text.chars().any(special) || text.contains(" \n") || text.contains("\n ") {
        return double_quoted(text);
    }
    if text.contains('\n') {
        return single_quoted(text, indent + 2);
    }
    if is_plain(text) {
        text.into()
    } else {
        format!("'{}'", text.replace('\'', "''"))
    }
}

fn is_plain(text: &str) -> bool {
    let first = text.chars().next();
    let indicator = first.is_none_or(|c| "#,[]{}&*!|>'\"%@`".contains(c))
        || matches!(first, Some('-' | '?' | ':'))
            && text[1..].chars().next().is_none_or(|c| c == ' ');
    !indicator
        && text.trim() == text
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.ends_with(':')
        && !text.starts_with("---")
        && !text.starts_with("...")
        && matches!(resolve::plain(text), Ok(Resolved::Value(Value::Str(_))))
}

/// A text of several lines, each but the first indented. Line feeds are written once more than
/// there are, for a single one would become a space.
fn single_quoted(text: &str, indent: usize) -> String {
    let mut out = String::from("'");
    let mut before = ' ';
    for c in text.chars() {
        match (before, c) {
            ('\n', '\n') => {}
            (_, '\n') => out.push('\n'),
            ('\n', _) => out.extend(std::iter::repeat_n(' ', indent)),
            _ => {}
        }
        out.push(c);
        if c == '\'' {
            out.push(c);
        }
        before = c;
    }
    if before == '\n' {
        out.extend(std::iter::repeat_n(' ', indent));
    }
    out.push('\'');
    out
}

fn double_quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        let code = u32::from(c);
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\0' => out.push_str("\\0"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            '\u{1b}' => out.push_str("\\e"),
            '\u{85}' => out.push_str("\\N"),
            '\u{a0}' => out.push_str("\\_"),
            '\u{2028}' => out.push_str("\\L"),
            '\u{2029}' => out.push_str("\\P"),
            ' '..='~' => out.push(c),
            _ => {
                let written = match code {
                    0..=0xff => write!(out, "\\x{code:02X}"),
                    0x100..=0xffff => write!(out, "\\u{code:04X}"),
                    _ => write!(out, "\\U{code:08X}"),
                };
                written.expect("a String accepts all text");
            }
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests;
