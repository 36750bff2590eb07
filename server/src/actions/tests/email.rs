//! Tests of `std.email` against a real mail server: what arrives, login and TLS, refusals.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use engine::Outcome;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use super::{Bench, error_text, missing_tool, open_config};

const SINK: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/src/actions/tests/smtp_sink.py"
);

/// A mail server of another make.
struct Sink {
    port: u16,
    lines: Lines<BufReader<ChildStdout>>,
    /// It ends with this.
    _process: Child,
}

/// The Python of the tests, if it has the mail server; `make` installs both.
fn python() -> Option<PathBuf> {
    let venv = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sdk-python/.venv/bin/python");
    let probe = std::process::Command::new(&venv)
        .args(["-c", "import aiosmtpd"])
        .output();
    match probe {
        Ok(output) if output.status.success() => Some(venv),
        _ => missing_tool("aiosmtpd in sdk-python/.venv"),
    }
}

impl Sink {
    async fn start(files: &[&Path]) -> Option<Self> {
        let mut process = Command::new(python()?)
            .arg(SINK)
            .args(files)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = lines.next_line().await.unwrap().expect("it starts");
        Some(Self {
            port: port.parse().unwrap(),
            lines,
            _process: process,
        })
    }

    /// The next message that it took.
    async fn next(&mut self) -> serde_json::Value {
        let line = self.lines.next_line().await.unwrap().expect("it runs");
        serde_json::from_str(&line).unwrap()
    }
}

/// An input with the server's place, and other parameters as JSON.
fn input(host: &str, port: u16, rest: &str) -> String {
    format!(r#"{{"from_addr": "Ada <ada@example.com>", "smtp_server": "{host}:{port}", {rest}}}"#)
}

/// Parameters of a message; then its recipients, parts of what arrives, and what must not arrive.
type Case = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
    &'static [&'static str],
);

const CASES: [Case; 3] = [
    (
        r#""to_addrs": ["b@example.com", "Grace <g@example.com>"],
               "cc_addrs": ["c@example.com"],
               "bcc_addrs": "hidden@example.com", "reply_to": ["r@example.com"],
               "subject": "Grüße", "body": "Hello\n.\nend""#,
        &[
            "b@example.com",
            "g@example.com",
            "c@example.com",
            "hidden@example.com",
        ],
        &[
            "From: Ada <ada@example.com>",
            "Cc: c@example.com",
            "Reply-To: r@example.com",
            "Subject: =?utf-8?b?R3LDvMOfZQ==?=",
            "\r\n\r\nHello\r\n.\r\nend",
            "Message-ID: <",
        ],
        &["hidden", "text/html"],
    ),
    (
        r#""to_addrs": ["b@example.com"]"#,
        &["b@example.com"],
        &["Subject: <No subject>", "\r\n\r\n<No body>"],
        &["multipart", "Reply-To", "Cc:"],
    ),
    (
        r#""to_addrs": ["b@example.com"], "subject": "a\r\nBcc: x@example.com",
               "body": "plain", "html_body": "<b>rich</b>""#,
        &["b@example.com"],
        &[
            "multipart/alternative",
            "Content-Type: text/plain",
            "plain",
            "Content-Type: text/html",
            "<b>rich</b>",
        ],
        &["\r\nBcc:"],
    ),
];

#[tokio::test]
async fn what_is_sent_arrives() {
    let Some(mut sink) = Sink::start(&[]).await else {
        return;
    };
    let bench = Bench::open();
    for (rest, recipients, present, absent) in CASES {
        let outcome = bench
            .run(
                "std.email",
                &input("127.0.0.1", sink.port, &rest.replace('\n', " ")),
            )
            .await;
        assert_eq!(outcome, Outcome::Success(engine::Data::null()), "{rest}");
        let taken = sink.next().await;
        assert_eq!(taken["from"], "ada@example.com");
        let mut to: Vec<&str> = taken["to"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|t| t.as_str())
            .collect();
        to.sort_unstable();
        let mut recipients = recipients.to_vec();
        recipients.sort_unstable();
        assert_eq!(to, recipients);
        let message = taken["message"].as_str().unwrap();
        for part in present {
            assert!(message.contains(part), "{part} in {message}");
        }
        for part in absent {
            assert!(!message.contains(part), "{part} in {message}");
        }
    }
}

#[tokio::test]
async fn refusals_are_told() {
    let Some(sink) = Sink::start(&[]).await else {
        return;
    };
    let bench = Bench::open();
    let cases = [
        (
            r#""to_addrs": ["no@example.com"]"#,
            "permanent error (550): 5.1.1 nobody of this name",
        ),
        (
            r#""to_addrs": ["later@example.com"]"#,
            "transient error (451): 4.3.0 come back later",
        ),
        (
            r#""to_addrs": ["b@example.com"], "smtp_password": "secret""#,
            "the server does not offer STARTTLS, and without it the password is not sent",
        ),
        (r#""to_addrs": []"#, "it has no recipients"),
        (
            r#""to_addrs": {"a": 1}"#,
            "'to_addrs' must be a list of addresses",
        ),
        (
            r#""to_addrs": ["b@example.com", 7]"#,
            "'to_addrs' must be a list of addresses",
        ),
        (
            r#""to_addrs": ["nobody"]"#,
            "'to_addrs' has 'nobody', which is not an address: ",
        ),
        (
            r#""to_addrs": ["b@example.com"], "subject": ["a"]"#,
            "'subject' must be a text",
        ),
    ];
    for (rest, expected) in cases {
        let outcome = bench
            .run("std.email", &input("127.0.0.1", sink.port, rest))
            .await;
        let text = error_text(&outcome);
        let told = text.strip_prefix("Failed to send an email message: ");
        assert!(
            told.is_some_and(|told| told.starts_with(expected)),
            "{text}"
        );
    }
    let rest = r#""to_addrs": ["b@example.com"]"#;
    let outcome = bench.run("std.email", &input("a/b", 25, rest)).await;
    assert_eq!(
        error_text(&outcome),
        "Failed to send an email message: \
         'smtp_server' must be a host, with a port if it is not 25"
    );
}

#[tokio::test]
async fn passwords_go_over_tls_only() {
    let folder = TempDir::new().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (cert, key) = (
        folder.path().join("cert.pem"),
        folder.path().join("key.pem"),
    );
    std::fs::write(&cert, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let Some(mut sink) = Sink::start(&[&cert, &key]).await else {
        return;
    };
    let mut config = open_config();
    config.email.ca_file = Some(cert);
    let trusting = Bench::with(&config);
    let with = |password| {
        let rest = format!(r#""to_addrs": ["b@example.com"], "smtp_password": "{password}""#);
        input("localhost", sink.port, &rest)
    };
    let (right, wrong) = (with("secret"), with("guess"));
    let outcome = trusting.run("std.email", &right).await;
    assert_eq!(outcome, Outcome::Success(engine::Data::null()));
    let taken = sink.next().await;
    assert_eq!(
        (&taken["tls"], &taken["login"]),
        (&true.into(), &true.into())
    );

    let text = error_text(&trusting.run("std.email", &wrong).await);
    assert!(text.contains("permanent error (535)"), "{text}");
    let text = error_text(&Bench::open().run("std.email", &right).await);
    assert!(text.contains("certificate"), "{text}");
    let bare = input("localhost", sink.port, r#""to_addrs": ["b@example.com"]"#);
    let text = error_text(&trusting.run("std.email", &bare).await);
    assert!(text.contains("permanent error (530)"), "{text}");
}

/// The policy is the same as for requests, and a server that says nothing is given up.
#[tokio::test]
async fn the_policy_and_the_time_limit_hold() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let rest = r#""to_addrs": ["b@example.com"]"#;
    for host in ["127.0.0.1", "localhost", "127.1"] {
        let outcome = Bench::with(&crate::actions::Config::default())
            .run("std.email", &input(host, port, rest))
            .await;
        let text = error_text(&outcome);
        assert!(
            text.contains("message: the egress policy denies the address "),
            "{text}"
        );
    }
    let mut config = open_config();
    config.email.timeout_s = 1;
    let outcome = Bench::with(&config)
        .run("std.email", &input("127.0.0.1", port, rest))
        .await;
    assert_eq!(
        error_text(&outcome),
        "Failed to send an email message: timed out after 1 s"
    );
    drop(silent);
    let outcome = Bench::with(&config)
        .run("std.email", &input("127.0.0.1", port, rest))
        .await;
    let text = error_text(&outcome);
    assert!(
        text.contains("message: cannot connect to '127.0.0.1' at port"),
        "{text}"
    );
}
