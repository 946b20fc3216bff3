//! Anything that may happen to deals, in any order.

use super::{DAY, HOUR, anna, judy, opened_by, sam};
use crate::{
    harness::{Shop, ops, user},
    properties::about_data,
    storm::{Weather, destination, weather},
};
use escrowed::{
    deal::{Award, Period, Side},
    escrow::EscrowError,
    face_to_face::{Action, AnyFaceToFace, Command, FaceToFace, FaceToFaceId, JoinCode, Policy, Terms},
    gateway::Report,
    lifecycle::Reason,
    money::Money,
    payment::{Destination, Method},
    store::Store,
};
use proptest::prelude::*;
use std::time::Duration;

/// Something that happens.
#[derive(Debug, Clone)]
pub(crate) enum Happening {
    Open {
        minor: i64,
        side: Side,
        skip: bool,
        fee: bool,
        hurry: bool,
        tries: u32,
    },
    /// Somebody does something to a deal: mostly what a screen offers, sometimes anything at all.
    Act {
        deal: usize,
        pick: usize,
        offered: bool,
        with: With,
    },
    Weather(Weather),
}

/// What a command may need.
#[derive(Debug, Clone)]
pub(crate) struct With {
    method: Method,
    right: bool,
    part: i64,
    to: Destination,
}

pub(super) fn happening() -> impl Strategy<Value = Happening> {
    let which = 0..64usize;
    let method = prop_oneof![
        3 => Just(Method::Card),
        1 => Just(Method::BankWire { refund_to: "ba_anna".parse().unwrap() }),
        3 => Just(Method::Wallet),
    ];
    let with = (method, prop::bool::weighted(0.8), 0..=1_000i64, destination())
        .prop_map(|(method, right, part, to)| With { method, right, part, to });
    let time = prop_oneof![6 => (1..7_200u64).prop_map(Duration::from_secs), 2 => Just(DAY), 1 => Just(DAY * 31)];
    let side = prop_oneof![Just(Side::Buyer), Just(Side::Seller)];
    let flags = (prop::bool::weighted(0.2), any::<bool>(), prop::bool::weighted(0.3), 1..4u32);
    prop_oneof![
        2 => (400..20_000i64, side, flags).prop_map(|(minor, side, (skip, fee, hurry, tries))| Happening::Open {
            minor, side, skip, fee, hurry, tries
        }),
        24 => (which, 0..1_000usize, prop::bool::weighted(0.85), with)
            .prop_map(|(deal, pick, offered, with)| Happening::Act { deal, pick, offered, with }),
        20 => weather(time.prop_map(|time| (time, 100))).prop_map(Happening::Weather),
    ]
}

/// What became of the world so far.
pub(crate) struct Life<S> {
    pub(super) shop: Shop<S>,
    pub(super) deals: Vec<FaceToFaceId>,
    pub(super) heard: Vec<Report>,
}

impl<S: Store> Life<S> {
    pub(super) async fn open(&mut self, terms: Terms) {
        let creator = terms.sides.on(terms.sides.creator).cloned().unwrap();
        let at = self.shop.escrow.stamp(escrowed::party::Actor::Party(creator));
        let Ok(opened) = FaceToFace::open(FaceToFaceId::generate(at.at), terms, &at) else { return };
        let mut unit = self.shop.begin().await;
        self.deals.push(opened.save(&mut unit).await.unwrap().id());
        self.shop.commit(unit).await;
    }

    pub(super) async fn act(&mut self, deal: usize, pick: usize, offered: bool, with: &With) {
        if self.deals.is_empty() {
            return;
        }
        // Mostly the latest ones: they have further to go.
        let id = self.deals[self.deals.len() - 1 - (deal % self.deals.len()).min(deal % 3)];
        let value: AnyFaceToFace = self.shop.load(id).await;
        let people = [anna(), sam(), ops(), judy(), user("eve")];
        let mut wishes = Vec::new();
        for by in &people {
            let at = self.shop.escrow.stamp(by.clone());
            let may = |action: &Action| !offered || value.may(*action, &at).is_ok();
            wishes.extend(Action::ALL.iter().copied().filter(may).map(|action| (by, action)));
        }
        // What is nearly always possible would be done nearly always, and no deal would get far.
        if !pick.is_multiple_of(5) {
            wishes.retain(|(_, action)| !leads_astray(*action));
        }
        if wishes.is_empty() {
            return;
        }
        let (by, action) = wishes[pick % wishes.len()];
        let code = if with.right { value.facts().terms().join_code.clone() } else { JoinCode::generate() };
        let Some(command) = command(action, with, &value, &code) else { return };
        let at = self.shop.escrow.stamp(by.clone());
        let may = value.may(action, &at);
        assert_eq!(may.is_ok(), value.actions(&at).any(|possible| possible == action));
        let wish = format!("{action} by {by:?} with {with:?} in {}", value.status());
        let mut unit = self.shop.begin().await;
        let done = self.shop.escrow.act(&mut unit, id, command, by.clone()).await;
        match (&may, &done) {
            (Err(reason), Err(EscrowError::Refused(refused))) => assert_eq!(refused, reason),
            (Err(reason), done) => panic!("{wish} must be refused: {reason}, but: {done:?}"),
            // What a screen offers is refused for the data of the command only.
            (Ok(()), Err(EscrowError::Refused(reason))) => {
                assert!(about_data(reason) || about_its_data(action, reason), "{wish}: {reason}");
            }
            // Eve may have joined, too.
            (Ok(()), Err(EscrowError::Overdrawn(account))) => {
                assert!(["wallet:anna", "wallet:eve"].contains(&account.to_string().as_str()), "{wish}: {account}");
            }
            (Ok(()), Err(error)) => panic!("{wish}: {error}"),
            (Ok(()), Ok(_)) => {}
        }
        if let Some(live) = self.shop.finish(unit, done).await {
            let replayed: AnyFaceToFace = self.shop.load(id).await;
            assert_eq!(format!("{live:?}"), format!("{replayed:?}"), "{wish}: the live value is not what its log says");
        }
    }
}

pub(super) fn terms(minor: i64, side: Side, skip: bool, fee: bool, hurry: bool, tries: u32) -> Terms {
    let mut terms = opened_by(side);
    terms.deposit = Money::from_minor(minor, terms.deposit.currency());
    terms.charges = terms.charges.filter(|_| fee);
    terms.skip_remainder = skip;
    let (payment, join) = (hurry.then(|| Period::hours(1)), hurry.then(|| Period::days(2)));
    terms.policy = Policy { join_attempts: tries, payment, join, ..Policy::default() };
    terms
}

/// A command for an action that people take; none for one that needs a payment's evidence.
fn command<'c>(action: Action, with: &With, deal: &AnyFaceToFace, code: &'c JoinCode) -> Option<Command<'c>> {
    let currency = deal.held().currency();
    let money = |minor| Money::from_minor(minor, currency);
    Some(match action {
        Action::Join => Command::Join { code },
        Action::Reject => Command::Reject { code },
        Action::Cancel => Command::Cancel {},
        Action::AcceptDeposit => Command::AcceptDeposit {},
        Action::SetPrice => {
            let deposit = deal.facts().terms().deposit.minor();
            Command::SetPrice { price: money(if with.right { deposit + 1 + with.part * 9 } else { with.part }) }
        }
        Action::SkipRemainder => Command::SkipRemainder {},
        Action::ConfirmHandover => Command::ConfirmHandover {},
        Action::Complain => super::complain(),
        Action::Escalate => Command::Escalate {},
        Action::EndComplaintPeriod => Command::EndComplaintPeriod {},
        Action::Release => Command::Release {},
        Action::Award => {
            let held = deal.held().minor();
            let buyer = held * with.part / 1_000;
            let off = i64::from(!with.right);
            Command::Award { award: Award { buyer: money(buyer + off), seller: money(held - buyer) } }
        }
        Action::Miss => Command::Miss {},
        Action::Pay => Command::Pay { by: with.method.clone() },
        Action::Review => Command::Review { under_review: !with.right },
        Action::SetPayout => Command::SetPayout { to: with.to.clone() },
        // Few enough dates for two sides to agree on one.
        Action::Extend => Command::Extend { until: deal.deadline()?.plus(HOUR * u32::from(with.right)) },
        Action::Waive => Command::Waive {},
        Action::PayDeposit
        | Action::PayRemainder
        | Action::RefundDeposit
        | Action::SettleComplaint
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
    use Action::{Cancel, Complain, Extend, Miss, Reject, Review, SetPayout};
    matches!(action, Cancel | Reject | Miss | Complain | Review | Extend | SetPayout)
}

fn about_its_data(action: Action, reason: &Reason) -> bool {
    matches!(
        (action, reason),
        (Action::Award, Reason::WrongAmount { .. })
            | (Action::SetPrice, Reason::NotThisWay { .. })
            | (Action::Extend, Reason::WrongTime { .. })
    )
}
