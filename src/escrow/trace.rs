//! What the service tells of itself: see [the front page](super). Without the feature `tracing` it tells nothing.

#[cfg(not(feature = "tracing"))]
pub(super) use silent::*;
#[cfg(feature = "tracing")]
pub(super) use told::*;

#[cfg(feature = "tracing")]
mod told {
    use crate::{
        escrow::{EscrowError, Reported, worker::Fate},
        gateway::Report,
        ledger::GatewayName,
        store::{IndexEntry, LeasedCall, Unreadable, WorkerId},
    };
    use std::error::Error;
    use tracing::{Instrument, error, field::Empty, info, info_span, warn};

    type Fallible<T, E> = Result<T, EscrowError<E>>;

    /// A call that a worker sees to.
    pub(in crate::escrow) async fn call<E: Error>(
        worker: &WorkerId,
        gateway: &GatewayName,
        call: &LeasedCall,
        seen: impl Future<Output = Fallible<Fate, E>>,
    ) -> Fallible<Fate, E> {
        let (key, attempt) = (call.instruction.key(), call.attempts.saturating_add(1));
        let span = info_span!("escrowed.call", %key, %gateway, %worker, attempt, outcome = Empty);
        let counted = async {
            let fate = seen.await;
            let outcome = match &fate {
                Ok(Fate::Answered) => "answered",
                Ok(Fate::Pending) => "pending",
                Ok(Fate::Unknown) => "unknown",
                Ok(Fate::Held) => "held",
                Ok(Fate::Parked) => "parked",
                Ok(Fate::Lost) => "lost",
                Err(error) => kind(error),
            };
            span.record("outcome", outcome);
            let verb = key.verb.name();
            info!(monotonic_counter.escrowed.calls = 1_u64, %gateway, verb, outcome, "a call was seen to");
            if let Ok(Fate::Parked) = &fate {
                warn!(%key, attempt, "a call was parked: it waits for an operator");
            }
            fate
        };
        counted.instrument(span.clone()).await
    }

    /// A deadline that a worker sees to.
    pub(in crate::escrow) async fn deadline<E: Error>(
        worker: &WorkerId,
        row: &IndexEntry,
        done: impl Future<Output = Fallible<bool, E>>,
    ) -> Fallible<bool, E> {
        let (subject, lifecycle) = (row.subject, row.lifecycle.as_str());
        let span = info_span!("escrowed.deadline", %subject, lifecycle, %worker, outcome = Empty);
        let counted = async {
            let taken = done.await;
            let outcome = match &taken {
                Ok(true) => "taken",
                Ok(false) => "passed",
                Err(error) => kind(error),
            };
            span.record("outcome", outcome);
            info!(monotonic_counter.escrowed.deadlines = 1_u64, lifecycle, outcome, "a deadline was seen to");
            if let Err(error) = &taken {
                corrupt(error);
            }
            if let Err(EscrowError::Refused(_)) = &taken {
                warn!(%subject, lifecycle, "a deadline is refused, and nobody has seen to it: it stays due");
            }
            taken
        };
        counted.instrument(span.clone()).await
    }

    /// A call that a worker was to see to and that cannot be read. What is wrong with it may quote the row.
    pub(in crate::escrow) fn unreadable_call(worker: &WorkerId, gateway: &GatewayName, call: &Unreadable) {
        let (key, kind) = (call.id.as_str(), "call");
        error!(monotonic_counter.escrowed.unreadable = 1_u64, kind, key, %gateway, %worker, "a call cannot be read: it is parked");
    }

    /// A subject that is due and whose row cannot be read.
    pub(in crate::escrow) fn unreadable_deadline(worker: &WorkerId, row: &Unreadable) {
        let (subject, kind) = (row.id.as_str(), "deadline");
        error!(monotonic_counter.escrowed.unreadable = 1_u64, kind, subject, %worker, "a row cannot be read: it stays due");
    }

    /// A report, from a worker or a webhook.
    pub(in crate::escrow) async fn report<E: Error>(
        report: &Report,
        heard: impl Future<Output = Fallible<Reported, E>>,
    ) -> Fallible<Reported, E> {
        let span = info_span!("escrowed.report", key = %report.key, outcome = Empty);
        let counted = async {
            let reported = heard.await;
            let outcome = match &reported {
                Ok(Reported::Taken) => "taken",
                Ok(Reported::Repeated) => "repeated",
                Ok(Reported::Late) => "late",
                Err(error) => kind(error),
            };
            span.record("outcome", outcome);
            let verb = report.key.verb.name();
            info!(monotonic_counter.escrowed.reports = 1_u64, verb, outcome, "a report was heard");
            if let Err(EscrowError::Contradiction { .. } | EscrowError::Refused(_)) = &reported {
                warn!(key = %report.key, outcome, "a gateway says what cannot be: ask it");
            }
            if let Err(error) = &reported {
                corrupt(error);
            }
            reported
        };
        counted.instrument(span.clone()).await
    }

    /// Somebody else was faster, and a worker begins anew.
    pub(in crate::escrow) fn lost_race() {
        info!(monotonic_counter.escrowed.lost_races = 1_u64, "somebody else was faster");
    }

    /// A worker could not do something.
    pub(in crate::escrow) fn failed<E: Error>(failure: &EscrowError<E>) {
        let kind = kind(failure);
        // What the storage says is about the storage. What anything else says may name amounts.
        let storage = if let EscrowError::Storage(error) = failure { Some(error) } else { None };
        let words = storage.map(tracing::field::display);
        error!(monotonic_counter.escrowed.failures = 1_u64, kind, error = words, "a worker failed, and will try again");
    }

    fn corrupt<E>(error: &EscrowError<E>) {
        if let EscrowError::Corrupt(corrupt) = error {
            let (subject, seq) = (corrupt.subject, corrupt.seq);
            error!(%subject, seq, "a log is corrupt: nothing is made of it, and a person has to look at it");
        }
    }

    fn kind<E>(error: &EscrowError<E>) -> &'static str {
        match error {
            EscrowError::Unknown(_) => "unknown_subject",
            EscrowError::UnknownCall(_) => "unknown_call",
            EscrowError::OtherGateway { .. } => "other_gateway",
            EscrowError::Contradiction { .. } | EscrowError::Disputed { .. } => "contradiction",
            EscrowError::UnknownLifecycle(_) => "unknown_lifecycle",
            EscrowError::Refused(_) => "refused",
            EscrowError::Overtaken(_) => "overtaken",
            EscrowError::Stale => "stale",
            EscrowError::Overdrawn(_) => "overdrawn",
            EscrowError::Sent(_) => "sent",
            EscrowError::Unbooked(_) => "unbooked",
            EscrowError::Corrupt(_) => "corrupt",
            EscrowError::OtherRequest { .. } => "other_request",
            EscrowError::Unwritable(_) => "unwritable",
            EscrowError::Storage(_) => "storage",
        }
    }
}

#[cfg(not(feature = "tracing"))]
mod silent {
    use crate::{
        escrow::EscrowError,
        gateway::Report,
        ledger::GatewayName,
        store::{IndexEntry, LeasedCall, Unreadable, WorkerId},
    };

    pub(in crate::escrow) const fn call<F>(_: &WorkerId, _: &GatewayName, _: &LeasedCall, seen: F) -> F {
        seen
    }

    pub(in crate::escrow) const fn deadline<F>(_: &WorkerId, _: &IndexEntry, done: F) -> F {
        done
    }

    pub(in crate::escrow) const fn unreadable_call(_: &WorkerId, _: &GatewayName, _: &Unreadable) {}

    pub(in crate::escrow) const fn unreadable_deadline(_: &WorkerId, _: &Unreadable) {}

    pub(in crate::escrow) const fn report<F>(_: &Report, heard: F) -> F {
        heard
    }

    pub(in crate::escrow) const fn lost_race() {}

    pub(in crate::escrow) const fn failed<E>(_: &EscrowError<E>) {}
}
