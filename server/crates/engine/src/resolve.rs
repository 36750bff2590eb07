//! What a name of an action or workflow means where it stands: workbook members first, then other
//! definitions, each in the own namespace before the default one; then built-in actions, and last
//! what workers provide.

use std::sync::Arc;

use expr::{Dict, Value};

use crate::catalog::{self, Builtin};
use crate::record::Runner;
use crate::world::{AdHocAction, Definition, Provision, World};

/// Longest chain of ad-hoc actions.
const AD_HOC_CHAIN_MAX: usize = 32;

/// An action: ad-hoc ones from the outside in, and the one at the bottom.
pub(crate) struct Action {
    pub(crate) chain: Vec<Arc<AdHocAction>>,
    /// Or why there is none: the action itself is there all the same, and says what input it takes.
    pub(crate) base: Result<Base, Unresolved>,
}

/// The action at the bottom.
#[derive(Clone)]
pub(crate) enum Base {
    /// One that the server has.
    Builtin(&'static Builtin),
    /// One that workers provide, or will: by its name.
    Worker(Arc<str>),
}

impl Base {
    pub(crate) fn name(&self) -> Arc<str> {
        match self {
            Self::Builtin(builtin) => builtin.name.into(),
            Self::Worker(name) => name.clone(),
        }
    }

    /// Who runs it with this input.
    pub(crate) fn runner(&self, input: &Value) -> Runner {
        match self {
            Self::Builtin(builtin) => builtin.runner(input),
            Self::Worker(_) => Runner::Worker,
        }
    }

    /// Whether the input fits, in the words of Mistral. What a worker provides checks it itself.
    pub(crate) fn check_input(&self, input: &Dict) -> Result<(), String> {
        match self {
            Self::Builtin(builtin) => builtin.check_input(input),
            Self::Worker(_) => Ok(()),
        }
    }

    /// Whether it may be run twice where the task does not say.
    pub(crate) fn is_repeatable(&self) -> bool {
        match self {
            Self::Builtin(builtin) => builtin.is_harmless(),
            // That is what a lease is for: the action gets a key that tells repetitions.
            Self::Worker(_) => true,
        }
    }
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
        let base = match self.base(&next) {
            Some(base) => Ok(base),
            None if chain.is_empty() => return Err(Unresolved::NotFound(next)),
            None => Err(Unresolved::BaseNotFound(next)),
        };
        Ok(Action { chain, base })
    }

    /// What is no ad-hoc action: built in, or of workers.
    pub(crate) fn base(&self, name: &Arc<str>) -> Option<Base> {
        if let Some(builtin) = catalog::builtin(name) {
            return Some(Base::Builtin(builtin));
        }
        if name.starts_with("std.") {
            return None;
        }
        let provision = self.world.worker_action(self.project, name);
        (provision != Provision::Never).then(|| Base::Worker(name.clone()))
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
