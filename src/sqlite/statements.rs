//! The statements of one write.

use rusqlite::{CachedStatement, Connection};

/// What one write has prepared. A batch runs the same few statements for each of its commits, and looking one up in the
/// connection's cache costs as much as the text of three ids.
pub(super) struct Statements<'c> {
    connection: &'c Connection,
    prepared: Vec<(&'static str, CachedStatement<'c>)>,
}

impl<'c> Statements<'c> {
    pub(super) const fn on(connection: &'c Connection) -> Self {
        Self { connection, prepared: Vec::new() }
    }

    /// The statement with this text.
    pub(super) fn of(&mut self, text: &'static str) -> rusqlite::Result<&mut CachedStatement<'c>> {
        let position = match self.prepared.iter().position(|(known, _)| *known == text) {
            Some(position) => position,
            None => {
                self.prepared.push((text, self.connection.prepare_cached(text)?));
                self.prepared.len() - 1
            }
        };
        Ok(&mut self.prepared[position].1)
    }
}
