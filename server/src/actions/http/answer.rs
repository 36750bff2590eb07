//! Writing the result of `std.http`: the dict that a workflow sees.

use std::time::Duration;

use bytes::Bytes;
use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
use engine::Data;
use expr::{Dict, Value};
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName};
use http::{HeaderValue, StatusCode};
use reqwest::{Response, Url};

use super::cookies;

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) url: Url,
    pub(super) status: StatusCode,
    pub(super) reason: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) history: Vec<Hop>,
    /// From sending the last hop until its headers came.
    pub(super) elapsed: Duration,
}

/// A redirect that was followed.
#[derive(Debug)]
pub(super) struct Hop {
    status: StatusCode,
    reason: String,
    url: Url,
}

impl Hop {
    pub(super) fn of(url: &Url, response: &Response) -> Self {
        Self {
            status: response.status(),
            reason: reason_of(response),
            url: url.clone(),
        }
    }

    fn to_value(&self) -> Value {
        let mut hop = Dict::new();
        hop.insert("status", i64::from(self.status.as_u16()));
        hop.insert("reason", self.reason.clone());
        hop.insert("url", self.url.to_string());
        Value::Dict(hop)
    }
}

impl Answer {
    /// Whether Mistral takes it for a success.
    pub(super) fn is_success(&self) -> bool {
        (200..=306).contains(&self.status.as_u16())
    }

    pub(super) fn body_len(&self) -> usize {
        self.body.len()
    }

    /// The result. Content that is JSON becomes its value, other content a text.
    pub(super) fn into_data(self) -> Data {
        let kind = self
            .headers
            .get(CONTENT_TYPE)
            .map(|value| latin1(value).to_ascii_lowercase());
        let charset = kind.as_deref().and_then(charset);
        let text = decode(&self.body, charset);
        let encoding = encoding_name(kind.as_deref(), charset);
        let whole = |content: Value| Data::from_value(self.to_value(content, encoding));
        let parsed = Value::from_json(&text)
            .ok()
            .and_then(|content| whole(content).ok());
        parsed.unwrap_or_else(|| whole(text.into()).expect("texts and numbers have a JSON form"))
    }

    fn to_value(&self, content: Value, encoding: Option<&str>) -> Value {
        let mut result = Dict::new();
        result.insert("content", content);
        result.insert("status", i64::from(self.status.as_u16()));
        result.insert("headers", headers_value(&self.headers));
        result.insert("url", self.url.to_string());
        let history: Vec<Value> = self.history.iter().map(Hop::to_value).collect();
        result.insert("history", history);
        result.insert("encoding", encoding);
        result.insert("reason", self.reason.clone());
        let mut set = Dict::new();
        for (name, value) in cookies::set_by(&self.headers) {
            set.insert(name, value);
        }
        result.insert("cookies", Value::Dict(set));
        result.insert("elapsed", self.elapsed.as_secs_f64());
        Value::Dict(result)
    }
}

/// The reason phrase: the one that came, or the usual one where the protocol has none.
pub(super) fn reason_of(response: &Response) -> String {
    match response.extensions().get::<hyper::ext::ReasonPhrase>() {
        Some(phrase) => phrase.as_bytes().iter().copied().map(char::from).collect(),
        None => response
            .status()
            .canonical_reason()
            .unwrap_or_default()
            .into(),
    }
}

/// The headers, repeated ones joined by commas.
fn headers_value(headers: &HeaderMap) -> Value {
    let mut dict = Dict::new();
    for name in headers.keys() {
        let values: Vec<String> = headers.get_all(name).iter().map(latin1).collect();
        dict.insert(shown_name(name), values.join(", "));
    }
    Value::Dict(dict)
}

/// A name in the spelling that servers mostly use and workflows look it up by: `Content-Type`. The
/// spelling that came is not known, and HTTP/2 has only one.
fn shown_name(name: &HeaderName) -> String {
    match name.as_str() {
        "etag" => return "ETag".into(),
        "www-authenticate" => return "WWW-Authenticate".into(),
        _ => {}
    }
    let mut at_start = true;
    let shown = name.as_str().chars().map(|letter| {
        let shown = if at_start {
            letter.to_ascii_uppercase()
        } else {
            letter
        };
        at_start = letter == '-';
        shown
    });
    shown.collect()
}

fn latin1(value: &HeaderValue) -> String {
    value.as_bytes().iter().copied().map(char::from).collect()
}

/// The charset that a content type names.
fn charset(kind: &str) -> Option<&str> {
    let parameters = kind.split(';').skip(1);
    let mut named = parameters.filter_map(|parameter| parameter.trim().strip_prefix("charset="));
    let name = named.next()?.trim_matches(['"', '\'', ' ']);
    (!name.is_empty()).then_some(name)
}

/// What `encoding` says: the charset of the content type, or the one that it implies in the library
/// that Mistral uses.
fn encoding_name<'a>(kind: Option<&str>, charset: Option<&'a str>) -> Option<&'a str> {
    let kind = kind?;
    match charset {
        Some(charset) => Some(charset),
        None if kind.contains("text") => Some("ISO-8859-1"),
        None if kind.contains("application/json") => Some("utf-8"),
        None => None,
    }
}

/// The body as text. Without a charset it is UTF-8 if it can be: the implied ISO-8859-1 is nearly
/// always wrong for what is valid UTF-8.
fn decode(body: &[u8], charset: Option<&str>) -> String {
    if let Some(encoding) = charset.and_then(|label| Encoding::for_label(label.as_bytes())) {
        return encoding.decode(body).0.into_owned();
    }
    let (text, is_broken) = UTF_8.decode_with_bom_removal(body);
    if !is_broken {
        return text.into_owned();
    }
    WINDOWS_1252.decode(body).0.into_owned()
}
