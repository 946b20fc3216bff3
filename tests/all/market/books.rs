//! What the values in a file must have booked and asked for: worked out anew from their logs alone, and compared with
//! the entries and the calls that are there. Nothing may be missing, and nothing may be left over.

use escrowed::{
    gateway::{Capture, IdempotencyKey, Instruction, Outcome, RefundTo, Verb},
    id::Subject,
    ledger::Account,
    money::Money,
    order::{AnyOrder, Status, Was},
    payment::{
        AnyPayin, AnyPayout, AnyRefund, Consent, Destination, Leg, Method, PayinId, RefundId, Route, Stands, payin,
        payout::{self, Went},
        refund,
    },
    store::{CallState, CallStatus},
};
use std::collections::HashMap;

/// Everything in a file.
#[derive(Debug, Default)]
pub(crate) struct Values {
    pub(crate) orders: Vec<AnyOrder>,
    pub(crate) payins: Vec<AnyPayin>,
    pub(crate) payouts: Vec<AnyPayout>,
    pub(crate) refunds: Vec<AnyRefund>,
    pub(crate) calls: HashMap<IdempotencyKey, CallState>,
}

/// An entry: from, to, minor units, purpose.
pub(crate) type Line = (String, String, i64, &'static str);

/// How a call must stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stand {
    Open,
    Settled,
    Declined,
    Withdrawn,
}

impl Values {
    /// Checks the calls and what orders and payments know of each other, and tells which entries there must be.
    pub(crate) fn check(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        let mut calls = 0;
        for order in &self.orders {
            lines.extend(self.order(order));
        }
        for payin in &self.payins {
            calls += self.payin(payin, &mut lines);
        }
        for payout in &self.payouts {
            calls += self.payout(payout, &mut lines);
        }
        for refund in &self.refunds {
            calls += self.refund(refund, &mut lines);
        }
        assert_eq!(calls, self.calls.len(), "a call is there that nobody asked for: {:?}", self.calls.keys());
        lines.sort();
        lines
    }

    fn order(&self, order: &AnyOrder) -> Option<Line> {
        let id = order.id().subject();
        let none: &[Leg] = &[];
        let (fee, legs) = match order {
            AnyOrder::PendingRelease(order) => (Some(order.state().fee()), order.state().payouts().legs()),
            AnyOrder::Released(order) => (Some(order.state().fee()), order.state().payouts().legs()),
            AnyOrder::BlockedRelease(order) => match order.state().was() {
                Was::PendingRelease(release) => (Some(release.fee()), release.payouts().legs()),
                Was::Published(_) | Was::Accepted(_) | Was::PendingValidate(_) => (None, none),
            },
            AnyOrder::Draft(_)
            | AnyOrder::PendingPublish(_)
            | AnyOrder::Failure(_)
            | AnyOrder::Published(_)
            | AnyOrder::Cancelled(_)
            | AnyOrder::Accepted(_)
            | AnyOrder::Rejected(_)
            | AnyOrder::PendingValidate(_) => (None, none),
        };
        self.check_payin(order);
        self.check_refunds(order);
        for leg in legs {
            let payout =
                self.payouts.iter().find(|payout| payout.id().subject() == leg.payment).expect("a payout of the order");
            let stands = match payout.status() {
                payout::Status::Created | payout::Status::Held => Stands::Open,
                // What came back had arrived: what it was paid out of is done with it.
                payout::Status::Confirmed | payout::Status::Returned => Stands::Confirmed,
                payout::Status::Denied => Stands::Denied,
                payout::Status::Cancelled => Stands::Returned,
            };
            assert_eq!((leg.amount, leg.stands), (payout.facts().amount, stands), "{payout:?}");
        }
        let mine = self.payouts.iter().filter(|payout| payout.facts().about == id);
        let alive = mine.filter(|payout| went_on(payout).is_none()).count();
        assert_eq!(alive, legs.len(), "every payout is one of the order's: {order:?}");
        let fee = fee.filter(|fee| fee.is_positive())?;
        let platform = Account::Wallet(order.facts().terms().platform.clone());
        Some(line(&escrow(id), &platform, fee, "fee"))
    }

    // An order that was paid has a payin that handed it the money; one that waits has one that is on its way.
    fn check_payin(&self, order: &AnyOrder) {
        let paid = order.history().by_key(Status::Published).is_some();
        let listed = order.facts().payins();
        let mine: Vec<_> = self.payins.iter().filter(|payin| payin.facts().about == order.id().subject()).collect();
        assert_eq!(listed.len(), mine.len(), "the order knows each of its payins");
        let last = listed.last().map(|last| self.payins.iter().find(|payin| payin.id() == *last).expect("a payin"));
        let Some(last) = last else { return assert!(!paid) };
        match (order, last) {
            (AnyOrder::PendingPublish(order), AnyPayin::Created(payin)) => {
                assert_eq!(order.state().payin(), Some(payin.id()));
            }
            (AnyOrder::PendingPublish(order), AnyPayin::Denied(_)) => assert_eq!(order.state().payin(), None),
            (AnyOrder::Failure(order), AnyPayin::Denied(payin)) => assert_eq!(order.state().payin(), payin.id()),
            (_, AnyPayin::Confirmed(payin)) => assert_eq!((paid, payin.held().is_zero()), (true, true)),
            (_, AnyPayin::Refunded(_)) => assert!(paid),
            (AnyOrder::Cancelled(_), AnyPayin::Cancelled(_)) => assert!(!paid),
            (order, payin) => panic!("{order:?} with {payin:?}"),
        }
    }

    // What an ended order owes the buyer was opened with its end.
    fn check_refunds(&self, order: &AnyOrder) {
        let find = |id: RefundId| {
            let refund = self.refunds.iter().find(|refund| refund.id() == id).expect("the refund of the order");
            assert_eq!(refund.facts().source, order.id().subject());
            assert!(refund.facts().amount.is_positive());
        };
        match order {
            AnyOrder::Rejected(order) => find(order.state().refund()),
            AnyOrder::Cancelled(cancelled) => {
                let paid = order.history().by_key(Status::Published).is_some();
                assert_eq!(cancelled.state().refund().is_some(), paid, "a paid order is refunded: {order:?}");
                if let Some(refund) = cancelled.state().refund() {
                    find(refund);
                }
            }
            AnyOrder::Draft(_)
            | AnyOrder::PendingPublish(_)
            | AnyOrder::Failure(_)
            | AnyOrder::Published(_)
            | AnyOrder::Accepted(_)
            | AnyOrder::PendingValidate(_)
            | AnyOrder::PendingRelease(_)
            | AnyOrder::BlockedRelease(_)
            | AnyOrder::Released(_) => assert!(order.history().by_key(Status::Cancelled).is_none()),
        }
    }

    fn payin(&self, payin: &AnyPayin, lines: &mut Vec<Line>) -> usize {
        let (id, terms) = (payin.id().subject(), payin.facts());
        let source = match terms.method {
            Method::Card | Method::BankWire { .. } => Account::World(terms.gateway.clone()),
            Method::Wallet => Account::Wallet(terms.payer.clone()),
        };
        let bounced = match payin {
            AnyPayin::Confirmed(_) | AnyPayin::Refunded(_) => {
                lines.push(line(&escrow(id), &escrow(terms.about), terms.amount, "collect"));
                false
            }
            AnyPayin::Denied(payin) => payin.state().after().bounced().is_some(),
            AnyPayin::Cancelled(payin) => payin.state().after().bounced().is_some(),
            AnyPayin::Created(_) | AnyPayin::Authorized(_) => false,
        };
        let came = bounced || matches!(payin.status(), payin::Status::Confirmed | payin::Status::Refunded);
        if came {
            lines.push(line(&source, &escrow(id), terms.amount, "payin"));
        }
        self.check_refunded(payin);
        let Some(channel) = terms.method.channel() else { return 0 };
        assert_eq!(terms.capture, Capture::Now);
        let (amount, capture, authentication) = (terms.amount, terms.capture, terms.authentication.clone());
        let charge = Instruction::Charge { payin: id, channel, amount, capture, authentication };
        match payin.status() {
            payin::Status::Created => self.call(charge, Stand::Open),
            payin::Status::Confirmed | payin::Status::Refunded => self.call(charge, Stand::Settled),
            payin::Status::Denied if bounced => self.call(charge, Stand::Settled),
            payin::Status::Denied => self.call(charge, Stand::Declined),
            payin::Status::Cancelled => self.called_off(charge, bounced),
            payin::Status::Authorized => panic!("nothing is reserved here"),
        }
    }

    // The payer's call is withdrawn, or, if it may have been sent, followed by a void.
    fn called_off(&self, charge: Instruction, bounced: bool) -> usize {
        let (subject, amount) = (charge.key().subject, charge.amount());
        let void = self.calls.get(&IdempotencyKey { subject, verb: Verb::Void });
        let Some(void) = void else { return self.call(charge, Stand::Withdrawn) };
        assert_eq!(void.instruction, Instruction::Void { payin: subject, amount });
        let charged = self.calls.get(&charge.key()).expect("the charge");
        assert_eq!(matches!(charged.outcome, Some(Outcome::Settled { .. })), bounced, "{charged:?}");
        2
    }

    // A payin counts exactly the refunds of it that were confirmed.
    fn check_refunded(&self, payin: &AnyPayin) {
        let of = |id: PayinId| {
            let mine = self.refunds.iter().filter(move |refund| refund.facts().payin == id);
            let confirmed = mine.filter(|refund| refund.status() == refund::Status::Confirmed);
            let mut ids: Vec<_> = confirmed.map(AnyRefund::id).collect();
            ids.sort();
            ids
        };
        let mut counted = match payin {
            AnyPayin::Confirmed(payin) => payin.state().refunds().to_vec(),
            AnyPayin::Refunded(payin) => payin.state().refunds().to_vec(),
            AnyPayin::Created(_) | AnyPayin::Authorized(_) | AnyPayin::Denied(_) | AnyPayin::Cancelled(_) => return,
        };
        counted.sort();
        assert_eq!(counted, of(payin.id()));
    }

    fn payout(&self, payout: &AnyPayout, lines: &mut Vec<Line>) -> usize {
        let (id, terms) = (payout.id().subject(), payout.facts());
        let before = self.payouts.iter().find(|other| went_on(other) == Some(id));
        let (from, why) = before.map_or((terms.about, "release"), |other| (other.id().subject(), "replace"));
        lines.push(line(&escrow(from), &escrow(id), terms.amount, why));
        let to = match terms.to {
            Destination::Account { .. } => Account::World(terms.gateway.clone()),
            Destination::Wallet => Account::Wallet(terms.payee.clone()),
        };
        let stand = match payout {
            AnyPayout::Created(_) | AnyPayout::Held(_) => Stand::Open,
            AnyPayout::Confirmed(_) => {
                lines.push(line(&escrow(id), &to, terms.amount, "payout"));
                Stand::Settled
            }
            AnyPayout::Denied(denied) => {
                assert_ne!(denied.state().went(), Some(&Went::Back), "nobody gives one back here");
                Stand::Declined
            }
            AnyPayout::Cancelled(_) => panic!("nobody cancels one here"),
            AnyPayout::Returned(_) => panic!("no bank sends one back here"),
        };
        match terms.to.clone() {
            Destination::Account { bankaccount_id: to } => {
                self.call(Instruction::Payout { payout: id, amount: terms.amount, to }, stand)
            }
            Destination::Wallet => {
                assert_eq!(stand, Stand::Settled, "it settles in the commit that opens it");
                0
            }
        }
    }

    fn refund(&self, refund: &AnyRefund, lines: &mut Vec<Line>) -> usize {
        let (id, terms) = (refund.id().subject(), refund.facts());
        lines.push(line(&escrow(terms.source), &escrow(id), terms.amount, "give_back"));
        let (stand, sent) = match refund {
            AnyRefund::Created(refund) => {
                (Stand::Open, terms.consent == Consent::NotNeeded || refund.state().approved())
            }
            AnyRefund::Confirmed(_) => (Stand::Settled, true),
            AnyRefund::Denied(_) | AnyRefund::Cancelled(_) | AnyRefund::Returned(_) | AnyRefund::Replaced(_) => {
                panic!("a refund goes through here: {refund:?}")
            }
        };
        let to = match &terms.route {
            Route::Wallet => Account::Wallet(terms.payer.clone()),
            Route::Original | Route::Account(_) => Account::World(terms.gateway.clone()),
        };
        if stand == Stand::Settled {
            lines.push(line(&escrow(id), &to, terms.amount, "refund"));
        }
        let to: Option<RefundTo> = terms.route.to();
        match to {
            Some(to) if sent => {
                let payin = terms.payin.subject();
                self.call(Instruction::Refund { refund: id, payin, amount: terms.amount, to }, stand)
            }
            Some(_) | None => 0,
        }
    }

    // That the one call of a payment is there, asks for this, and stands so.
    fn call(&self, wanted: Instruction, stand: Stand) -> usize {
        let call = self.calls.get(&wanted.key()).unwrap_or_else(|| panic!("{} is missing", wanted.key()));
        let amount = wanted.amount();
        assert_eq!(call.instruction, wanted);
        let found = match (call.status, &call.outcome) {
            (CallStatus::Queued | CallStatus::Pending, None | Some(Outcome::Pending { .. })) => Stand::Open,
            (CallStatus::Settled, Some(Outcome::Settled { moved })) if *moved == amount => Stand::Settled,
            (CallStatus::Settled, Some(Outcome::Declined { .. })) => Stand::Declined,
            (CallStatus::Withdrawn, None) => Stand::Withdrawn,
            (status, outcome) => panic!("{} is {status:?} with {outcome:?}", call.instruction.key()),
        };
        assert_eq!(found, stand, "{call:?}");
        1
    }
}

fn went_on(payout: &AnyPayout) -> Option<Subject> {
    match payout {
        AnyPayout::Denied(denied) => match denied.state().went() {
            Some(Went::On { payout, .. }) => Some(payout.subject()),
            Some(Went::Back) | None => None,
        },
        AnyPayout::Created(_)
        | AnyPayout::Held(_)
        | AnyPayout::Confirmed(_)
        | AnyPayout::Cancelled(_)
        | AnyPayout::Returned(_) => None,
    }
}

fn escrow(subject: Subject) -> Account {
    Account::Escrow(subject)
}

fn line(from: &Account, to: &Account, amount: Money, why: &'static str) -> Line {
    (from.to_string(), to.to_string(), amount.minor(), why)
}
