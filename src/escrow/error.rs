//! What can go wrong between a host and its escrow.

use crate::{
    gateway::{Dispute, IdempotencyKey, Outcome},
    id::{Kind, Subject},
    ledger::{Account, GatewayName},
    lifecycle::{Corrupt, Failure, Reason, Refused, Unsaved},
    payment::{ChargebackId, chargeback},
    store::RequestKey,
};

/// Why something was not done. Nothing of it was written.
///
/// ```
/// use escrowed::escrow::EscrowError;
///
/// let lost: EscrowError<std::io::Error> = EscrowError::Stale;
/// assert!(lost.is_lost_race());     // load and decide anew, in a fresh unit
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EscrowError<E> {
    /// There is no such order, payin, payout or refund.
    #[error("there is no {0}")]
    Unknown(Subject),
    /// No such call was ever asked of a gateway: the report is somebody else's, or forged.
    #[error("no call {0} was ever made: check where the report comes from")]
    UnknownCall(IdempotencyKey),
    /// The terms name another gateway than this escrow's: nobody would ever send its calls.
    #[error("the terms name gateway `{asked}`, this escrow's is `{served}`: name that one")]
    OtherGateway {
        /// The gateway that the terms name.
        asked: GatewayName,
        /// The gateway of this escrow.
        served: GatewayName,
    },
    /// The gateway says something that cannot be true besides what it said before. Nothing was written.
    #[error("call {key} was answered {known:?} before and is now reported {reported:?}: ask the gateway")]
    Contradiction {
        /// The call.
        key: IdempotencyKey,
        /// What is known of it.
        known: Option<Outcome>,
        /// What was reported.
        reported: Outcome,
    },
    /// The gateway says something of a dispute that cannot be true besides what it said before. Nothing was written.
    #[error("{chargeback} is {known} and is now reported {reported:?}: ask the gateway")]
    Disputed {
        /// The chargeback.
        chargeback: ChargebackId,
        /// How it stands.
        known: chargeback::Status,
        /// What was reported.
        reported: Box<Dispute>,
    },
    /// The lifecycle of something is not registered: see [`Escrow::with`](super::Escrow::with).
    #[error("no lifecycle with ids `{0}_…` is registered: register it when the escrow is built")]
    UnknownLifecycle(Kind),
    /// The step is not possible, or not for this actor.
    #[error(transparent)]
    Refused(#[from] Reason),
    /// A notice has overtaken another one of the same: something that must have happened before was not heard of yet. It may be
    /// taken once that is known, so have it sent again later; to try again at once is of no use. Of a payin that was declined
    /// or called off that is the word that its money came all the same. A gateway that says nothing of how a dispute ended
    /// leaves that to the host: [`Escrow::dispute`](super::Escrow::dispute) of that one, as won or lost.
    #[error("something of {0} must have happened before, and was not heard of yet: take this again later")]
    Overtaken(Subject),
    /// Somebody else has changed it meanwhile.
    #[error("it has changed meanwhile: try again in a fresh unit")]
    Stale,
    /// An account would have gone below zero.
    #[error("account {0} does not hold enough: pay into it first, or ask for less")]
    Overdrawn(Account),
    /// A call that was to be taken back is with the gateway already, or may be. Where no answer comes, ask the gateway, and
    /// [report](super::Escrow::report) what it says.
    #[error("call {0} was sent, or may have been: wait for its answer, or ask the gateway and report what it says")]
    Sent(IdempotencyKey),
    /// An escrow account would hold other than its log says.
    #[error("{0} would hold other than its log says: save what gives and what takes together")]
    Unbooked(Subject),
    /// What is stored is no history of a lifecycle.
    #[error(transparent)]
    Corrupt(#[from] Corrupt),
    /// The host's key was used for another request before. Nothing was done.
    #[error("key `{key}` was used for another request: take a new key for each request")]
    OtherRequest {
        /// The key.
        key: RequestKey,
    },
    /// An event or a command of a host's own lifecycle cannot be written as JSON.
    #[error("an event or a command cannot be written as JSON: correct the lifecycle's code")]
    Unwritable(#[from] serde_json::Error),
    /// The storage failed. Roll the unit back.
    #[error("the storage failed")]
    Storage(#[source] E),
}

impl<E> EscrowError<E> {
    /// Whether somebody else was faster, so that the same thing may succeed in a fresh unit. Where a storage tells of it only
    /// when something is read, it is [`Storage`](Self::Storage): ask
    /// [`Store::is_lost_race`](crate::store::Store::is_lost_race), as of an error of the commit.
    pub const fn is_lost_race(&self) -> bool {
        matches!(self, Self::Stale)
    }
}

impl<E> From<Failure<E>> for EscrowError<E> {
    fn from(failure: Failure<E>) -> Self {
        match failure {
            Failure::Stale => Self::Stale,
            Failure::Overdrawn { account } => Self::Overdrawn(account),
            Failure::Sent { key } => Self::Sent(key),
            Failure::Unbooked { subject } => Self::Unbooked(subject),
            Failure::Storage(error) => Self::Storage(error),
        }
    }
}

impl<T, E> From<Unsaved<T, E>> for EscrowError<E> {
    fn from(unsaved: Unsaved<T, E>) -> Self {
        unsaved.why.into()
    }
}

impl<T, E> From<Refused<T>> for EscrowError<E> {
    fn from(refused: Refused<T>) -> Self {
        Self::Refused(refused.reason)
    }
}
