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

use super::caller;
use super::context::Shared;
use super::convert::definition::wire_action;
use super::convert::{field, worker};
use super::definitions::{self, Family, Place, Selection, Sources};
use super::deletion::{self, Order};
use super::fault::Fault;
use super::page::{Key, Paging};
use super::submission::{self, DocumentRequest};
use super::{built_in, idempotency, run_action};
use crate::dispatch::Known;
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
        let (request, sender) = caller::open(request)?;
        let run = run_action::run(&self.0, request, &sender);
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
        let dispatcher = self.0.dispatcher.clone();
        let read = self.0.read(move |reader| {
            let found = definitions::find::<OfActions>(reader, &place, revision, full)?;
            let of_server = || built_in::find(&place.name).filter(|_| revision.is_none());
            let found = found.or_else(|| of_server().map(built_in::wire));
            let of_workers = || {
                let known = dispatcher.action(&place.project, &place.name)?;
                let wire = worker::action(&place.project, &place.name, &known);
                revision.is_none().then_some(wire)
            };
            let found = found.or_else(of_workers);
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
            ActionKind::Unspecified => Kinds::ALL,
            ActionKind::System => Kinds {
                system: true,
                ..Kinds::NONE
            },
            ActionKind::Adhoc => Kinds {
                ad_hoc: true,
                ..Kinds::NONE
            },
            ActionKind::Worker => Kinds {
                worker: true,
                ..Kinds::NONE
            },
        };
        let mut provided = Vec::new();
        if kinds.worker {
            provided = self.0.dispatcher.actions(&project);
            provided.retain(|(name, _)| built_in::passes(&selection.filter, name));
        }
        let paging = Paging::of(&request)?;
        let full = field::full_view(request.view, false)?;
        let read = self.0.read(move |reader| {
            let slice = select(
                reader,
                &project,
                &selection,
                (kinds, provided),
                &paging.page,
            )?;
            let mut sources = Sources::new(full);
            paging.fill(slice, Listed::place, |row| match row {
                Listed::System(action) => Ok(built_in::wire(action)),
                Listed::AdHoc(row) => sources.wire::<OfActions>(reader, &row),
                Listed::Worker(name, known) => Ok(worker::action(&project, &name, &known)),
            })
        });
        let (actions, next_page_token) = read.await?;
        Ok(v1::ListActionsResponse {
            actions,
            next_page_token,
        })
    }
}

/// Which kinds of actions are listed.
#[derive(Clone, Copy)]
struct Kinds {
    system: bool,
    ad_hoc: bool,
    worker: bool,
}

impl Kinds {
    const NONE: Self = Self {
        system: false,
        ad_hoc: false,
        worker: false,
    };
    const ALL: Self = Self {
        system: true,
        ad_hoc: true,
        worker: true,
    };
}

/// A row of the list of actions.
enum Listed {
    System(&'static Builtin),
    AdHoc(DefinitionRow),
    Worker(Arc<str>, Known),
}

/// The place of a row: built-in actions come first, those of workers last.
#[derive(Clone, Debug, PartialEq, Eq)]
enum ListedPlace {
    System(Arc<str>),
    AdHoc(DefinitionName),
    Worker(Arc<str>),
}

impl Listed {
    fn place(&self) -> ListedPlace {
        match self {
            Self::System(action) => ListedPlace::System(action.name.into()),
            Self::AdHoc(row) => ListedPlace::AdHoc(definitions::name_of(row)),
            Self::Worker(name, _) => ListedPlace::Worker(name.clone()),
        }
    }
}

impl Key for ListedPlace {
    fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::System(name) => [b"s", name.as_bytes()].concat(),
            Self::AdHoc(name) => [&b"a"[..], &name.to_bytes()].concat(),
            Self::Worker(name) => [b"w", name.as_bytes()].concat(),
        }
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        match bytes.split_first()? {
            (b's', name) => Some(Self::System(std::str::from_utf8(name).ok()?.into())),
            (b'a', name) => DefinitionName::from_bytes(name).map(Self::AdHoc),
            (b'w', name) => Some(Self::Worker(std::str::from_utf8(name).ok()?.into())),
            _ => None,
        }
    }
}

/// One page of the list: what is left of the built-in actions, then ad-hoc ones, then those that
/// workers provide.
fn select(
    reader: &mut Reader,
    project: &str,
    selection: &Selection,
    (kinds, provided): (Kinds, Vec<(Arc<str>, Known)>),
    page: &Page<ListedPlace>,
) -> Result<Slice<Listed>, Fault> {
    let after = page.after.as_ref();
    let limit = page.limit as usize;
    let mut rows: Vec<Listed> = Vec::new();
    let after_system = match after {
        None => Some(""),
        Some(ListedPlace::System(name)) => Some(&**name),
        Some(ListedPlace::AdHoc(_) | ListedPlace::Worker(_)) => None,
    };
    if let Some(after) = after_system.filter(|_| kinds.system) {
        let of_server = built_in::list(&selection.filter, after).take(limit + 1);
        rows.extend(of_server.map(Listed::System));
    }
    let is_past = matches!(after, Some(ListedPlace::Worker(_)));
    if kinds.ad_hoc && !is_past && rows.len() <= limit {
        let after = match after {
            Some(ListedPlace::AdHoc(name)) => Some(name.clone()),
            _ => None,
        };
        let rest = Page {
            after,
            // One more than there is room for says whether there is more.
            limit: u32::try_from(limit + 1 - rows.len()).unwrap_or(page.limit),
            max_bytes: page.max_bytes,
        };
        let slice = selection.list::<OfActions>(reader, project, &rest)?;
        rows.extend(slice.rows.into_iter().map(Listed::AdHoc));
        if slice.more {
            rows.truncate(limit);
            return Ok(Slice { rows, more: true });
        }
    }
    let after_worker = match after {
        Some(ListedPlace::Worker(name)) => &**name,
        _ => "",
    };
    let of_workers = provided
        .into_iter()
        .filter(|(name, _)| &**name > after_worker);
    let room = (limit + 1).saturating_sub(rows.len());
    rows.extend(
        of_workers
            .take(room)
            .map(|(name, known)| Listed::Worker(name, known)),
    );
    let more = rows.len() > limit;
    rows.truncate(limit);
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
            ListedPlace::Worker("stock.reserve".into()),
        ] {
            let bytes = place.to_bytes();
            assert_eq!(ListedPlace::from_bytes(&bytes), Some(place));
        }
        for bytes in [&b""[..], b"x", b"a", b"s\xff"] {
            assert_eq!(ListedPlace::from_bytes(bytes), None, "{bytes:?}");
        }
    }
}
