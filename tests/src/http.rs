//! A small HTTP server for workflows to call.
//!
//! Owns counting: it remembers how often each path was asked for. Left to others: anything that a
//! real server would do; it answers every request with a JSON object and closes the connection.
//! Only the first request for a path that begins with `/held` is never answered.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::AbortHandle;

/// A server that ends with this value.
#[derive(Debug)]
pub struct HttpServer {
    address: SocketAddr,
    counts: Counts,
    task: AbortHandle,
}

type Counts = Arc<watch::Sender<HashMap<String, usize>>>;

impl HttpServer {
    /// Starts it on a free port of this machine.
    pub async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let counts = Counts::default();
        let task = tokio::spawn(accept(listener, counts.clone())).abort_handle();
        Ok(Self {
            address,
            counts,
            task,
        })
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How often each path was asked for.
    pub fn counts(&self) -> HashMap<String, usize> {
        self.counts.borrow().clone()
    }

    /// Waits until each of the paths was asked for.
    pub async fn asked_for(&self, paths: &[&str]) {
        let all = |counts: &HashMap<String, usize>| paths.iter().all(|p| counts.contains_key(*p));
        let mut counts = self.counts.subscribe();
        // The sender lives as long as this value.
        let _ = counts.wait_for(all).await;
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, counts: Counts) {
    while let Ok((stream, _)) = listener.accept().await {
        let counts = counts.clone();
        tokio::spawn(async move {
            // A client that was killed in the middle is part of the tests.
            let _ = answer(stream, &counts).await;
        });
    }
}

async fn answer(stream: TcpStream, counts: &Counts) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    if stream.read_line(&mut line).await? == 0 {
        // The client was killed after it connected.
        return Ok(());
    }
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut length = 0;
    loop {
        let mut header = String::new();
        if stream.read_line(&mut header).await? == 0 || header.trim().is_empty() {
            break;
        }
        let lower = header.to_ascii_lowercase();
        if let Some(text) = lower.strip_prefix("content-length:") {
            length = text.trim().parse().unwrap_or(0);
        }
    }
    stream.read_exact(&mut vec![0; length]).await?;
    let mut count = 0;
    counts.send_modify(|counts| {
        let known = counts.entry(path.clone()).or_default();
        *known += 1;
        count = *known;
    });
    if count == 1 && path.starts_with("/held") {
        std::future::pending::<()>().await;
    }
    let body = serde_json::json!({ "path": path }).to_string();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    stream.shutdown().await
}
