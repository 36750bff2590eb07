//! Whether what callers were told and what the history says can both be true: the rules of a
//! linearizable execution, on recorded calls.
//!
//! The order in which an execution was changed is in its history, so nothing has to be searched
//! for: each call is given the places at which it may have happened, and the times of the calls
//! must agree with them. Which verb does what in which state is read from the published table.

use std::collections::HashMap;
use std::time::Instant;

/// What was asked, from the first try until the last answer.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// The verb, as in the table; "start" or "get".
    pub(crate) verb: &'static str,
    /// Names the call in the history; empty for "get".
    pub(crate) request_id: String,
    pub(crate) begun: Instant,
    pub(crate) ended: Instant,
    pub(crate) answer: Answer,
}

/// What the caller was told.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// The execution, as it was at a place of its history.
    Execution { state: String, sequence: i64 },
    /// It cannot be done in that state.
    Refused { state: String },
}

/// What the history says.
#[derive(Clone, Debug)]
pub(crate) enum Noted {
    /// A verb was applied, with the request id of its call.
    Verb { verb: String, request_id: String },
    /// The execution has come into a state.
    State(String),
    /// Something that says nothing about either.
    Other,
}

/// What verbs do, by verb and state.
pub(crate) struct Table(HashMap<(String, String), Effect>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    Applied,
    NothingToDo,
    Refused,
}

impl Table {
    /// Reads the table of the document about the life cycle.
    pub(crate) fn of(document: &str) -> Self {
        let cells = |line: &str| -> Vec<String> {
            let inner = line.trim().trim_matches('|');
            inner.split('|').map(|c| c.trim().to_owned()).collect()
        };
        let mut lines = document
            .lines()
            .skip_while(|line| !line.starts_with("| verb"));
        let states = cells(lines.next().expect("the document has a table"));
        let mut effects = HashMap::new();
        for line in lines.skip(1).take_while(|line| line.starts_with('|')) {
            let row = cells(line);
            for (state, cell) in states.iter().zip(&row).skip(1) {
                let effect = match cell.as_str() {
                    "yes" => Effect::Applied,
                    "nothing to do" => Effect::NothingToDo,
                    "refused" => Effect::Refused,
                    other => panic!("{other:?} is in the table"),
                };
                effects.insert((row[0].clone(), state.clone()), effect);
            }
        }
        Self(effects)
    }

    fn effect(&self, verb: &str, state: &str) -> Effect {
        let key = (verb.to_owned(), state.to_owned());
        *self
            .0
            .get(&key)
            .unwrap_or_else(|| panic!("{key:?} is not in the table"))
    }
}

/// What cannot be true at once of one execution, in words. `history` holds its events from the
/// first on.
pub(crate) fn contradictions(table: &Table, calls: &[Call], history: &[Noted]) -> Vec<String> {
    let timeline = Timeline::of(history);
    let mut faults = timeline.illegal(table);
    faults.extend(timeline.unasked(calls));
    let mut places = Vec::new();
    for call in calls {
        // One that was refused may have been sent again, and applied then.
        let is_known = calls.iter().any(|other| {
            other.request_id == call.request_id && matches!(other.answer, Answer::Execution { .. })
        });
        match timeline.place(call, is_known) {
            Ok(place) => places.push((call, place)),
            Err(fault) => faults.push(format!("{call:?}: {fault}")),
        }
    }
    faults.extend(out_of_time(&timeline, table, &places));
    faults
}

/// Where in the history a call happened.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// It is one event, and has seen everything up to another one.
    Event { at: i64, seen: i64 },
    /// It has seen everything up to this event, and nothing after it.
    Seen(i64),
    /// Somewhere where there was nothing to do; it has seen everything up to an event.
    Idle { seen: i64 },
    /// Somewhere where it is refused in this way.
    Anywhere,
}

/// The states of an execution, and the verbs that were applied.
struct Timeline {
    /// The state after each event, from the first on.
    states: Vec<String>,
    /// Sequence, verb and request id.
    verbs: Vec<(i64, String, String)>,
    /// Events that have changed the state without a verb since the one before.
    strays: Vec<i64>,
}

impl Timeline {
    fn of(history: &[Noted]) -> Self {
        let mut states = Vec::new();
        let mut verbs = Vec::new();
        let mut strays = Vec::new();
        let mut state = "RUNNING".to_owned();
        // It is as it was started until a verb is applied.
        let mut is_due = false;
        for (sequence, event) in (1..).zip(history) {
            match event {
                Noted::State(next) => {
                    if *next != state && !is_due {
                        strays.push(sequence);
                    }
                    is_due = false;
                    state.clone_from(next);
                }
                Noted::Verb { verb, request_id } => {
                    is_due = true;
                    verbs.push((sequence, verb.clone(), request_id.clone()));
                }
                Noted::Other => {}
            }
            states.push(state.clone());
        }
        Self {
            states,
            verbs,
            strays,
        }
    }

    /// The state when that many events had happened.
    fn state(&self, sequence: i64) -> Option<&str> {
        let index = usize::try_from(sequence).ok()?.checked_sub(1)?;
        self.states.get(index).map(String::as_str)
    }

    /// What a call would have done after an event.
    fn effect(&self, table: &Table, call: &Call, sequence: i64) -> Option<Effect> {
        Some(table.effect(call.verb, self.state(sequence)?))
    }

    /// Verbs that were applied where the table has them do nothing.
    fn illegal(&self, table: &Table) -> Vec<String> {
        let wrong = self.verbs.iter().filter_map(|(sequence, verb, _)| {
            let before = self.state(sequence - 1)?;
            let effect = table.effect(verb, before);
            (effect != Effect::Applied)
                .then(|| format!("event {sequence}: {verb} was applied in {before}: {effect:?}"))
        });
        wrong.collect()
    }

    /// Verbs that were applied although nobody, or for one call twice.
    fn unasked(&self, calls: &[Call]) -> Vec<String> {
        let mut seen: HashMap<&str, i64> = HashMap::new();
        let strays = self.strays.iter();
        let mut faults: Vec<String> = strays
            .map(|event| format!("event {event}: nothing was applied that changes the state"))
            .collect();
        for (sequence, verb, request_id) in &self.verbs {
            let is_asked = calls
                .iter()
                .any(|call| call.request_id == *request_id && call.verb == verb);
            if !is_asked {
                faults.push(format!("event {sequence}: nobody asked for {verb}"));
            }
            if let Some(first) = seen.insert(request_id, *sequence) {
                faults.push(format!("events {first} and {sequence} are of one call"));
            }
        }
        faults
    }

    /// Where a call happened, if what it was told can be true at all. Somebody may know that it was
    /// applied.
    fn place(&self, call: &Call, is_known: bool) -> Result<Place, String> {
        let mut verbs = self.verbs.iter();
        let event = verbs.find(|(_, _, request_id)| *request_id == call.request_id);
        let event = event.map(|(sequence, _, _)| *sequence);
        let (state, sequence) = match &call.answer {
            Answer::Refused { .. } => {
                return match event {
                    Some(event) if !is_known => {
                        Err(format!("it was refused, and is event {event}"))
                    }
                    _ => Ok(Place::Anywhere),
                };
            }
            Answer::Execution { state, sequence } => (state, *sequence),
        };
        if self.state(sequence) != Some(state) {
            return Err(format!("the state then was {:?}", self.state(sequence)));
        }
        match (call.verb, event) {
            // The first event is the start's, and seeing it is all that can be said of it.
            ("get" | "start", _) => Ok(Place::Seen(sequence)),
            (_, Some(event)) if event > sequence => Err(format!("it is event {event}, later")),
            (_, Some(event)) => Ok(Place::Event {
                at: event,
                seen: sequence,
            }),
            (_, None) => Ok(Place::Idle { seen: sequence }),
        }
    }
}

/// Calls whose places contradict their times: what was over before another one began has happened
/// before it.
fn out_of_time(timeline: &Timeline, table: &Table, places: &[(&Call, Place)]) -> Vec<String> {
    let mut faults = Vec::new();
    let last = i64::try_from(timeline.states.len()).unwrap_or(i64::MAX);
    for (call, place) in places {
        // What was known to somebody before it began, and what nobody had done when it was over.
        let mut low = 1;
        let mut high = last;
        for (other, at) in places {
            match at {
                Place::Event { seen, .. } | Place::Idle { seen } | Place::Seen(seen)
                    if other.ended < call.begun =>
                {
                    low = low.max(*seen);
                }
                Place::Event { at, .. } if other.begun > call.ended => high = high.min(at - 1),
                _ => {}
            }
        }
        let fits = match place {
            Place::Event { at, seen } => low < *at && *seen <= high,
            Place::Seen(at) => low <= *at && *at <= high,
            Place::Idle { seen } => {
                *seen <= high
                    && (low..=*seen)
                        .any(|at| timeline.effect(table, call, at) == Some(Effect::NothingToDo))
            }
            Place::Anywhere => (low..=high).any(|at| is_refused(timeline, table, call, at)),
        };
        if !fits {
            faults.push(format!(
                "{call:?} at {place:?}: it can only have happened between {low} and {high}"
            ));
        }
    }
    faults
}

/// Whether a call would have been refused at a place, with what it was told.
fn is_refused(timeline: &Timeline, table: &Table, call: &Call, at: i64) -> bool {
    let Answer::Refused { state } = &call.answer else {
        return false;
    };
    timeline.state(at) == Some(state) && timeline.effect(table, call, at) == Some(Effect::Refused)
}

#[cfg(test)]
mod tests;
