//! What waits for a worker: calls for a gateway and deadlines, handed out under leases.

use super::{IndexEntry, UnitOfWork};
use crate::{
    gateway::{IdempotencyKey, Instruction, Outcome},
    ledger::GatewayName,
    text::{Prose, Text},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
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

/// What a worker asks for when it takes deadlines.
#[derive(Debug, Clone)]
pub struct DueLease {
    /// Who takes them.
    pub worker: WorkerId,
    /// Now (UTC).
    pub now: Timestamp,
    /// Until when they are its own (UTC). Afterwards another worker may take them.
    pub until: Timestamp,
    /// How many at most.
    pub limit: usize,
}

/// What is noted of a call that is not settled yet.
#[derive(Debug, Clone, Copy)]
pub struct Postponement<'p> {
    /// The call.
    pub key: IdempotencyKey,
    /// The [`attempts`](LeasedCall::attempts) of the lease that this is the end of: nothing is noted when the call has been
    /// taken again since. `None` when no lease is meant.
    pub taken: Option<u32>,
    /// Where the call goes: queued (send again), pending (look up again), held (ask the host's policy again) or parked (an
    /// operator must see to it).
    pub status: CallStatus,
    /// When to see to it again (UTC).
    pub due: Timestamp,
    /// What went wrong, in words.
    pub problem: Option<&'p Prose>,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallStatus {
    /// Waits to be sent, or is being sent.
    Queued,
    /// The gateway has it and will report; it is looked up again when its time comes.
    Pending,
    /// The gateway was not asked: the host's policy holds it, and is asked again when its time comes.
    Held,
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

/// What waits for a worker: calls for a gateway, and deadlines.
///
/// Calls are put in by commits and answered by commits, deadlines are set by commits; these methods move them between the
/// two.
pub trait Outbox: UnitOfWork {
    /// Takes calls that are due, in the order in which they became due, and marks them as the worker's until its
    /// lease ends. A call is not handed out while an earlier call of the same [`lane`](super::Commit::lane) is queued:
    /// those of one order are sent in their order, those of different orders side by side.
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
    /// A call that is settled or withdrawn, or that was taken again since, stays as it is; the answer is `false` then, and
    /// when there is no such call. A pending call begins to count its attempts anew, at 1: the gateway has it. So does a held
    /// one, at none: the gateway does not.
    ///
    /// # Errors
    /// When the storage fails.
    fn postpone(&mut self, postponement: &Postponement<'_>) -> impl Future<Output = Result<bool, Self::Error>> + Send;

    /// Takes subjects whose deadline has passed, the earliest first, and marks them as the worker's until its lease ends
    /// or the subject's next commit.
    ///
    /// # Errors
    /// When the storage fails.
    fn lease_due(&mut self, lease: &DueLease) -> impl Future<Output = Result<Vec<IndexEntry>, Self::Error>> + Send;

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

impl Postponement<'_> {
    /// That the gateway has a call and will report; it is looked up when its time comes.
    #[must_use]
    pub const fn pending(key: IdempotencyKey, due: Timestamp) -> Self {
        Self { key, taken: None, status: CallStatus::Pending, due, problem: None }
    }

    /// That a call is to be sent again.
    #[must_use]
    pub const fn queued(key: IdempotencyKey, due: Timestamp) -> Self {
        Self { key, taken: None, status: CallStatus::Queued, due, problem: None }
    }
}

impl CallStatus {
    /// Every status there is.
    pub const ALL: [Self; 6] = [Self::Queued, Self::Pending, Self::Held, Self::Settled, Self::Withdrawn, Self::Parked];

    /// Its name in stores.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Pending => "pending",
            Self::Held => "held",
            Self::Settled => "settled",
            Self::Withdrawn => "withdrawn",
            Self::Parked => "parked",
        }
    }

    /// Whether the call may still come to something.
    #[must_use]
    pub const fn is_open(self) -> bool {
        match self {
            Self::Queued | Self::Pending | Self::Held | Self::Parked => true,
            Self::Settled | Self::Withdrawn => false,
        }
    }
}
