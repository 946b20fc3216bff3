//! The outbox: calls that wait for a gateway, handed out under leases.

use super::UnitOfWork;
use crate::{
    gateway::{IdempotencyKey, Instruction, Outcome},
    ledger::GatewayName,
    text::{Prose, Text},
    time::Timestamp,
};
use std::future::Future;

/// A worker's own name, different from every other worker's: 1 to 100 characters.
pub type WorkerId = Text<100>;

/// What a worker asks for when it takes calls.
#[derive(Debug, Clone)]
pub struct Lease {
    /// Who takes them.
    pub worker: WorkerId,
    /// The calls of which gateway.
    pub gateway: GatewayName,
    /// Now (UTC).
    pub now: Timestamp,
    /// Until when they are its own (UTC). Afterwards another worker may take them.
    pub until: Timestamp,
    /// How many at most.
    pub limit: usize,
}

/// A call that a worker holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeasedCall {
    /// The call.
    pub instruction: Instruction,
    /// How often it was taken before. Above zero, nobody knows what became of it: look it up before sending it.
    pub attempts: u32,
}

/// Where a call stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallStatus {
    /// Waits to be sent, or is being sent.
    Queued,
    /// The gateway has it and will report; it is looked up again when its time comes.
    Pending,
    /// Answered for good.
    Settled,
    /// No longer wanted before anybody had sent it.
    Withdrawn,
    /// Failed too often; waits for an operator.
    Parked,
}

/// A call as the outbox has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallState {
    /// The call.
    pub instruction: Instruction,
    /// For which gateway.
    pub gateway: GatewayName,
    /// Where it stands.
    pub status: CallStatus,
    /// How often it was taken.
    pub attempts: u32,
    /// The last answer.
    pub outcome: Option<Outcome>,
    /// The last problem, in words.
    pub problem: Option<Prose>,
    /// When it is next sent or looked up (UTC), unless it is settled, withdrawn or parked.
    pub due: Timestamp,
}

/// The calls that wait for a gateway.
///
/// Calls are put in by commits and answered by commits; these methods move them between the two.
pub trait Outbox: UnitOfWork {
    /// Takes calls that are due, in the order in which they became due, and marks them as the worker's until its
    /// lease ends. A call is not handed out while an earlier queued call of the same payment is open.
    ///
    /// # Errors
    /// When the storage fails.
    fn lease(&mut self, lease: &Lease) -> impl Future<Output = Result<Vec<LeasedCall>, Self::Error>> + Send;

    /// A call by its key; `None` when there is none.
    ///
    /// # Errors
    /// When the storage fails.
    fn call(&mut self, key: &IdempotencyKey) -> impl Future<Output = Result<Option<CallState>, Self::Error>> + Send;

    /// Notes that a call is not settled yet, and when to see to it again. Ends the lease.
    ///
    /// `status` is where the call goes: queued (send again), pending (look up again) or parked (an operator must
    /// see to it). A call that is settled or withdrawn stays as it is; the answer is `false` then, and when there
    /// is no such call. A pending call begins to count its attempts anew, at 1: the gateway has it.
    ///
    /// # Errors
    /// When the storage fails.
    fn postpone(
        &mut self,
        key: &IdempotencyKey,
        status: CallStatus,
        due: Timestamp,
        problem: Option<&Prose>,
    ) -> impl Future<Output = Result<bool, Self::Error>> + Send;

    /// Calls in one status, in order of their keys, after `after`.
    ///
    /// # Errors
    /// When the storage fails.
    fn calls(
        &mut self,
        status: CallStatus,
        after: Option<&IdempotencyKey>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<CallState>, Self::Error>> + Send;
}

impl CallStatus {
    /// Every status there is.
    pub const ALL: [Self; 5] = [Self::Queued, Self::Pending, Self::Settled, Self::Withdrawn, Self::Parked];

    /// Its name in stores.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Pending => "pending",
            Self::Settled => "settled",
            Self::Withdrawn => "withdrawn",
            Self::Parked => "parked",
        }
    }

    /// Whether the call may still come to something.
    #[must_use]
    pub const fn is_open(self) -> bool {
        match self {
            Self::Queued | Self::Pending | Self::Parked => true,
            Self::Settled | Self::Withdrawn => false,
        }
    }
}
