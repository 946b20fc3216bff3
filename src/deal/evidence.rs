//! What deals log of their payments.

use crate::{
    id::Subject,
    lifecycle::Reason,
    payment::{Evidence, News, Payin, PayinId, payin},
};
use serde::{Deserialize, Serialize};

/// A payin of which no money comes.
#[derive(Debug, Serialize)]
pub enum Lost<'e> {
    /// The gateway declined.
    Denied(&'e Payin<payin::Denied>),
    /// It was called off or ran out of time.
    Cancelled(&'e Payin<payin::Cancelled>),
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PayinOpened {
    pub(crate) payin: PayinId,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PayinClosed {
    pub(crate) payin: PayinId,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Counted {
    pub(crate) payment: Subject,
    pub(crate) news: News,
}

impl Lost<'_> {
    /// The payin.
    #[must_use]
    pub const fn payin(&self) -> PayinId {
        match self {
            Self::Denied(payin) => payin.id(),
            Self::Cancelled(payin) => payin.id(),
        }
    }
}

impl Counted {
    /// What a piece of evidence says of an outgoing payment.
    pub(crate) fn by(evidence: &Evidence<'_>) -> Result<Self, Reason> {
        let (payment, news) = evidence.of_outgoing().ok_or(Reason::Missing { what: "a payout or refund" })?;
        Ok(Self { payment, news })
    }
}
