//! What a name of an action or workflow means where it stands: workbook members first, then other
//! definitions, each in the own namespace before the default one; built-in actions last.

use std::sync::Arc;

use crate::catalog::{self, Builtin};
use crate::world::{AdHocAction, Definition, World};

/// Longest chain of ad-hoc actions.
const AD_HOC_CHAIN_MAX: usize = 32;

/// An action: ad-hoc ones from the outside in, and the one at the bottom.
pub(crate) struct Action {
    pub(crate) chain: Vec<Arc<AdHocAction>>,
    /// Or why there is none: the action itself is there all the same, and says what input it takes.
    pub(crate) base: Result<&'static Builtin, Unresolved>,
}

/// Why a name means no action.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unresolved {
    #[error("Failed to find action [action_name={0}]")]
    NotFound(Arc<str>),
    #[error("Failed to find base action [action_name={0}]")]
    BaseNotFound(Arc<str>),
    #[error(
        "Found a cycle in an ad-hoc action chain [action_name={name}, \
         duplicate_action_name={duplicate}]"
    )]
    Cycle { name: Arc<str>, duplicate: Arc<str> },
    #[error("the chain of ad-hoc actions from '{0}' is too long")]
    TooLong(Arc<str>),
}

/// A place from which names are looked up.
pub(crate) struct Resolver<'a> {
    pub(crate) world: &'a dyn World,
    pub(crate) project: &'a str,
    pub(crate) namespace: Arc<str>,
    /// Workbook of the definition that has the name in it.
    pub(crate) workbook: Option<Arc<str>>,
}

impl Resolver<'_> {
    /// An action with the ad-hoc actions above it. Refuses only a name that means nothing.
    pub(crate) fn action(&self, name: &str) -> Result<Action, Unresolved> {
        let mut chain: Vec<Arc<AdHocAction>> = Vec::new();
        let mut next: Arc<str> = name.into();
        let mut workbook = self.workbook.clone();
        while let Some(found) = self.ad_hoc(&next, workbook.as_deref()) {
            if chain.iter().any(|known| known.reference == found.reference) {
                let cycle = Unresolved::Cycle {
                    name: chain[0].reference.name.clone(),
                    duplicate: found.reference.name.clone(),
                };
                let base = Err(cycle);
                return Ok(Action { chain, base });
            }
            if chain.len() >= AD_HOC_CHAIN_MAX {
                let base = Err(Unresolved::TooLong(name.into()));
                return Ok(Action { chain, base });
            }
            next = found.base_name();
            workbook.clone_from(&found.reference.workbook);
            chain.push(found);
        }
        let base = match catalog::builtin(&next) {
            Some(base) => Ok(base),
            None if chain.is_empty() => return Err(Unresolved::NotFound(next)),
            None => Err(Unresolved::BaseNotFound(next)),
        };
        Ok(Action { chain, base })
    }

    /// A workflow.
    pub(crate) fn workflow(&self, name: &str) -> Option<Arc<Definition>> {
        self.tries(name, self.workbook.as_deref())
            .find_map(|(namespace, name)| self.world.workflow(self.project, namespace, &name))
    }

    fn ad_hoc(&self, name: &str, workbook: Option<&str>) -> Option<Arc<AdHocAction>> {
        self.tries(name, workbook)
            .find_map(|(namespace, name)| self.world.action(self.project, namespace, &name))
    }

    /// Namespaces and names in the order in which they are looked up.
    fn tries(
        &self,
        name: &str,
        workbook: Option<&str>,
    ) -> impl Iterator<Item = (&str, Arc<str>)> + use<'_> {
        let own = (!self.namespace.is_empty()).then_some(&*self.namespace);
        let member: Option<Arc<str>> = workbook.map(|book| format!("{book}.{name}").into());
        let names = member.into_iter().chain([name.into()]);
        names.flat_map(move |name: Arc<str>| {
            let namespaces = own.into_iter().chain([""]);
            namespaces.map(move |namespace| (namespace, name.clone()))
        })
    }
}
