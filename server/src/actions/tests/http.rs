//! Tests of `std.http`: every parameter, results, redirects, sizes, timeouts, broken answers.

use engine::Outcome;
use expr::Value;
use serde_json::json;

use super::site::Site;
use super::{Bench, error_text, open_config, raw};

/// A site and a runner that may reach it.
struct Web {
    site: Site,
    bench: Bench,
}

impl Web {
    async fn start() -> Self {
        Self {
            site: Site::start().await,
            bench: Bench::open(),
        }
    }

    /// Runs a request; `BASE` in the input stands for the URL of the site.
    async fn run(&self, input: &str) -> Outcome {
        self.bench
            .run("std.http", &input.replace("BASE", &self.site.base))
            .await
    }

    /// Runs a request that succeeds, and checks parts of its result, each named by a JSON pointer
    /// and given as JSON.
    async fn check(&self, input: &str, expected: &[(&str, &str)]) {
        match self.run(input).await {
            Outcome::Success(data) => self.compare(input, data.text(), expected),
            other => panic!("{input}: {other:?}"),
        }
    }

    /// The same for one that ends in an error with a result.
    async fn check_error_result(&self, input: &str, expected: &[(&str, &str)]) {
        match self.run(input).await {
            Outcome::Error(data) => self.compare(input, data.text(), expected),
            other => panic!("{input}: {other:?}"),
        }
    }

    /// Runs a request that fails without a result.
    async fn check_failure(&self, input: &str, expected: &str) {
        let text = error_text(&self.run(input).await);
        assert_eq!(text.replace(&self.site.base, "BASE"), expected, "{input}");
    }

    #[track_caller]
    fn compare(&self, input: &str, result: &str, expected: &[(&str, &str)]) {
        let result = result.replace(&self.site.base, "BASE");
        let result: serde_json::Value = serde_json::from_str(&result).unwrap();
        for (pointer, wanted) in expected {
            let wanted: Option<serde_json::Value> = match *wanted {
                "absent" => None,
                text => Some(serde_json::from_str(text).unwrap()),
            };
            assert_eq!(
                result.pointer(pointer),
                wanted.as_ref(),
                "{input}: {pointer} in {result}"
            );
        }
    }
}

#[tokio::test]
async fn parameters_reach_the_other_side() {
    let web = Web::start().await;
    let cases: &[(&str, &[(&str, &str)])] = &[
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
    for (input, expected) in cases {
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
async fn contents_are_decoded() {
    let web = Web::start().await;
    let cases = [
        (
            "json",
            "{\"a\": [1, 2.5, null], \"big\": 123456789012345678901234567890}",
            "\"utf-8\"",
        ),
        ("json-as-text", "[true]", "\"ISO-8859-1\""),
        ("json-with-bom", "{\"a\": 1}", "\"utf-8\""),
        ("broken", r#""{\"a\": ""#, "\"utf-8\""),
        ("empty", "\"\"", "\"utf-8\""),
        ("latin", "\"café\"", "\"iso-8859-1\""),
        ("old", "\"café\"", "\"ISO-8859-1\""),
        ("utf8", "\"café\"", "\"ISO-8859-1\""),
        ("cyrillic", "\"Привет\"", "\"windows-1251\""),
        ("binary", r#""ÿ\u0000þ""#, "null"),
    ];
    for (name, content, encoding) in cases {
        let outcome = web
            .run(&format!(r#"{{"url": "BASE/content/{name}"}}"#))
            .await;
        let Outcome::Success(data) = outcome else {
            panic!("{name}: {outcome:?}")
        };
        let content = Value::from_json(content).unwrap();
        assert_eq!(data.value().get("content"), Some(content), "{name}");
        let encoding = Value::from_json(encoding).unwrap();
        assert_eq!(data.value().get("encoding"), Some(encoding), "{name}");
    }
}

#[tokio::test]
async fn results_have_all_that_mistral_gives() {
    let web = Web::start().await;
    let keys = [
        "content", "status", "headers", "url", "history", "encoding", "reason", "cookies",
        "elapsed",
    ];
    let outcome = web
        .run(r#"{"url": "BASE/hops/2", "allow_redirects": true}"#)
        .await;
    let Outcome::Success(data) = outcome else {
        panic!("{outcome:?}")
    };
    let given: Vec<String> = data
        .value()
        .as_dict()
        .unwrap()
        .keys()
        .map(|key| key.to_text())
        .collect();
    assert_eq!(given, keys);
    let elapsed = data.value().get("elapsed").unwrap().as_f64().unwrap();
    assert!(elapsed > 0.0 && elapsed < 60.0, "{elapsed}");
    let history = json!([
        {"status": 302, "reason": "Found", "url": "BASE/hops/2"},
        {"status": 302, "reason": "Found", "url": "BASE/hops/1"},
    ]);
    web.compare(
        "hops",
        data.text(),
        &[
            ("/content", r#""there""#),
            ("/status", "200"),
            ("/reason", r#""OK""#),
            ("/url", r#""BASE/hops/0""#),
            ("/history", &history.to_string()),
            ("/headers/X-End", r#""yes""#),
            ("/headers/Content-Length", r#""5""#),
            ("/cookies", "{}"),
        ],
    );
}

#[tokio::test]
async fn the_status_decides() {
    let web = Web::start().await;
    for status in ["200", "204", "299", "302", "304", "306"] {
        web.check(
            &format!(r#"{{"url": "BASE/status/{status}"}}"#),
            &[("/status", status)],
        )
        .await;
    }
    for status in ["307", "308", "404", "500", "599"] {
        let expected = [("/status", status), ("/content", r#""""#)];
        web.check_error_result(&format!(r#"{{"url": "BASE/status/{status}"}}"#), &expected)
            .await;
    }
}

#[tokio::test]
async fn redirects_are_followed_only_on_demand() {
    let web = Web::start().await;
    for given in [
        "",
        r#", "allow_redirects": null"#,
        r#", "allow_redirects": false"#,
    ] {
        let input = format!(r#"{{"url": "BASE/hops/1"{given}}}"#);
        web.check(
            &input,
            &[
                ("/status", "302"),
                ("/history", "[]"),
                ("/content", r#""on""#),
            ],
        )
        .await;
    }
    let fails = "Failed to send HTTP request: exceeded 30 redirects";
    web.check(
        r#"{"url": "BASE/hops/30", "allow_redirects": true}"#,
        &[("/status", "200")],
    )
    .await;
    web.check_failure(r#"{"url": "BASE/hops/31", "allow_redirects": true}"#, fails)
        .await;
}

#[tokio::test]
async fn methods_and_bodies_through_redirects() {
    let web = Web::start().await;
    let cases = [
        (301, "POST", "GET", false),
        (301, "PUT", "PUT", false),
        (302, "PUT", "GET", false),
        (303, "DELETE", "GET", false),
        (307, "POST", "POST", true),
        (308, "PATCH", "PATCH", true),
    ];
    for (status, before, after, keeps) in cases {
        let input = format!(
            r#"{{"url": "BASE/redirect/{status}?to=/echo", "method": "{before}", "json": 1,
                "allow_redirects": true}}"#
        );
        let method = format!("\"{after}\"");
        let (body, kind) = if keeps {
            (r#""1""#, r#""application/json""#)
        } else {
            (r#""""#, "absent")
        };
        web.check(
            &input,
            &[
                ("/content/method", &method),
                ("/content/body", body),
                ("/content/headers/content-type", kind),
            ],
        )
        .await;
    }
}

#[tokio::test]
async fn secrets_stay_with_their_host() {
    let web = Web::start().await;
    let secrets = r#""auth": "a:b", "cookies": {"given": 1}, "headers": {"X-Own": "kept"}"#;
    let input =
        format!(r#"{{"url": "BASE/redirect/302?to=/echo", "allow_redirects": true, {secrets}}}"#);
    web.check(
        &input,
        &[
            ("/content/headers/authorization", r#""Basic YTpi""#),
            ("/content/headers/cookie", r#""given=1""#),
            ("/content/headers/x-own", r#""kept""#),
        ],
    )
    .await;
    let other = web.site.base.replace("127.0.0.1", "localhost");
    let input = format!(
        r#"{{"url": "BASE/redirect/302?to={other}/echo", "allow_redirects": true, {secrets}}}"#
    );
    web.check(
        &input,
        &[
            ("/content/headers/authorization", "absent"),
            ("/content/headers/cookie", "absent"),
            ("/content/headers/x-own", r#""kept""#),
        ],
    )
    .await;
}

#[tokio::test]
async fn cookies_are_taken_along_and_shown() {
    let web = Web::start().await;
    web.check(
        r#"{"url": "BASE/login", "cookies": {"given": "1"}, "allow_redirects": true}"#,
        &[
            ("/content/headers/cookie", r#""session=s3""#),
            ("/cookies", "{}"),
        ],
    )
    .await;
    let expected = [
        ("/cookies", r#"{"session": "s3"}"#),
        (
            "/headers/Set-Cookie",
            r#""session=s3; Path=/; HttpOnly, given=; Max-Age=0""#,
        ),
    ];
    web.check(r#"{"url": "BASE/login"}"#, &expected).await;
}

#[tokio::test]
async fn large_answers_are_refused() {
    let mut config = open_config();
    config.http.response_bytes_max = 100_000;
    let web = Web {
        site: Site::start().await,
        bench: Bench::with(config),
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
async fn silence_times_out() {
    let web = Web::start().await;
    let fails = "Failed to send HTTP request: timed out after 0.05 s";
    web.check_failure(r#"{"url": "BASE/hang", "timeout": 0.05}"#, fails)
        .await;
    let mut config = open_config();
    config.http.timeout_s = 1;
    let web = Web {
        site: Site::start().await,
        bench: Bench::with(config),
    };
    let fails = "Failed to send HTTP request: timed out after 1 s";
    web.check_failure(r#"{"url": "BASE/hang"}"#, fails).await;
}

#[tokio::test]
async fn bad_parameters_are_named() {
    let web = Web::start().await;
    let two = r#"{"url": "BASE/echo", "body": "x", "json": {"a": 1}}"#;
    web.check_failure(
        two,
        "Only one of the parameters 'json' and 'body' can be passed",
    )
    .await;
    let cases = [
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
    for (parameter, expected) in cases {
        let input = match parameter.starts_with("\"url\"") {
            true => format!("{{{parameter}}}"),
            false => format!(r#"{{"url": "BASE/echo", {parameter}}}"#),
        };
        web.check_failure(&input, &format!("Failed to send HTTP request: {expected}"))
            .await;
    }
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

#[tokio::test]
async fn the_reason_is_what_the_server_says() {
    let url = raw::start(b"HTTP/1.1 404 Nobody Home\r\nContent-Length: 0\r\n\r\n").await;
    let outcome = Bench::open()
        .run("std.http", &format!(r#"{{"url": "{url}/"}}"#))
        .await;
    let Outcome::Error(data) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(data.value().get("reason"), Some("Nobody Home".into()));
}

#[tokio::test]
async fn compressed_answers_are_unpacked_within_the_limit() {
    // "hello" through gzip.
    let url = raw::start(
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Type: text/plain\r\n\r\n\
          \x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xcb\x48\xcd\xc9\xc9\x07\x00\x86\xa6\x10\x36\
          \x05\x00\x00\x00",
    )
    .await;
    let input = format!(r#"{{"url": "{url}/"}}"#);
    let outcome = Bench::open().run("std.http", &input).await;
    let Outcome::Success(data) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(data.value().get("content"), Some("hello".into()));
    let mut config = open_config();
    config.http.response_bytes_max = 4;
    let outcome = Bench::with(config).run("std.http", &input).await;
    assert!(
        error_text(&outcome).ends_with("larger than 4 bytes"),
        "{outcome:?}"
    );
}
