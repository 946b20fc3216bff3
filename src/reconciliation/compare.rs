//! The comparison itself.

use super::{
    Astray, Differs, Duplicate, Finding, Matched, MissingHere, MissingThere, Reconciliation, ReconciliationError,
    SettlementLine, Unbooked,
};
use crate::{
    gateway::{Capture, IdempotencyKey, Instruction, Outcome, Verb},
    id::Subject,
    ledger::{Account, GatewayName, Purpose},
    money::{Money, MoneyError},
    payment::{ChargebackId, PayinId, PayoutId, RefundId},
    statement::Span,
    store::{BookedEntry, CallState, CallStatus, Outbox, Views},
    text::Name,
};
use std::collections::HashMap;

const PAGE: usize = 500;

/// Compares a gateway's settlement file with our books, and keeps all that is found.
///
/// Lines that are plain values go in as `lines.map(Ok::<_, std::convert::Infallible>)`; lines that are none of the books'
/// business, such as the gateway's own fees, are left out by filtering them.
///
/// # Errors
/// [`ReconciliationError`] when a line cannot be read, an amount overflows or the storage fails.
pub async fn reconcile<U: Outbox + Views, L>(
    unit: &mut U,
    gateway: &GatewayName,
    span: Span,
    lines: impl IntoIterator<Item = Result<SettlementLine, L>>,
) -> Result<Reconciliation, ReconciliationError<U::Error, L>> {
    let mut all = Reconciliation::default();
    reconcile_each(unit, gateway, span, lines, |finding| all.add(finding)).await?;
    Ok(all)
}

/// The same for files of any length: hands over what is found as soon as it is found, and keeps none of it. First what became
/// of each line, in the order of the file; then what the file has not, in the order of the books.
///
/// # Errors
/// [`ReconciliationError`] as for [`reconcile`]. What was handed over is not all there is then.
pub async fn reconcile_each<U: Outbox + Views, L>(
    unit: &mut U,
    gateway: &GatewayName,
    span: Span,
    lines: impl IntoIterator<Item = Result<SettlementLine, L>>,
    mut found: impl FnMut(Finding),
) -> Result<(), ReconciliationError<U::Error, L>> {
    let world = Account::World(gateway.clone());
    let mut seen: HashMap<(Subject, Way), u64> = HashMap::new();
    for line in lines {
        let line = line.map_err(ReconciliationError::Line)?;
        let Some(payment) = line.reference.as_ref().and_then(refers_to) else {
            found(Finding::MissingHere(MissingHere { line, why: Unbooked::Unknown }));
            continue;
        };
        let booked = booked(unit, &world, payment).await?;
        let way = booked.way_of(payment, line.amount, |way| seen.contains_key(&(payment, way)))?;
        if let Some(first) = way.parts().iter().find_map(|part| seen.get(&(payment, *part))) {
            found(Finding::Duplicate(Duplicate { line, payment, first: *first }));
            continue;
        }
        seen.extend(way.parts().iter().map(|part| ((payment, *part), line.line)));
        let call = call(unit, payment).await.map_err(ReconciliationError::Storage)?;
        let called = call.as_ref().filter(|call| call.gateway == *gateway).map(moved).transpose()?.flatten();
        // What has no calls of its own, a lifecycle of the host's, books with the world as it likes.
        let all = booked.all()?;
        if all != called && !verbs(payment).is_empty() {
            found(Finding::Astray(Astray { payment, called, booked: all }));
        }
        found(match booked.on(way)? {
            Some(here) if here == line.amount => Finding::Matched(Matched { line, payment }),
            Some(here) => Finding::Differs(Differs { line, payment, here }),
            None => Finding::MissingHere(MissingHere { line, why: why(call, called, gateway) }),
        });
    }
    let mut last = 0;
    loop {
        let page = unit.entries(&world, last, PAGE).await.map_err(ReconciliationError::Storage)?;
        let Some(end) = page.last() else { return Ok(()) };
        last = end.number;
        for entry in page.iter().filter(|entry| span.contains(entry.at)) {
            let (payment, number, at) = (entry.subject, entry.number, entry.at);
            let way = Way::of(entry, &world);
            if seen.contains_key(&(payment, Way::Only)) || seen.contains_key(&(payment, way)) {
                continue;
            }
            found(Finding::MissingThere(MissingThere { payment, number, at, amount: from_outside(entry, &world)? }));
        }
    }
}

/// The payment that a reference names: by the key of one of its calls, or by its id.
pub(super) fn refers_to(reference: &Name) -> Option<Subject> {
    let text = reference.as_str();
    let key = text.parse::<IdempotencyKey>().map(|key| key.subject);
    key.ok().or_else(|| text.parse().ok())
}

/// What a payment may ask of a gateway that moves money: the last of them that was asked is the one that counts.
fn verbs(payment: Subject) -> &'static [Verb] {
    if PayinId::try_from(payment).is_ok() {
        &[Verb::Capture, Verb::Charge]
    } else if PayoutId::try_from(payment).is_ok() {
        &[Verb::Payout]
    } else if RefundId::try_from(payment).is_ok() {
        &[Verb::Refund]
    } else {
        &[]
    }
}

async fn call<U: Outbox>(unit: &mut U, payment: Subject) -> Result<Option<CallState>, U::Error> {
    for verb in verbs(payment) {
        if let Some(call) = unit.call(&IdempotencyKey { subject: payment, verb: *verb }).await? {
            return Ok(Some(call));
        }
    }
    Ok(None)
}

/// What a call moved, seen from the gateway; `None` when it moved nothing, or has not been answered.
fn moved(call: &CallState) -> Result<Option<Money>, MoneyError> {
    // What came back went and came: the books have both, and together nothing moved but what the bank kept.
    if let Some(Outcome::Returned { moved, .. }) = &call.outcome {
        return moved.checked_sub(call.instruction.amount()).map(Some);
    }
    let Some(moved) = call.outcome.as_ref().and_then(Outcome::moved) else { return Ok(None) };
    match call.instruction {
        Instruction::Charge { capture: Capture::Now, .. } | Instruction::Capture { .. } => Ok(Some(moved)),
        Instruction::Payout { .. } | Instruction::Refund { .. } => moved.checked_neg().map(Some),
        Instruction::Charge { capture: Capture::Later, .. } | Instruction::Void { .. } => Ok(None),
    }
}

/// What the books say moved between a payment and the world, seen from the gateway: in, out, and out as a fee.
#[derive(Default)]
struct Booked {
    r#in: Option<Money>,
    out: Option<Money>,
    fee: Option<Money>,
}

/// Which of a payment's movements a line tells of. Nearly all have but one; a payout or refund that came back went out and
/// came in. A chargeback goes out with a fee, in one line or two, and comes in when it was won.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Way {
    Only,
    In,
    Out,
    Fee,
    OutAndFee,
}

impl Way {
    fn of(entry: &BookedEntry, world: &Account) -> Self {
        if entry.from == *world {
            Self::In
        } else if entry.purpose == Purpose::Fee {
            Self::Fee
        } else {
            Self::Out
        }
    }

    /// The movements that it is.
    const fn parts(self) -> &'static [Self] {
        match self {
            Self::Only => &[Self::Only],
            Self::In => &[Self::In],
            Self::Out => &[Self::Out],
            Self::Fee => &[Self::Fee],
            Self::OutAndFee => &[Self::Out, Self::Fee],
        }
    }
}

impl Booked {
    fn way_of(&self, payment: Subject, amount: Money, seen: impl Fn(Way) -> bool) -> Result<Way, MoneyError> {
        let goes_out = PayoutId::try_from(payment).is_ok() || RefundId::try_from(payment).is_ok();
        let came_back = goes_out && self.r#in.is_some() && self.out.is_some();
        let charged_back = ChargebackId::try_from(payment).is_ok();
        Ok(if !came_back && !charged_back {
            Way::Only
        } else if !amount.is_negative() {
            Way::In
        } else if self.fee == Some(amount) && (self.out != Some(amount) || seen(Way::Out)) {
            Way::Fee
        } else if self.fee.is_some() && sum(self.out, self.fee)? == Some(amount) {
            Way::OutAndFee
        } else {
            Way::Out
        })
    }

    fn on(&self, way: Way) -> Result<Option<Money>, MoneyError> {
        match way {
            Way::Only => self.all(),
            Way::In => Ok(self.r#in),
            Way::Out => Ok(self.out),
            Way::Fee => Ok(self.fee),
            Way::OutAndFee => sum(self.out, self.fee),
        }
    }

    fn all(&self) -> Result<Option<Money>, MoneyError> {
        sum(self.r#in, sum(self.out, self.fee)?)
    }
}

fn sum(one: Option<Money>, other: Option<Money>) -> Result<Option<Money>, MoneyError> {
    match (one, other) {
        (Some(one), Some(other)) => one.checked_add(other).map(Some),
        (one, other) => Ok(one.or(other)),
    }
}

/// What the books say moved between a payment and the world.
async fn booked<U: Views, L>(
    unit: &mut U,
    world: &Account,
    payment: Subject,
) -> Result<Booked, ReconciliationError<U::Error, L>> {
    let (account, mut last, mut booked) = (Account::Escrow(payment), 0, Booked::default());
    loop {
        let page = unit.entries(&account, last, PAGE).await.map_err(ReconciliationError::Storage)?;
        let Some(end) = page.last() else { return Ok(booked) };
        last = end.number;
        for entry in page.iter().filter(|entry| entry.from == *world || entry.to == *world) {
            let amount = from_outside(entry, world)?;
            let booked = match Way::of(entry, world) {
                Way::In => &mut booked.r#in,
                Way::Fee => &mut booked.fee,
                Way::Out | Way::Only | Way::OutAndFee => &mut booked.out,
            };
            *booked = sum(*booked, Some(amount))?;
        }
    }
}

fn from_outside(entry: &BookedEntry, world: &Account) -> Result<Money, MoneyError> {
    if entry.from == *world { Ok(entry.amount) } else { entry.amount.checked_neg() }
}

fn why(call: Option<CallState>, called: Option<Money>, gateway: &GatewayName) -> Unbooked {
    let Some(call) = call else { return Unbooked::Unknown };
    if call.gateway != *gateway {
        return Unbooked::OtherGateway(call.gateway);
    }
    match (call.status, call.outcome) {
        (CallStatus::Settled, Some(Outcome::Settled { .. } | Outcome::Assured { .. } | Outcome::Returned { .. }))
            if called.is_some() =>
        {
            Unbooked::Settled
        }
        (CallStatus::Settled, Some(Outcome::Settled { .. } | Outcome::Assured { .. } | Outcome::Returned { .. })) => {
            Unbooked::NothingMoved
        }
        (CallStatus::Settled, Some(Outcome::Declined { .. })) => Unbooked::Declined,
        (CallStatus::Settled, Some(Outcome::Pending { .. } | Outcome::Challenged { .. }) | None)
        | (
            CallStatus::Queued | CallStatus::Pending | CallStatus::Held | CallStatus::Withdrawn | CallStatus::Parked,
            _,
        ) => Unbooked::Unanswered(call.status),
    }
}
