//! A unit to read in, and a fresh one after whatever failed.

use super::{Difference, Part};
use crate::store::Store;

/// Reads a store in one unit, as long as nothing fails in it.
pub(super) struct Reading<'s, S: Store> {
    store: &'s S,
    unit: Option<S::Unit>,
}

impl<'s, S: Store> Reading<'s, S> {
    pub(super) const fn of(store: &'s S) -> Self {
        Self { store, unit: None }
    }

    pub(super) async fn unit(&mut self) -> Result<&mut S::Unit, S::Error> {
        if self.unit.is_none() {
            self.unit = Some(self.store.begin().await?);
        }
        Ok(self.unit.as_mut().expect("a unit was begun"))
    }

    /// Drops the unit: the next one sees what was written meanwhile.
    pub(super) fn renew(&mut self) {
        self.unit = None;
    }

    /// That something could not be read. Some databases answer nothing more in a unit in which something has failed.
    pub(super) fn unreadable(&mut self, part: Part, cause: S::Error) -> Difference {
        self.renew();
        Difference::unreadable(part, cause)
    }
}

/// Reads a page of a list. Where one row of it cannot be read, a page of the next row alone, so that only that row and what
/// comes after it is given up.
macro_rules! list {
    ($reading:expr, $page:expr, |$unit:ident, $limit:ident| $read:expr) => {{
        let mut $limit = $page;
        loop {
            let $unit = $reading.unit().await?;
            match $read.await {
                Ok(rows) => break Ok(rows),
                Err(cause) if $limit == 1 => break Err(cause),
                Err(_) => {
                    $reading.renew();
                    $limit = 1;
                }
            }
        }
    }};
}
pub(super) use list;
