//! A status column as a good programmer writes it: the same data, the same outputs, no types.

use escrowed::{
    gateway::{Instruction, RefundTo},
    ledger::{Account, Entry, GatewayName, Purpose},
    money::Money,
    order::{OrderId, PayoutPlan, Terms},
    party::{Actor, PartyId, Stamp},
    payment::{Outgoing, Paid, PayinId, PayoutId, RefundId},
    store::{Call, Log, Revision, StoredRecord},
    time::Timestamp,
};
use serde::{Deserialize, de::DeserializeOwned};

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Status {
    Draft,
    PendingPublish,
    Published,
    Accepted,
    PendingValidate,
    PendingRelease,
    Released,
    Cancelled,
}

#[allow(dead_code, reason = "handed to whoever writes it")]
pub(crate) enum Event {
    Accepted,
    Cancelled { refund: RefundId },
}

/// As much as the typed one carries. Its row for queries is read from it when it is written.
#[allow(dead_code, reason = "handed to whoever writes it")]
pub(crate) struct Order {
    id: OrderId,
    status: Status,
    terms: Box<Terms>,
    payins: Vec<PayinId>,
    paid: Option<Box<Paid>>,
    sent: Option<Box<Sent>>,
    held: Money,
    deadline: Option<Timestamp>,
    revision: Option<Revision>,
    seq: u32,
    history: Vec<(Status, Stamp)>,
}

/// Who is paid.
#[derive(Default)]
#[allow(dead_code, reason = "known of an order")]
struct Sent {
    plan: Option<PayoutPlan>,
    fee: Option<Money>,
    payouts: Outgoing,
    confirmed: Vec<PayoutId>,
}

/// A refund that is opened: its row and its first event in one.
#[allow(dead_code, reason = "handed to whoever writes it")]
pub(crate) struct Refund {
    id: RefundId,
    order: OrderId,
    payin: PayinId,
    payer: PartyId,
    amount: Money,
    to: RefundTo,
    gateway: GatewayName,
    opened: Stamp,
}

#[allow(dead_code, reason = "handed to whoever writes it")]
pub(crate) struct Taken {
    order: Order,
    event: (u32, Event, Stamp),
    entries: Vec<Entry>,
    calls: Vec<Call>,
    refund: Option<Box<Refund>>,
}

impl Order {
    pub(crate) fn accept(self, at: &Stamp) -> Result<Taken, (Self, &'static str)> {
        if self.status != Status::Published {
            return Err((self, "not possible in this status"));
        }
        match &at.by {
            Actor::Party(who) if *who == self.terms.seller => Ok(self.take(Status::Accepted, Event::Accepted, at)),
            _ => Err((self, "for the seller only")),
        }
    }

    pub(crate) fn cancel(self, at: &Stamp) -> Result<Taken, (Self, &'static str)> {
        if self.status != Status::Published {
            return Err((self, "not possible in this status"));
        }
        match &at.by {
            Actor::Party(who) if self.terms.buyer.as_ref() == Some(who) => {}
            Actor::Office { role, .. } if role.as_str() == "platform" => {}
            _ => return Err((self, "for the buyer and the platform only")),
        }
        let (Some(paid), Some(payer)) = (&self.paid, &self.terms.buyer) else {
            return Err((self, "there is nothing to give back"));
        };
        let refund = RefundId::derived(self.id.subject(), self.seq + 1, 0, at.at);
        let subject = refund.subject();
        let (from, to) = (Account::Escrow(self.id.subject()), Account::Escrow(subject));
        let Ok(entry) = Entry::new(from, to, self.held, Purpose::GiveBack) else {
            return Err((self, "there is nothing to give back"));
        };
        let opened = Refund {
            id: refund,
            order: self.id,
            payin: paid.payin,
            payer: payer.clone(),
            amount: self.held,
            to: RefundTo::Original,
            gateway: self.terms.gateway.clone(),
            opened: at.clone(),
        };
        let (payin, amount, to) = (paid.payin.subject(), self.held, RefundTo::Original);
        let instruction = Instruction::Refund { refund: subject, payin, amount, to };
        let call = Call { gateway: self.terms.gateway.clone(), instruction, due: at.at };
        let mut taken = self.take(Status::Cancelled, Event::Cancelled { refund }, at);
        taken.order.held = Money::zero(amount.currency());
        taken.entries.push(entry);
        taken.calls.push(call);
        taken.refund = Some(Box::new(opened));
        Ok(taken)
    }

    /// Reads the same log, and believes it.
    pub(crate) fn replay(log: &Log) -> Option<Self> {
        let (first, rest) = log.records.split_first()?;
        let terms: Box<Terms> = read(first)?;
        let mut order = Self {
            id: log.subject.try_into().ok()?,
            status: Status::Draft,
            held: Money::zero(terms.amount.currency()),
            terms,
            payins: Vec::new(),
            paid: None,
            sent: None,
            deadline: None,
            revision: Some(log.revision),
            seq: first.seq,
            history: vec![(Status::Draft, first.stamp.clone())],
        };
        for record in rest {
            order.apply(record)?;
        }
        Some(order)
    }

    fn apply(&mut self, record: &StoredRecord) -> Option<()> {
        let status = match record.name.as_str() {
            "identify_buyer" => {
                self.terms.buyer = Some(read::<BuyerIdentified>(record)?.buyer);
                Status::PendingPublish
            }
            "pay" => {
                self.payins.push(read::<PayinOpened>(record)?.payin);
                Status::PendingPublish
            }
            "publish" => {
                let paid = read::<Published>(record)?.paid;
                self.held = paid.amount;
                self.paid = Some(paid);
                Status::Published
            }
            "accept" => Status::Accepted,
            "set_payout" => {
                self.sent.get_or_insert_default().plan = Some(read::<PayoutSet>(record)?.plan);
                Status::PendingValidate
            }
            "validate" => {
                let Validated { fee, payouts } = read(record)?;
                let sent = self.sent.get_or_insert_default();
                (sent.fee, sent.payouts) = (Some(fee), payouts);
                self.held = Money::zero(self.held.currency());
                Status::PendingRelease
            }
            "release" => {
                self.sent.get_or_insert_default().confirmed = read::<Released>(record)?.payouts;
                Status::Released
            }
            _ => return None,
        };
        if status != self.status {
            self.history.push((status, record.stamp.clone()));
        }
        (self.status, self.seq) = (status, record.seq);
        Some(())
    }

    fn take(mut self, status: Status, event: Event, at: &Stamp) -> Taken {
        self.status = status;
        self.seq += 1;
        self.deadline = None;
        self.history.push((status, at.clone()));
        let event = (self.seq, event, at.clone());
        Taken { order: self, event, entries: Vec::new(), calls: Vec::new(), refund: None }
    }
}

#[derive(Deserialize)]
struct BuyerIdentified {
    buyer: PartyId,
}

#[derive(Deserialize)]
struct PayinOpened {
    payin: PayinId,
}

#[derive(Deserialize)]
struct Published {
    paid: Box<Paid>,
}

#[derive(Deserialize)]
struct PayoutSet {
    plan: PayoutPlan,
}

#[derive(Deserialize)]
struct Validated {
    fee: Money,
    payouts: Outgoing,
}

#[derive(Deserialize)]
struct Released {
    payouts: Vec<PayoutId>,
}

fn read<T: DeserializeOwned>(record: &StoredRecord) -> Option<T> {
    serde_json::from_str(&record.body).ok()
}
