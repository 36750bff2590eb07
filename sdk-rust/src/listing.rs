//! Lists that come in pages.
//!
//! Owns paging. Left to others: what is listed; each list hands over a function that gets one page.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use futures_util::{Stream, TryStreamExt as _, stream};
use proto::v1::View;

use crate::error::Error;

/// What every list request says.
#[derive(Clone, Debug)]
pub(crate) struct Query {
    pub(crate) page_size: i32,
    pub(crate) page_token: String,
    pub(crate) view: View,
}

type Fetch<T> = Arc<dyn Fn(Query) -> BoxFuture<'static, Result<Page<T>, Error>> + Send + Sync>;

/// A list that is fetched as it is read.
#[must_use = "a list is fetched by `stream`, `collect` or `page`"]
pub struct Listing<T> {
    query: Query,
    fetch: Fetch<T>,
}

/// Some rows of a list.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Page<T> {
    /// The rows. There may be fewer than asked for, even none, before the end.
    pub items: Vec<T>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// Converts the rows of an answer.
    pub(crate) fn new<W: Into<T>>(rows: Vec<W>, next_page_token: String) -> Self {
        Self {
            items: rows.into_iter().map(W::into).collect(),
            next: crate::resources::non_empty(next_page_token),
        }
    }
}

impl<T: Send + 'static> Listing<T> {
    pub(crate) fn new<F, Fut>(fetch: F) -> Self
    where
        F: Fn(Query) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Page<T>, Error>> + Send + 'static,
    {
        Self {
            query: Query {
                page_size: 0,
                page_token: String::new(),
                view: View::Basic,
            },
            fetch: Arc::new(move |query| Box::pin(fetch(query))),
        }
    }

    /// Brings payloads and source texts, too.
    pub fn full(mut self) -> Self {
        self.query.view = View::Full;
        self
    }

    /// Fetches at most this many rows at a time; the server decides if none is given.
    pub fn page_size(mut self, rows: u32) -> Self {
        self.query.page_size = i32::try_from(rows).unwrap_or(i32::MAX);
        self
    }

    /// Begins with this page, see [`Page::next`].
    pub fn page_token(mut self, token: impl Into<String>) -> Self {
        self.query.page_token = token.into();
        self
    }

    /// Fetches one page.
    pub async fn page(&self) -> Result<Page<T>, Error> {
        (self.fetch)(self.query.clone()).await
    }

    /// All rows, fetched page by page.
    pub fn stream(self) -> impl Stream<Item = Result<T, Error>> + Send + Unpin + 'static {
        let state = (self.fetch, Some(self.query), VecDeque::new());
        Box::pin(stream::try_unfold(
            state,
            |(fetch, mut query, mut rows)| async move {
                loop {
                    if let Some(row) = rows.pop_front() {
                        return Ok(Some((row, (fetch, query, rows))));
                    }
                    let Some(asked) = query else { return Ok(None) };
                    let page = fetch(asked.clone()).await?;
                    rows.extend(page.items);
                    query = page.next.map(|page_token| Query {
                        page_token,
                        ..asked
                    });
                }
            },
        ))
    }

    /// All rows in memory.
    pub async fn collect(self) -> Result<Vec<T>, Error> {
        self.stream().try_collect().await
    }
}

impl<T> fmt::Debug for Listing<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listing")
            .field("query", &self.query)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pages of a list 0, 1, 2 … by the token that asks for them; `!` is a failure.
    async fn check(pages: &'static [(&'static str, &'static [i32], &'static str)]) -> String {
        let listing = Listing::<i32>::new(move |query| async move {
            let page = pages
                .iter()
                .find(|page| page.0 == query.page_token)
                .expect("a known page");
            match page.2 {
                "!" => Err(Error::Incomplete { field: "page" }),
                next => Ok(Page::new(page.1.to_vec(), next.to_owned())),
            }
        });
        let mut stream = listing.stream();
        let mut seen = Vec::new();
        loop {
            match stream.try_next().await {
                Ok(Some(row)) => seen.push(row.to_string()),
                Ok(None) => seen.push("end".to_owned()),
                Err(error) => seen.push(error.to_string()),
            }
            if seen.last().is_some_and(|last| last.parse::<i32>().is_err()) {
                return seen.join(" ");
            }
        }
    }

    #[tokio::test]
    async fn rows_come_in_order_over_short_and_empty_pages() {
        assert_eq!(check(&[("", &[], "")]).await, "end");
        assert_eq!(
            check(&[("", &[0, 1], "b"), ("b", &[2], "")]).await,
            "0 1 2 end"
        );
        let holes = check(&[("", &[], "b"), ("b", &[0], "c"), ("c", &[], "")]).await;
        assert_eq!(holes, "0 end");
        assert_eq!(
            check(&[("", &[0], "b"), ("b", &[], "!")]).await,
            "0 the answer lacks page"
        );
    }
}
