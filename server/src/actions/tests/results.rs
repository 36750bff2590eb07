//! Tests of what `std.http` makes of an answer.

use engine::Outcome;
use expr::Value;
use serde_json::json;

use super::web::Web;
use super::{Bench, error_text, open_config, raw};

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
    let outcome = Bench::with(&config).run("std.http", &input).await;
    assert!(
        error_text(&outcome).ends_with("larger than 4 bytes"),
        "{outcome:?}"
    );
}
