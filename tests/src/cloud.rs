//! A small cloud for workflows to build in: networks, volumes, servers and records of DNS, over
//! HTTP.
//!
//! Owns what exists and the order of what was done. Nothing can be removed while something else
//! uses it, so removing in a wrong order fails. Left to others: any meaning of the things.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{delete, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::AbortHandle;

/// How a cloud misbehaves.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// Kind of which nothing can be created.
    pub full: Option<&'static str>,
    /// Kind of which the first removal is never answered, and removes nothing.
    pub held: Option<&'static str>,
    /// Kind of which the first removals are refused, and how many.
    pub busy: Option<(&'static str, usize)>,
}

/// A cloud that ends with this value.
#[derive(Debug)]
pub struct Cloud {
    address: SocketAddr,
    site: Site,
    task: AbortHandle,
}

#[derive(Clone, Debug)]
struct Site {
    faults: Faults,
    state: Arc<watch::Sender<Things>>,
}

/// What exists, and what was done.
#[derive(Clone, Debug, Default)]
struct Things {
    /// What each thing uses, by kind and name.
    exist: BTreeMap<String, Vec<String>>,
    /// Requests that came in, as `POST networks/blue`.
    calls: Vec<String>,
}

/// What is wanted of a new thing.
#[derive(Debug, Deserialize)]
struct Wanted {
    name: String,
    /// What it uses, as kind and name.
    #[serde(default)]
    uses: Vec<String>,
}

impl Cloud {
    /// Opens one on a free port of this machine.
    pub async fn open(faults: Faults) -> std::io::Result<Self> {
        let state = Arc::default();
        let site = Site { faults, state };
        let routes = Router::new()
            .route("/{kind}", post(create))
            .route("/{kind}/{name}", delete(remove))
            .with_state(site.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let serving = tokio::spawn(async move { axum::serve(listener, routes).await });
        Ok(Self {
            address,
            site,
            task: serving.abort_handle(),
        })
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What exists, as kind and name, sorted.
    pub fn things(&self) -> Vec<String> {
        self.site.state.borrow().exist.keys().cloned().collect()
    }

    /// Requests that came in, in their order, as `POST networks/blue`.
    pub fn calls(&self) -> Vec<String> {
        self.site.state.borrow().calls.clone()
    }

    /// Waits until a request has come in.
    pub async fn asked(&self, call: &str) {
        let mut state = self.site.state.subscribe();
        // The sender lives as long as this value.
        let _ = state
            .wait_for(|things| things.calls.iter().any(|known| known == call))
            .await;
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Site {
    /// Takes note of a request; gives how often it has come in, and runs `work` on what exists.
    fn change<T>(&self, call: &str, work: impl FnOnce(usize, &mut Things) -> T) -> T {
        let mut result = None;
        self.state.send_modify(|things| {
            things.calls.push(call.to_owned());
            let count = things.calls.iter().filter(|known| *known == call).count();
            result = Some(work(count, things));
        });
        result.expect("the work was run")
    }
}

async fn create(
    State(site): State<Site>,
    Path(kind): Path<String>,
    Json(wanted): Json<Wanted>,
) -> Response {
    let id = format!("{kind}/{}", wanted.name);
    site.change(&format!("POST {id}"), |_, things| {
        if site.faults.full == Some(kind.as_str()) {
            return refuse(
                StatusCode::INSUFFICIENT_STORAGE,
                &format!("no {kind} are left"),
            );
        }
        for used in &wanted.uses {
            if !things.exist.contains_key(used) {
                return refuse(StatusCode::CONFLICT, &format!("there is no {used}"));
            }
        }
        things.exist.insert(id.clone(), wanted.uses);
        (StatusCode::CREATED, Json(json!({"id": id}))).into_response()
    })
}

async fn remove(State(site): State<Site>, Path((kind, name)): Path<(String, String)>) -> Response {
    let id = format!("{kind}/{name}");
    let call = format!("DELETE {id}");
    let answer = site.change(&call, |count, things| {
        if site.faults.held == Some(kind.as_str()) && count == 1 {
            return None;
        }
        if let Some((busy, times)) = site.faults.busy
            && busy == kind
            && count <= times
        {
            return Some(refuse(StatusCode::SERVICE_UNAVAILABLE, "try again later"));
        }
        let mut uses = things.exist.iter();
        if let Some((user, _)) = uses.find(|(_, used)| used.contains(&id)) {
            return Some(refuse(StatusCode::CONFLICT, &format!("{user} uses it")));
        }
        // What is gone already needs no removal.
        things.exist.remove(&id);
        Some(Json(json!({})).into_response())
    });
    match answer {
        Some(answer) => answer,
        None => std::future::pending().await,
    }
}

fn refuse(status: StatusCode, error: &str) -> Response {
    (status, Json(json!({"error": error}))).into_response()
}
