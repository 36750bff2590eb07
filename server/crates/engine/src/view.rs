//! What `$` and `_` are: layers of variables, of which only the names that are read cost anything.

use std::sync::Arc;

use expr::{Dict, Value, View};
use indexmap::IndexMap;

use crate::branch::Branch;

/// One layer of a view.
#[derive(Clone, Debug)]
pub(crate) enum Layer {
    /// Variables of a branch.
    Branch(Branch),
    /// Any dict; other values count as empty.
    Value(Value),
}

/// Layers of variables; the first that has a name wins.
#[derive(Debug)]
pub(crate) struct Layers {
    layers: Vec<Layer>,
    /// What `__env` is: found by name, but not listed, as it is no variable of the author's.
    env: Value,
}

impl Layers {
    /// The layers as the value that expressions see.
    pub(crate) fn into_value(layers: Vec<Layer>, env: Value) -> Value {
        Value::Dict(Dict::view(Arc::new(Self { layers, env })))
    }
}

impl View for Layers {
    fn get(&self, key: &str) -> Option<Value> {
        let found = self.layers.iter().find_map(|layer| match layer {
            Layer::Branch(branch) => branch.get(key).cloned(),
            Layer::Value(value) => value.get(key),
        });
        found.or_else(|| (key == "__env").then(|| self.env.clone()))
    }

    fn entries(&self) -> Vec<(Arc<str>, Value)> {
        let mut entries: IndexMap<Arc<str>, Value> = IndexMap::new();
        for layer in &self.layers {
            match layer {
                Layer::Branch(branch) => {
                    for (name, value) in branch.iter() {
                        entries.entry(name.clone()).or_insert_with(|| value.clone());
                    }
                }
                Layer::Value(Value::Dict(dict)) => {
                    for (name, value) in dict.iter() {
                        if let Value::Str(name) = name {
                            entries.entry(name).or_insert(value);
                        }
                    }
                }
                Layer::Value(_) => {}
            }
        }
        entries.into_iter().collect()
    }
}
