//! What the events of one subject asked of gateways, and whether the outbox has it.
//!
//! The log says what was asked, and what was answered and counted. Between the two a call is the workers' business: how
//! often it was taken, by whom, when it is seen to again, and whether it is queued, looked up or parked meanwhile.

use super::{CallField, Difference};
use crate::{
    gateway::{IdempotencyKey, Outcome, Verb},
    id::Subject,
    lifecycle::Written,
    store::{Call, CallState, CallStatus, IfSent},
    time::Timestamp,
};
use std::collections::{BTreeMap, BTreeSet};

/// A call that events asked for, and what further events said of it.
pub(super) struct Asked<'w> {
    call: &'w Call,
    seq: u32,
    at: Timestamp,
    /// The call whose withdrawal this one follows, if that could not be withdrawn any more.
    follows: Option<IdempotencyKey>,
    answer: Option<&'w Outcome>,
    withdrawn: Option<Withdrawn<'w>>,
}

struct Withdrawn<'w> {
    at: Timestamp,
    if_sent: &'w IfSent,
    /// Whether the gateway had answered by then: it has the call.
    answered: bool,
    /// Whether the gateway said afterwards that it has the call all the same.
    revived: bool,
}

/// Calls as the outbox has them, with their lanes.
pub(super) type Kept = BTreeMap<IdempotencyKey, (CallState, Option<Subject>)>;

/// Whether a call has to be there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Yes,
    No,
    /// The log does not say.
    Either,
}

/// What the events asked for.
pub(super) fn asked(written: &[Written]) -> BTreeMap<IdempotencyKey, Asked<'_>> {
    let mut asked: BTreeMap<IdempotencyKey, Asked<'_>> = BTreeMap::new();
    for event in written {
        let ask = |call, follows| {
            let Written { seq, at, .. } = *event;
            Asked { call, seq, at, follows, answer: None, withdrawn: None }
        };
        if let Some(withdrawal) = &event.withdraws
            && let Some(call) = asked.get_mut(&withdrawal.key)
        {
            let (answered, if_sent) = (call.answer.is_some(), &withdrawal.if_sent);
            call.withdrawn = Some(Withdrawn { at: event.at, if_sent, answered, revived: false });
            if let IfSent::Follow(call) = if_sent {
                asked.insert(call.instruction.key(), ask(call, Some(withdrawal.key)));
            }
        }
        asked.extend(event.calls.iter().map(|call| (call.instruction.key(), ask(call, None))));
        // What was never asked cannot be answered: no store takes such a commit.
        if let Some(settlement) = &event.settles
            && let Some(call) = asked.get_mut(&settlement.key)
        {
            call.answer = Some(&settlement.outcome);
            if let Some(withdrawn) = &mut call.withdrawn {
                withdrawn.revived |= !settlement.outcome.is_final();
            }
        }
    }
    asked
}

/// The calls to look for: those that were asked for, and all others that the subject could have made.
pub(super) fn keys(subject: Subject, asked: &BTreeMap<IdempotencyKey, Asked<'_>>) -> BTreeSet<IdempotencyKey> {
    let own = Verb::ALL.into_iter().map(|verb| IdempotencyKey { subject, verb });
    asked.keys().copied().chain(own).collect()
}

/// Finds what differs.
pub(super) fn compare(
    asked: &BTreeMap<IdempotencyKey, Asked<'_>>,
    lane: Subject,
    kept: &Kept,
    found: &mut Vec<Difference>,
) {
    for (key, call) in asked {
        let kept_call = kept.get(key);
        match (wanted(call, asked, kept, kept_call.is_some()), kept_call) {
            (Wanted::Yes, None) => found.push(Difference::CallMissing { key: *key, seq: call.seq }),
            (Wanted::No, Some(_)) => found.push(Difference::CallExtra { key: *key }),
            (Wanted::Yes | Wanted::Either, Some((state, in_lane))) => compare_one(call, state, (lane, *in_lane), found),
            (Wanted::No | Wanted::Either, None) => {}
        }
    }
    let extra = kept.keys().filter(|key| !asked.contains_key(key));
    found.extend(extra.map(|key| Difference::CallExtra { key: *key }));
}

fn wanted(call: &Asked<'_>, asked: &BTreeMap<IdempotencyKey, Asked<'_>>, kept: &Kept, is_kept: bool) -> Wanted {
    if let Some(first) = call.follows.and_then(|key| asked.get(&key)) {
        let withdrawn = first.withdrawn.as_ref();
        if withdrawn.is_some_and(|withdrawn| withdrawn.answered) {
            return Wanted::Yes;
        }
        let Some((state, _)) = call.follows.and_then(|key| kept.get(&key)) else { return Wanted::No };
        // Only what cannot have been sent was withdrawn, and what was withdrawn is not sent any more, unless the gateway
        // says that it has it.
        return if state.status == CallStatus::Withdrawn || state.sent.is_none() {
            Wanted::No
        } else if withdrawn.is_some_and(|withdrawn| withdrawn.revived) {
            Wanted::Either
        } else {
            Wanted::Yes
        };
    }
    // Asked and withdrawn in one commit, it was never put into the outbox. Which events were one commit is not in the log,
    // but they have one time.
    match &call.withdrawn {
        Some(withdrawn) if withdrawn.at == call.at && !is_kept => Wanted::Either,
        Some(_) | None => Wanted::Yes,
    }
}

fn compare_one(
    asked: &Asked<'_>,
    kept: &CallState,
    (log_lane, kept_lane): (Subject, Option<Subject>),
    found: &mut Vec<Difference>,
) {
    let (call, key) = (asked.call, asked.call.instruction.key());
    let mut differs = |field| found.push(Difference::Call { key, field });
    if call.gateway != kept.gateway {
        differs(CallField::Gateway { log: call.gateway.clone(), kept: kept.gateway.clone() });
    }
    if call.instruction != kept.instruction {
        let (log, kept) = (Box::new(call.instruction.clone()), Box::new(kept.instruction.clone()));
        differs(CallField::Instruction { log, kept });
    }
    // A payout that was held, or is no longer, waits until later than it was written.
    let was_held = key.verb == Verb::Payout && kept.due > call.due;
    if kept.attempts == 0 && call.due != kept.due && !was_held {
        differs(CallField::Due { log: call.due, kept: kept.due });
    }
    if kept_lane != Some(log_lane) {
        differs(CallField::Lane { log: log_lane, kept: kept_lane });
    }
    if asked.answer != kept.outcome.as_ref() {
        differs(CallField::Outcome { log: asked.answer.cloned(), kept: kept.outcome.clone() });
    }
    if !may_stand(asked, kept) {
        differs(CallField::Status { kept: Box::new(kept.clone()) });
    }
}

fn may_stand(asked: &Asked<'_>, kept: &CallState) -> bool {
    match (asked.answer, &asked.withdrawn) {
        (Some(answer), _) if answer.is_final() => kept.status == CallStatus::Settled,
        (Some(_), _) => kept.status.is_open(),
        (None, None) => is_under_way(kept),
        (None, Some(withdrawn)) => match withdrawn.if_sent {
            // What may have been sent cannot be taken back: its money may be on its way.
            _ if kept.status == CallStatus::Withdrawn => kept.sent.is_none(),
            IfSent::Refuse => false,
            IfSent::Follow(_) => kept.status.is_open() && kept.sent.is_some(),
        },
    }
}

// What nobody has taken waits to be taken.
fn is_under_way(kept: &CallState) -> bool {
    match kept.status {
        CallStatus::Queued | CallStatus::Held => true,
        CallStatus::Pending => kept.sent.is_some(),
        CallStatus::Parked => kept.attempts > 0,
        CallStatus::Settled | CallStatus::Withdrawn => false,
    }
}
