//! The mapping: insertion-ordered, shared until written to, or computed on demand by a [`View`].
//! Comparison of dicts is left to `compare`.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use indexmap::{Equivalent, IndexMap};

use super::Value;

/// A dict whose items are looked up when asked for, such as the context of a task.
///
/// An expression that names one key calls [`View::get`] alone; [`View::entries`] is called only
/// when something needs the whole dict.
pub trait View: Send + Sync {
    /// The item under `key`.
    fn get(&self, key: &str) -> Option<Value>;
    /// Every item, in the order in which the dict shall be seen.
    fn entries(&self) -> Vec<(Arc<str>, Value)>;
}

/// An insertion-ordered mapping. A clone shares the items; writing copies them first if shared.
#[derive(Clone)]
pub struct Dict(Items);

#[derive(Clone)]
enum Items {
    Map(Arc<IndexMap<Value, Value>>),
    View(Arc<dyn View>),
}

impl Dict {
    /// An empty dict.
    pub fn new() -> Self {
        Self::default()
    }

    /// A dict computed on demand. Writing to it turns it into an ordinary one.
    pub fn view(view: Arc<dyn View>) -> Self {
        Self(Items::View(view))
    }

    /// The item under a text key.
    pub fn get(&self, key: &str) -> Option<Value> {
        match &self.0 {
            Items::Map(map) => map.get(&TextKey(key)).cloned(),
            Items::View(view) => view.get(key),
        }
    }

    /// The item under any key.
    pub fn get_value(&self, key: &Value) -> Option<Value> {
        match (&self.0, key) {
            (Items::Map(map), _) => map.get(key).cloned(),
            (Items::View(view), Value::Str(text)) => view.get(text),
            (Items::View(_), _) => None,
        }
    }

    /// Whether there is an item under a text key.
    pub fn contains_key(&self, key: &str) -> bool {
        match &self.0 {
            Items::Map(map) => map.contains_key(&TextKey(key)),
            Items::View(view) => view.get(key).is_some(),
        }
    }

    /// Sets an item and gives back what was there; a new key goes last.
    pub fn insert(&mut self, key: impl Into<Value>, value: impl Into<Value>) -> Option<Value> {
        self.make_mut().insert(key.into(), value.into())
    }

    /// Removes an item, keeping the order of the others.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        self.contains_key(key)
            .then(|| self.make_mut().shift_remove(&TextKey(key)))
            .flatten()
    }

    /// Removes the item under any key, keeping the order of the others.
    pub fn remove_value(&mut self, key: &Value) -> Option<Value> {
        self.get_value(key)
            .and_then(|_| self.make_mut().shift_remove(key))
    }

    /// The items in order.
    pub fn iter(&self) -> impl Iterator<Item = (Value, Value)> + use<> {
        let map = self.to_map();
        (0..map.len()).map(move |index| {
            let (key, value) = map.get_index(index).expect("the index is below the length");
            (key.clone(), value.clone())
        })
    }

    /// The keys in order.
    pub fn keys(&self) -> impl Iterator<Item = Value> + use<> {
        self.iter().map(|(key, _)| key)
    }

    /// The values in order.
    pub fn values(&self) -> impl Iterator<Item = Value> + use<> {
        self.iter().map(|(_, value)| value)
    }

    /// The number of items.
    pub fn len(&self) -> usize {
        match &self.0 {
            Items::Map(map) => map.len(),
            Items::View(view) => view.entries().len(),
        }
    }

    /// Whether there are no items.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the items are computed on demand.
    pub fn is_view(&self) -> bool {
        matches!(self.0, Items::View(_))
    }

    /// Whether both share one store, and so are equal without looking.
    pub(crate) fn same(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Items::Map(left), Items::Map(right)) => Arc::ptr_eq(left, right),
            (Items::View(left), Items::View(right)) => Arc::ptr_eq(left, right),
            _ => false,
        }
    }

    /// The items as one shared map; a view is read whole.
    pub(crate) fn to_map(&self) -> Arc<IndexMap<Value, Value>> {
        match &self.0 {
            Items::Map(map) => Arc::clone(map),
            Items::View(view) => Arc::new(
                view.entries()
                    .into_iter()
                    .map(|(key, value)| (Value::Str(key), value))
                    .collect(),
            ),
        }
    }

    fn make_mut(&mut self) -> &mut IndexMap<Value, Value> {
        if let Items::View(_) = self.0 {
            self.0 = Items::Map(self.to_map());
        }
        match &mut self.0 {
            Items::Map(map) => Arc::make_mut(map),
            Items::View(_) => unreachable!("the view was replaced above"),
        }
    }
}

impl Default for Dict {
    fn default() -> Self {
        Self(Items::Map(Arc::default()))
    }
}

impl std::fmt::Debug for Dict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<K: Into<Value>, V: Into<Value>> FromIterator<(K, V)> for Dict {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(items: I) -> Self {
        Self(Items::Map(Arc::new(
            items
                .into_iter()
                .map(|(key, value)| (key.into(), value.into()))
                .collect(),
        )))
    }
}

impl From<IndexMap<Value, Value>> for Dict {
    fn from(map: IndexMap<Value, Value>) -> Self {
        Self(Items::Map(Arc::new(map)))
    }
}

/// A text key that is looked up without making a [`Value`] of it; hashes as that value would.
struct TextKey<'a>(&'a str);

impl Hash for TextKey<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        super::compare::hash_text(self.0, state);
    }
}

impl Equivalent<Value> for TextKey<'_> {
    fn equivalent(&self, key: &Value) -> bool {
        key.as_str() == Some(self.0)
    }
}
