//! Requests that come again: what a batch knows of those it was asked, and what it adds.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use store::RequestRecord;

use super::Error;
use super::lane::Lane;
use super::order::{Command, RequestKey};

/// The requests of a batch.
#[derive(Default)]
pub(super) struct Requests {
    /// Those that it answers, to be remembered with its commit.
    pub(super) answered: Vec<RequestRecord>,
    /// What is known of some, by project and id; `None` = it did not come before.
    known: HashMap<(Arc<str>, Arc<str>), Option<RequestRecord>>,
}

impl Lane {
    /// Asks the store for the requests of all these commands at once. What it does not tell now
    /// is asked for again, one by one.
    pub(super) fn recall(&mut self, commands: &[Command]) {
        let mut ids: BTreeMap<&Arc<str>, Vec<&Arc<str>>> = BTreeMap::new();
        for request in commands.iter().filter_map(Command::request) {
            ids.entry(&request.project).or_default().push(&request.id);
        }
        let mut writer = self.writer.borrow_mut();
        for (project, ids) in ids {
            let asked: Vec<&str> = ids.iter().map(|id| &***id).collect();
            let Ok(found) = writer.read().find_requests(project, &asked) else {
                continue;
            };
            let known = &mut self.batch.requests.known;
            known.extend(
                ids.iter()
                    .map(|id| ((*project).clone(), (*id).clone()))
                    .map(none),
            );
            let found = found.into_iter();
            known.extend(found.map(|record| (key_of(&record), Some(record))));
        }
    }

    /// Forgets what was recalled: something was written that is not of this batch.
    pub(super) fn doubt_recalled(&mut self) {
        let Requests { answered, known } = &mut self.batch.requests;
        let of_batch = answered
            .iter()
            .map(|record| (key_of(record), Some(record.clone())));
        *known = of_batch.collect();
    }

    /// What the same request was about when it came before.
    pub(super) fn repeated(&self, request: Option<&RequestKey>) -> Result<Option<Arc<str>>, Error> {
        let Some(request) = request else {
            return Ok(None);
        };
        let key = (request.project.clone(), request.id.clone());
        let known = if let Some(known) = self.batch.requests.known.get(&key) {
            known.clone()
        } else {
            let mut writer = self.writer.borrow_mut();
            writer.read().find_request(&request.project, &request.id)?
        };
        match known {
            None => Ok(None),
            Some(known)
                if known.body_hash == request.body_hash && *known.method == *request.method =>
            {
                Ok(Some(known.target))
            }
            Some(_) => Err(Error::RequestReused {
                request_id: request.id.clone(),
            }),
        }
    }

    /// Remembers what a request was about.
    pub(super) fn remember(&mut self, request: Option<&RequestKey>, target: &str) {
        let Some(request) = request else { return };
        let record = RequestRecord {
            project: request.project.clone(),
            request_id: request.id.clone(),
            method: (&*request.method).into(),
            body_hash: request.body_hash,
            target: target.into(),
            created_us: self.now_us,
        };
        let Requests { answered, known } = &mut self.batch.requests;
        known.insert(key_of(&record), Some(record.clone()));
        answered.push(record);
    }
}

fn key_of(record: &RequestRecord) -> (Arc<str>, Arc<str>) {
    (record.project.clone(), record.request_id.clone())
}

fn none<K>(key: K) -> (K, Option<RequestRecord>) {
    (key, None)
}
