//! A seeded simulation: generated workflows, results in any order, verbs and restarts at any time.
//!
//! Most runs are made twice in step: as they are, and with the server stopped and started again
//! after some of the steps. After every step both must be the same, down to the last sequence, and
//! keep what `invariants` asks for. The others are made once, and the server is stopped at every
//! commit, also where one leaves steps over: then the order of what follows may be another, but the
//! invariants hold. All runs come to their end. A seed makes a run again:
//!
//! ```sh
//! AUTAN_SEED=42 cargo test -p engine --test it simulation
//! AUTAN_SECONDS=600 cargo test -p engine --test it simulation   # so long with fresh seeds
//! ```

mod generate;
mod invariants;

use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use definition::Kind;
use engine::{
    ActionState, ActionVerb, Caller, Data, Event, Execution, ExecutionState, ExecutionUid, Limits,
    Outcome, Runner, Source, Verb,
};

use self::generate::Later;
use self::invariants::{assert_invariants, difference, fingerprint};
use crate::harness::Harness;

/// Fresh seeds that have found a fault once, and what it was. Their workflows are made as they were
/// then: without what the generator was taught later.
const MENDED: [u64; 1] = [
    // A join waited for a start task that a rollback to a task had undone.
    1_795_438_568_027_480,
];

/// Runs whose seeds are always the same.
const FIXED_RUNS: u64 = 2000;

/// Runs with fresh seeds.
const FRESH_RUNS: u64 = 200;

/// Each run of so many is stopped at every commit.
const CRASHING_EVERY: u64 = 4;

/// Most steps of one run before it is brought to its end.
const STEPS_MAX: usize = 40;

/// Most steps that bring a run to its end, for each execution, task and action of it.
const STEPS_PER_PART: usize = 2;

/// A small generator of numbers that look random: the same from the same seed.
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x1234_5678_9abc_def0)
    }

    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % u64::try_from(limit).unwrap()).unwrap()
    }

    /// True in so many of a hundred cases.
    pub(crate) fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        let index = self.below(items.len());
        &items[index]
    }
}

#[test]
fn simulation() {
    if let Ok(seed) = std::env::var("AUTAN_SEED") {
        Run::new(seed.parse().unwrap(), true).play();
        return;
    }
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let fresh = u64::try_from(since_epoch.unwrap().as_micros()).unwrap();
    let seconds = std::env::var("AUTAN_SECONDS").map_or(0, |s| s.parse().unwrap());
    let until = Instant::now() + Duration::from_secs(seconds);
    let next = AtomicU64::new(0);
    let take = || {
        let run = next.fetch_add(1, Ordering::Relaxed);
        if let Some(seed) = usize::try_from(run).ok().and_then(|run| MENDED.get(run)) {
            return Some(*seed);
        }
        let run = run - MENDED.len() as u64;
        match run.checked_sub(FIXED_RUNS) {
            None => Some(run),
            Some(run) if run < FRESH_RUNS || Instant::now() < until => Some(fresh + run),
            Some(_) => None,
        }
    };
    let work = || {
        while let Some(seed) = take() {
            check(seed);
        }
    };
    let workers = std::thread::available_parallelism().map_or(1, NonZero::get);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            worker.join().unwrap_or_else(|cause| resume_unwind(cause));
        }
    });
    let runs = next.load(Ordering::Relaxed) - u64::try_from(workers).unwrap();
    eprintln!("simulated {runs} runs, the fresh ones from {fresh} on");
}

fn check(seed: u64) {
    let result = catch_unwind(AssertUnwindSafe(|| Run::new(seed, false).play()));
    if let Err(cause) = result {
        eprintln!("the run with AUTAN_SEED={seed} has failed");
        resume_unwind(cause);
    }
}

/// One run, made once or twice.
struct Run {
    chance: Chance,
    /// Decides about restarts only, so that both halves meet the same steps.
    fate: Chance,
    steady: Harness,
    /// The same with restarts; `None` if the other one is stopped at every commit.
    restarted: Option<Harness>,
    verbose: bool,
}

impl Run {
    fn new(seed: u64, verbose: bool) -> Self {
        let mut chance = Chance::new(seed);
        let is_mended = MENDED.contains(&seed);
        let mut later = Later::new(seed, is_mended);
        let document = generate::document(&mut chance, &mut later);
        if verbose {
            eprintln!("{document}");
        }
        let limits = Limits {
            // Everything is looked at after each step, so time grows with the square of this.
            tasks_max: if is_mended { 200 } else { 60 },
            // So small that events are cut in the middle.
            steps_per_event_max: u32::try_from(1 + chance.below(30)).unwrap(),
            ..Limits::default()
        };
        let half = || {
            let mut harness = Harness::new(Kind::Workflows, &document).with_limits(limits);
            harness.orphans_end = false;
            harness
        };
        let crashing = seed.is_multiple_of(CRASHING_EVERY);
        let mut steady = half();
        steady.crashing = crashing;
        Self {
            chance,
            fate: Chance::new(!seed),
            steady,
            restarted: (!crashing).then(half),
            verbose,
        }
    }

    fn play(mut self) {
        self.step(&Step::Start);
        for _ in 0..self.chance.below(STEPS_MAX) {
            let step = self.choose();
            self.step(&step);
        }
        self.finish();
    }

    /// Makes a step in both halves; they must stay the same.
    fn step(&mut self, step: &Step) {
        let answer = step.make(&mut self.steady).err();
        if self.verbose {
            eprintln!("{step:?} {answer:?}\n{}", fingerprint(&self.steady));
        }
        if let Some(other) = &mut self.restarted {
            let restarted = step.make(other).err();
            assert_eq!(answer, restarted, "{step:?} was answered differently");
            if self.fate.percent(30) {
                other.restart();
            }
            if let Some(difference) = difference(&self.steady, other) {
                let (steady, restarted) = (fingerprint(&self.steady), fingerprint(other));
                panic!(
                    "after {step:?}, without restarts:\n{steady}\nwith them:\n{restarted}\nwhich \
                     differ in:\n{difference}"
                );
            }
        }
        assert_invariants(&self.steady);
    }

    fn choose(&mut self) -> Step {
        let uids: Vec<ExecutionUid> = self.steady.executions.keys().copied().collect();
        let waiting = waiting_actions(&self.steady);
        match self.chance.below(100) {
            0..55 if !waiting.is_empty() => {
                let (uid, task, action) = *self.chance.pick(&waiting);
                let result = self.chance.below(5);
                let text = format!("{{\"n\":{result}}}");
                let outcome = match self.chance.below(20) {
                    0..13 => Outcome::Success(Data::parse(text).unwrap()),
                    13..19 => Outcome::Error(Data::string("no")),
                    _ => Outcome::Cancelled,
                };
                Step::End(uid, task, action, outcome)
            }
            55..60 if !waiting.is_empty() => {
                let (uid, task, action) = *self.chance.pick(&waiting);
                Step::PauseAction(uid, task, action, self.chance.percent(50))
            }
            60..65 => match all_actions(&self.steady).as_slice() {
                [] => Step::Advance(1),
                actions => {
                    // Late, twice, or for somebody else.
                    let (uid, task, action) = *self.chance.pick(actions);
                    Step::Late(uid, task, action, Outcome::Error(Data::string("late")))
                }
            },
            65..80 => Step::Advance(i64::try_from(self.chance.below(4)).unwrap()),
            80..82 if uids.len() < 12 => Step::Start,
            _ => {
                let uid = *self.chance.pick(&uids);
                Step::Verb(uid, self.choose_verb(uid))
            }
        }
    }

    fn choose_verb(&mut self, uid: ExecutionUid) -> Verb {
        let tasks: Vec<u32> = self
            .steady
            .get(uid)
            .tasks()
            .map(|task| task.number)
            .collect();
        let env = self
            .chance
            .percent(20)
            .then(|| Data::parse(r#"{"word":"changed"}"#).unwrap());
        let stop = |outcome| Verb::Stop {
            outcome,
            message: Some("Stopped.".into()),
        };
        match self.chance.below(20) {
            0..4 => {
                let timeouts_run = self.chance.percent(30);
                Verb::Pause { timeouts_run }
            }
            4..9 => Verb::Resume { env },
            9..10 => stop(ExecutionState::Success),
            10..12 => stop(ExecutionState::Error),
            12..13 => stop(ExecutionState::Cancelled),
            13..14 => Verb::Terminate { message: None },
            16..18 => {
                let some = self.chance.percent(40) && !tasks.is_empty();
                let to = some.then(|| *self.chance.pick(&tasks));
                Verb::Rollback { to }
            }
            14..15 if !tasks.is_empty() => Verb::Retry {
                task: *self.chance.pick(&tasks),
            },
            15..16 if !tasks.is_empty() => Verb::Skip {
                task: *self.chance.pick(&tasks),
                result: self.chance.percent(30).then(|| Data::string("declared")),
            },
            _ => {
                let reset = self.chance.percent(50);
                let one = self.chance.percent(50) && !tasks.is_empty();
                let task = one.then(|| *self.chance.pick(&tasks));
                let patch = self.chance.percent(20) && task.is_some();
                let input = patch.then(|| Data::parse(r#"{"output":"patched"}"#).unwrap());
                Verb::Rerun {
                    task,
                    reset,
                    env,
                    input,
                }
            }
        }
    }

    /// Lets everything go on until nothing is left to wait for: then all executions have ended.
    ///
    /// Each step ends an action, resumes an execution or lets a time come. Of each there are only
    /// so many for a task or an attempt: more steps than that would go round in a circle.
    fn finish(&mut self) {
        for steps in 0.. {
            assert!(
                steps <= 20 + STEPS_PER_PART * parts(&self.steady),
                "does not come to an end:\n{}",
                fingerprint(&self.steady)
            );
            let paused: Vec<ExecutionUid> = self.in_state(ExecutionState::Paused);
            let waiting = waiting_actions(&self.steady);
            if let Some((uid, task, action)) = waiting.first().copied() {
                let outcome = Outcome::Success(Data::parse(r#"{"n":9}"#).unwrap());
                self.step(&Step::End(uid, task, action, outcome));
            } else if let Some(uid) = paused.first() {
                self.step(&Step::Verb(*uid, Verb::Resume { env: None }));
            } else if self.in_state(ExecutionState::Running).is_empty()
                && self.in_state(ExecutionState::RollingBack).is_empty()
            {
                return;
            } else {
                self.step(&Step::Advance(30));
            }
        }
    }

    fn in_state(&self, state: ExecutionState) -> Vec<ExecutionUid> {
        let executions = self.steady.executions.iter();
        executions
            .filter(|(_, execution)| execution.record().state == state)
            .map(|(uid, _)| *uid)
            .collect()
    }
}

/// How many executions, tasks and actions there ever were.
fn parts(harness: &Harness) -> usize {
    let tasks = harness.executions.values().flat_map(Execution::tasks);
    let parts: usize = tasks.map(|task| 1 + task.actions.len()).sum();
    harness.executions.len() + parts
}

/// Actions that wait for somebody outside.
fn waiting_actions(harness: &Harness) -> Vec<(ExecutionUid, u32, u32)> {
    let mut found = Vec::new();
    for (uid, execution) in &harness.executions {
        for task in execution.tasks() {
            let waiting = task.actions.iter().filter(|action| {
                action.runner == Runner::External
                    && matches!(action.state, ActionState::Running | ActionState::Paused)
            });
            found.extend(waiting.map(|action| (*uid, task.number, action.number)));
        }
    }
    found
}

/// Every action that there ever was.
fn all_actions(harness: &Harness) -> Vec<(ExecutionUid, u32, u32)> {
    let mut found = Vec::new();
    for (uid, execution) in &harness.executions {
        for task in execution.tasks() {
            let actions = task.actions.iter();
            found.extend(actions.map(|action| (*uid, task.number, action.number)));
        }
    }
    found
}

/// One step of a run.
#[derive(Debug)]
enum Step {
    Start,
    Advance(i64),
    End(ExecutionUid, u32, u32, Outcome),
    /// A result from the server, whatever the state of the action.
    Late(ExecutionUid, u32, u32, Outcome),
    PauseAction(ExecutionUid, u32, u32, bool),
    Verb(ExecutionUid, Verb),
}

impl Step {
    fn make(&self, harness: &mut Harness) -> Result<(), engine::Error> {
        match self {
            Self::Start => {
                let params = r#"{"env":{"word":"first"}}"#;
                harness.try_start("w0", r#"{"seed":1}"#, params).map(drop)
            }
            Self::Advance(seconds) => {
                harness.advance(*seconds);
                Ok(())
            }
            Self::End(uid, task, action, outcome) => {
                harness.end_action(*uid, *task, *action, outcome.clone())
            }
            Self::Late(uid, task, action, outcome) => {
                let event = Event::ActionDone {
                    task: *task,
                    action: *action,
                    outcome: outcome.clone(),
                    source: Source::Server,
                };
                harness.apply(*uid, event)
            }
            Self::PauseAction(uid, task, action, paused) => {
                let (task, action, paused) = (*task, *action, *paused);
                let verb = if paused {
                    ActionVerb::Pause
                } else {
                    ActionVerb::Resume
                };
                let event = Event::ActionVerb {
                    task,
                    action,
                    verb,
                    caller: Caller::default(),
                };
                harness.apply(*uid, event)
            }
            Self::Verb(uid, verb) => harness.verb(*uid, verb.clone()),
        }
    }
}
