//! A cloud in memory, whose resources workflows make and remove over HTTP.
//!
//! Owns what there is, and the order in which it came and went. Making a thing twice gives the same
//! one, and removing one that is not there succeeds: so calls may be repeated.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{delete, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::AbortHandle;

/// A cloud that ends with this value.
#[derive(Debug)]
pub struct Cloud {
    address: SocketAddr,
    things: Arc<Mutex<Things>>,
    changes: watch::Receiver<usize>,
    task: AbortHandle,
}

/// What there is, as `kind/name`, and what has happened.
#[derive(Debug)]
struct Things {
    present: BTreeSet<String>,
    log: Vec<String>,
    broken: BTreeSet<String>,
    changes: watch::Sender<usize>,
}

impl Things {
    fn note(&mut self, change: String) {
        self.log.push(change);
        self.changes.send_replace(self.log.len());
    }
}

impl Cloud {
    /// Starts it on a free port of this machine. `POST /KIND` with a `name` makes a thing and
    /// answers with its `id`; `DELETE /KIND/ID` removes it. Kinds that are broken cannot be made.
    pub async fn start(broken: &[&str]) -> std::io::Result<Self> {
        let (sender, changes) = watch::channel(0);
        let things = Arc::new(Mutex::new(Things {
            present: BTreeSet::new(),
            log: Vec::new(),
            broken: broken.iter().map(ToString::to_string).collect(),
            changes: sender,
        }));
        let routes = Router::new()
            .route("/{kind}", post(make))
            .route("/{kind}/{id}", delete(remove))
            .with_state(things.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let serve = async move { axum::serve(listener, routes).await };
        let task = tokio::spawn(serve).abort_handle();
        Ok(Self {
            address,
            things,
            changes,
            task,
        })
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What there is now, as `kind/name`.
    pub fn present(&self) -> Vec<String> {
        locked(&self.things).present.iter().cloned().collect()
    }

    /// Waits until so many changes have happened.
    pub async fn changed(&self, count: usize) {
        let mut changes = self.changes.clone();
        // The sender lives as long as this cloud.
        let _ = changes.wait_for(|changes| *changes >= count).await;
    }

    /// What has happened so far, as `+kind/name` and `-kind/name`; calls that changed nothing are
    /// not in it.
    pub fn log(&self) -> Vec<String> {
        locked(&self.things).log.clone()
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn locked(things: &Mutex<Things>) -> MutexGuard<'_, Things> {
    things.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn make(
    State(things): State<Arc<Mutex<Things>>>,
    Path(kind): Path<String>,
    Json(body): Json<Value>,
) -> (StatusCode, Json<Value>) {
    let mut things = locked(&things);
    if things.broken.contains(&kind) {
        let why = json!({"error": format!("there is no room for {kind}")});
        return (StatusCode::INSUFFICIENT_STORAGE, Json(why));
    }
    let name = body["name"].as_str().unwrap_or("nameless");
    let thing = format!("{kind}/{name}");
    if things.present.insert(thing.clone()) {
        things.note(format!("+{thing}"));
    }
    (StatusCode::CREATED, Json(json!({"id": name})))
}

async fn remove(
    State(things): State<Arc<Mutex<Things>>>,
    Path((kind, id)): Path<(String, String)>,
) -> StatusCode {
    let mut things = locked(&things);
    let thing = format!("{kind}/{id}");
    if things.present.remove(&thing) {
        things.note(format!("-{thing}"));
    }
    StatusCode::NO_CONTENT
}
