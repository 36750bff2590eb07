//! The variables that a task sees from the tasks before it: a persistent map that branches share.
//!
//! Publishing makes a new map that shares all but the changed parts with the old one, so storage
//! and time per task stay constant as an execution grows. Each published leaf carries a counter;
//! where branches join, the higher counter wins, and on a tie the later branch in the order of the
//! workflow.

use std::sync::Arc;

use expr::{Dict, Value};
use imbl::OrdMap;
use imbl::ordmap::DiffItem;

/// Joins the names on the way to a leaf; cannot stand in a name that a person would write.
const SEPARATOR: char = '\u{1f}';

/// Variables of one branch. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Branch {
    variables: OrdMap<Arc<str>, Value>,
    /// How often each path was published.
    versions: OrdMap<Arc<str>, u32>,
}

impl Branch {
    /// The value of a variable.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.variables.get(name)
    }

    /// All variables in order of their names.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Value)> {
        self.variables.iter()
    }

    /// This branch after a task has published.
    #[must_use]
    pub(crate) fn publish(&self, published: &Dict) -> Self {
        let mut next = self.clone();
        for (name, value) in published.iter() {
            let name = key(&name);
            count(&mut next.versions, &name, &value);
            next.variables.insert(name, value);
        }
        next
    }

    /// This branch joined with a later one.
    #[must_use]
    pub(crate) fn merge(&self, later: &Self) -> Self {
        if self.variables.is_empty() {
            return later.clone();
        }
        let mut merged = self.variables.clone();
        for item in self.variables.diff(&later.variables) {
            match item {
                DiffItem::Add(name, value) => {
                    merged.insert(name.clone(), value.clone());
                }
                DiffItem::Update {
                    old: (name, mine),
                    new: (_, theirs),
                } => {
                    let value = merge_values(self, later, name, mine, theirs);
                    merged.insert(name.clone(), value);
                }
                DiffItem::Remove(..) => {}
            }
        }
        let versions = self
            .versions
            .clone()
            .union_with(later.versions.clone(), u32::max);
        Self {
            variables: merged,
            versions,
        }
    }

    /// All variables as a dict.
    pub(crate) fn to_dict(&self) -> Dict {
        self.variables
            .iter()
            .map(|(name, value)| (Value::from(name.clone()), value.clone()))
            .collect()
    }

    fn version(&self, path: &str) -> u32 {
        self.versions.get(path).copied().unwrap_or(0)
    }
}

fn key(name: &Value) -> Arc<str> {
    match name {
        Value::Str(name) => name.clone(),
        other => other.to_text().into(),
    }
}

/// Counts a publication of `path` and of everything below it. Dicts count too, so that one which
/// replaces a plain value is newer than it.
fn count(versions: &mut OrdMap<Arc<str>, u32>, path: &str, value: &Value) {
    let published = versions.get(path).copied().unwrap_or(0);
    versions.insert(path.into(), published + 1);
    if let Value::Dict(dict) = value {
        for (name, item) in dict.iter() {
            count(versions, &format!("{path}{SEPARATOR}{}", key(&name)), &item);
        }
    }
}

/// Merges two values of one path: dicts by their keys, other values by their counters.
fn merge_values(left: &Branch, right: &Branch, path: &str, mine: &Value, theirs: &Value) -> Value {
    if let (Value::Dict(mine), Value::Dict(theirs)) = (mine, theirs) {
        let mut merged = mine.clone();
        for (name, value) in theirs.iter() {
            let value = match mine.get_value(&name) {
                Some(old) if old != value => {
                    let path = format!("{path}{SEPARATOR}{}", key(&name));
                    merge_values(left, right, &path, &old, &value)
                }
                Some(_) => continue,
                None => value,
            };
            merged.insert(name, value);
        }
        return Value::Dict(merged);
    }
    if left.version(path) > right.version(path) {
        mine.clone()
    } else {
        theirs.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dict(json: &str) -> Dict {
        Value::from_json(json).unwrap().as_dict().unwrap().clone()
    }

    #[track_caller]
    fn check(base: &str, left: &[&str], right: &[&str], expected: &str) {
        let base = Branch::default().publish(&dict(base));
        let publish = |steps: &[&str]| steps.iter().fold(base.clone(), |b, s| b.publish(&dict(s)));
        let merged = publish(left).merge(&publish(right)).to_dict();
        assert_eq!(Value::Dict(merged), Value::from_json(expected).unwrap());
    }

    #[test]
    fn branches_join() {
        // Different names add up.
        check("{}", &[r#"{"a":1}"#], &[r#"{"b":2}"#], r#"{"a":1,"b":2}"#);
        // A branch that published wins over one that inherited, on either side.
        check(r#"{"a":0}"#, &[r#"{"a":1}"#], &[], r#"{"a":1}"#);
        check(r#"{"a":0}"#, &[], &[r#"{"a":1}"#], r#"{"a":1}"#);
        // On a tie the later branch wins; the one that published more often wins always.
        check("{}", &[r#"{"a":1}"#], &[r#"{"a":2}"#], r#"{"a":2}"#);
        check(
            "{}",
            &[r#"{"a":1}"#, r#"{"a":3}"#],
            &[r#"{"a":2}"#],
            r#"{"a":3}"#,
        );
        // Dicts join by their keys, lists do not.
        check(
            r#"{"d":{"x":0,"l":[1]}}"#,
            &[r#"{"d":{"x":1,"l":[1]}}"#],
            &[r#"{"d":{"y":2,"l":[2]}}"#],
            r#"{"d":{"x":1,"l":[2],"y":2}}"#,
        );
        // A leaf on one side, a dict on the other: the newer wins whole.
        check(r#"{"a":0}"#, &[r#"{"a":{"b":1}}"#], &[], r#"{"a":{"b":1}}"#);
    }
}
