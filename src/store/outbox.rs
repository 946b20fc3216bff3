//! What waits for a worker: calls for a gateway and deadlines, handed out under leases.

use super::{IndexEntry, UnitOfWork, Unreadable};
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
    /// The [lease](LeasedCall::lease) that this is the word of: nothing is noted when the call has been taken again since.
    /// `None` when no lease is meant.
    pub taken: Option<u64>,
    /// That nothing was sent under that lease, which only whoever has it can know. Where it is not said, the call
    /// [may have been sent](CallState::sent) under it.
    pub unsent: bool,
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
    /// Where it stands. One that is held was handed out to be asked about: before it may be sent, it has to be
    /// [postponed](Outbox::postpone) to queued under this lease.
    pub status: CallStatus,
    /// The number of this lease. Each lease of a call has a higher one, whatever became of those before.
    pub lease: u64,
    /// How often it was taken before without an answer, since it was last pending or held.
    pub attempts: u32,
    /// Whether it may have been sent under an earlier lease: nobody knows what became of it. Look it up before sending it.
    pub sent: bool,
}

/// Where a call stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallStatus {
    /// Waits to be sent, or is being sent.
    Queued,
    /// The gateway has it and will report; it is looked up again when its time comes.
    Pending,
    /// The host's policy holds it, and is asked again when its time comes. Nobody has leave to send it.
    Held,
    /// Answered for good.
    Settled,
    /// No longer wanted before anybody had sent it.
    Withdrawn,
    /// Failed too often, or cannot be read; waits for an operator.
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
    /// How often it was taken without an answer, since it was last pending or held.
    pub attempts: u32,
    /// How often it was taken at all, which is the number of its last lease. It only grows.
    pub leases: u64,
    /// The number of the lease under which it may first have been sent, 0 once the gateway has said that it has it; `None`
    /// while no gateway can have it. Only whoever has that lease can say that nothing was sent, until the call is taken
    /// again: it is forgotten for no other reason, however often a gateway is asked and knows nothing. What may have been
    /// sent is not withdrawn.
    pub sent: Option<u64>,
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
    /// A call that was queued or pending counts from then on as one that may have been sent. One that is held does not: see
    /// [`LeasedCall::status`].
    ///
    /// A call that cannot be read is told in its place. It is parked with its problem in words, no longer leased, and holds up
    /// no other.
    ///
    /// # Errors
    /// When the storage fails.
    fn lease(
        &mut self,
        lease: &Lease,
    ) -> impl Future<Output = Result<Vec<Result<LeasedCall, Unreadable>>, Self::Error>> + Send;

    /// A call by its key; `None` when there is none.
    ///
    /// # Errors
    /// When the storage fails.
    fn call(&mut self, key: &IdempotencyKey) -> impl Future<Output = Result<Option<CallState>, Self::Error>> + Send;

    /// Notes that a call is not settled yet, and when to see to it again: until then nobody takes it. Ends the lease, but for
    /// the word of whoever had it.
    ///
    /// A call that is settled or withdrawn, or that was taken again since, stays as it is; the answer is `false` then, and
    /// when there is no such call. So does one that is pending and would be held: the gateway has it.
    ///
    /// A pending call begins to count its attempts anew, at 1, and counts as one that was sent: the gateway has it. A held one
    /// counts them anew, at none: it did not fail. Whether it may have been sent is another matter, and is kept.
    ///
    /// # Errors
    /// When the storage fails.
    fn postpone(&mut self, postponement: &Postponement<'_>) -> impl Future<Output = Result<bool, Self::Error>> + Send;

    /// Takes subjects whose deadline has passed, the earliest first, and marks them as the worker's until its lease ends
    /// or the subject's next commit.
    ///
    /// One whose row cannot be read is told beside the others, and is the worker's like them: it is told again once its lease
    /// has ended, and keeps nobody waiting until then.
    ///
    /// # Errors
    /// When the storage fails.
    fn lease_due(
        &mut self,
        lease: &DueLease,
    ) -> impl Future<Output = Result<Vec<Result<IndexEntry, Unreadable>>, Self::Error>> + Send;

    /// Calls in one status, in order of their keys as text, after `after`. One that cannot be read is told in its place.
    ///
    /// # Errors
    /// When the storage fails.
    fn calls(
        &mut self,
        status: CallStatus,
        after: Option<&str>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Result<CallState, Unreadable>>, Self::Error>> + Send;
}

impl<'p> Postponement<'p> {
    /// That the gateway has a call and will report; it is looked up when its time comes.
    #[must_use]
    pub const fn pending(key: IdempotencyKey, due: Timestamp) -> Self {
        Self { key, taken: None, unsent: false, status: CallStatus::Pending, due, problem: None }
    }

    /// That a call is to be sent again.
    #[must_use]
    pub const fn queued(key: IdempotencyKey, due: Timestamp) -> Self {
        Self { key, taken: None, unsent: false, status: CallStatus::Queued, due, problem: None }
    }

    /// That the host's policy holds a call, of which nothing was sent.
    #[must_use]
    pub const fn held(key: IdempotencyKey, due: Timestamp, reason: &'p Prose) -> Self {
        Self { key, taken: None, unsent: true, status: CallStatus::Held, due, problem: Some(reason) }
    }

    /// That an operator must see to a call, from now on.
    #[must_use]
    pub const fn parked(key: IdempotencyKey, due: Timestamp) -> Self {
        Self { key, taken: None, unsent: false, status: CallStatus::Parked, due, problem: None }
    }

    /// The same as the word of who has this call, under its lease.
    #[must_use]
    pub const fn under(self, call: &LeasedCall) -> Self {
        Self { taken: Some(call.lease), ..self }
    }

    /// The lease that is meant, as databases count; the same if nothing was sent under it; the same if something may have been.
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    pub(crate) fn leases(&self) -> [Option<i64>; 3] {
        let taken = self.taken.map(|taken| i64::try_from(taken).unwrap_or(i64::MAX));
        [taken, taken.filter(|_| self.unsent), taken.filter(|_| !self.unsent)]
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
