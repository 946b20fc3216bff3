//! What can go wrong for several callers at once.

use crate::store::Unacknowledged;
use std::{error::Error, sync::Arc};

/// What went wrong while several callers' commits were written together.
///
/// ```
/// use escrowed::coalescing::Shared;
/// use std::sync::Arc;
///
/// let error = Shared::Storage(Arc::new(std::io::Error::other("the disk is full")));
/// assert_eq!(error.to_string(), "the disk is full");
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Shared<E: Error + 'static> {
    /// The storage failed. Nothing of this caller's was written.
    #[error(transparent)]
    Storage(Arc<E>),
    /// The storage failed while it wrote or committed for several callers. It is unknown whether that is durable: read before
    /// writing again, or send the request again under its key.
    #[error(transparent)]
    Unknown(Arc<E>),
    /// Whoever was writing for all of them panicked in the store. It is unknown whether that is durable.
    #[error("the store panicked while it wrote for several callers: read before writing again")]
    Panicked,
}

// Not derived: the error itself need not be `Clone`.
impl<E: Error + 'static> Clone for Shared<E> {
    fn clone(&self) -> Self {
        match self {
            Self::Storage(error) => Self::Storage(error.clone()),
            Self::Unknown(error) => Self::Unknown(error.clone()),
            Self::Panicked => Self::Panicked,
        }
    }
}

impl<E: Error + 'static> From<E> for Shared<E> {
    fn from(error: E) -> Self {
        Self::Storage(Arc::new(error))
    }
}

impl<E: Error + 'static> From<Unacknowledged<E>> for Shared<E> {
    fn from(error: Unacknowledged<E>) -> Self {
        match error {
            Unacknowledged::NotBegun(error) | Unacknowledged::Unwritten(error) => Self::Storage(Arc::new(error)),
            Unacknowledged::Unknown(error) => Self::Unknown(Arc::new(error)),
        }
    }
}
