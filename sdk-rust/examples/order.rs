//! Defines a workflow in code, starts it, prints what happens, and reads its result.
//!
//! Run it against a server: `cargo run --example order -- http://localhost:7233`. Without an address
//! it takes `AUTAN_SERVER`, or else the usual local one.

use std::env;

use autan::{Client, Error, EventKind, Next, Retry, Task, Workflow};
use futures_util::TryStreamExt as _;
use serde::{Deserialize, Serialize};

#[derive(Serialize)]
struct Order {
    order_id: u32,
    items: Vec<&'static str>,
}

#[derive(Debug, Deserialize)]
struct Shipment {
    label: String,
    packed: Vec<String>,
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let address = env::args()
        .nth(1)
        .or_else(|| env::var("AUTAN_SERVER").ok())
        .unwrap_or_else(|| "http://127.0.0.1:7233".to_owned());
    let client = Client::connect(address).await?;

    client
        .workflows()
        .create(shipping())
        .allow_existing()
        .await?;

    let order = Order {
        order_id: 42,
        items: vec!["book", "lamp"],
    };
    let run = client
        .start("example_order")
        .input(&order)?
        .label("example", "order")
        .send()
        .await?;
    say(&format!("started {}", run.id()));

    let mut events = run.events();
    while let Some(event) = events.try_next().await? {
        if let EventKind::TaskStateChanged { state, .. } = &event.kind {
            say(&format!(
                "{:>4}  {} {state}",
                event.sequence,
                event.task_name.unwrap_or_default()
            ));
        }
    }

    match run.result::<Shipment>().await {
        Ok(shipment) => say(&format!(
            "{} with {}",
            shipment.label,
            shipment.packed.join(", ")
        )),
        Err(Error::Execution(failed)) => say(&format!("not shipped: {failed}")),
        Err(error) => return Err(error),
    }
    Ok(())
}

/// Packs each item, then labels the parcel.
fn shipping() -> Workflow {
    Workflow::new("example_order")
        .description("Packs an order and labels the parcel")
        .input("order_id")
        .input("items")
        .output("label", "<% $.label %>")
        .output("packed", "<% $.packed %>")
        .task(
            Task::action("pack", "std.echo")
                .with_items("item", "<% $.items %>")
                .input(serde_json::json!({"output": "one <% $.item %>"}))
                .publish("packed", "<% task().result %>")
                .retry(Retry::times(3).delay(1))
                .on_success("label")
                .on_error(Next::fail("nothing packed")),
        )
        .task(
            Task::action("label", "std.echo")
                .input(serde_json::json!({"output": "parcel <% $.order_id %>"}))
                .publish("label", "<% task().result %>"),
        )
}

#[expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]
fn say(line: &str) {
    println!("{line}");
}
