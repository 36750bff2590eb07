//! `make demo`: takes an order from start to end, then builds something in a cloud and removes it
//! again when the last step fails, with the commands that a person would type.
//!
//! Owns the small shop that the first workflow calls, whose payment service fails twice so that
//! retry is seen. Left to others: the cloud (`e2e::cloud`), and everything shown, which is what
//! `autan` prints.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result, ensure};
use axum::extract::{Path as UrlPath, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use e2e::cloud::{Cloud, Faults};
use e2e::server::{Options, TestServer, binary};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::process::Command;

/// Lets actions call this machine, which is refused unless it is configured.
const CONFIG: &str = "[actions.egress]\ndenied_networks = []\n\n[log]\nfilter = \"warn\"\n";

/// Times that the payment service fails before it answers.
const PAYMENT_FAILURES: u32 = 2;

/// How `autan execution watch` ends when the execution was rolled back.
const ROLLED_BACK: i32 = 1;

#[tokio::main]
async fn main() -> ExitCode {
    match demo().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("demo: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn demo() -> Result<()> {
    let options = Options {
        config: Some(CONFIG.to_owned()),
        ..Options::default()
    };
    let server = TestServer::start_with(options).await?;
    say(&format!(
        "An Autan server runs with an embedded database in {}.",
        server.data_dir().display()
    ));
    let autan = Autan {
        binary: binary()?,
        server: format!("http://{}", server.address()),
    };
    take_order(&autan).await?;
    build_and_remove(&autan).await
}

/// A document of the demo.
fn document(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("demo")
        .join(name);
    path.to_string_lossy().into_owned()
}

/// An order goes through, although what it calls is not reliable.
async fn take_order(autan: &Autan) -> Result<()> {
    let shop = Arc::new(Shop::default());
    let address = open(shop.clone()).await?;
    say("A shop with stock, payment, rating and parcels runs on this machine. Its payment service");
    say("fails twice before it answers, and its rating service does not work at all.");
    let document = document("order.yaml");
    autan
        .run(&["validate", &document, "--kind", "workbook"])
        .await?;
    autan.run(&["workbook", "create", &document]).await?;
    let lines =
        r#"lines=[{"sku":"book","count":1},{"sku":"lamp","count":2},{"sku":"bulb","count":6}]"#;
    let shop_url = format!("shop=http://{address}");
    let start = [
        "execution",
        "start",
        "shop.process_order",
        "--id",
        "order-42",
        "--input",
        "order_id=42",
        "--input",
        lines,
        "--input",
        &shop_url,
    ];
    autan.run(&start).await?;
    autan.run(&["execution", "watch", "order-42"]).await?;
    autan.run(&["execution", "get", "order-42"]).await?;
    autan.run(&["execution", "tasks", "order-42"]).await?;
    autan.run(&["execution", "history", "order-42"]).await?;
    autan.run(&["execution", "list"]).await?;

    let calls = shop
        .calls
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    say(&format!("The shop was called: {calls:?}."));
    ensure!(
        calls.get("charge") == Some(&(PAYMENT_FAILURES + 1)),
        "the payment was not retried"
    );
    ensure!(
        calls.get("parcel") == Some(&1),
        "there is not exactly one parcel"
    );
    say(
        "Done: the order was charged once, after two failed attempts, and one parcel is on its way.",
    );
    Ok(())
}

/// What was built is removed again, since the last step fails.
async fn build_and_remove(autan: &Autan) -> Result<()> {
    let faults = Faults {
        full: Some("records"),
        busy: Some(("volumes", 1)),
        ..Faults::default()
    };
    let cloud = Cloud::open(faults).await.context("opening the cloud")?;
    say("\nA cloud runs on this machine as well. Its DNS takes no more records, so that building");
    say("something in it fails at the last step.");
    let document = document("cloud.yaml");
    autan.run(&["workflow", "create", &document]).await?;
    let cloud_url = format!("cloud={}", cloud.url());
    let start = [
        "execution",
        "start",
        "provision",
        "--id",
        "blue",
        "--input",
        "name=blue",
        "--input",
        &cloud_url,
    ];
    autan.run(&start).await?;
    autan
        .run_to(&["execution", "watch", "blue"], ROLLED_BACK)
        .await?;
    autan.run(&["execution", "tasks", "blue"]).await?;
    autan.run(&["execution", "graph", "blue"]).await?;
    for call in cloud.calls() {
        say(&format!("The cloud was asked: {call}"));
    }
    let things = cloud.things();
    ensure!(things.is_empty(), "the cloud is left with {things:?}");
    say("Done: nothing is left in the cloud.");
    Ok(())
}

/// The command line, as a person would use it.
struct Autan {
    binary: PathBuf,
    server: String,
}

impl Autan {
    /// Shows a command and runs it; it must succeed.
    async fn run(&self, args: &[&str]) -> Result<()> {
        self.run_to(args, 0).await
    }

    /// Shows a command and runs it; it must end with the code.
    async fn run_to(&self, args: &[&str], code: i32) -> Result<()> {
        let shown: Vec<String> = args.iter().map(|arg| quote(arg)).collect();
        say(&format!("\n$ autan {}", shown.join(" ")));
        let status = Command::new(&self.binary)
            .args(args)
            .env("AUTAN_SERVER", &self.server)
            .status()
            .await
            .with_context(|| format!("running {}", self.binary.display()))?;
        ensure!(
            status.code() == Some(code),
            "autan {} ended with {status}",
            args[0]
        );
        Ok(())
    }
}

fn quote(arg: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./=:".contains(c);
    if arg.chars().all(plain) {
        arg.to_owned()
    } else {
        format!("'{arg}'")
    }
}

#[expect(clippy::print_stdout, reason = "the demo is there to show something")]
fn say(line: &str) {
    println!("{line}");
}

/// How often each of its services was called.
#[derive(Default)]
struct Shop {
    calls: Mutex<HashMap<&'static str, u32>>,
    payments: AtomicU32,
}

impl Shop {
    fn count(&self, service: &'static str) {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        *calls.entry(service).or_default() += 1;
    }
}

async fn open(shop: Arc<Shop>) -> Result<SocketAddr> {
    let routes = Router::new()
        .route("/stock/{sku}", post(reserve))
        .route("/charge", post(charge))
        .route("/rating/{order}", get(rate))
        .route("/parcel", post(ship))
        .with_state(shop);
    let listener = TcpListener::bind("127.0.0.1:0")
        .await
        .context("opening the shop")?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, routes).await });
    Ok(address)
}

async fn reserve(
    State(shop): State<Arc<Shop>>,
    UrlPath(sku): UrlPath<String>,
    Json(body): Json<Value>,
) -> Json<Value> {
    shop.count("stock");
    Json(json!({"reservation": format!("{} x {sku}", body["count"])}))
}

async fn charge(State(shop): State<Arc<Shop>>, Json(body): Json<Value>) -> Response {
    shop.count("charge");
    if shop.payments.fetch_add(1, Ordering::Relaxed) < PAYMENT_FAILURES {
        let busy = Json(json!({"error": "the bank does not answer"}));
        return (StatusCode::SERVICE_UNAVAILABLE, busy).into_response();
    }
    Json(json!({"receipt": format!("R-{}", body["order"])})).into_response()
}

async fn rate(State(shop): State<Arc<Shop>>) -> StatusCode {
    shop.count("rating");
    StatusCode::NOT_IMPLEMENTED
}

async fn ship(State(shop): State<Arc<Shop>>, Json(body): Json<Value>) -> Json<Value> {
    shop.count("parcel");
    Json(json!({"tracking": format!("P-{}", body["order"])}))
}
