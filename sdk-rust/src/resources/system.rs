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
