//! Reading the input of `std.http`: what is asked for, checked before anything is sent.
//!
//! Values are taken as Mistral and the library below it take them: a falsy `body` or a null is as
//! good as absent, numbers may stand for texts.

use std::time::Duration;

use bytes::Bytes;
use expr::{Dict, Value};
use http::header::{
    AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
    TRANSFER_ENCODING,
};
use reqwest::{Method, Url};

use super::error::{Failure, Problem};

/// What the action asks for.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Bytes>,
    pub(super) auth: Option<Auth>,
    pub(super) cookies: Vec<(String, String)>,
    pub(super) timeout: Duration,
    pub(super) follow: bool,
    pub(super) proxies: Vec<(String, Url)>,
    pub(super) verify: bool,
}

/// Name and password.
#[derive(Clone, Debug)]
pub(super) struct Auth {
    pub(super) user: String,
    pub(super) password: Option<String>,
}

/// Longest timeout that an action may name: a day.
const TIMEOUT_S_MAX: f64 = 24.0 * 60.0 * 60.0;

impl Request {
    pub(super) fn from_input(input: &Value, default_timeout_s: u64) -> Result<Self, Failure> {
        let given = |name| input.get(name).filter(|value| !value.is_null());
        if given("body").is_some_and(|v| v.truthy()) && given("json").is_some_and(|v| v.truthy()) {
            return Err(Failure::TwoBodies);
        }
        let mut url = read_url(given("url").as_ref())?;
        let from_url = take_userinfo(&mut url);
        let auth = match given("auth") {
            Some(auth) => Some(read_auth(&auth)?),
            None => from_url,
        };
        if let Some(params) = given("params") {
            add_params(&mut url, &params)?;
        }
        let mut headers = read_headers(given("headers").as_ref())?;
        if auth.is_some() {
            headers.remove(AUTHORIZATION);
        }
        let body = read_body(given("body"), given("json"), &mut headers)?;
        Ok(Self {
            method: read_method(given("method").as_ref())?,
            url,
            headers,
            body,
            auth,
            cookies: read_cookies(given("cookies").as_ref())?,
            timeout: read_timeout(given("timeout").as_ref(), default_timeout_s)?,
            follow: given("allow_redirects").is_some_and(|value| value.truthy()),
            proxies: read_proxies(given("proxies").as_ref())?,
            verify: read_verify(given("verify").as_ref())?,
        })
    }

    /// The proxy for a hop to `url`: that of its scheme and host, of its scheme, of all schemes at
    /// this host, of all.
    pub(super) fn proxy_for(&self, url: &Url) -> Option<&Url> {
        let (scheme, host) = (url.scheme(), url.host_str().unwrap_or_default());
        let keys = [
            format!("{scheme}://{host}"),
            scheme.into(),
            format!("all://{host}"),
            "all".into(),
        ];
        let find = |key: &String| self.proxies.iter().find(|(name, _)| name == key);
        keys.iter().find_map(find).map(|(_, proxy)| proxy)
    }
}

fn read_url(value: Option<&Value>) -> Result<Url, Problem> {
    let text = value.and_then(Value::as_str).unwrap_or_default().trim();
    if text.is_empty() {
        return Err(Problem::Parameter {
            parameter: "url",
            expected: "a URL",
        });
    }
    let wrong = |reason: String| Problem::Url {
        url: text.into(),
        reason,
    };
    let url = Url::parse(text).map_err(|error| wrong(error.to_string()))?;
    Ok(url)
}

/// Name and password out of a URL, so that it can be shown.
fn take_userinfo(url: &mut Url) -> Option<Auth> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let user = percent_decoded(url.username());
    let password = url.password().map(percent_decoded);
    // Both only fail for URLs without a host, which have no user either.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    Some(Auth { user, password })
}

/// A text in which `%41` stands for `A`.
fn percent_decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let code = tail.get(..2).filter(|_| *first == b'%').and_then(hex_byte);
        out.push(code.unwrap_or(*first));
        rest = if code.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn hex_byte(digits: &[u8]) -> Option<u8> {
    let digit = |at: usize| char::from(digits[at]).to_digit(16);
    u8::try_from(digit(0)? * 16 + digit(1)?).ok()
}

fn read_auth(value: &Value) -> Result<Auth, Problem> {
    let text = value.as_str().and_then(|text| text.split_once(':'));
    let (user, password) = text.ok_or(Problem::Parameter {
        parameter: "auth",
        expected: "'user:password'",
    })?;
    Ok(Auth {
        user: user.into(),
        password: Some(password.into()),
    })
}

fn read_method(value: Option<&Value>) -> Result<Method, Problem> {
    let Some(value) = value else {
        return Ok(Method::GET);
    };
    let name = value.as_str().map(str::to_ascii_uppercase);
    let method = name.and_then(|name| Method::from_bytes(name.as_bytes()).ok());
    method.ok_or(Problem::Parameter {
        parameter: "method",
        expected: "the name of a method",
    })
}

fn add_params(url: &mut Url, params: &Value) -> Result<(), Problem> {
    if let Some(text) = params.as_str() {
        if !text.is_empty() {
            let query = url.query().filter(|query| !query.is_empty());
            let joined = query.map_or_else(|| text.to_owned(), |query| format!("{query}&{text}"));
            url.set_query(Some(&joined));
        }
        return Ok(());
    }
    let expected = "a dict, a list of pairs or a text";
    let pairs = pairs(params).ok_or(Problem::Parameter {
        parameter: "params",
        expected,
    })?;
    if !pairs.is_empty() {
        url.query_pairs_mut().extend_pairs(pairs);
    }
    Ok(())
}

/// The pairs of a form: a list as value repeats its key, a null leaves it out. `None` for what is
/// neither a dict nor a list of pairs.
fn pairs(value: &Value) -> Option<Vec<(String, String)>> {
    let given: Vec<(Value, Value)> = match value {
        Value::Dict(dict) => dict.iter().collect(),
        Value::List(items) => {
            let pair = |item: &Value| match item.as_list() {
                Some([key, value]) => Some((key.clone(), value.clone())),
                _ => None,
            };
            items.iter().map(pair).collect::<Option<_>>()?
        }
        _ => return None,
    };
    let mut pairs = Vec::with_capacity(given.len());
    for (key, value) in given {
        match &value {
            Value::Null => {}
            Value::List(items) => {
                let set = items.iter().filter(|item| !item.is_null());
                pairs.extend(set.map(|item| (key.to_text(), item.to_text())));
            }
            one => pairs.push((key.to_text(), one.to_text())),
        }
    }
    Some(pairs)
}

/// A text, or a number as text.
fn text_or_number(value: &Value) -> Option<String> {
    match value {
        Value::Str(_) | Value::Int(_) | Value::BigInt(_) | Value::Float(_) => Some(value.to_text()),
        _ => None,
    }
}

/// The entries of a dict that are not null.
fn entries(
    value: Option<&Value>,
    parameter: &'static str,
) -> Result<Vec<(String, Value)>, Problem> {
    let Some(value) = value else {
        return Ok(Vec::new());
    };
    let wrong = Problem::Parameter {
        parameter,
        expected: "a dict",
    };
    let dict: &Dict = value.as_dict().ok_or(wrong)?;
    let set = dict.iter().filter(|(_, value)| !value.is_null());
    Ok(set.map(|(key, value)| (key.to_text(), value)).collect())
}

fn read_headers(value: Option<&Value>) -> Result<HeaderMap, Problem> {
    let mut headers = HeaderMap::new();
    for (name, value) in entries(value, "headers")? {
        let wrong = |reason| Problem::Header {
            name: name.clone(),
            reason,
        };
        let text = text_or_number(&value).ok_or_else(|| wrong("neither a text nor a number"))?;
        let key = HeaderName::try_from(&name).map_err(|_| wrong("not a name of a header"))?;
        // The body decides where the request ends; another length would break the connection.
        if key == CONTENT_LENGTH || key == TRANSFER_ENCODING {
            continue;
        }
        let text = HeaderValue::try_from(text)
            .map_err(|_| wrong("its value has characters that cannot be sent"))?;
        headers.insert(key, text);
    }
    Ok(headers)
}

fn read_cookies(value: Option<&Value>) -> Result<Vec<(String, String)>, Problem> {
    let mut cookies = Vec::new();
    for (name, value) in entries(value, "cookies")? {
        let wrong = || Problem::Cookie { name: name.clone() };
        let text = text_or_number(&value).ok_or_else(wrong)?;
        let is_plain = |text: &str| text.bytes().all(|b| (0x20..0x7f).contains(&b) && b != b';');
        if name.is_empty() || name.contains('=') || !is_plain(&name) || !is_plain(&text) {
            return Err(wrong());
        }
        cookies.push((name, text));
    }
    Ok(cookies)
}

fn read_body(
    body: Option<Value>,
    json: Option<Value>,
    headers: &mut HeaderMap,
) -> Result<Option<Bytes>, Problem> {
    let no_json = |_| Problem::Parameter {
        parameter: "json",
        expected: "a value that JSON has",
    };
    // An empty dict is a body, but makes way for `json` like all that is falsy.
    let is_body = |body: &Value| body.truthy() || (json.is_none() && body.as_dict().is_some());
    let body = body.filter(is_body);
    let (text, kind) = match (body, json) {
        (None, None) => return Ok(None),
        (None, Some(json)) => (json.to_json().map_err(no_json)?, Some("application/json")),
        (Some(body @ Value::Dict(_)), _) => (body.to_json().map_err(no_json)?, None),
        (Some(body @ Value::List(_)), _) => {
            let expected = "a text, a dict or a list of pairs";
            let pairs = pairs(&body).ok_or(Problem::Parameter {
                parameter: "body",
                expected,
            })?;
            (form_text(pairs), Some("application/x-www-form-urlencoded"))
        }
        (Some(body), _) => (body.to_text(), None),
    };
    if let Some(kind) = kind
        && !headers.contains_key(CONTENT_TYPE)
    {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    Ok(Some(text.into()))
}

/// The text of a form, which is the same as that of a query.
fn form_text(pairs: Vec<(String, String)>) -> String {
    let mut url = Url::parse("http://form.invalid/").expect("a URL");
    url.query_pairs_mut().extend_pairs(pairs);
    url.query().unwrap_or_default().to_owned()
}

fn read_timeout(value: Option<&Value>, default_s: u64) -> Result<Duration, Problem> {
    let Some(value) = value else {
        return Ok(Duration::from_secs(default_s));
    };
    let seconds = match value {
        Value::Str(text) => text.trim().parse().ok(),
        other => other.as_f64(),
    };
    let seconds = seconds.filter(|seconds: &f64| *seconds > 0.0 && seconds.is_finite());
    let expected = "a number of seconds above 0";
    let seconds = seconds.ok_or(Problem::Parameter {
        parameter: "timeout",
        expected,
    })?;
    Ok(Duration::from_secs_f64(seconds.min(TIMEOUT_S_MAX)))
}

fn read_proxies(value: Option<&Value>) -> Result<Vec<(String, Url)>, Problem> {
    let mut proxies = Vec::new();
    for (scheme, value) in entries(value, "proxies")? {
        let text = value.to_text();
        if text.is_empty() {
            continue;
        }
        // Proxies are often written as `host:port`.
        let full = if text.contains("://") {
            text.clone()
        } else {
            format!("http://{text}")
        };
        let url = Url::parse(&full)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https"));
        let url = url.filter(Url::has_host).ok_or(Problem::Proxy {
            proxy: without_user(&text),
        })?;
        proxies.push((scheme.to_ascii_lowercase(), url));
    }
    Ok(proxies)
}

/// A broken URL without its name and password.
fn without_user(text: &str) -> String {
    match text.rsplit_once('@') {
        Some((_, rest)) => format!("***@{rest}"),
        None => text.into(),
    }
}

fn read_verify(value: Option<&Value>) -> Result<bool, Problem> {
    let expected = "true or false; certificates to trust are configured on the server, in \
                    actions.http.ca_file";
    let wrong = Problem::Parameter {
        parameter: "verify",
        expected,
    };
    value.map_or(Ok(true), |value| value.as_bool().ok_or(wrong))
}
