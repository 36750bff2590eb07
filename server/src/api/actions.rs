//! `ActionService`: built-in actions and ad-hoc ones, which are kept as immutable revisions.
//!
//! Left to others: running one (`run_action`), what is built in (`built_in`).

use std::sync::Arc;

use definition::Kind;
use engine::Builtin;
use proto::v1::action_service_server::ActionService;
use proto::v1::{self, ActionKind};
use store::{
    ApplyMode, DefinitionKind, DefinitionName, DefinitionRow, Entity, Page, Reader, Slice,
};
use tonic::{Request, Response, Status};

use super::context::Shared;
use super::convert::definition::wire_action;
use super::convert::field;
use super::definitions::{self, Family, Place, Selection, Sources};
use super::deletion::{self, Order};
use super::fault::Fault;
use super::page::{Key, Paging};
use super::submission::{self, DocumentRequest};
use super::{built_in, idempotency, run_action};
use crate::driver;

/// The service.
pub(super) struct Actions(pub(super) Shared);

/// Ad-hoc actions as definitions.
struct OfActions;

impl Family for OfActions {
    const KIND: DefinitionKind = DefinitionKind::Action;

    type Wire = v1::Action;

    fn wire(row: &DefinitionRow, source: Option<&str>) -> v1::Action {
        wire_action(row, source)
    }

    fn not_found(place: &Place, revision: Option<i32>) -> Fault {
        Fault::Driver(driver::Error::ActionNotFound {
            name: place.name.clone(),
            namespace: place.namespace.clone(),
            revision,
        })
    }
}

#[tonic::async_trait]
impl ActionService for Actions {
    async fn create_action(
        &self,
        request: Request<v1::CreateActionRequest>,
    ) -> Result<Response<v1::CreateActionResponse>, Status> {
        let request = request.into_inner();
        let mode = submission::creation(request.allow_existing);
        let (actions, warnings) = self.submit(request, mode).await?;
        Ok(Response::new(v1::CreateActionResponse {
            actions,
            warnings,
        }))
    }

    async fn update_action(
        &self,
        request: Request<v1::UpdateActionRequest>,
    ) -> Result<Response<v1::UpdateActionResponse>, Status> {
        let request = request.into_inner();
        let (actions, warnings) = self.submit(request, ApplyMode::Update).await?;
        Ok(Response::new(v1::UpdateActionResponse {
            actions,
            warnings,
        }))
    }

    async fn get_action(
        &self,
        request: Request<v1::GetActionRequest>,
    ) -> Result<Response<v1::GetActionResponse>, Status> {
        Ok(Response::new(self.get(request.into_inner()).await?))
    }

    async fn list_actions(
        &self,
        request: Request<v1::ListActionsRequest>,
    ) -> Result<Response<v1::ListActionsResponse>, Status> {
        Ok(Response::new(self.list(request.into_inner()).await?))
    }

    async fn list_action_revisions(
        &self,
        request: Request<v1::ListActionRevisionsRequest>,
    ) -> Result<Response<v1::ListActionRevisionsResponse>, Status> {
        let request = request.into_inner();
        let place = Place::new(&request.project, &request.namespace, &request.name)?;
        let full = field::full_view(request.view, false)?;
        let listed = definitions::list_revisions::<OfActions>(&self.0, place, &request, full);
        let (actions, next_page_token) = listed.await?;
        Ok(Response::new(v1::ListActionRevisionsResponse {
            actions,
            next_page_token,
        }))
    }

    async fn delete_action(
        &self,
        request: Request<v1::DeleteActionRequest>,
    ) -> Result<Response<v1::DeleteActionResponse>, Status> {
        let request = request.into_inner();
        let key = idempotency::key(&request)?;
        let names = (&*request.project, &*request.namespace, &*request.name);
        let order = Order::new(Entity::Action, names, &request.etag, key)?;
        if built_in::find(&request.name).is_some() {
            let name = request.name.into();
            return Err(Fault::ActionIsSystem { name }.into());
        }
        let order = Order {
            allow_missing: request.allow_missing,
            ..order
        };
        deletion::delete(&self.0, order).await?;
        Ok(Response::new(v1::DeleteActionResponse {}))
    }

    async fn validate_action(
        &self,
        request: Request<v1::ValidateActionRequest>,
    ) -> Result<Response<v1::ValidateActionResponse>, Status> {
        let request = request.into_inner();
        let kind = Kind::Actions;
        let validated = submission::validate(&self.0, request.source, kind, request.strict);
        let (valid, diagnostics) = validated.await;
        Ok(Response::new(v1::ValidateActionResponse {
            valid,
            diagnostics,
        }))
    }

    async fn run_action(
        &self,
        request: Request<v1::RunActionRequest>,
    ) -> Result<Response<v1::RunActionResponse>, Status> {
        let run = run_action::run(&self.0, request.into_inner());
        Ok(Response::new(run.await?))
    }
}

impl Actions {
    async fn submit(
        &self,
        request: impl DocumentRequest,
        mode: ApplyMode,
    ) -> Result<(Vec<v1::Action>, Vec<v1::Diagnostic>), Fault> {
        let submission = request.submission(Kind::Actions, (mode, mode))?;
        let accepted = submission::submit(&self.0, submission).await?;
        let rows = accepted.applied.definitions.iter();
        let actions = rows.map(|row| wire_action(row, Some(&accepted.source)));
        Ok((actions.collect(), accepted.warnings))
    }

    async fn get(&self, request: v1::GetActionRequest) -> Result<v1::GetActionResponse, Fault> {
        let place = Place::new(&request.project, &request.namespace, &request.name)?;
        let revision = field::revision("revision", request.revision)?;
        let full = field::full_view(request.view, true)?;
        let read = self.0.read(move |reader| {
            let found = definitions::find::<OfActions>(reader, &place, revision, full)?;
            let of_server = || built_in::find(&place.name).filter(|_| revision.is_none());
            let found = found.or_else(|| of_server().map(built_in::wire));
            found.ok_or_else(|| OfActions::not_found(&place, revision))
        });
        Ok(v1::GetActionResponse {
            action: Some(read.await?),
        })
    }

    async fn list(
        &self,
        request: v1::ListActionsRequest,
    ) -> Result<v1::ListActionsResponse, Fault> {
        let project = field::project(&request.project)?;
        let selection = Selection::new(request.namespace.as_deref(), &request.filter)?;
        let kinds = match field::known("kind", request.kind)? {
            ActionKind::Unspecified => (true, true),
            ActionKind::System => (true, false),
            ActionKind::Adhoc => (false, true),
            ActionKind::Worker => (false, false),
        };
        let paging = Paging::of(&request)?;
        let full = field::full_view(request.view, false)?;
        let read = self.0.read(move |reader| {
            let slice = select(reader, &project, &selection, kinds, &paging.page)?;
            let mut sources = Sources::new(full);
            paging.fill(slice, Listed::place, |row| match row {
                Listed::System(action) => Ok(built_in::wire(action)),
                Listed::AdHoc(row) => sources.wire::<OfActions>(reader, &row),
            })
        });
        let (actions, next_page_token) = read.await?;
        Ok(v1::ListActionsResponse {
            actions,
            next_page_token,
        })
    }
}

/// A row of the list of actions.
enum Listed {
    System(&'static Builtin),
    AdHoc(DefinitionRow),
}

/// The place of a row: built-in actions come before all others.
#[derive(Clone, Debug, PartialEq, Eq)]
enum ListedPlace {
    System(Arc<str>),
    AdHoc(DefinitionName),
}

impl Listed {
    fn place(&self) -> ListedPlace {
        match self {
            Self::System(action) => ListedPlace::System(action.name.into()),
            Self::AdHoc(row) => ListedPlace::AdHoc(definitions::name_of(row)),
        }
    }
}

impl Key for ListedPlace {
    fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::System(name) => [b"s", name.as_bytes()].concat(),
            Self::AdHoc(name) => [&b"a"[..], &name.to_bytes()].concat(),
        }
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        match bytes.split_first()? {
            (b's', name) => Some(Self::System(std::str::from_utf8(name).ok()?.into())),
            (b'a', name) => DefinitionName::from_bytes(name).map(Self::AdHoc),
            _ => None,
        }
    }
}

/// One page of the list: what is left of the built-in actions, then ad-hoc ones.
fn select(
    reader: &mut Reader,
    project: &str,
    selection: &Selection,
    (system, ad_hoc): (bool, bool),
    page: &Page<ListedPlace>,
) -> Result<Slice<Listed>, Fault> {
    let (after_system, after) = match &page.after {
        None => (Some(""), None),
        Some(ListedPlace::System(name)) => (Some(&**name), None),
        Some(ListedPlace::AdHoc(name)) => (None, Some(name.clone())),
    };
    let limit = page.limit as usize;
    let after_system = after_system.filter(|_| system);
    let of_server = after_system.map(|after| built_in::list(&selection.filter, after));
    let of_server = of_server.into_iter().flatten().take(limit + 1);
    let mut rows: Vec<Listed> = of_server.map(Listed::System).collect();
    if rows.len() > limit {
        rows.truncate(limit);
        return Ok(Slice { rows, more: true });
    }
    if !ad_hoc {
        return Ok(Slice { rows, more: false });
    }
    let room = limit - rows.len();
    let rest = Page {
        after,
        // Without room it is still to be known whether there is more.
        limit: u32::try_from(room.max(1)).unwrap_or(page.limit),
        max_bytes: page.max_bytes,
    };
    let slice = selection.list::<OfActions>(reader, project, &rest)?;
    let more = slice.more || slice.rows.len() > room;
    rows.extend(slice.rows.into_iter().take(room).map(Listed::AdHoc));
    Ok(Slice { rows, more })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_survive_a_token() {
        let name = DefinitionName {
            name: "wrap.get".into(),
            namespace: "eu".into(),
        };
        for place in [
            ListedPlace::System("std.echo".into()),
            ListedPlace::AdHoc(name),
        ] {
            let bytes = place.to_bytes();
            assert_eq!(ListedPlace::from_bytes(&bytes), Some(place));
        }
        for bytes in [&b""[..], b"x", b"a", b"s\xff"] {
            assert_eq!(ListedPlace::from_bytes(bytes), None, "{bytes:?}");
        }
    }
}
