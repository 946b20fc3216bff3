//! Questions to the index about a lifecycle.

use super::Lifecycle;
use crate::{store::Query, text::Text};

impl Query {
    /// Everything of a lifecycle in one status, by its type.
    ///
    /// ```
    /// use escrowed::{order::{AnyOrder, Status}, store::Query};
    ///
    /// assert_eq!(Query::of::<AnyOrder>(Status::Published), Query::status("order".parse()?, "PUBLISHED"));
    /// # Ok::<(), escrowed::text::TextError>(())
    /// ```
    #[must_use]
    pub fn of<L: Lifecycle>(status: L::Status) -> Self {
        let lifecycle = Text::new(L::TABLE.name).expect("a lifecycle has a name of 1 to 40 characters");
        Self::Status { lifecycle, status: status.to_string() }
    }
}
