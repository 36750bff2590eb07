//! Tests of what `std.http` sends: every parameter.

use super::web::Web;

/// Inputs, and what the echo of the site then says.
const SENT: &[(&str, &[(&str, &str)])] = &[
    (
        r#"{"url": "BASE/echo"}"#,
        &[
            ("/content/method", r#""GET""#),
            ("/content/uri", r#""/echo""#),
            ("/content/body", r#""""#),
            ("/content/headers/authorization", "absent"),
            ("/content/headers/cookie", "absent"),
            ("/content/headers/content-type", "absent"),
        ],
    ),
    (
        r#"{"url": "BASE/echo", "method": "post"}"#,
        &[("/content/method", r#""POST""#)],
    ),
    (
        r#"{"url": "BASE/echo", "method": null, "params": {"a": 1, "b": [2, 3], "c": null, "d e": "&"}}"#,
        &[("/content/uri", r#""/echo?a=1&b=2&b=3&d+e=%26""#)],
    ),
    (
        r#"{"url": "BASE/echo?x=y", "params": [["a", true], ["a", "b"]]}"#,
        &[("/content/uri", r#""/echo?x=y&a=True&a=b""#)],
    ),
    (
        r#"{"url": "BASE/echo?x=y", "params": "raw=1&z"}"#,
        &[("/content/uri", r#""/echo?x=y&raw=1&z""#)],
    ),
    (
        r#"{"url": "BASE/echo", "params": {}}"#,
        &[("/content/uri", r#""/echo""#)],
    ),
    (
        r#"{"url": "BASE/echo", "method": "PUT", "body": "text ü"}"#,
        &[
            ("/content/body", r#""text ü""#),
            ("/content/headers/content-type", "absent"),
        ],
    ),
    (
        r#"{"url": "BASE/echo", "method": "POST", "body": {"a": [1]}, "json": null}"#,
        &[
            ("/content/headers/content-type", "absent"),
            ("/content/body", r#""{\"a\":[1]}""#),
        ],
    ),
    (
        r#"{"url": "BASE/echo", "method": "POST", "body": [["a", "b c"], ["d", 1]]}"#,
        &[
            ("/content/body", r#""a=b+c&d=1""#),
            (
                "/content/headers/content-type",
                r#""application/x-www-form-urlencoded""#,
            ),
        ],
    ),
    (
        r#"{"url": "BASE/echo", "method": "POST", "body": 12}"#,
        &[("/content/body", r#""12""#)],
    ),
    (
        r#"{"url": "BASE/echo", "method": "POST", "body": {}}"#,
        &[("/content/body", r#""{}""#)],
    ),
    (
        r#"{"url": "BASE/echo", "method": "POST", "body": {}, "json": 0}"#,
        &[("/content/body", r#""0""#)],
    ),
    (
        r#"{"url": "BASE/echo", "method": "POST", "body": "", "json": []}"#,
        &[
            ("/content/body", r#""[]""#),
            ("/content/headers/content-type", r#""application/json""#),
        ],
    ),
    (
        r#"{"url": "BASE/echo", "json": "x", "headers": {"Content-Type": "application/x-own+json"}}"#,
        &[
            ("/content/body", r#""\"x\"""#),
            (
                "/content/headers/content-type",
                r#""application/x-own+json""#,
            ),
        ],
    ),
    (
        r#"{"url": "BASE/echo", "headers": {"X-Number": 7, "X-Float": 1.5, "X-None": null, "Content-Length": "99"}}"#,
        &[
            ("/content/headers/x-number", r#""7""#),
            ("/content/headers/x-float", r#""1.5""#),
            ("/content/headers/x-none", "absent"),
            ("/content/headers/content-length", "absent"),
        ],
    ),
    (
        r#"{"url": "BASE/echo", "cookies": {"a": "b", "c": 1, "d": null}}"#,
        &[("/content/headers/cookie", r#""a=b; c=1""#)],
    ),
    (
        r#"{"url": "BASE/echo", "auth": "user:pass:word", "headers": {"Authorization": "x"}}"#,
        &[(
            "/content/headers/authorization",
            r#""Basic dXNlcjpwYXNzOndvcmQ=""#,
        )],
    ),
    (
        r#"{"url": "BASE/echo", "timeout": "5", "verify": true, "proxies": {}}"#,
        &[("/status", "200")],
    ),
];

#[tokio::test]
async fn parameters_reach_the_other_side() {
    let web = Web::start().await;
    for (input, expected) in SENT {
        web.check(input, expected).await;
    }
}

#[tokio::test]
async fn a_name_in_the_url_is_sent_and_not_shown() {
    let web = Web::start().await;
    let url = web.site.base.replace("http://", "http://us%65r:p%40ss@");
    web.check(
        &format!(r#"{{"url": "{url}/echo"}}"#),
        &[
            ("/content/headers/authorization", r#""Basic dXNlcjpwQHNz""#),
            ("/url", r#""BASE/echo""#),
        ],
    )
    .await;
}

#[tokio::test]
async fn proxies_are_used_for_their_schemes() {
    let web = Web::start().await;
    // Nothing answers at this address, which is set apart for documentation.
    for key in ["http", "all", "http://192.0.2.1"] {
        let input = format!(
            r#"{{"url": "http://192.0.2.1/echo", "proxies": {{"{key}": "BASE", "https": null}}}}"#
        );
        web.check(&input, &[("/content/uri", r#""http://192.0.2.1/echo""#)])
            .await;
    }
    let input = r#"{"url": "BASE/echo", "proxies": {"https": "http://192.0.2.1:9"}}"#;
    web.check(input, &[("/content/uri", r#""/echo""#)]).await;
}
