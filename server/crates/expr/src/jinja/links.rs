//! `urlize`: makes links of the addresses in a text, as Jinja2 does for web pages.

#![expect(
    clippy::needless_pass_by_value,
    reason = "minijinja hands its arguments over by value"
)]

use std::collections::BTreeSet;
use std::sync::LazyLock;

use fancy_regex::Regex;
use minijinja::value::{Kwargs, Rest};
use minijinja::{Environment, Error, Value as Jinja};

use super::filters::{bad, escape, options, shown};

type Result<T> = std::result::Result<T, Error>;

/// Addresses of web pages: with a scheme or `www`, or under one of the oldest domains.
static PAGE: LazyLock<Regex> = LazyLock::new(|| {
    let name = r"(?:https?://|www\.)(?:(?:[\w%-]+\.)+)?(?:[a-z]{2,63}|xn--[\w%]{2,59})";
    let plain = r"(?:[\w%-]{2,63}\.)+(?:com|net|int|edu|gov|org|info|mil)";
    let number = r"\d{1,3}(?:\.\d{1,3}){3}|\[(?:[\da-f]{0,4}:){2}(?:[\da-f]{0,4}:?){1,6}\]";
    let rest = r"(?::\d{1,5})?(?:[/?#].*)?";
    compiled(&format!(
        r"(?is)\A(?:{name}|{plain}|https?://(?:{number})){rest}\z"
    ))
});
static MAIL: LazyLock<Regex> = LazyLock::new(|| compiled(r"(?s)\A.+@\w[\w.-]*\.\w+\z"));
static SCHEME: LazyLock<Regex> = LazyLock::new(|| compiled(r"\A[\w.+-]{2,}:/{0,2}\z"));

/// What may stand before an address.
const OPENING: [&str; 3] = ["(", "<", "&lt;"];
/// What may stand after one.
const CLOSING: [&str; 5] = [")", ">", ".", ",", "&gt;"];

fn compiled(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the pattern is valid")
}

/// Adds the filter.
pub(super) fn register(environment: &mut Environment<'static>) {
    environment.add_filter("urlize", urlize);
}

/// How links look.
struct Style {
    /// Attributes after `href`.
    attributes: String,
    /// Characters of an address that are shown; from the end if negative.
    limit: Option<i64>,
    /// What begins an address besides the well-known ones.
    schemes: Vec<String>,
}

fn urlize(value: &Jinja, given: Rest<Jinja>, keyed: Kwargs) -> Result<String> {
    let names = [
        "trim_url_limit",
        "nofollow",
        "target",
        "rel",
        "extra_schemes",
    ];
    let [limit, nofollow, target, rel, schemes] = options(&given, &keyed, names)?;
    let some = |value: Option<Jinja>| value.filter(|value| !value.is_none());
    let rel = some(rel).map(|rel| match rel.as_str() {
        Some(rel) => Ok(rel.to_owned()),
        None => Err(bad("`rel` of urlize is no text")),
    });
    let rel = rel.transpose()?.unwrap_or_default();
    let mut words: BTreeSet<&str> = rel.split_whitespace().collect();
    words.insert("noopener");
    if nofollow.is_some_and(|nofollow| nofollow.is_true()) {
        words.insert("nofollow");
    }
    let words = words.into_iter().collect::<Vec<_>>().join(" ");
    let mut attributes = format!(" rel=\"{}\"", escape(&words));
    if let Some(target) = some(target).filter(Jinja::is_true) {
        attributes = format!("{attributes} target=\"{}\"", escape(&shown(&target)?));
    }
    let style = Style {
        attributes,
        limit: some(limit).map(i64::try_from).transpose()?,
        schemes: some(schemes).map_or(Ok(Vec::new()), extra_schemes)?,
    };
    let text = escape(&shown(value)?);
    let is_blank = |c: char| c.is_whitespace() || matches!(c, '\u{1C}'..='\u{1F}');
    let mut out = String::with_capacity(text.len());
    for piece in text.split_inclusive(is_blank) {
        let word = piece.trim_end_matches(is_blank);
        if !word.is_empty() {
            linked(&mut out, word, &style);
        }
        out.push_str(&piece[word.len()..]);
    }
    Ok(out)
}

fn extra_schemes(value: Jinja) -> Result<Vec<String>> {
    let schemes = value.try_iter()?.map(|scheme| {
        let text = scheme.as_str().unwrap_or_default();
        if SCHEME.is_match(text).unwrap_or(false) {
            Ok(text.to_owned())
        } else {
            Err(bad(format!("{text:?} is no prefix of an address")))
        }
    });
    schemes.collect()
}

/// A word without blanks, as a link if it is an address. Brackets and stops around it stay outside.
fn linked(out: &mut String, word: &str, style: &Style) {
    let mut middle = word;
    while let Some(rest) = OPENING.iter().find_map(|mark| middle.strip_prefix(mark)) {
        middle = rest;
    }
    let (head, body) = word.split_at(word.len() - middle.len());
    while let Some(rest) = CLOSING.iter().find_map(|mark| middle.strip_suffix(mark)) {
        middle = rest;
    }
    // Brackets that are opened in an address are closed in it.
    let mut end = middle.len();
    for (open, close) in [("(", ")"), ("<", ">"), ("&lt;", "&gt;")] {
        let (middle, tail) = body.split_at(end);
        let opened = middle.matches(open).count();
        if opened > middle.matches(close).count()
            && let Some((at, _)) = tail.match_indices(close).take(opened).last()
        {
            end += at + close.len();
        }
    }
    let (middle, tail) = body.split_at(end);
    out.push_str(head);
    match link(middle, style) {
        Some(link) => out.push_str(&link),
        None => out.push_str(middle),
    }
    out.push_str(tail);
}

fn link(text: &str, style: &Style) -> Option<String> {
    let is = |pattern: &Regex, text: &str| pattern.is_match(text).unwrap_or(false);
    let attributes = &style.attributes;
    if is(&PAGE, text) {
        let has_scheme = text.starts_with("https://") || text.starts_with("http://");
        let scheme = if has_scheme { "" } else { "https://" };
        let label = cut(text, style.limit);
        return Some(format!(
            "<a href=\"{scheme}{text}\"{attributes}>{label}</a>"
        ));
    }
    if let Some(address) = text.strip_prefix("mailto:")
        && is(&MAIL, address)
    {
        return Some(format!("<a href=\"{text}\">{address}</a>"));
    }
    let may_be_mail = text.contains('@') && !text.starts_with('@') && !text.contains(':');
    if may_be_mail && !text.starts_with("www.") && is(&MAIL, text) {
        return Some(format!("<a href=\"mailto:{text}\">{text}</a>"));
    }
    let begins = |scheme: &&String| text != **scheme && text.starts_with(&***scheme);
    style.schemes.iter().find(begins)?;
    Some(format!("<a href=\"{text}\"{attributes}>{text}</a>"))
}

/// So many characters, with dots where there are more.
fn cut(text: &str, limit: Option<i64>) -> String {
    let length = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
    match limit {
        Some(limit) if length > limit => {
            let kept = if limit < 0 { length + limit } else { limit };
            let kept = usize::try_from(kept).unwrap_or(0);
            text.chars().take(kept).chain("...".chars()).collect()
        }
        _ => text.to_owned(),
    }
}
