//! Environments: named sets of variables.

use std::time::SystemTime;

use serde::Serialize;

use super::{serialize_time, to_time};
use crate::payload::Payload;

/// A named set of variables, which expressions read as `env().NAME`.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Environment {
    /// Tenant.
    pub project: String,
    /// Unique in the project.
    pub name: String,
    /// Free text.
    pub description: String,
    /// The variables, a JSON object; full view only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variables: Option<Payload>,
    /// When it was created.
    #[serde(
        serialize_with = "serialize_time",
        skip_serializing_if = "Option::is_none"
    )]
    pub create_time: Option<SystemTime>,
    /// When it last changed.
    #[serde(
        serialize_with = "serialize_time",
        skip_serializing_if = "Option::is_none"
    )]
    pub update_time: Option<SystemTime>,
    /// Changes with every update; guards against lost updates.
    pub etag: String,
}

impl From<proto::v1::Environment> for Environment {
    fn from(environment: proto::v1::Environment) -> Self {
        Self {
            project: environment.project,
            name: environment.name,
            description: environment.description,
            variables: environment.variables.map(Payload::from),
            create_time: to_time(environment.create_time),
            update_time: to_time(environment.update_time),
            etag: environment.etag,
        }
    }
}
