//! The statements of one write.

use crate::party::Actor;
use rusqlite::{CachedStatement, Connection};
use std::rc::Rc;

/// What one write has prepared. A batch runs the same few statements for each of its commits, and looking one up in the
/// connection's cache costs as much as the text of three ids.
pub(super) struct Statements<'c> {
    connection: &'c Connection,
    prepared: Vec<(&'static str, CachedStatement<'c>)>,
    actor: Option<(Actor, Rc<str>)>,
}

impl<'c> Statements<'c> {
    pub(super) const fn on(connection: &'c Connection) -> Self {
        Self { connection, prepared: Vec::new(), actor: None }
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

    /// An actor as JSON. Whoever takes many steps at once is nearly always the same.
    pub(super) fn actor(&mut self, by: &Actor) -> Result<Rc<str>, serde_json::Error> {
        match &self.actor {
            Some((known, json)) if known == by => Ok(Rc::clone(json)),
            Some(_) | None => {
                let json: Rc<str> = serde_json::to_string(by)?.into();
                self.actor = Some((by.clone(), Rc::clone(&json)));
                Ok(json)
            }
        }
    }
}
