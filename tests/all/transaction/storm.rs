//! Random happenings: what people, gateways, networks and clocks do to transactions, in whatever order.

use super::{anna, complaint, judy, sam, terms, wire};
use crate::{
    harness::{Shop, ops, party, user},
    storm::{Weather, destination, weather},
};
use escrowed::{
    deal::{Award, Period, Side},
    escrow::EscrowError,
    gateway::Report,
    lifecycle::Reason,
    money::{Currency, Money},
    party::Actor,
    payment::{Destination, Method},
    store::Store,
    transaction::{Action, AnyTransaction, Command, Fees, Person, Pricing, Terms, Transaction, TransactionId},
};
use proptest::prelude::*;
use std::time::Duration;

/// Something that happens.
#[derive(Debug, Clone)]
pub(crate) enum Happening {
    Open(Opening),
    /// Somebody does something: mostly what a screen offers, sometimes anything at all.
    Act {
        deal: usize,
        pick: usize,
        offered: bool,
        with: With,
    },
    Weather(Weather),
}

#[derive(Debug, Clone)]
pub(crate) struct Opening {
    minor: i64,
    extra: i64,
    fees: [i64; 4],
    yen: bool,
    by_buyer: bool,
    window: Option<u32>,
    for_anybody: bool,
    payout: Option<Destination>,
}

/// What a command may need.
#[derive(Debug, Clone)]
pub(crate) struct With {
    method: Method,
    to: Destination,
    /// How much of it an award gives to the buyer, in a thousandth; beyond 1000 it does not add up.
    share: i64,
    hours: u64,
}

fn opening() -> impl Strategy<Value = Opening> {
    let fee = || prop_oneof![Just(0), 0..300i64];
    let window = prop::option::weighted(0.3, 600..90_000u32);
    let payout = prop::option::of(destination());
    (1..50_000i64, fee(), [fee(), fee(), fee(), fee()], any::<[bool; 3]>(), window, payout).prop_map(
        |(minor, extra, fees, [yen, by_buyer, for_anybody], window, payout)| Opening {
            minor,
            extra,
            fees,
            yen,
            by_buyer,
            window,
            for_anybody,
            payout,
        },
    )
}

fn with() -> impl Strategy<Value = With> {
    let method = prop_oneof![3 => Just(Method::Card), 1 => Just(wire()), 2 => Just(Method::Wallet)];
    let share = prop_oneof![2 => Just(1000), 1 => Just(0), 3 => 0..=1000i64, 1 => -10..1010i64];
    (method, destination(), share, 1..400u64).prop_map(|(method, to, share, hours)| With { method, to, share, hours })
}

pub(super) fn happening() -> impl Strategy<Value = Happening> {
    let which = 0..64usize;
    let waits = prop_oneof![4 => 1..7_200u64, 1 => 80_000..400_000u64];
    prop_oneof![
        2 => opening().prop_map(Happening::Open),
        22 => (which, 0..1_000usize, prop::bool::weighted(0.9), with())
            .prop_map(|(deal, pick, offered, with)| Happening::Act { deal, pick, offered, with }),
        20 => weather(waits.prop_map(|seconds| (Duration::from_secs(seconds), 100))).prop_map(Happening::Weather),
    ]
}

/// What became of the world so far.
pub(crate) struct Life<S> {
    pub(super) shop: Shop<S>,
    pub(super) deals: Vec<TransactionId>,
    pub(super) heard: Vec<Report>,
}

impl Opening {
    fn terms(self) -> Terms {
        let currency = if self.yen { Currency::JPY } else { Currency::EUR };
        let money = |minor| Money::from_minor(minor, currency);
        let [buyer, buyer_client, seller, seller_client] = self.fees.map(money);
        let fees = Fees { buyer, buyer_client, seller, seller_client };
        let mut opened = terms();
        opened.pricing = Pricing { amount: money(self.minor), amount_extra: money(self.extra), fees };
        let (anna, sam) = (Person::user(party("anna")), Person::user(party("sam")));
        (opened.creator, opened.buyer, opened.seller) = match (self.by_buyer, self.for_anybody) {
            (true, true) => (Side::Buyer, Some(anna), None),
            (true, false) => (Side::Buyer, Some(anna), Some(sam)),
            (false, true) => (Side::Seller, None, Some(sam)),
            (false, false) => (Side::Seller, Some(anna), Some(sam)),
        };
        opened.policy.payment = self.window.map(Period::seconds);
        opened.payout = self.payout;
        opened
    }
}

impl<S: Store> Life<S> {
    pub(super) async fn open(&mut self, opening: Opening) {
        let terms = opening.terms();
        // A buyer cannot vouch for a seller's account.
        let elsewhere = terms.creator == Side::Buyer && matches!(terms.payout, Some(Destination::Account { .. }));
        let at = self.shop.escrow.stamp(if terms.creator == Side::Buyer { anna() } else { sam() });
        match Transaction::open(TransactionId::generate(at.at), terms, &at) {
            Ok(opened) => {
                assert!(!elsewhere);
                let mut unit = self.shop.begin().await;
                self.deals.push(opened.save(&mut unit).await.unwrap().id());
                self.shop.commit(unit).await;
            }
            Err(refused) => assert!(elsewhere || matches!(refused.reason, Reason::TooMuch { .. }), "{refused}"),
        }
    }

    pub(super) async fn act(&mut self, deal: usize, pick: usize, offered: bool, with: With) {
        if self.deals.is_empty() {
            return;
        }
        // Mostly the latest ones: they have further to go.
        let id = self.deals[self.deals.len() - 1 - (deal % self.deals.len()).min(deal % 3)];
        let mut unit = self.shop.begin().await;
        let value: AnyTransaction = self.shop.escrow.load(&mut unit, id).await.unwrap();
        let people = [anna(), sam(), ops(), judy(), user("eve"), Actor::Clock];
        let mut wishes: Vec<(&Actor, Action)> = Vec::new();
        for by in &people {
            let at = self.shop.escrow.stamp(by.clone());
            let may = |action: &Action| !offered || value.may(*action, &at).is_ok();
            wishes.extend(Action::ALL.iter().copied().filter(may).map(|action| (by, action)));
        }
        // What is nearly always possible would be done nearly always, and nothing would get far.
        if !pick.is_multiple_of(7) {
            wishes.retain(|(_, action)| !leads_astray(*action));
        }
        if wishes.is_empty() {
            return;
        }
        let (by, action) = wishes[pick % wishes.len()];
        let at = self.shop.escrow.stamp(by.clone());
        let Some(command) = command(action, &with, &value, at.at) else { return };
        let may = value.may(action, &at);
        assert_eq!(may.is_ok(), value.actions(&at).any(|possible| possible == action));
        let by = by.clone();
        let wish = format!("{action} by {by:?} with {with:?}");
        let done = self.shop.escrow.act(&mut unit, id, command, by).await;
        match (&may, &done) {
            (Err(reason), Err(EscrowError::Refused(refused))) => assert_eq!(refused, reason),
            (Err(reason), done) => panic!("{wish} must be refused: {reason}, but: {done:?}"),
            // What a screen offers is refused for the data of the command only.
            (Ok(()), Err(EscrowError::Refused(reason))) => assert!(about_data(reason), "{wish}: {reason}"),
            (Ok(()), Err(EscrowError::Overdrawn(account))) => assert!(account.to_string().starts_with("wallet:")),
            (Ok(()), Err(error)) => panic!("{wish}: {error}"),
            (Ok(()), Ok(_)) => {}
        }
        if let Some(live) = self.shop.finish(unit, done).await {
            let replayed: AnyTransaction = self.shop.load(id).await;
            assert_eq!(format!("{live:?}"), format!("{replayed:?}"), "the live value is not what its log says");
        }
    }
}

/// A command for an action that people or the clock take; none for one that needs a payment's evidence.
fn command(
    action: Action,
    with: &With,
    deal: &AnyTransaction,
    now: escrowed::time::Timestamp,
) -> Option<Command<'static>> {
    Some(match action {
        Action::Join => Command::Join {},
        Action::Cancel => Command::Cancel {},
        Action::AcceptPayment => Command::AcceptPayment {},
        Action::Track => super::track(),
        Action::Deliver => Command::Deliver {},
        Action::ConfirmHandover => Command::ConfirmHandover {},
        Action::Complain => Command::Complain { complaint: complaint() },
        Action::EndComplaintPeriod => Command::EndComplaintPeriod {},
        Action::Award => {
            let held = deal.held();
            let buyer = Money::from_minor(held.minor() * with.share / 1000, held.currency());
            Command::Award { award: Award { buyer, seller: held.checked_sub(buyer).unwrap() } }
        }
        Action::OpenPayin => Command::OpenPayin { by: with.method.clone() },
        Action::SetPayout => Command::SetPayout { to: with.to.clone() },
        Action::ExtendTracking => Command::ExtendTracking { until: now.plus(Duration::from_secs(with.hours * 3600)) },
        Action::Release => Command::Release {},
        Action::SettleComplaint => Command::SettleComplaint {},
        Action::Refund => Command::Refund {},
        Action::Pay
        | Action::DropPayin
        | Action::Count
        | Action::ChargeBack
        | Action::ChargeBackAll
        | Action::Regain
        | Action::Close
        | Action::NoteAfter => return None,
    })
}

fn leads_astray(action: Action) -> bool {
    matches!(action, Action::Cancel | Action::SetPayout | Action::ExtendTracking)
}

fn about_data(reason: &Reason) -> bool {
    // An award that does not add up, and a deadline that would not become longer.
    matches!(reason, Reason::Money(_) | Reason::WrongAmount { .. } | Reason::WrongTime { .. })
}
