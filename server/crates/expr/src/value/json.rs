//! JSON in and out, exact: integers keep every digit, doubles come back as they went.
//! Python-style text is left to `text`.

use std::fmt::Write;

use indexmap::IndexMap;
use num_bigint::BigInt;

use super::{BINARY_KEY, Binary, Dict, Value, float_text};

/// How deeply JSON may be nested, read or written.
pub(super) const DEPTH_MAX: usize = 128;

/// Why text is no JSON, or a value has no JSON form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonError {
    /// The text breaks JSON's grammar.
    #[error("invalid JSON at line {line}, column {column}: {message}")]
    Syntax {
        /// What was wrong.
        message: &'static str,
        /// Line, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
        /// Byte offset.
        offset: usize,
    },
    /// One object holds a key twice.
    #[error("invalid JSON at line {line}, column {column}: the key '{key}' occurs twice")]
    DuplicateKey {
        /// The key.
        key: String,
        /// Line, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
    },
    /// Nested deeper than [`DEPTH_MAX`].
    #[error("nested deeper than {DEPTH_MAX} levels")]
    TooDeep,
    /// A dict key that is not text.
    #[error("a dict key must be a string to be written as JSON, not the {kind} {key}")]
    Key {
        /// The kind of the key.
        kind: &'static str,
        /// The key as text.
        key: String,
    },
    /// A number that JSON does not have.
    #[error("{number} has no JSON form")]
    NotFinite {
        /// The number as text.
        number: String,
    },
    /// A kind that JSON does not have.
    #[error("a {kind} has no JSON form")]
    Kind {
        /// The kind.
        kind: &'static str,
    },
}

impl Value {
    /// Reads one JSON document.
    pub fn from_json(text: &str) -> Result<Self, JsonError> {
        Self::read_json(text, false)
    }

    /// Reads what Python's `json.loads` takes: also `NaN`, `Infinity` and floats beyond the range,
    /// and objects that hold a key twice, of which the last one counts.
    pub(crate) fn from_python_json(text: &str) -> Result<Self, JsonError> {
        Self::read_json(text, true)
    }

    fn read_json(text: &str, python: bool) -> Result<Self, JsonError> {
        let mut reader = Reader {
            text,
            bytes: text.as_bytes(),
            at: 0,
            python,
        };
        let value = reader.value(0)?;
        reader.space();
        if reader.at < reader.bytes.len() {
            return Err(reader.error("text after the end of the document"));
        }
        Ok(value)
    }

    /// The value as compact JSON.
    pub fn to_json(&self) -> Result<String, JsonError> {
        let mut out = String::new();
        self.write_json(&mut out)?;
        Ok(out)
    }

    /// Appends the value as compact JSON; on an error `out` holds a part of it.
    pub fn write_json(&self, out: &mut String) -> Result<(), JsonError> {
        Writer {
            out,
            indent: None,
            python: false,
            sorted: false,
        }
        .value(self, 0)
    }

    /// The value as Python's `json.dumps` writes it: a space after each comma and colon, or each
    /// item on a line of its own, and all but ASCII escaped.
    pub(crate) fn to_python_json(
        &self,
        indent: Option<usize>,
        sorted: bool,
    ) -> Result<String, JsonError> {
        let mut out = String::new();
        Writer {
            out: &mut out,
            indent,
            python: true,
            sorted,
        }
        .value(self, 0)?;
        Ok(out)
    }
}

struct Writer<'a> {
    out: &'a mut String,
    /// Each item goes on a line of its own, with so many spaces for each level.
    indent: Option<usize>,
    python: bool,
    /// Keys are sorted.
    sorted: bool,
}

impl Writer<'_> {
    fn value(&mut self, value: &Value, depth: usize) -> Result<(), JsonError> {
        if depth > DEPTH_MAX {
            return Err(JsonError::TooDeep);
        }
        match value {
            Value::Null => self.out.push_str("null"),
            Value::Bool(flag) => self.out.push_str(if *flag { "true" } else { "false" }),
            Value::Int(number) => self.display(number),
            Value::BigInt(number) => self.display(number),
            Value::Float(number) if number.is_finite() => self.out.push_str(&float_text(*number)),
            Value::Float(number) if self.python => self.out.push_str(special(*number)),
            Value::Float(number) => {
                return Err(JsonError::NotFinite {
                    number: float_text(*number),
                });
            }
            Value::Str(text) => self.string(text),
            Value::List(items) => self.items(items.iter(), depth)?,
            Value::Set(items) => self.items(items.iter(), depth)?,
            Value::Dict(dict) => self.dict(dict, depth)?,
            Value::DateTime(moment) => write_str(&moment.to_text('T'), self.out),
            // Text that an expression makes does not show what is inside.
            Value::Binary(binary) if !self.python => self.binary(binary, depth)?,
            Value::Binary(_) | Value::TimeSpan(_) | Value::Regex(_) | Value::Seq(_) => {
                return Err(JsonError::Kind {
                    kind: value.type_name(),
                });
            }
        }
        Ok(())
    }

    fn items<'v>(
        &mut self,
        items: impl ExactSizeIterator<Item = &'v Value>,
        depth: usize,
    ) -> Result<(), JsonError> {
        let empty = items.len() == 0;
        self.out.push('[');
        for (index, item) in items.enumerate() {
            self.separate(index, depth + 1);
            self.value(item, depth + 1)?;
        }
        self.close(']', empty, depth);
        Ok(())
    }

    fn dict(&mut self, dict: &Dict, depth: usize) -> Result<(), JsonError> {
        let map = dict.to_map();
        self.out.push('{');
        let mut items: Vec<(&Value, &Value)> = map.iter().collect();
        if self.sorted {
            items.sort_by(|(left, _), (right, _)| left.as_str().cmp(&right.as_str()));
        }
        for (index, (key, value)) in items.into_iter().enumerate() {
            self.separate(index, depth + 1);
            match key {
                Value::Str(name) => self.string(name),
                // Python makes texts of these keys.
                Value::Null
                | Value::Bool(_)
                | Value::Int(_)
                | Value::BigInt(_)
                | Value::Float(_)
                    if self.python =>
                {
                    self.out.push('"');
                    self.value(key, depth)?;
                    self.out.push('"');
                }
                _ => {
                    return Err(JsonError::Key {
                        kind: key.type_name(),
                        key: key.to_text(),
                    });
                }
            }
            self.out.push_str(if self.python { ": " } else { ":" });
            self.value(value, depth + 1)?;
        }
        self.close('}', map.is_empty(), depth);
        Ok(())
    }

    fn binary(&mut self, binary: &Binary, depth: usize) -> Result<(), JsonError> {
        let mut whole = Dict::new();
        whole.insert(BINARY_KEY, Value::Dict(binary.to_fields()));
        self.dict(&whole, depth)
    }

    fn separate(&mut self, index: usize, depth: usize) {
        if index > 0 {
            self.out.push_str(if self.python && self.indent.is_none() {
                ", "
            } else {
                ","
            });
        }
        self.line(depth);
    }

    fn close(&mut self, bracket: char, empty: bool, depth: usize) {
        if !empty {
            self.line(depth);
        }
        self.out.push(bracket);
    }

    fn line(&mut self, depth: usize) {
        if let Some(indent) = self.indent {
            self.out.push('\n');
            self.out.extend(std::iter::repeat_n(' ', indent * depth));
        }
    }

    fn string(&mut self, text: &str) {
        if !self.python || text.is_ascii() {
            return write_str(text, self.out);
        }
        let mut plain = String::new();
        write_str(text, &mut plain);
        for c in plain.chars() {
            if c.is_ascii() {
                self.out.push(c);
                continue;
            }
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(self.out, "\\u{unit:04x}").expect("a String accepts all text");
            }
        }
    }

    fn display(&mut self, number: &impl std::fmt::Display) {
        write!(self.out, "{number}").expect("a String accepts all text");
    }
}

fn write_str(text: &str, out: &mut String) {
    out.push('"');
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.push_str(&text[plain..at]);
        plain = at + 1;
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            0x08 => out.push_str("\\b"),
            0x0c => out.push_str("\\f"),
            _ => write!(out, "\\u{byte:04x}").expect("a String accepts all text"),
        }
    }
    out.push_str(&text[plain..]);
    out.push('"');
}

/// How Python writes a float that JSON does not have.
fn special(number: f64) -> &'static str {
    match number {
        f64::INFINITY => "Infinity",
        f64::NEG_INFINITY => "-Infinity",
        _ => "NaN",
    }
}

/// An object, or the binary data that it stands for.
fn finished(map: IndexMap<Value, Value>) -> Value {
    if map.len() == 1
        && let Some((key, fields)) = map.first()
        && key.as_str() == Some(BINARY_KEY)
        && let Some(binary) = Binary::from_fields(fields)
    {
        return Value::Binary(binary);
    }
    Value::Dict(map.into())
}

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    /// Takes what Python takes.
    python: bool,
}

impl Reader<'_> {
    fn value(&mut self, depth: usize) -> Result<Value, JsonError> {
        if depth > DEPTH_MAX {
            return Err(JsonError::TooDeep);
        }
        self.space();
        match self.bytes.get(self.at) {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => Ok(Value::from(self.string()?)),
            Some(b'-') if self.python && self.bytes[self.at..].starts_with(b"-I") => {
                self.word("-Infinity", Value::Float(f64::NEG_INFINITY))
            }
            Some(b'I') if self.python => self.word("Infinity", Value::Float(f64::INFINITY)),
            Some(b'N') if self.python => self.word("NaN", Value::Float(f64::NAN)),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            Some(_) => Err(self.error("a value was expected")),
            None => Err(self.error("the text ends where a value was expected")),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, JsonError> {
        self.at += 1;
        let mut map = IndexMap::new();
        self.space();
        if self.take(b'}') {
            return Ok(Value::Dict(Dict::new()));
        }
        loop {
            self.space();
            if self.bytes.get(self.at) != Some(&b'"') {
                return Err(self.error("a key in double quotes was expected"));
            }
            let start = self.at;
            let key = Value::from(self.string()?);
            self.space();
            if !self.take(b':') {
                return Err(self.error("':' was expected after the key"));
            }
            let value = self.value(depth + 1)?;
            if !self.python
                && let Some(key) = map
                    .get_key_value(&key)
                    .map(|(key, _): (&Value, _)| key.to_text())
            {
                let (line, column) = self.position(start);
                return Err(JsonError::DuplicateKey { key, line, column });
            }
            map.insert(key, value);
            self.space();
            if self.take(b'}') {
                return Ok(finished(map));
            }
            if !self.take(b',') {
                return Err(self.error("',' or '}' was expected"));
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, JsonError> {
        self.at += 1;
        let mut items = Vec::new();
        self.space();
        if self.take(b']') {
            return Ok(Value::empty_list());
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.space();
            if self.take(b']') {
                return Ok(Value::from(items));
            }
            if !self.take(b',') {
                return Err(self.error("',' or ']' was expected"));
            }
        }
    }

    fn string(&mut self) -> Result<String, JsonError> {
        self.at += 1;
        let mut out = String::new();
        let mut plain = self.at;
        loop {
            match self.bytes.get(self.at) {
                None => return Err(self.error("the string has no closing quote")),
                Some(b'"') => {
                    out.push_str(&self.text[plain..self.at]);
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => {
                    out.push_str(&self.text[plain..self.at]);
                    self.at += 1;
                    out.push(self.escape()?);
                    plain = self.at;
                }
                Some(0..0x20) => return Err(self.error("a control character must be escaped")),
                Some(_) => self.at += 1,
            }
        }
    }

    fn escape(&mut self) -> Result<char, JsonError> {
        let byte = self.bytes.get(self.at).copied();
        self.at += 1;
        Ok(match byte {
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            _ => {
                self.at -= 1;
                return Err(self.error("unknown escape"));
            }
        })
    }

    fn unicode(&mut self) -> Result<char, JsonError> {
        let first = self.hex4()?;
        if let Some(c) = char::from_u32(first) {
            return Ok(c);
        }
        if (0xd800..0xdc00).contains(&first) && self.bytes[self.at..].starts_with(b"\\u") {
            self.at += 2;
            let second = self.hex4()?;
            if (0xdc00..0xe000).contains(&second) {
                let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return Ok(char::from_u32(code).expect("a surrogate pair names a character"));
            }
        }
        Err(self.error("half of a surrogate pair"))
    }

    fn hex4(&mut self) -> Result<u32, JsonError> {
        let digits = self.bytes.get(self.at..self.at + 4);
        let code = digits
            .filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u32::from_str_radix(digits, 16).ok())
            .ok_or_else(|| self.error("four hexadecimal digits were expected"))?;
        self.at += 4;
        Ok(code)
    }

    fn number(&mut self) -> Result<Value, JsonError> {
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') && self.digits() == 0 {
            return Err(self.error("a digit was expected"));
        }
        let mut float = false;
        if self.take(b'.') {
            float = true;
            if self.digits() == 0 {
                return Err(self.error("a digit was expected after the point"));
            }
        }
        if self.take(b'e') || self.take(b'E') {
            float = true;
            let _sign = self.take(b'+') || self.take(b'-');
            if self.digits() == 0 {
                return Err(self.error("a digit was expected in the exponent"));
            }
        }
        let text = &self.text[start..self.at];
        if float {
            let number: f64 = text.parse().map_err(|_| self.error("not a number"))?;
            return if self.python || number.is_finite() {
                Ok(Value::Float(number))
            } else {
                Err(self.error("the number is too large"))
            };
        }
        match text.parse() {
            Ok(small) => Ok(Value::Int(small)),
            Err(_) => text
                .parse::<BigInt>()
                .map(Value::from_bigint)
                .map_err(|_| self.error("not a number")),
        }
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        self.at - start
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, JsonError> {
        if self.bytes[self.at..].starts_with(word.as_bytes()) {
            self.at += word.len();
            Ok(value)
        } else {
            Err(self.error("a value was expected"))
        }
    }

    fn space(&mut self) {
        while matches!(self.bytes.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.bytes.get(self.at) == Some(&byte);
        self.at += usize::from(found);
        found
    }

    fn position(&self, offset: usize) -> (usize, usize) {
        let before = &self.bytes[..offset.min(self.bytes.len())];
        let line = before.split(|byte| *byte == b'\n').count();
        let start = before
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1);
        // Continuation bytes of UTF-8 are no characters of their own.
        let column = before[start..]
            .iter()
            .filter(|byte| **byte & 0xc0 != 0x80)
            .count()
            + 1;
        (line, column)
    }

    fn error(&self, message: &'static str) -> JsonError {
        let (line, column) = self.position(self.at);
        JsonError::Syntax {
            message,
            line,
            column,
            offset: self.at,
        }
    }
}
