//! The one connection that writes.
//!
//! Left to others: the SQL of each table (`tables`).

use crate::batch::{Batch, ExecutionKey};
use crate::definition::{Applied, DefinitionChange, DefinitionKind, Deletion};
use crate::error::Error;
use crate::reader::{Loaded, Reader, SourceHash};

/// The one connection that writes.
pub struct Writer {
    reader: Reader,
}

#[expect(
    unused_variables,
    clippy::unused_self,
    reason = "bodies follow in the next commit"
)]
impl Writer {
    /// Writes a batch in one transaction: all of it, or nothing.
    pub fn commit(&mut self, batch: &Batch<'_>) -> Result<(), Error> {
        unimplemented!()
    }
    /// Loads all unfinished executions one after the other, in memory that does not grow with
    /// their number.
    pub fn load_unfinished(&mut self, each: &mut dyn FnMut(Loaded)) -> Result<(), Error> {
        unimplemented!()
    }
    /// Loads an execution with its tasks and actions.
    pub fn load(&mut self, key: ExecutionKey) -> Result<Option<Loaded>, Error> {
        self.reader.load(key)
    }
    /// Applies a document, all or nothing. A text equal to the latest revision adds none.
    pub fn apply_definitions(&mut self, change: &DefinitionChange) -> Result<Applied, Error> {
        unimplemented!()
    }
    /// Deletes a definition with all its revisions. Sources stay, for the executions that refer to
    /// them. Fails with [`Error::NotFound`] if there is none.
    pub fn delete_definition(
        &mut self,
        kind: DefinitionKind,
        deletion: &Deletion,
    ) -> Result<(), Error> {
        unimplemented!()
    }
    /// Deletes a workbook; its members stay. Fails with [`Error::NotFound`] if there is none.
    pub fn delete_workbook(&mut self, deletion: &Deletion) -> Result<(), Error> {
        unimplemented!()
    }
    /// Forgets up to `limit` requests that were answered before; says how many.
    pub fn expire_requests(&mut self, before_us: i64, limit: u32) -> Result<usize, Error> {
        unimplemented!()
    }
    /// Deletes sources of [`Reader::find_unused_sources`] that still nobody refers to; says how
    /// many.
    pub fn delete_unused_sources(&mut self, hashes: &[SourceHash]) -> Result<usize, Error> {
        unimplemented!()
    }
    /// The reading functions, on this connection: they see what was just committed.
    pub fn read(&mut self) -> &mut Reader {
        &mut self.reader
    }
}
