//! Whole runs of workflows, step by step as they were recorded.
//!
//! Owns the steps. Left to others: reading cases (`case`), what is of the machine of the recording
//! (`recorded`), what references mean (`things`), waiting (`follow`) and the comparison at the end
//! (`compare`).

mod actions;
mod calls;
mod case;
mod compare;
mod follow;
mod recorded;
mod script;
mod things;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tokio::time::{Instant, timeout, timeout_at};

use self::calls::{Answer, call};
use self::case::{Await, Case, Do, Step};
use self::follow::Follower;
use self::script::Worker;
use self::things::Things;
use super::{Options, Outcome, Ran, run_all};
use crate::api::Api;
use crate::server::TestServer;

/// How long a state may take, as in the recorded tests.
const PATIENCE: Duration = Duration::from_secs(30);

/// After how long a thing is looked at again without having been told of.
const GLANCE: Duration = Duration::from_millis(250);
/// After the last step something may still be under way: so long without any event, it is not.
const SETTLED: Duration = Duration::from_secs(2);
/// But not longer than this in all.
const SETTLED_MAX: Duration = Duration::from_secs(15);

pub(super) async fn run(server: &TestServer, options: &Options) -> Result<Vec<Ran>> {
    let folder = options.folder.join("engine");
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in
        std::fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))?
    {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            files.push(path);
        }
    }
    files.sort();
    let mut cases = Vec::new();
    for (index, path) in files.into_iter().enumerate() {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let id = format!("engine/{stem}");
        if options.only.as_ref().is_none_or(|only| id.contains(only)) {
            cases.push((id, path, server.api(&format!("engine-{index}"))));
        }
    }
    run_all(
        cases,
        options.jobs,
        |(id, path, api): (String, PathBuf, Api)| async move {
            let outcome = match replay(&path, &api).await {
                Ok(outcome) => outcome,
                Err(error) => Outcome::Failed(format!("{error:#}")),
            };
            Ran {
                id,
                group: "",
                outcome,
            }
        },
    )
    .await
}

async fn replay(path: &PathBuf, api: &Api) -> Result<Outcome> {
    let text = std::fs::read_to_string(path).context("reading the case")?;
    let case: Case = serde_json::from_str(&text).context("parsing the case")?;
    let worker = Worker::hire(api, case.script.as_ref()).await?;
    let follower = Follower::new(api);
    let mut things = Things::new(api.clone());
    for (index, step) in case.steps.iter().enumerate() {
        let place = || format!("step {index}");
        match step {
            Step::Await(step) => await_state(step, &follower, &things, &worker)
                .await
                .with_context(place)?,
            Step::Do(step) => match make(&case, index, step, api, &things)
                .await
                .with_context(place)?
            {
                Answer::Done => {}
                Answer::Started(uid) => {
                    follower.follow(&uid);
                    things.add_root(uid);
                }
                Answer::Unsupported(what) => return Ok(Outcome::Unsupported(what)),
            },
        }
    }
    let differences = settle(&worker, api, &follower, &things, &case).await?;
    if differences.is_empty() {
        return Ok(Outcome::Passed);
    }
    Ok(Outcome::Failed(differences.join("\n")))
}

/// Makes the call of a step, in terms of our server.
async fn make(case: &Case, index: usize, step: &Do, api: &Api, things: &Things) -> Result<Answer> {
    if step.call == "start" {
        let step = recorded::start(case, index, step, things).await?;
        return call(&step, api, things).await;
    }
    call(step, api, things).await
}

/// Waits until a thing is in a state. One that we ran through faster than Mistral's tests looked
/// counts as well, once the thing is finished.
async fn await_state(
    step: &Await,
    follower: &Follower,
    things: &Things,
    worker: &Worker,
) -> Result<()> {
    if step.raised.is_some() {
        return Ok(());
    }
    let wanted = step.wanted();
    let deadline = Instant::now() + PATIENCE;
    let mut pulse = follower.pulse();
    loop {
        pulse.borrow_and_update();
        worker.work(things).await?;
        let thing = things.find(&step.on).await?;
        if let Some(thing) = &thing {
            let passed = STATES.iter().find(|state| **state == wanted);
            let passed = passed.is_some_and(|state| follower.was(thing.id(), state));
            if thing.is(&wanted) || thing.is_final() && passed {
                return Ok(());
            }
            if thing.is_final() && is_final(&wanted) {
                bail!(
                    "awaiting {wanted} of {:?}: it ended as {}",
                    step.on,
                    thing.state()
                );
            }
        }
        // What is opened again after its end is no longer followed: then only looking helps.
        let look_again = deadline.min(Instant::now() + GLANCE);
        let is_lost = matches!(timeout_at(look_again, pulse.changed()).await, Ok(Err(_)));
        if is_lost || Instant::now() >= deadline {
            let now = thing.map_or("missing", |thing| thing.state());
            bail!(
                "awaiting {wanted} of {:?}: it is {now} after {PATIENCE:?}",
                step.on
            );
        }
    }
}

/// States that a thing may pass through.
const STATES: [&str; 5] = ["IDLE", "WAITING", "RUNNING", "DELAYED", "PAUSED"];

fn is_final(state: &str) -> bool {
    matches!(state, "SUCCESS" | "ERROR" | "CANCELLED")
}

/// Compares until there is no difference, or until nothing moves any more.
async fn settle(
    worker: &Worker,
    api: &Api,
    follower: &Follower,
    things: &Things,
    case: &Case,
) -> Result<Vec<String>> {
    let deadline = Instant::now() + SETTLED_MAX;
    let mut pulse = follower.pulse();
    loop {
        pulse.borrow_and_update();
        worker.work(things).await?;
        let differences = compare::differences(api, things, &case.executions).await?;
        if differences.is_empty() || Instant::now() > deadline {
            return Ok(differences);
        }
        if timeout(SETTLED, pulse.changed()).await.is_err() {
            return compare::differences(api, things, &case.executions).await;
        }
    }
}
