//! A set of positions in a workflow, kept as runs: what comes in order takes no room, in memory and
//! in a row.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A set of positions of tasks in their workflow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// First position of each run → its last one. No run ends where another begins.
    runs: BTreeMap<usize, usize>,
}

impl Places {
    /// Whether it has no positions.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Whether a position belongs to it.
    pub fn contains(&self, place: usize) -> bool {
        let mut before = self.runs.range(..=place);
        before.next_back().is_some_and(|(_, last)| *last >= place)
    }

    /// Adds a position.
    pub fn insert(&mut self, place: usize) {
        if self.contains(place) {
            return;
        }
        let before = self.runs.range(..place).next_back();
        let joined = before.filter(|(_, last)| **last + 1 == place);
        let first = joined.map_or(place, |(first, _)| *first);
        let last = self.runs.remove(&(place + 1)).unwrap_or(place);
        self.runs.insert(first, last);
    }
}

impl FromIterator<usize> for Places {
    fn from_iter<I: IntoIterator<Item = usize>>(places: I) -> Self {
        let mut set = Self::default();
        for place in places {
            set.insert(place);
        }
        set
    }
}

/// As a list of runs, each `[first, last]`.
impl Serialize for Places {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_seq(&self.runs)
    }
}

impl<'de> Deserialize<'de> for Places {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut set = Self::default();
        for stored in Vec::<Stored>::deserialize(from)? {
            match stored {
                Stored::Run(first, last) => _ = set.runs.insert(first, last),
                Stored::One(place) => set.insert(place),
            }
        }
        Ok(set)
    }
}

/// A part of the set as it stands in a row. Earlier versions have kept each position by itself.
#[derive(Deserialize)]
#[serde(untagged)]
enum Stored {
    Run(usize, usize),
    One(usize),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(places: &[usize], stored: &str) {
        let set: Places = places.iter().copied().collect();
        assert_eq!(serde_json::to_string(&set).unwrap(), stored);
        assert_eq!(serde_json::from_str::<Places>(stored).unwrap(), set);
        for place in 0..10 {
            assert_eq!(set.contains(place), places.contains(&place), "{place}");
        }
        assert_eq!(set.is_empty(), places.is_empty());
    }

    #[test]
    fn neighbours_are_one_run() {
        check(&[], "[]");
        check(&[3], "[[3,3]]");
        check(&[0, 1, 2, 3], "[[0,3]]");
        check(&[3, 1, 2, 2], "[[1,3]]");
        check(&[5, 0, 4, 1, 9], "[[0,1],[4,5],[9,9]]");
    }

    #[test]
    fn rows_of_earlier_versions_are_read() {
        let set: Places = serde_json::from_str("[3,1,2]").unwrap();
        assert_eq!(set, [1, 2, 3].into_iter().collect());
    }
}
