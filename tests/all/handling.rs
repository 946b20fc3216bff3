//! What an order loaded at run time does with a command: for every status, action and kind of actor, as its table says.

mod proof;
mod scenes;

use crate::after::{Taken, came_back, charged, decided, nothing_there, tell};
use crate::harness::{Shop, bank, euro, ops, party, terms, user};
use escrowed::{
    gateway::Verb,
    lifecycle::{Edge, Flow, Reason, Transition, Value},
    memory::Memory,
    money::Share,
    order::{
        Action, Amendment, AnyOrder, Blocking, Command, OrderId, Payee, PayoutBack, PayoutNews, PayoutPlan, Status,
        TABLE, Terms,
    },
    party::{Actor, PartyId, Role, Stamp},
    payment::{
        After, AnyPayin, AnyPayout, AnyRefund, Destination, Method, Payin, Payout, PayoutId, Refund, payin, payout,
        refund,
    },
    sandbox::Behaviour,
};
use futures_lite::future::block_on;
use scenes::{after_payment, before_payment, charged_back, ended, in_release, proof_of_others};
use std::collections::{BTreeMap, BTreeSet};

/// An order in some status, and what its own facts forbid there although the table allows it.
struct Scene {
    says: &'static str,
    shop: Shop<Memory>,
    id: OrderId,
    /// Anybody but the seller may turn out to be the buyer.
    buyer_unknown: bool,
    /// Not now, and `may` knows it.
    barred: Vec<Action>,
    /// Nothing exists that could prove it.
    unproven: Vec<Action>,
}

/// What an order's payments can prove. Each piece was saved in a unit that was then thrown away.
#[derive(Default)]
struct Proof {
    paid: Option<Payin<payin::Confirmed>>,
    unpaid: Option<Payin<payin::Denied>>,
    called_off: Option<Payin<payin::Cancelled>>,
    /// Of every payout that is on its way.
    arrived: Vec<Payout<payout::Confirmed>>,
    denied: Option<Payout<payout::Denied>>,
    replaced: Option<Payout<payout::Denied>>,
    // Their money goes back to the order, so they cannot be saved without its step.
    given_back: Option<Transition<Payout<payout::Denied>>>,
    stopped: Option<Transition<Payout<payout::Cancelled>>>,
    refund_called_off: Option<Transition<Refund<refund::Cancelled>>>,
    came_back: Option<Transition<Payout<payout::Returned>>>,
    taken: Option<Taken>,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Buyer,
    Seller,
    Stranger,
    Platform,
    Arbiter,
    Clock,
    Gateway,
}

impl Kind {
    const ALL: [Self; 7] =
        [Self::Buyer, Self::Seller, Self::Stranger, Self::Platform, Self::Arbiter, Self::Clock, Self::Gateway];

    fn actor(self) -> Actor {
        match self {
            Self::Buyer => user("anna"),
            Self::Seller => user("sam"),
            Self::Stranger => user("eve"),
            Self::Platform => ops(),
            Self::Arbiter => Actor::arbiter(party("judy")),
            Self::Clock => Actor::Clock,
            Self::Gateway => Actor::Gateway,
        }
    }

    fn role(self, scene: &Scene) -> Option<Role> {
        match self {
            Self::Buyer => Some(Role::BUYER),
            Self::Seller => Some(Role::SELLER),
            Self::Stranger => scene.buyer_unknown.then_some(Role::BUYER),
            Self::Platform => Some(Role::PLATFORM),
            Self::Arbiter => Some(Role::ARBITER),
            Self::Clock => Some(Role::CLOCK),
            Self::Gateway => Some(Role::GATEWAY),
        }
    }

    // Whom it may name as the buyer.
    fn buyer(self) -> PartyId {
        match self {
            Self::Stranger => party("eve"),
            Self::Buyer | Self::Seller | Self::Platform | Self::Arbiter | Self::Clock | Self::Gateway => party("anna"),
        }
    }
}

/// What has to become of a command.
#[derive(Debug)]
enum Verdict {
    WrongStatus,
    WrongActor(&'static Edge),
    Barred,
    Unproven,
    Done(&'static Edge),
}

fn verdict(scene: &Scene, status: Status, action: Action, kind: Kind) -> Verdict {
    let Some(edge) = TABLE.edge(status as usize, action as usize) else { return Verdict::WrongStatus };
    if !kind.role(scene).is_some_and(|role| edge.by.contains(&role)) {
        return Verdict::WrongActor(edge);
    }
    // A draft without a buyer has nobody but the platform to call it off.
    let nobodys = scene.buyer_unknown && action == Action::Cancel && matches!(kind, Kind::Buyer | Kind::Stranger);
    // These orders stand alone: none of them is part of a movement.
    let apart = matches!(action, Action::Settle | Action::Undo);
    if scene.barred.contains(&action) || nobodys || apart {
        Verdict::Barred
    } else if scene.unproven.contains(&action) {
        Verdict::Unproven
    } else {
        Verdict::Done(edge)
    }
}

/// The command that fits best: proven by the order's own payments where they can, else by another order's.
fn command<'p>(
    action: Action,
    status: Status,
    kind: Kind,
    own: &'p Proof,
    other: &'p Proof,
    arrived: &'p [&'p Payout<payout::Confirmed>],
) -> Command<'p> {
    match action {
        Action::IdentifyBuyer => Command::IdentifyBuyer { buyer: kind.buyer() },
        Action::Publish => Command::Publish { payin: either(&own.paid, &other.paid) },
        Action::Fail => Command::Fail { payin: either(&own.unpaid, &other.unpaid) },
        Action::Retry => Command::Retry {},
        Action::Accept => Command::Accept { payout: None },
        Action::Reject => Command::Reject {},
        Action::Cancel => Command::Cancel {},
        Action::SetPayout => Command::SetPayout { plan: to_bank() },
        Action::Validate => Command::Validate {},
        Action::Settle => Command::Settle {},
        Action::Undo => Command::Undo {},
        Action::Release => Command::Release { payouts: arrived },
        Action::Block if status == Status::PendingRelease => {
            Command::Block { why: Blocking::Denied(either(&own.denied, &other.denied)) }
        }
        Action::Block => Command::Block { why: Blocking::Operator("looks odd".parse().unwrap()) },
        Action::Unblock => Command::Unblock {},
        Action::Pay => Command::Pay { by: Method::Card },
        Action::DropPayin => Command::DropPayin { payin: either(&own.called_off, &other.called_off) },
        Action::CountPayout => Command::CountPayout {
            payout: match (&own.replaced, own.arrived.first()) {
                (Some(payout), _) => PayoutNews::Replaced(payout),
                (None, Some(payout)) => PayoutNews::Confirmed(payout),
                (None, None) => PayoutNews::Confirmed(arrived[0]),
            },
        },
        Action::TakeBackPayout => Command::TakeBackPayout {
            payout: match (&own.given_back, &own.stopped) {
                (Some(payout), _) => PayoutBack::GivenBack(payout.value()),
                (None, Some(payout)) => PayoutBack::Cancelled(payout.value()),
                (None, None) => PayoutBack::Cancelled(either(&None, &other.stopped).value()),
            },
        },
        Action::RefundPart => Command::RefundPart { amount: euro("5.00") },
        Action::TakeBackRefund => {
            Command::TakeBackRefund { refund: either(&own.refund_called_off, &other.refund_called_off).value() }
        }
        Action::ChargeBack => Command::ChargeBack { chargeback: own.taken().part() },
        Action::ChargeBackAll => Command::ChargeBackAll { chargeback: own.taken().all() },
        Action::Regain => Command::Regain { chargeback: own.taken().won() },
        Action::Close => Command::Close {},
        Action::NoteAfter => Command::NoteAfter { after: After::PayoutReturned(own.came_back()) },
        Action::Amend => {
            Command::Amend { changes: Amendment { metadata: Some(BTreeMap::new()), ..Amendment::default() } }
        }
    }
}

fn either<'p, T>(own: &'p Option<T>, other: &'p Option<T>) -> &'p T {
    own.as_ref().or(other.as_ref()).expect("the other order proves it")
}

fn to_bank() -> PayoutPlan {
    PayoutPlan::to(party("sam"), bank("ba_sam"))
}

fn in_halves() -> PayoutPlan {
    let half = |to| Payee { party: party("sam"), share: Share::Rest, to };
    PayoutPlan::among([half(bank("ba_1")), half(bank("ba_2"))])
}

fn one_try() -> Terms {
    Terms { payin_intents: Some(1), ..terms() }
}

/// Tries one command, and returns whether it was carried out.
fn tried(scene: &Scene, order: AnyOrder, command: Command<'_>, kind: Kind, at: &Stamp) -> bool {
    let (status, action) = (order.status(), command.action());
    let case = format!("{kind:?}: {action} in {status} ({})", scene.says);
    let (held, before) = (order.held(), format!("{order:?}"));
    let may = order.may(action, at);
    assert_eq!(may.is_ok(), order.actions(at).any(|offered| offered == action), "{case}");

    let verdict = verdict(scene, status, action, kind);
    let refused = match (&verdict, order.handle(command, at)) {
        (Verdict::Done(edge), Ok(step)) => {
            assert_eq!(may, Ok(()), "{case}");
            check_step(&case, edge, status, held.minor(), &step);
            assert!(
                step.commits().iter().flat_map(|commit| commit.records()).any(|record| record.name == action.name()),
                "{case}"
            );
            return true;
        }
        (Verdict::Done(_), Err(refused)) => panic!("{case}: {refused}"),
        (_, Ok(_)) => panic!("{case}: should be {verdict:?}"),
        (_, Err(refused)) => refused,
    };
    assert_eq!(format!("{:?}", refused.value), before, "{case}: a refusal changes nothing");
    let (action, status, reason) = (action.name(), status.name(), refused.reason);
    match verdict {
        Verdict::WrongStatus => {
            assert_eq!(reason, Reason::WrongStatus { action, status }, "{case}");
            assert_eq!(may, Err(reason), "{case}");
        }
        Verdict::WrongActor(edge) => {
            let roles = edge.by.iter().map(|role| role.name).collect();
            assert_eq!(reason, Reason::WrongActor { action, status, by: at.by.clone(), roles }, "{case}");
            assert_eq!(may, Err(reason), "{case}");
        }
        Verdict::Barred => {
            assert!(!is_of_the_table(&reason), "{case}: {reason}");
            assert_eq!(may, Err(reason), "{case}");
        }
        // Whether `may` can tell is left open.
        Verdict::Unproven => assert!(!is_of_the_table(&reason), "{case}: {reason}"),
        Verdict::Done(_) => unreachable!(),
    }
    false
}

fn is_of_the_table(reason: &Reason) -> bool {
    matches!(reason, Reason::WrongStatus { .. } | Reason::WrongActor { .. } | Reason::Unbooked { .. })
}

// The step ends where its edge leads, with as much money as the edge leaves.
fn check_step(case: &str, edge: &Edge, from: Status, before: i64, step: &Transition<AnyOrder>) {
    let (to, after) = (step.value().status(), step.value().held().minor());
    if edge.is_note() {
        assert_eq!(to, from, "{case}");
    } else {
        assert!(edge.to.contains(&(to as usize)), "{case}: leads to {to}");
    }
    let moved = match edge.money {
        Flow::Keep | Flow::Pass => after == before,
        Flow::Collect => after > before,
        Flow::Refund | Flow::Release | Flow::Divide => before > 0 && after == 0,
        Flow::Part => 0 < after && after < before,
    };
    assert!(moved, "{case}: {} made {after} of {before}", edge.money.name());
    assert!(TABLE.statuses[to as usize].holds.admits(after > 0), "{case}: {to} holds {after}");
}

// Tries every action by every kind of actor, and notes the actions that were carried out.
async fn play(scene: &Scene, others: &Proof, seen: &mut BTreeSet<(Status, Action)>) {
    let shop = &scene.shop;
    let (own, status) = (Proof::of(shop, scene.id).await, shop.status(scene.id).await);
    let arrived = if own.arrived.is_empty() { &others.arrived } else { &own.arrived };
    let arrived: Vec<_> = arrived.iter().collect();
    for action in Action::ALL.iter().copied() {
        for kind in Kind::ALL {
            let at = shop.escrow.stamp(kind.actor());
            let command = command(action, status, kind, &own, others, &arrived);
            if tried(scene, shop.order(scene.id).await, command, kind, &at) {
                seen.insert((status, action));
            }
        }
    }
    shop.audit().await;
}

#[test]
fn a_command_is_decided_as_the_table_says() {
    block_on(async {
        let mut scenes = before_payment().await;
        scenes.extend(after_payment().await);
        scenes.extend(in_release().await);
        scenes.extend(ended().await);
        for scene in &mut scenes {
            scene.barred.extend([Action::Regain, Action::Close]);
            if scene.shop.order(scene.id).await.held().is_zero() {
                scene.barred.extend([Action::ChargeBack, Action::ChargeBackAll]);
            }
        }
        scenes.extend(charged_back().await);
        let others = proof_of_others().await;
        let (mut seen, mut statuses) = (BTreeSet::new(), BTreeSet::new());
        for scene in &scenes {
            play(scene, &others, &mut seen).await;
            statuses.insert(scene.shop.status(scene.id).await);
        }
        assert!(statuses.iter().eq(Status::ALL), "some statuses were not tried");
        for status in Status::ALL.iter().copied() {
            for action in Action::ALL.iter().copied() {
                let apart = matches!(action, Action::Settle | Action::Undo);
                let legal = TABLE.edge(status as usize, action as usize).is_some() && !apart;
                assert_eq!(seen.contains(&(status, action)), legal, "{action} in {status}");
            }
        }
    });
}

#[test]
fn a_command_may_take_two_steps_at_once() {
    block_on(async {
        let shop = Shop::memory();
        let at = |name| shop.escrow.stamp(user(name));
        let order = shop.order(shop.open(terms()).await).await;
        let paid = order.handle(Command::Pay { by: Method::Wallet }, &at("anna")).unwrap();
        assert_eq!((paid.value().status(), paid.value().held()), (Status::Published, euro("100.00")));

        let id = shop.paid(terms()).await;
        let accept = |plan| Command::Accept { payout: Some(plan) };
        let accepted = shop.order(id).await.handle(accept(to_bank()), &at("sam")).unwrap();
        assert_eq!((accepted.value().status(), accepted.value().held()), (Status::PendingValidate, euro("100.00")));

        // The second step is not possible: neither is taken.
        let too_much = Payee { party: party("sam"), share: Share::Fixed(euro("90.01")), to: Destination::Wallet };
        let order = shop.order(id).await;
        let before = format!("{order:?}");
        let refused = order.handle(accept(PayoutPlan::among([too_much])), &at("sam")).unwrap_err();
        assert_eq!(format!("{:?}", refused.value), before);
        assert!(matches!(refused.reason, Reason::Split(_)));
    });
}
