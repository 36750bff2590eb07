//! A worker with one action: `stock.reserve`.
use autan::{Client, Worker};

#[derive(serde::Deserialize)]
struct Reserve {
    sku: String,
}

#[tokio::main]
async fn main() -> Result<(), autan::Error> {
    let server = std::env::var("AUTAN_SERVER").unwrap_or("localhost:7233".into());
    let worker = Worker::new(&Client::connect(server).await?, "default");
    let worker = worker.action("stock.reserve", |r: Reserve, _| async move {
        Ok(serde_json::json!({"reserved": r.sku}))
    });
    worker.run().await
}
