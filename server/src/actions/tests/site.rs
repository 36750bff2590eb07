//! The web site that the tests of `std.http` talk to.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, Request, State};
use axum::response::Response;
use axum::routing::any;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc};

/// A running site.
pub(super) struct Site {
    /// Its URL without a slash at the end.
    pub(super) base: String,
    /// What happens at its gate.
    pub(super) gate: mpsc::UnboundedReceiver<Gate>,
    /// Who waits at the gate gets through, one for each permit.
    pub(super) open: Arc<Semaphore>,
}

/// Something that happens at the gate.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Gate {
    Entered,
    /// Through, or given up.
    Left,
}

#[derive(Clone)]
struct Shared {
    events: mpsc::UnboundedSender<Gate>,
    open: Arc<Semaphore>,
}

/// Contents by name, with their content types.
const CONTENTS: &[(&str, &str, &[u8])] = &[
    (
        "json",
        "application/json",
        br#"{"a": [1, 2.5, null], "big": 123456789012345678901234567890}"#,
    ),
    ("json-as-text", "text/plain", b" [true] "),
    (
        "json-with-bom",
        "application/json; charset=utf-8",
        b"\xef\xbb\xbf{\"a\": 1}",
    ),
    ("broken", "application/json", b"{\"a\": "),
    ("empty", "application/json", b""),
    ("latin", "text/html; charset=\"ISO-8859-1\"", b"caf\xe9"),
    ("old", "text/html", b"caf\xe9"),
    ("utf8", "text/html", "café".as_bytes()),
    (
        "cyrillic",
        "text/plain;charset=windows-1251",
        b"\xcf\xf0\xe8\xe2\xe5\xf2",
    ),
    ("binary", "application/octet-stream", b"\xff\x00\xfe"),
];

impl Site {
    pub(super) async fn start() -> Self {
        let (events, gate) = mpsc::unbounded_channel();
        let open = Arc::new(Semaphore::new(0));
        let shared = Shared {
            events,
            open: open.clone(),
        };
        let routes = Router::new()
            .route("/echo", any(echo))
            .route("/redirect/{status}", any(redirect))
            .route("/hops/{left}", any(hops))
            .route("/status/{status}", any(status))
            .route("/bytes/{count}", any(bytes))
            .route("/stream/{count}", any(stream))
            .route("/content/{name}", any(content))
            .route("/login", any(login))
            .route("/hang", any(std::future::pending::<()>))
            .route("/gate", any(at_gate))
            .with_state(shared);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { base, gate, open }
    }
}

/// Says what has come, with the status that the query names.
async fn echo(Query(query): Query<BTreeMap<String, String>>, request: Request) -> Response {
    let status = query
        .get("status")
        .map_or(200, |text| text.parse().unwrap());
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let header = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        (
            name.to_string(),
            json!(String::from_utf8_lossy(value.as_bytes())),
        )
    };
    let headers: BTreeMap<String, Value> = parts.headers.iter().map(header).collect();
    let seen = json!({
        "method": parts.method.as_str(),
        "uri": parts.uri.to_string(),
        "headers": headers,
        "body": String::from_utf8_lossy(&body),
    });
    respond(status, "content-type", "application/json", seen.to_string())
}

async fn redirect(
    Path(status): Path<u16>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Response {
    respond(status, "location", &query["to"], Body::empty())
}

async fn hops(Path(left): Path<u32>) -> Response {
    match left {
        0 => respond(200, "x-end", "yes", "there"),
        left => respond(302, "location", &format!("/hops/{}", left - 1), "on"),
    }
}

async fn status(Path(status): Path<u16>) -> Response {
    respond(status, "x-status", &status.to_string(), Body::empty())
}

async fn bytes(Path(count): Path<usize>) -> Response {
    respond(200, "content-type", "text/plain", "x".repeat(count))
}

/// The same without saying how many there will be.
async fn stream(Path(count): Path<usize>) -> Response {
    let chunks = (0..count).map(|_| Ok::<_, std::convert::Infallible>("x"));
    let body = Body::from_stream(futures_util::stream::iter(chunks));
    respond(200, "content-type", "text/plain", body)
}

async fn content(Path(name): Path<String>) -> Response {
    let (_, kind, bytes) = CONTENTS.iter().find(|content| content.0 == name).unwrap();
    respond(200, "content-type", kind, *bytes)
}

async fn login() -> Response {
    let mut response = respond(302, "location", "/echo", Body::empty());
    for cookie in ["session=s3; Path=/; HttpOnly", "given=; Max-Age=0"] {
        response
            .headers_mut()
            .append("set-cookie", cookie.parse().unwrap());
    }
    response
}

async fn at_gate(State(shared): State<Shared>) -> &'static str {
    struct Leave(mpsc::UnboundedSender<Gate>);
    impl Drop for Leave {
        fn drop(&mut self) {
            let _ = self.0.send(Gate::Left);
        }
    }
    let _ = shared.events.send(Gate::Entered);
    let _leave = Leave(shared.events);
    shared.open.acquire().await.unwrap().forget();
    "through"
}

fn respond(status: u16, header: &str, value: &str, body: impl Into<Body>) -> Response {
    Response::builder()
        .status(status)
        .header(header, value)
        .body(body.into())
        .unwrap()
}
