//! Cookies: those that an answer sets, and those that go back on the next hop.
//!
//! A cookie goes back only to the host that set it, whatever domain it asks for: without the list
//! of public suffixes, a wider one cannot be told from a theft.

use http::HeaderMap;
use http::header::SET_COOKIE;
use reqwest::Url;

use crate::clock;

/// The cookies of one exchange.
#[derive(Debug, Default)]
pub(super) struct Jar {
    cookies: Vec<Cookie>,
}

#[derive(Debug)]
struct Cookie {
    name: String,
    value: String,
    host: String,
    secure: bool,
}

impl Jar {
    /// The jar with the cookies that the action was given, for the host that it names.
    pub(super) fn new(given: Vec<(String, String)>, url: &Url) -> Self {
        let mut jar = Self::default();
        for (name, value) in given {
            jar.put(Cookie {
                name,
                value,
                host: host(url),
                secure: false,
            });
        }
        jar
    }

    /// Takes in what an answer from `url` sets.
    pub(super) fn take(&mut self, url: &Url, headers: &HeaderMap) {
        for set in all_set(headers) {
            let host = host(url);
            if set.gone {
                self.cookies
                    .retain(|kept| kept.name != set.name || kept.host != host);
            } else {
                let Set {
                    name,
                    value,
                    secure,
                    ..
                } = set;
                self.put(Cookie {
                    name,
                    value,
                    host,
                    secure,
                });
            }
        }
    }

    /// The `Cookie` header of a request to `url`.
    pub(super) fn header(&self, url: &Url) -> Option<String> {
        let host = host(url);
        let fits =
            |cookie: &&Cookie| cookie.host == host && (!cookie.secure || url.scheme() == "https");
        let pair = |cookie: &Cookie| format!("{}={}", cookie.name, cookie.value);
        let pairs: Vec<String> = self.cookies.iter().filter(fits).map(pair).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    fn put(&mut self, cookie: Cookie) {
        let same = |kept: &&mut Cookie| kept.name == cookie.name && kept.host == cookie.host;
        match self.cookies.iter_mut().find(same) {
            Some(kept) => *kept = cookie,
            None => self.cookies.push(cookie),
        }
    }
}

/// Names and values of the cookies that an answer sets and that have not run out already.
pub(super) fn set_by(headers: &HeaderMap) -> impl Iterator<Item = (String, String)> {
    all_set(headers)
        .filter(|set| !set.gone)
        .map(|set| (set.name, set.value))
}

/// One `Set-Cookie` header.
struct Set {
    name: String,
    value: String,
    secure: bool,
    /// Whether it takes the cookie away.
    gone: bool,
}

fn all_set(headers: &HeaderMap) -> impl Iterator<Item = Set> {
    headers
        .get_all(SET_COOKIE)
        .iter()
        .filter_map(|value| parse(value.to_str().ok()?))
}

fn parse(text: &str) -> Option<Set> {
    let mut parts = text.split(';').map(str::trim);
    let (name, value) = parts.next()?.split_once('=')?;
    let (name, value) = (name.trim(), value.trim());
    if name.is_empty() {
        return None;
    }
    let mut set = Set {
        name: name.into(),
        value: value.into(),
        secure: false,
        gone: false,
    };
    let mut max_age = None;
    let mut has_expired = false;
    for part in parts {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        match key.trim().to_ascii_lowercase().as_str() {
            "secure" => set.secure = true,
            "max-age" => max_age = value.trim().parse::<i64>().ok(),
            "expires" => has_expired = is_past(value.trim()),
            _ => {}
        }
    }
    set.gone = max_age.map_or(has_expired, |seconds| seconds <= 0);
    Some(set)
}

/// Whether a date lies in the past; one that cannot be read does not.
fn is_past(date: &str) -> bool {
    jiff::fmt::rfc2822::parse(date)
        .is_ok_and(|date| date.timestamp().as_microsecond() <= clock::now_us())
}

fn host(url: &Url) -> String {
    url.host_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sets cookies from `https://a.test/` and gives the header for `to`.
    #[track_caller]
    fn check(set: &[&'static str], to: &str, expected: Option<&str>) {
        let from = Url::parse("https://a.test/").unwrap();
        let mut jar = Jar::new(vec![("own".into(), "1".into())], &from);
        let mut headers = HeaderMap::new();
        for value in set {
            headers.append(SET_COOKIE, value.parse().unwrap());
        }
        jar.take(&from, &headers);
        assert_eq!(
            jar.header(&Url::parse(to).unwrap()).as_deref(),
            expected,
            "{set:?}"
        );
    }

    #[test]
    fn cookies_go_back_to_their_host() {
        let cases: &[(&[&'static str], &str, Option<&str>)] = &[
            (
                &["a=b; Path=/; HttpOnly"],
                "https://a.test/x",
                Some("own=1; a=b"),
            ),
            (&["a=b", "a=c"], "https://a.test/", Some("own=1; a=c")),
            (&["own=; Max-Age=0"], "https://a.test/", None),
            (
                &["own=2; Expires=Thu, 01 Jan 1970 00:00:00 GMT"],
                "https://a.test/",
                None,
            ),
            (&["own=2; Expires=soon"], "https://a.test/", Some("own=2")),
            (
                &["own=2; Max-Age=9; Expires=Thu, 01 Jan 1970 00:00:00 GMT"],
                "https://a.test/",
                Some("own=2"),
            ),
            (&["a=b; Secure"], "http://a.test/", Some("own=1")),
            (&["a=b; Domain=test"], "https://b.test/", None),
            (&["=b", "none"], "https://a.test/", Some("own=1")),
            (&["a=x=y"], "https://a.test/", Some("own=1; a=x=y")),
        ];
        for (set, to, expected) in cases {
            check(set, to, *expected);
        }
    }
}
