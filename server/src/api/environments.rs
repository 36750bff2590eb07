//! `EnvironmentService`: named sets of variables.

use std::sync::Arc;

use engine::Data;
use expr::{Dict, Value};
use proto::v1::environment_service_server::EnvironmentService;
use proto::v1::{self, PayloadFormat};
use store::{ApplyMode, Entity, EnvironmentChange, EnvironmentRow, RequestRecord, Writer};
use tonic::{Request, Response, Status};

use super::context::Shared;
use super::convert::{field, payload};
use super::deletion::{self, Order};
use super::fault::Fault;
use super::page::Paging;
use super::{filter, idempotency, submission};
use crate::{clock, driver};

/// The service.
pub(super) struct Environments(pub(super) Shared);

#[tonic::async_trait]
impl EnvironmentService for Environments {
    async fn create_environment(
        &self,
        request: Request<v1::CreateEnvironmentRequest>,
    ) -> Result<Response<v1::CreateEnvironmentResponse>, Status> {
        let environment = Some(self.create(request.into_inner()).await?);
        Ok(Response::new(v1::CreateEnvironmentResponse { environment }))
    }

    async fn update_environment(
        &self,
        request: Request<v1::UpdateEnvironmentRequest>,
    ) -> Result<Response<v1::UpdateEnvironmentResponse>, Status> {
        let environment = Some(self.update(request.into_inner()).await?);
        Ok(Response::new(v1::UpdateEnvironmentResponse { environment }))
    }

    async fn get_environment(
        &self,
        request: Request<v1::GetEnvironmentRequest>,
    ) -> Result<Response<v1::GetEnvironmentResponse>, Status> {
        let request = request.into_inner();
        let project = field::project(&request.project)?;
        let name = field::name("name", &request.name)?;
        let full = field::full_view(request.view, true)?;
        let format = field::payload_format(request.payload_format)?;
        let read = self.0.read(move |reader| {
            let row = reader.find_environment(&project, &name)?;
            let row = row.ok_or(driver::Error::EnvironmentNotFound { name })?;
            Ok(wire(&row, full.then_some(format)))
        });
        let environment = Some(read.await?);
        Ok(Response::new(v1::GetEnvironmentResponse { environment }))
    }

    async fn list_environments(
        &self,
        request: Request<v1::ListEnvironmentsRequest>,
    ) -> Result<Response<v1::ListEnvironmentsResponse>, Status> {
        let request = request.into_inner();
        let project = field::project(&request.project)?;
        let filter = filter::parse(&request.filter).map_err(Fault::from)?;
        let paging = Paging::of(&request)?;
        let full = field::full_view(request.view, false)?;
        let format = field::payload_format(request.payload_format)?;
        let read = self.0.read(move |reader| {
            let slice = reader.list_environments(&project, &filter, &paging.page)?;
            let name = |row: &EnvironmentRow| row.name.clone();
            paging.fill(slice, name, |row| {
                Ok::<_, Fault>(wire(&row, full.then_some(format)))
            })
        });
        let (environments, next_page_token) = read.await?;
        Ok(Response::new(v1::ListEnvironmentsResponse {
            environments,
            next_page_token,
        }))
    }

    async fn delete_environment(
        &self,
        request: Request<v1::DeleteEnvironmentRequest>,
    ) -> Result<Response<v1::DeleteEnvironmentResponse>, Status> {
        let request = request.into_inner();
        let key = idempotency::key(&request)?;
        let names = (&*request.project, "", &*request.name);
        let order = Order::new(Entity::Environment, names, &request.etag, key)?;
        let order = Order {
            allow_missing: request.allow_missing,
            ..order
        };
        deletion::delete(&self.0, order).await?;
        Ok(Response::new(v1::DeleteEnvironmentResponse {}))
    }
}

impl Environments {
    async fn create(
        &self,
        request: v1::CreateEnvironmentRequest,
    ) -> Result<v1::Environment, Fault> {
        let key = idempotency::key(&request)?;
        let format = field::payload_format(request.payload_format)?;
        let bytes_max = self.0.limits.payload_bytes_max;
        let variables = payload::object("variables", request.variables, bytes_max)?;
        let variables = variables.unwrap_or_else(Data::empty_object);
        let name = field::name("name", &request.name)?;
        let now_us = clock::now_us();
        let change = EnvironmentChange {
            project: field::project(&request.project)?,
            name: name.clone(),
            mode: submission::creation(request.allow_existing),
            description: field::text("description", &request.description)?,
            variables: variables.stored().clone(),
            expected_etag: None,
            request: key.map(|key| idempotency::record(key, name, now_us)),
            now_us,
        };
        let row = if request.validate_only {
            self.preview(change).await?
        } else {
            let written = self.0.driver.write(move |writer| put(writer, &change));
            written.await??
        };
        Ok(wire(&row, Some(format)))
    }

    /// What would be made; it has neither etag nor times of its own.
    async fn preview(&self, change: EnvironmentChange) -> Result<EnvironmentRow, Fault> {
        let read = self.0.read(move |reader| {
            let found = reader.find_environment(&change.project, &change.name)?;
            if found.is_some() && change.mode == ApplyMode::Create {
                let (entity, name) = (Entity::Environment, change.name.to_string());
                return Err(store::Error::Conflict { entity, name }.into());
            }
            Ok(EnvironmentRow {
                project: change.project,
                name: change.name,
                revision: 0,
                description: change.description,
                variables: change.variables,
                created_us: 0,
                updated_us: 0,
            })
        });
        read.await
    }

    async fn update(
        &self,
        request: v1::UpdateEnvironmentRequest,
    ) -> Result<v1::Environment, Fault> {
        let key = idempotency::key(&request)?;
        let format = field::payload_format(request.payload_format)?;
        let bytes_max = self.0.limits.payload_bytes_max;
        let patch = Patch::of(&request, bytes_max)?;
        let project = field::project(&request.project)?;
        let name = field::name("name", &request.name)?;
        let expected_etag = field::optional_name("etag", &request.etag)?;
        let now_us = clock::now_us();
        let request = key.map(|key| idempotency::record(key, name.clone(), now_us));
        // Read and written in one turn of the writer: nothing comes in between.
        let written = self.0.driver.write(move |writer| {
            if let Some(request) = &request
                && let Some(answer) = repeated(writer, request)?
            {
                return Ok(answer);
            }
            let found = writer.read().find_environment(&project, &name)?;
            let Some(present) = found else {
                return Ok(Err(driver::Error::EnvironmentNotFound { name }.into()));
            };
            let (description, variables) = match patch.apply(&present, bytes_max) {
                Ok(patched) => patched,
                Err(fault) => return Ok(Err(fault)),
            };
            let change = EnvironmentChange {
                project,
                name,
                mode: ApplyMode::Update,
                description,
                variables,
                expected_etag,
                request,
                now_us,
            };
            writer.put_environment(&change).map(Ok)
        });
        let row = written.await??;
        Ok(wire(&row, Some(format)))
    }
}

/// Writes, unless the request was answered before.
fn put(
    writer: &mut Writer,
    change: &EnvironmentChange,
) -> Result<Result<EnvironmentRow, Fault>, store::Error> {
    if let Some(request) = &change.request
        && let Some(answer) = repeated(writer, request)?
    {
        return Ok(answer);
    }
    writer.put_environment(change).map(Ok)
}

/// The answer to a request that came before: the environment as it is now.
fn repeated(
    writer: &mut Writer,
    request: &RequestRecord,
) -> Result<Option<Result<EnvironmentRow, Fault>>, store::Error> {
    let reader = writer.read();
    let Some(kept) = reader.find_request(&request.project, &request.request_id)? else {
        return Ok(None);
    };
    if (&kept.method, &kept.body_hash) != (&request.method, &request.body_hash) {
        return Ok(Some(Err(Fault::request_reused(&request.request_id))));
    }
    let found = reader.find_environment(&kept.project, &kept.target)?;
    let name = kept.target;
    let gone = || driver::Error::EnvironmentNotFound { name }.into();
    Ok(Some(found.ok_or_else(gone)))
}

/// What an update changes.
struct Patch {
    description: Option<Arc<str>>,
    variables: Variables,
}

enum Variables {
    Keep,
    Replace(Data),
    /// Only these: with a new value, or to be removed.
    Some(Vec<(String, Option<Value>)>),
}

impl Patch {
    fn of(request: &v1::UpdateEnvironmentRequest, bytes_max: usize) -> Result<Self, Fault> {
        let description = field::text("description", &request.description)?;
        let given = payload::object("variables", request.variables.clone(), bytes_max)?;
        let Some(mask) = &request.update_mask else {
            return Ok(Self {
                description: Some(description).filter(|text| !text.is_empty()),
                variables: given.map_or(Variables::Keep, Variables::Replace),
            });
        };
        let mut patch = Self {
            description: None,
            variables: Variables::Keep,
        };
        let mut single = Vec::new();
        for path in &mask.paths {
            match path.as_str() {
                "description" => patch.description = Some(description.clone()),
                "variables" => {
                    let all = given.clone().unwrap_or_else(Data::empty_object);
                    patch.variables = Variables::Replace(all);
                }
                other => match other.strip_prefix("variables.") {
                    Some(name) if !name.is_empty() => {
                        let value = given.as_ref().and_then(|given| given.value().get(name));
                        single.push((name.to_owned(), value));
                    }
                    _ => {
                        let known = "description, variables or variables.NAME";
                        let description = format!("has no field {other:?}; there are {known}");
                        return Err(Fault::field("update_mask", description));
                    }
                },
            }
        }
        if !single.is_empty() && matches!(patch.variables, Variables::Keep) {
            patch.variables = Variables::Some(single);
        }
        Ok(patch)
    }

    /// Description and variables as they are to be.
    fn apply(
        self,
        present: &EnvironmentRow,
        bytes_max: usize,
    ) -> Result<(Arc<str>, Arc<str>), Fault> {
        let description = self
            .description
            .unwrap_or_else(|| present.description.clone());
        let variables = match self.variables {
            Variables::Keep => present.variables.clone(),
            Variables::Replace(all) => all.stored().clone(),
            Variables::Some(changes) => {
                let known = Data::from_stored(present.variables.clone());
                let named =
                    |key: &Value| changes.iter().any(|(name, _)| key.as_str() == Some(name));
                let known = known.value().as_dict().cloned().unwrap_or_default();
                let kept = known.iter().filter(|(key, _)| !named(key));
                let mut dict: Dict = kept.collect();
                for (name, value) in changes.iter().filter_map(|(n, v)| Some((n, v.as_ref()?))) {
                    dict.insert(name.as_str(), value.clone());
                }
                within(dict, bytes_max)?
            }
        };
        Ok((description, variables))
    }
}

/// The text of variables that are not too large together.
fn within(variables: Dict, limit: usize) -> Result<Arc<str>, Fault> {
    let field = "variables";
    let data = Data::from_value(Value::Dict(variables)).map_err(|error| Fault::PayloadInvalid {
        field,
        description: error.to_string(),
    })?;
    let actual = data.text().len();
    if actual > limit {
        return Err(Fault::PayloadTooLarge {
            field,
            limit,
            actual,
        });
    }
    Ok(data.stored().clone())
}

/// An environment on the wire, in the FULL view if a format is given.
fn wire(row: &EnvironmentRow, full: Option<PayloadFormat>) -> v1::Environment {
    let is_stored = row.revision > 0;
    let variables = |format| payload::wire(&Data::from_stored(row.variables.clone()), format);
    v1::Environment {
        project: row.project.to_string(),
        name: row.name.to_string(),
        description: row.description.to_string(),
        variables: full.map(variables),
        create_time: is_stored.then(|| field::timestamp(row.created_us)),
        update_time: is_stored.then(|| field::timestamp(row.updated_us)),
        etag: if is_stored { row.etag() } else { String::new() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patched(variables: &str, paths: Option<&[&str]>) -> Result<(String, String), Fault> {
        let encoding = Some(v1::payload::Encoding::Json(variables.into()));
        let request = v1::UpdateEnvironmentRequest {
            description: "new".into(),
            variables: Some(v1::Payload {
                encoding,
                ..Default::default()
            }),
            update_mask: paths.map(|paths| prost_types::FieldMask {
                paths: paths.iter().map(ToString::to_string).collect(),
            }),
            ..Default::default()
        };
        let present = EnvironmentRow {
            project: "default".into(),
            name: "prod".into(),
            revision: 1,
            description: "old".into(),
            variables: "{\"a\":1,\"b\":2}".into(),
            created_us: 0,
            updated_us: 0,
        };
        let (description, variables) = Patch::of(&request, 60)?.apply(&present, 60)?;
        Ok((description.to_string(), variables.to_string()))
    }

    #[test]
    fn a_mask_says_what_changes() {
        let long = format!("{{\"c\":\"{}\"}}", "x".repeat(50));
        for (variables, paths, expected) in [
            ("{\"c\":3}", None, Ok(("new", "{\"c\":3}"))),
            (
                "{\"c\":3}",
                Some(&["description"][..]),
                Ok(("new", "{\"a\":1,\"b\":2}")),
            ),
            (
                "{\"c\":3}",
                Some(&["variables"][..]),
                Ok(("old", "{\"c\":3}")),
            ),
            (
                "{\"b\":3,\"c\":4}",
                Some(&["variables.b", "variables.a"][..]),
                Ok(("old", "{\"b\":3}")),
            ),
            ("{}", Some(&[][..]), Ok(("old", "{\"a\":1,\"b\":2}"))),
            (
                "{}",
                Some(&["name"][..]),
                Err("update_mask: has no field \"name\""),
            ),
            (
                "{}",
                Some(&["variables."][..]),
                Err("update_mask: has no field"),
            ),
            (&long, Some(&["variables.c"][..]), Err("variables has")),
        ] {
            match (patched(variables, paths), expected) {
                (Ok((description, text)), Ok(wanted)) => {
                    assert_eq!((&*description, &*text), wanted);
                }
                (Err(fault), Err(part)) => {
                    assert!(fault.to_string().starts_with(part), "{fault}");
                }
                (found, _) => panic!("{paths:?}: {found:?}"),
            }
        }
    }
}
