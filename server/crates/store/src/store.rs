//! The open database: who may write, who may read.

use crate::config::Config;
use crate::error::Error;
use crate::reader::Reader;
use crate::writer::Writer;

/// An open database. It stays open until the store, its writer and all its readers are gone.
pub struct Store {
    readers: Readers,
}

#[expect(unused_variables, reason = "bodies follow in the next commit")]
impl Store {
    /// Opens the database, makes it if there is none, and brings its schema up to date.
    pub fn open(config: &Config) -> Result<Self, Error> {
        unimplemented!()
    }

    /// The writer. There is one; it can be taken again after it was dropped.
    pub fn writer(&self) -> Result<Writer, Error> {
        unimplemented!()
    }

    /// The readers.
    pub fn readers(&self) -> &Readers {
        &self.readers
    }
}

/// Connections that read, shared by all who ask. Cheap to clone.
#[derive(Clone)]
pub struct Readers {}

#[expect(
    unused_variables,
    clippy::unused_self,
    reason = "bodies follow in the next commit"
)]
impl Readers {
    /// Reads from one state of the database: what is committed meanwhile stays unseen. Blocks,
    /// also until a connection is free.
    pub fn read<T>(&self, work: impl FnOnce(&mut Reader) -> Result<T, Error>) -> Result<T, Error> {
        unimplemented!()
    }
}
