//! Reading one thing, whole or only some of its payloads.
//!
//! Owns the choice of payloads. Left to others: what is read; each hands over a function that asks.

use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use prost_types::FieldMask;

use crate::error::Error;

type Fetch<T> =
    Arc<dyn Fn(Option<FieldMask>) -> BoxFuture<'static, Result<T, Error>> + Send + Sync>;

/// A look at one thing in preparation; await it to send it.
#[must_use = "nothing is asked before it is awaited"]
#[derive(Clone)]
pub struct Get<T> {
    payloads: Option<FieldMask>,
    fetch: Fetch<T>,
}

impl<T> Get<T> {
    pub(crate) fn new<F, Fut>(fetch: F) -> Self
    where
        F: Fn(Option<FieldMask>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<T, Error>> + Send + 'static,
    {
        Self {
            payloads: None,
            fetch: Arc::new(move |mask| Box::pin(fetch(mask))),
        }
    }

    /// Brings these payloads only, by the names of the fields, such as `input`: for what would be
    /// too large together. Other fields are there as ever. None at all brings every payload.
    pub fn only(mut self, payloads: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let paths = payloads.into_iter().map(Into::into).collect();
        self.payloads = Some(FieldMask { paths });
        self
    }
}

impl<T: 'static> IntoFuture for Get<T> {
    type Output = Result<T, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        (self.fetch)(self.payloads)
    }
}

impl<T> fmt::Debug for Get<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Get")
            .field("payloads", &self.payloads)
            .finish_non_exhaustive()
    }
}
