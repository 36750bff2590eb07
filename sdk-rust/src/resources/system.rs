//! What a server says about itself.

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde::Serialize;

use super::{serialize_time, to_time};

/// Version, capabilities and limits of a server.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct ServerInfo {
    /// Semantic version.
    pub version: String,
    /// What the server can do beyond the first version of the API.
    pub capabilities: Vec<String>,
    /// Limits by name: bytes, counts or milliseconds, as the name says.
    pub limits: BTreeMap<String, i64>,
    /// When it started.
    #[serde(
        serialize_with = "serialize_time",
        skip_serializing_if = "Option::is_none"
    )]
    pub start_time: Option<SystemTime>,
    /// Its clock.
    #[serde(
        serialize_with = "serialize_time",
        skip_serializing_if = "Option::is_none"
    )]
    pub current_time: Option<SystemTime>,
    /// Where it keeps its data.
    pub storage: String,
    /// Executions that the auditor has found running without anything that would move them, since
    /// the server started; each was loaded again.
    pub audit_violations: i64,
    /// Those of them that loading again has not mended.
    pub audit_failures: i64,
}

impl From<proto::v1::GetServerInfoResponse> for ServerInfo {
    fn from(info: proto::v1::GetServerInfoResponse) -> Self {
        Self {
            version: info.version,
            capabilities: info.capabilities,
            limits: info.limits,
            start_time: to_time(info.start_time),
            current_time: to_time(info.current_time),
            storage: info.storage,
            audit_violations: info.audit_violations,
            audit_failures: info.audit_failures,
        }
    }
}

/// The servers that share a database; of one that has its database for itself, that one.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Cluster {
    /// Servers that are there, and those that have gone and whose place nobody has taken.
    pub servers: Vec<ClusterServer>,
    /// Parts that executions are divided into; each belongs to one server at a time.
    pub shards: u32,
    /// Shards that nobody has at this moment.
    pub free_shards: u32,
}

/// A server of those that share a database.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct ClusterServer {
    /// Its place, and which server it is of those that have had the place.
    pub server_id: String,
    /// Where the others reach it: `host:port`; empty if there are no others.
    pub address: String,
    /// Semantic version.
    pub version: String,
    /// Whether it is there: `LIVE`, `LEFT` in order, or `FENCED` by the others, who took it for
    /// dead.
    pub state: String,
    /// When it came.
    #[serde(
        serialize_with = "serialize_time",
        skip_serializing_if = "Option::is_none"
    )]
    pub start_time: Option<SystemTime>,
    /// Shards that it has.
    pub shards: u32,
    /// Whether it hands work out to workers, for all.
    pub hands_out_work: bool,
    /// Whether it is the one that answered.
    pub answers: bool,
}

impl From<proto::v1::GetClusterResponse> for Cluster {
    fn from(cluster: proto::v1::GetClusterResponse) -> Self {
        Self {
            servers: cluster.servers.into_iter().map(Into::into).collect(),
            shards: cluster.shards,
            free_shards: cluster.free_shards,
        }
    }
}

impl From<proto::v1::ClusterServer> for ClusterServer {
    fn from(server: proto::v1::ClusterServer) -> Self {
        let state = server.state().as_str_name();
        Self {
            state: state.trim_start_matches("SERVER_STATE_").to_owned(),
            server_id: server.server_id,
            address: server.address,
            version: server.version,
            start_time: to_time(server.start_time),
            shards: server.shards,
            hands_out_work: server.hands_out_work,
            answers: server.answers,
        }
    }
}
