//! The programs of `autan worker stdio`: started, given tasks, and started again when they end.
//!
//! Owns their processes, and which task each has. Left to others: the lines (`line`), and what the
//! server is told (the SDK).

use std::collections::BTreeMap;
use std::io;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use autan::{ActionContext, ActionError, Cancelled, Outcome};
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use serde_json::value::RawValue;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::line::{self, Said, Word};

/// Pauses before a program that dies young is started again: this, doubling,
const PAUSE_FIRST: Duration = Duration::from_millis(100);
/// up to this.
const PAUSE_MAX: Duration = Duration::from_secs(10);

/// A program that has lived so long did not die young.
const GROWN: Duration = Duration::from_secs(10);

/// How long a program that has ended may leave words in its pipe, and how long one that has nothing
/// more to read may take to end.
const LAST_WORDS: Duration = Duration::from_secs(1);
const END_MAX: Duration = Duration::from_secs(5);

/// Type of the failure of a task whose program has ended without a word of it.
const ENDED: &str = "ProgramEnded";
/// Type of the failure of a task whose program says what nobody understands.
const INVALID_OUTPUT: &str = "InvalidOutput";

/// How programs are run.
#[derive(Clone, Debug)]
pub(super) struct Manner {
    pub(super) command: Vec<String>,
    /// Tasks that each gets at a time.
    pub(super) tasks_max: usize,
    /// How long it may go on with a task that it was told to stop.
    pub(super) cancel_grace: Duration,
}

/// How a task ends.
type Ended = Result<Outcome<Box<RawValue>>, ActionError>;

/// A task on its way to a program.
struct Job {
    input: Box<RawValue>,
    context: ActionContext,
    reply: oneshot::Sender<Ended>,
}

/// Some programs with the same tasks.
pub(super) struct Pool {
    entrance: Entrance,
    stop: CancellationToken,
    programs: JoinSet<()>,
}

/// Where tasks go in.
#[derive(Clone)]
pub(super) struct Entrance(mpsc::UnboundedSender<Job>);

/// Where programs take their tasks from: whoever has room takes the next one.
type Line = Arc<Mutex<mpsc::UnboundedReceiver<Job>>>;

impl Pool {
    /// Starts all programs; fails if the first of them cannot be started.
    pub(super) fn start(manner: &Manner, count: u32) -> io::Result<Self> {
        let (entrance, jobs) = mpsc::unbounded_channel();
        let jobs: Line = Arc::new(Mutex::new(jobs));
        let stop = CancellationToken::new();
        let mut programs = JoinSet::new();
        for _ in 0..count {
            let keeper = Keeper {
                manner: manner.clone(),
                jobs: jobs.clone(),
                stop: stop.clone(),
            };
            let first = keeper.spawn()?;
            programs.spawn(keeper.run(first));
        }
        Ok(Self {
            entrance: Entrance(entrance),
            stop,
            programs,
        })
    }

    pub(super) fn entrance(&self) -> Entrance {
        self.entrance.clone()
    }

    /// Lets the programs end: there is nothing more to read for them.
    pub(super) async fn end(self) {
        self.stop.cancel();
        self.programs.join_all().await;
    }
}

impl Entrance {
    /// Gives a task to a program, and waits for its end.
    pub(super) async fn run(&self, input: Box<RawValue>, context: ActionContext) -> Ended {
        let (reply, ended) = oneshot::channel();
        let job = Job {
            input,
            context,
            reply,
        };
        let gone = || Err(line::failure(ENDED, "the worker ends"));
        if self.0.send(job).is_err() {
            return gone();
        }
        ended.await.unwrap_or_else(|_| gone())
    }
}

/// Keeps one program running.
struct Keeper {
    manner: Manner,
    jobs: Line,
    stop: CancellationToken,
}

/// Why a program is no longer served.
enum Over {
    /// There is nothing more to do.
    Stopped,
    /// It has ended by itself and well, after what it had to do.
    Done,
    /// It has ended in another way, or had to be.
    Died,
}

impl Keeper {
    fn spawn(&self) -> io::Result<Child> {
        let (program, arguments) = self
            .manner
            .command
            .split_first()
            .expect("there is a program");
        let mut command = Command::new(program);
        command
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        // A Ctrl-C is for the worker, which lets its programs end what they have.
        #[cfg(unix)]
        command.process_group(0);
        command.spawn()
    }

    async fn run(self, first: Child) {
        let mut next = Some(first);
        let mut pause = PAUSE_FIRST;
        loop {
            let started = Instant::now();
            let over = match next.take().map_or_else(|| self.spawn(), Ok) {
                Ok(child) => Serving::of(&self, child).run().await,
                Err(error) => {
                    let program = &self.manner.command[0];
                    tracing::error!("cannot start {program}: {error}");
                    Over::Died
                }
            };
            match over {
                Over::Stopped => return,
                Over::Done => pause = PAUSE_FIRST,
                Over::Died => {
                    if started.elapsed() >= GROWN {
                        pause = PAUSE_FIRST;
                    }
                    tokio::select! {
                        () = sleep(pause) => {}
                        () = self.stop.cancelled() => return,
                    }
                    pause = (pause * 2).min(PAUSE_MAX);
                }
            }
        }
    }
}

/// A task that a program has.
struct Task {
    context: ActionContext,
    reply: oneshot::Sender<Ended>,
    /// When the program is killed if it still has it.
    kill_at: Option<Instant>,
    /// Until then its cancellation is waited for.
    _here: DropGuard,
}

/// One program while it runs.
struct Serving<'k> {
    keeper: &'k Keeper,
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    /// What it is to read; gone when there will be nothing more.
    told: Option<mpsc::UnboundedSender<String>>,
    tasks: BTreeMap<u64, Task>,
    last: u64,
    /// Tasks that it is to be told to stop.
    cancels: FuturesUnordered<BoxFuture<'static, Option<(u64, Cancelled)>>>,
    /// When it must have ended, since there is nothing more to read.
    end_at: Option<Instant>,
}

impl<'k> Serving<'k> {
    fn of(keeper: &'k Keeper, mut child: Child) -> Self {
        let stdin = child.stdin.take().expect("it was asked for");
        let stdout = child.stdout.take().expect("it was asked for");
        let (told, lines) = mpsc::unbounded_channel();
        tokio::spawn(feed(stdin, lines));
        Self {
            keeper,
            child,
            lines: BufReader::new(stdout).lines(),
            told: Some(told),
            tasks: BTreeMap::new(),
            last: 0,
            cancels: FuturesUnordered::new(),
            end_at: None,
        }
    }

    async fn run(mut self) -> Over {
        loop {
            let has_room = self.told.is_some() && self.tasks.len() < self.keeper.manner.tasks_max;
            let jobs = self.keeper.jobs.clone();
            let kill_at = self.kill_at();
            tokio::select! {
                () = self.keeper.stop.cancelled(), if self.told.is_some() => self.stop(),
                job = next(&jobs), if has_room => match job {
                    Some(job) => self.begin(job),
                    None => self.stop(),
                },
                Some(cancel) = self.cancels.next() => {
                    if let Some((id, cause)) = cancel {
                        self.cancel(id, &cause);
                    }
                }
                line = self.lines.next_line() => match line {
                    Ok(Some(line)) => {
                        if !self.hear(&line) {
                            let why = "it was killed: it says what nobody understands";
                            return self.over(why).await;
                        }
                    }
                    // It says nothing more, so it is of no use any more.
                    Ok(None) | Err(_) => return self.ended().await,
                },
                _ = self.child.wait() => return self.ended().await,
                () = tokio::time::sleep_until(kill_at.unwrap_or_else(Instant::now)),
                    if kill_at.is_some() =>
                {
                    return self.over("it was killed: it did not stop in time").await;
                }
            }
        }
    }

    fn kill_at(&self) -> Option<Instant> {
        let of_tasks = self.tasks.values().filter_map(|task| task.kill_at);
        of_tasks.chain(self.end_at).min()
    }

    fn begin(&mut self, job: Job) {
        if let Some(cause) = job.context.cancel_cause() {
            // Nobody waits for a function that was dropped.
            let _ = job.reply.send(Err(cause.into()));
            return;
        }
        self.last += 1;
        let id = self.last;
        self.tell(line::task(id, &job.context, &job.input));
        let (context, gone) = (job.context.clone(), CancellationToken::new());
        let here = gone.clone().drop_guard();
        self.cancels.push(Box::pin(async move {
            tokio::select! {
                cause = context.cancelled() => Some((id, cause)),
                () = gone.cancelled() => None,
            }
        }));
        let task = Task {
            context: job.context,
            reply: job.reply,
            kill_at: None,
            _here: here,
        };
        self.tasks.insert(id, task);
    }

    fn tell(&self, line: String) {
        if let Some(told) = &self.told {
            // One that reads nothing more is about to end.
            let _ = told.send(line);
        }
    }

    fn cancel(&mut self, id: u64, cause: &Cancelled) {
        let grace = self.keeper.manner.cancel_grace;
        if let Some(task) = self.tasks.get_mut(&id) {
            task.kill_at = Some(Instant::now() + grace);
            self.tell(line::cancel(id, &cause.to_string()));
        }
    }

    /// There is nothing more to do. Tasks that it still has were given back.
    fn stop(&mut self) {
        self.told = None;
        let grace = if self.tasks.is_empty() {
            END_MAX
        } else {
            Duration::ZERO
        };
        self.end_at = Some(Instant::now() + grace);
    }

    /// Takes what it says. False if it is not clear any more what its words belong to.
    fn hear(&mut self, text: &str) -> bool {
        if text.trim().is_empty() {
            return true;
        }
        let (id, word) = match Said::read(text) {
            Ok(Said::Log(level, text)) => {
                log(level, &text);
                return true;
            }
            Ok(Said::Of(id, word)) => (id, word),
            Err(problem) => return self.misunderstood(text, &problem),
        };
        let is_alone = self.keeper.manner.tasks_max == 1;
        let only = self.tasks.keys().next().copied().filter(|_| is_alone);
        let Some(id) = id.or(only) else {
            return self.misunderstood(text, "it says not of which task, by its `id`");
        };
        match word {
            Word::Result(value) => self.end(id, Ok(Outcome::Done(value))),
            Word::Failure(error) => self.end(id, Err(*error)),
            Word::Deferred => self.end(id, Ok(Outcome::Deferred)),
            Word::Heartbeat(progress) => {
                if let Some(task) = self.tasks.get(&id)
                    && let Err(error) = task.context.heartbeat(&progress)
                {
                    tracing::warn!("the heartbeat of task {id} is not kept: {error}");
                }
            }
        }
        true
    }

    /// With one task at a time a line that is no answer stands where the answer should.
    fn misunderstood(&mut self, text: &str, problem: &str) -> bool {
        let start: String = text.chars().take(200).collect();
        let message = format!("the program says {start:?}: {problem}");
        if self.keeper.manner.tasks_max > 1 || self.tasks.is_empty() {
            tracing::warn!("{message}");
            return true;
        }
        for (_, task) in std::mem::take(&mut self.tasks) {
            let error = line::failure(INVALID_OUTPUT, &message).without_retry();
            let _ = task.reply.send(Err(error));
        }
        false
    }

    fn end(&mut self, id: u64, ended: Ended) {
        if let Some(task) = self.tasks.remove(&id) {
            // Nobody waits for a function that was dropped.
            let _ = task.reply.send(ended);
        } else {
            tracing::warn!("the program says something of task {id}, which it has not");
        }
    }

    /// It has ended, or says nothing more: what it has said before that counts.
    async fn ended(mut self) -> Over {
        let words = async {
            while let Ok(Some(line)) = self.lines.next_line().await {
                if !self.hear(&line) {
                    return;
                }
            }
        };
        // A program that it has left behind may keep the pipe open.
        let _ = timeout(LAST_WORDS, words).await;
        // One that only says nothing more is given a moment to end by itself.
        let status = timeout(LAST_WORDS, self.child.wait()).await;
        let why = match &status {
            Ok(Ok(status)) => format!("it has ended: {status}"),
            _ => "it was killed: it has closed its output".to_owned(),
        };
        if self.told.is_none() {
            return Over::Stopped;
        }
        let is_well = matches!(status, Ok(Ok(status)) if status.success());
        if is_well && self.tasks.is_empty() && self.last > 0 {
            return Over::Done;
        }
        self.over(&why).await
    }

    /// It is gone, and what it had has failed.
    async fn over(mut self, why: &str) -> Over {
        let program = &self.keeper.manner.command[0];
        kill_group(&self.child);
        // It may have ended by itself.
        let _ = self.child.kill().await;
        if self.told.is_none() {
            return Over::Stopped;
        }
        tracing::warn!("{program} is started again: {why}");
        for (_, task) in std::mem::take(&mut self.tasks) {
            let error = match task.context.cancel_cause() {
                Some(cause) => cause.into(),
                None => line::failure(ENDED, &format!("{program}: {why}")),
            };
            let _ = task.reply.send(Err(error));
        }
        Over::Died
    }
}

impl Drop for Serving<'_> {
    fn drop(&mut self) {
        kill_group(&self.child);
    }
}

/// Kills a program that runs, and all that it has started: those would go on with what nobody waits
/// for any more. One that has ended by itself leaves behind what it wants to.
#[cfg(unix)]
fn kill_group(child: &Child) {
    use rustix::process::{Pid, Signal, kill_process_group};
    let id = child.id().and_then(|id| i32::try_from(id).ok());
    if let Some(group) = id.and_then(Pid::from_raw) {
        // It may have ended meanwhile, with all that it had started.
        let _ = kill_process_group(group, Signal::KILL);
    }
}

/// Elsewhere only the program itself is killed.
#[cfg(not(unix))]
fn kill_group(_child: &Child) {}

/// Writes lines to a program. One that does not read them holds up nothing else.
async fn feed(mut stdin: ChildStdin, mut lines: mpsc::UnboundedReceiver<String>) {
    while let Some(line) = lines.recv().await {
        let written = stdin.write_all(line.as_bytes()).await;
        if written.is_err() || stdin.flush().await.is_err() {
            return;
        }
    }
}

/// The next task that nobody else has taken.
async fn next(jobs: &Line) -> Option<Job> {
    jobs.lock().await.recv().await
}

fn log(level: tracing::Level, text: &str) {
    match level {
        tracing::Level::ERROR => tracing::error!("{text}"),
        tracing::Level::WARN => tracing::warn!("{text}"),
        tracing::Level::INFO => tracing::info!("{text}"),
        _ => tracing::debug!("{text}"),
    }
}
