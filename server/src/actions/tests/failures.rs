//! Tests of requests that come to nothing: bad parameters, time, size, broken connections.

use super::site::Site;
use super::web::Web;
use super::{Bench, error_text, open_config, raw};

/// Parameters, and what is said of them.
const BAD: &[(&str, &str)] = &[
    (r#""url": null"#, "'url' must be a URL"),
    (
        r#""url": "example.com/x""#,
        "invalid URL 'example.com/x': relative URL without a base",
    ),
    (
        r#""url": "gopher://a.test/""#,
        "the scheme 'gopher' is not allowed, only http and https are",
    ),
    (
        r#""method": "BAD METHOD""#,
        "'method' must be the name of a method",
    ),
    (
        r#""params": 5"#,
        "'params' must be a dict, a list of pairs or a text",
    ),
    (
        r#""body": [1]"#,
        "'body' must be a text, a dict or a list of pairs",
    ),
    (r#""headers": [1]"#, "'headers' must be a dict"),
    (
        r#""headers": {"a b": 1}"#,
        "the header 'a b' is not valid: not a name of a header",
    ),
    (
        r#""headers": {"A": "x\ny"}"#,
        "the header 'A' is not valid: its value has characters that cannot be sent",
    ),
    (
        r#""headers": {"A": [1]}"#,
        "the header 'A' is not valid: neither a text nor a number",
    ),
    (
        r#""cookies": {"a": "b; c=d"}"#,
        "the cookie 'a' is not valid",
    ),
    (r#""cookies": "a=b""#, "'cookies' must be a dict"),
    (r#""auth": "token""#, "'auth' must be 'user:password'"),
    (
        r#""timeout": 0"#,
        "'timeout' must be a number of seconds above 0",
    ),
    (
        r#""timeout": "soon""#,
        "'timeout' must be a number of seconds above 0",
    ),
    (
        r#""proxies": {"http": "socks5://u:p@a.test:1"}"#,
        "invalid proxy '***@a.test:1': only http:// and https:// proxies are supported",
    ),
    (
        r#""verify": "ca.pem""#,
        "'verify' must be true or false; certificates to trust are configured on the server, \
             in actions.http.ca_file",
    ),
];

#[tokio::test]
async fn bad_parameters_are_named() {
    let web = Web::start().await;
    let two = r#"{"url": "BASE/echo", "body": "x", "json": {"a": 1}}"#;
    web.check_failure(
        two,
        "Only one of the parameters 'json' and 'body' can be passed",
    )
    .await;
    for (parameter, expected) in BAD {
        let url = if parameter.contains("\"url\"") {
            ""
        } else {
            "\"url\": \"BASE/echo\", "
        };
        let input = format!("{{{url}{parameter}}}");
        web.check_failure(&input, &format!("Failed to send HTTP request: {expected}"))
            .await;
    }
}

#[tokio::test]
async fn silence_times_out() {
    let web = Web::start().await;
    let fails = "Failed to send HTTP request: timed out after 0.05 s";
    web.check_failure(r#"{"url": "BASE/hang", "timeout": 0.05}"#, fails)
        .await;
    let mut config = open_config();
    config.http.timeout_s = 1;
    let web = Web {
        site: Site::start().await,
        bench: Bench::with(&config),
    };
    let fails = "Failed to send HTTP request: timed out after 1 s";
    web.check_failure(r#"{"url": "BASE/hang"}"#, fails).await;
}

#[tokio::test]
async fn large_answers_are_refused() {
    let mut config = open_config();
    config.http.response_bytes_max = 100_000;
    let web = Web {
        site: Site::start().await,
        bench: Bench::with(&config),
    };
    let fails = "Failed to send HTTP request: the response is larger than 100000 bytes";
    for way in ["bytes", "stream"] {
        let all = format!("\"{}\"", "x".repeat(100_000));
        web.check(
            &format!(r#"{{"url": "BASE/{way}/100000"}}"#),
            &[("/content", &all)],
        )
        .await;
        web.check_failure(&format!(r#"{{"url": "BASE/{way}/100001"}}"#), fails)
            .await;
    }
    // The answer to HEAD has no body, whatever it says.
    web.check(
        r#"{"url": "BASE/bytes/100001", "method": "HEAD"}"#,
        &[
            ("/content", r#""""#),
            ("/headers/Content-Length", r#""100001""#),
        ],
    )
    .await;
    let default = Web::start().await;
    let fails = "Failed to send HTTP request: the response is larger than 5242880 bytes";
    default
        .check_failure(r#"{"url": "BASE/bytes/5242881"}"#, fails)
        .await;
}

#[tokio::test]
async fn broken_connections_say_why() {
    let bench = Bench::open();
    let cases: &[(&'static [u8], &str)] = &[
        (b"", "connection closed before message completed"),
        (b"SSH-2.0-x\r\n\r\n", "invalid HTTP version parsed"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
            "end of file before message length",
        ),
    ];
    for (answer, expected) in cases {
        let url = raw::start(answer).await;
        let outcome = bench
            .run("std.http", &format!(r#"{{"url": "{url}/"}}"#))
            .await;
        let text = error_text(&outcome);
        assert!(text.starts_with("Failed to send HTTP request: "), "{text}");
        assert!(text.contains(expected), "{text}");
        assert!(!text.contains(&url), "{text}");
    }
    let outcome = bench
        .run("std.http", r#"{"url": "http://127.0.0.1:1/?key=secret"}"#)
        .await;
    let text = error_text(&outcome);
    assert!(
        text.contains("Connection refused") && !text.contains("secret"),
        "{text}"
    );
}
