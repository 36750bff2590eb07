//! One evaluation's state: its context and what it has cost so far. Also makes results final,
//! turning lazy sequences into lists. Running the tree is left to `eval`.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::fault::{Fault, Result};
use crate::regex::Flags;
use crate::seq::Cursor;
use crate::{Context, Dict, EvalErrorKind, Limit, Pattern, Value};

/// Carried through one evaluation.
pub(crate) struct Machine<'a> {
    pub(crate) cx: &'a Context<'a>,
    steps: u64,
    depth: usize,
    /// Whether a sequence, or a set, was made: only then can a result need to be made final.
    made_lazy: bool,
    /// Values looked at since the last step that was counted for it.
    looked: u64,
    /// The patterns compiled so far: lambdas meet the same one for every item.
    patterns: BTreeMap<(Arc<str>, Flags), Arc<Pattern>>,
}

impl<'a> Machine<'a> {
    pub(crate) fn new(cx: &'a Context<'a>) -> Self {
        Self {
            cx,
            steps: cx.limits.steps,
            depth: cx.limits.depth,
            made_lazy: false,
            looked: 0,
            patterns: BTreeMap::new(),
        }
    }

    /// Counts one step.
    #[inline]
    pub(crate) fn step(&mut self) -> Result<()> {
        self.spend(1)
    }

    /// Counts so many steps at once, before work of that size is done.
    #[inline]
    pub(crate) fn spend(&mut self, steps: u64) -> Result<()> {
        match self.steps.checked_sub(steps) {
            Some(rest) => {
                self.steps = rest;
                Ok(())
            }
            None => Err(Limit::Steps.into()),
        }
    }

    /// Goes one level deeper; [`Self::leave`] must follow, whatever happens in between.
    #[inline]
    pub(crate) fn enter(&mut self) -> Result<()> {
        if self.depth == 0 {
            return Err(Limit::Depth.into());
        }
        self.depth -= 1;
        Ok(())
    }

    #[inline]
    pub(crate) fn leave(&mut self) {
        self.depth += 1;
    }

    /// Refuses a text of more bytes than a value may have.
    pub(crate) fn check_bytes(&self, bytes: usize) -> Result<()> {
        if bytes > self.cx.limits.output_bytes {
            Err(Limit::Output.into())
        } else {
            Ok(())
        }
    }

    /// A compiled pattern.
    pub(crate) fn pattern(&mut self, source: &Arc<str>, flags: Flags) -> Result<Arc<Pattern>> {
        let key = (Arc::clone(source), flags);
        if let Some(pattern) = self.patterns.get(&key) {
            return Ok(Arc::clone(pattern));
        }
        // Compiling is much work: a lambda that makes a new pattern for each item pays for it.
        self.spend(COMPILE_STEPS)?;
        let pattern = Arc::new(Pattern::new(source, flags)?);
        self.patterns.insert(key, Arc::clone(&pattern));
        Ok(pattern)
    }

    /// Notes that the result may hold a sequence or set.
    pub(crate) fn mark_lazy(&mut self) {
        self.made_lazy = true;
    }

    /// The value with every sequence in it turned into a list.
    pub(crate) fn strict(&mut self, value: Value) -> Result<Value> {
        if !self.made_lazy {
            return Ok(value);
        }
        self.force(value, NESTED_MAX)
    }

    /// A value that one round of a loop hands to the next, made strict and not too deeply nested.
    ///
    /// Were it lazy, or nested by each round, dropping it would recurse once for every round.
    pub(crate) fn carried(&mut self, value: Value, round: usize) -> Result<Value> {
        let value = self.strict(value)?;
        if round.is_multiple_of(8) && self.is_deeper(&value, NESTED_MAX)? {
            return Err(Limit::Depth.into());
        }
        Ok(value)
    }

    /// Counts a look at one of the values within a value, which is much less than a step.
    ///
    /// It must be counted: a loop may look again at all that it has gathered, and a list may stand
    /// many times within another one without taking any memory for it.
    #[inline]
    fn look(&mut self) -> Result<()> {
        self.looked += 1;
        if self.looked == LOOKS_PER_STEP {
            self.looked = 0;
            self.step()?;
        }
        Ok(())
    }

    /// The result of the whole evaluation.
    pub(crate) fn finish(&mut self, value: Value) -> Result<Value> {
        let value = self.strict(value)?;
        if self.made_lazy {
            self.check_hashable(&value)?;
        }
        Ok(value)
    }

    fn force(&mut self, value: Value, depth: usize) -> Result<Value> {
        if depth == 0 {
            return Err(Limit::Depth.into());
        }
        Ok(match value {
            Value::Seq(_) => {
                let mut cursor = Cursor::new(value).expect("a sequence has items");
                let mut items = Vec::new();
                while let Some(item) = cursor.next(self)? {
                    items.push(self.force(item, depth - 1)?);
                }
                Value::from(items)
            }
            Value::List(ref items) if self.holds_seq(&value)? => {
                let mut forced = Vec::with_capacity(items.len());
                for item in items.iter() {
                    forced.push(self.force(item.clone(), depth - 1)?);
                }
                Value::from(forced)
            }
            Value::Dict(ref dict) if self.holds_seq(&value)? => {
                let mut forced = Dict::new();
                for (key, item) in dict.iter() {
                    let key = self.force(key, depth - 1)?;
                    forced.insert(key, self.force(item, depth - 1)?);
                }
                Value::Dict(forced)
            }
            other => other,
        })
    }

    fn holds_seq(&mut self, value: &Value) -> Result<bool> {
        self.look()?;
        match value {
            Value::Seq(_) => Ok(true),
            Value::List(items) => any(items.iter(), |item| self.holds_seq(item)),
            // A view comes from the host, which knows no sequences.
            Value::Dict(dict) if !dict.is_view() => any(dict.to_map().iter(), |(key, item)| {
                Ok(self.holds_seq(key)? || self.holds_seq(item)?)
            }),
            _ => Ok(false),
        }
    }

    fn is_deeper(&mut self, value: &Value, levels: usize) -> Result<bool> {
        self.look()?;
        if levels == 0 {
            return Ok(true);
        }
        match value {
            Value::List(items) => any(items.iter(), |item| self.is_deeper(item, levels - 1)),
            Value::Set(items) => any(items.iter(), |item| self.is_deeper(item, levels - 1)),
            Value::Dict(dict) if !dict.is_view() => any(dict.to_map().iter(), |(key, item)| {
                Ok(self.is_deeper(key, levels - 1)? || self.is_deeper(item, levels - 1)?)
            }),
            _ => Ok(false),
        }
    }

    /// Python cannot put lists or dicts into the set that a result is made of, so neither do we.
    fn check_hashable(&mut self, value: &Value) -> Result<()> {
        self.look()?;
        match value {
            Value::Set(items) => {
                let bad = items.iter().find(|item| is_unhashable(item));
                bad.map_or(Ok(()), |item| {
                    let kind = item.type_name();
                    let message =
                        format!("a set in the result may not hold a {kind}: use toList()");
                    Err(Fault::new(EvalErrorKind::Output, message))
                })
            }
            Value::List(items) => items.iter().try_for_each(|item| self.check_hashable(item)),
            Value::Dict(dict) if !dict.is_view() => {
                let map = dict.to_map();
                let bad = map.keys().find(|key| is_unhashable(key));
                if let Some(key) = bad {
                    let kind = key.type_name();
                    let message = format!("a dict in the result may not have a {kind} as a key");
                    return Err(Fault::new(EvalErrorKind::Output, message));
                }
                map.values().try_for_each(|item| self.check_hashable(item))
            }
            _ => Ok(()),
        }
    }
}

/// Whether it holds for one of the items; the first that cannot be told ends it.
fn any<T>(
    items: impl Iterator<Item = T>,
    mut holds: impl FnMut(T) -> Result<bool>,
) -> Result<bool> {
    for item in items {
        if holds(item)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// How deeply lists and dicts may be nested that an evaluation makes: no deeper than JSON.
const NESTED_MAX: usize = 128;

/// What compiling a pattern counts as.
const COMPILE_STEPS: u64 = 500;

/// Looks that count as one step.
const LOOKS_PER_STEP: u64 = 16;

/// What Python makes of these in a result cannot be in a set, nor be a key.
fn is_unhashable(value: &Value) -> bool {
    matches!(
        value,
        Value::List(_) | Value::Dict(_) | Value::Set(_) | Value::Seq(_)
    )
}

/// A host's function, called with final arguments.
pub(crate) fn call_host(
    machine: &mut Machine<'_>,
    name: &str,
    args: Vec<Value>,
    kwargs: Vec<(Arc<str>, Value)>,
) -> Result<Value> {
    let args = args
        .into_iter()
        .map(|arg| machine.strict(arg))
        .collect::<Result<Vec<_>>>()?;
    let kwargs = kwargs
        .into_iter()
        .map(|(name, arg)| Ok((name, machine.strict(arg)?)))
        .collect::<Result<Vec<_>>>()?;
    Ok(machine.cx.host.call(name, &args, &kwargs)?)
}
