//! What a transaction loaded at run time does with a command: for every status, action and kind of actor, as its table
//! says.

use super::{
    DAY, anna, audit, award, complaint, judy, sam,
    scenes::{self, Proof, Scene},
};
use crate::harness::{bank, ops, user};
use escrowed::{
    deal::{Lost, Side},
    lifecycle::{Edge, Flow, Reason, Transition},
    party::{Actor, Role, Stamp},
    payment::{After, Evidence, Method},
    transaction::{Action, AnyTransaction, Command, Status, TABLE},
};
use futures_lite::future::block_on;
use std::collections::BTreeSet;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
            Self::Buyer => anna(),
            Self::Seller => sam(),
            Self::Stranger => user("eve"),
            Self::Platform => ops(),
            Self::Arbiter => judy(),
            Self::Clock => Actor::Clock,
            Self::Gateway => Actor::Gateway,
        }
    }

    fn roles(self, scene: &Scene) -> Vec<Role> {
        let of_side = |side, role| vec![role, if scene.creator == side { Role::CREATOR } else { Role::OTHER }];
        match self {
            Self::Buyer => of_side(Side::Buyer, Role::BUYER),
            Self::Seller => of_side(Side::Seller, Role::SELLER),
            Self::Stranger if scene.other_unknown => vec![Role::OTHER],
            Self::Stranger => vec![],
            Self::Platform => vec![Role::PLATFORM],
            Self::Arbiter => vec![Role::ARBITER],
            Self::Clock => vec![Role::CLOCK],
            Self::Gateway => vec![Role::GATEWAY],
        }
    }
}

/// What has to become of a command.
#[derive(Debug)]
enum Verdict {
    WrongStatus,
    WrongActor(Vec<&'static str>),
    NotDue,
    Barred,
    Unproven,
    Done(&'static Edge),
}

fn verdict(scene: &Scene, status: Status, action: Action, kind: Kind) -> Verdict {
    let ways = || TABLE.ways(status as usize, action as usize);
    if ways().next().is_none() {
        return Verdict::WrongStatus;
    }
    let roles = kind.roles(scene);
    let Some(edge) = ways().find(|edge| edge.by.iter().any(|role| roles.contains(role))) else {
        return Verdict::WrongActor(ways().flat_map(|edge| edge.by).map(|role| role.name).collect());
    };
    if kind == Kind::Clock && !scene.due {
        Verdict::NotDue
    } else if scene.barred.contains(&action) {
        Verdict::Barred
    } else if scene.unproven.contains(&action) {
        Verdict::Unproven
    } else {
        Verdict::Done(edge)
    }
}

/// What became of a payment: of the transaction's own if there is any, else of another one's.
fn evidence<'p>(own: &'p Proof, others: &'p Proof) -> Evidence<'p> {
    if let Some(payout) = &own.payout_replaced {
        Evidence::PayoutReplaced(payout)
    } else if let Some(refund) = &own.refund_replaced {
        Evidence::RefundReplaced(refund)
    } else if let Some(refund) = &own.refund {
        Evidence::RefundConfirmed(refund)
    } else {
        let payout = own.payout.as_ref().or(others.payout.as_ref());
        Evidence::PayoutConfirmed(payout.expect("the other one proves it"))
    }
}

/// The command that fits best.
fn command<'p>(action: Action, own: &'p Proof, others: &'p Proof, evidence: &'p Evidence<'p>) -> Command<'p> {
    match action {
        Action::Join => Command::Join {},
        Action::Cancel => Command::Cancel {},
        Action::Pay => Command::Pay { payin: own.paid.as_ref().or(others.paid.as_ref()).expect("it is proven") },
        Action::AcceptPayment => Command::AcceptPayment {},
        Action::Track => super::track(),
        Action::Deliver => Command::Deliver {},
        Action::ConfirmHandover => Command::ConfirmHandover {},
        Action::Complain => Command::Complain { complaint: complaint() },
        Action::EndComplaintPeriod => Command::EndComplaintPeriod {},
        Action::Release => Command::Release {},
        Action::Award => award("15.00", "100.00"),
        Action::SettleComplaint => Command::SettleComplaint {},
        Action::Refund => Command::Refund {},
        Action::OpenPayin => Command::OpenPayin { by: Method::Card },
        Action::DropPayin => {
            let payin = own.unpaid.as_ref().or(others.unpaid.as_ref()).expect("it is proven");
            Command::DropPayin { payin: Lost::Denied(payin) }
        }
        Action::SetPayout => Command::SetPayout { to: bank("ba_new") },
        Action::ExtendTracking => {
            let start: escrowed::time::Timestamp = crate::harness::START.parse().unwrap();
            Command::ExtendTracking { until: start.plus(30 * DAY) }
        }
        Action::Count => Command::Count { evidence },
        Action::ChargeBack => Command::ChargeBack { chargeback: own.taken().part() },
        Action::ChargeBackAll => Command::ChargeBackAll { chargeback: own.taken().all() },
        Action::Regain => Command::Regain { chargeback: own.taken().won() },
        Action::Close => Command::Close {},
        Action::NoteAfter => Command::NoteAfter { after: After::PayoutReturned(own.came_back()) },
    }
}

/// Tries one command, and returns whether it was carried out.
fn tried(scene: &Scene, deal: AnyTransaction, command: Command<'_>, kind: Kind, at: &Stamp) -> bool {
    let (status, action) = (deal.status(), command.action());
    let case = format!("{kind:?}: {action} in {status} ({})", scene.says);
    let (held, before) = (deal.held(), format!("{deal:?}"));
    let may = deal.may(action, at);
    assert_eq!(may.is_ok(), deal.actions(at).any(|offered| offered == action), "{case}");

    let verdict = verdict(scene, status, action, kind);
    let refused = match (&verdict, deal.handle(command, at)) {
        (Verdict::Done(edge), Ok(step)) => {
            assert_eq!(may, Ok(()), "{case}");
            check_step(&case, edge, status, held.minor(), &step);
            let mut records = step.commits().iter().flat_map(|commit| commit.records());
            assert!(records.any(|record| record.name == action.name()), "{case}");
            return true;
        }
        (Verdict::Done(_), Err(refused)) => panic!("{case}: {refused}"),
        (_, Ok(_)) => panic!("{case}: should be {verdict:?}"),
        (_, Err(refused)) => refused,
    };
    assert_eq!(format!("{:?}", refused.value), before, "{case}: a refusal changes nothing");
    let (due, reason) = (refused.value.deadline(), refused.reason);
    let (action, status) = (action.name(), status.name());
    match verdict {
        Verdict::WrongStatus => assert_eq!(reason, Reason::WrongStatus { action, status }, "{case}"),
        Verdict::WrongActor(roles) => {
            assert_eq!(reason, Reason::WrongActor { action, status, by: at.by.clone(), roles }, "{case}");
        }
        Verdict::NotDue => assert_eq!(reason, Reason::NotDue { action, due }, "{case}"),
        Verdict::Barred => assert!(!is_of_the_table(&reason), "{case}: {reason}"),
        // Whether `may` can tell is left open.
        Verdict::Unproven => {
            assert!(!is_of_the_table(&reason), "{case}: {reason}");
            return false;
        }
        Verdict::Done(_) => unreachable!(),
    }
    assert_eq!(may, Err(reason), "{case}");
    false
}

fn is_of_the_table(reason: &Reason) -> bool {
    matches!(reason, Reason::WrongStatus { .. } | Reason::WrongActor { .. } | Reason::Unbooked { .. })
}

// The step ends where its edge leads, with as much money as the edge leaves.
fn check_step(case: &str, edge: &Edge, from: Status, before: i64, step: &Transition<AnyTransaction>) {
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

// Tries every action by every kind of actor, and notes who carried out what.
async fn play(scene: &Scene, others: &Proof, seen: &mut BTreeSet<(Status, Action, &'static str)>) {
    let deal = scene.deal();
    let (own, status) = (Proof::of(&scene.shop, scene.id).await, deal.status().await);
    let evidence = evidence(&own, others);
    for action in Action::ALL.iter().copied() {
        for kind in Kind::ALL {
            let at = scene.shop.escrow.stamp(kind.actor());
            let command = command(action, &own, others, &evidence);
            if tried(scene, deal.now().await, command, kind, &at) {
                let ways = TABLE.ways(status as usize, action as usize).flat_map(|edge| edge.by);
                let mine = kind.roles(scene);
                seen.extend(ways.filter(|role| mine.contains(role)).map(|role| (status, action, role.name)));
            }
        }
    }
    audit(&scene.shop).await;
}

#[test]
fn a_command_is_decided_as_the_table_says() {
    block_on(async {
        let others = Proof::of_others().await;
        let (mut seen, mut statuses) = (BTreeSet::new(), BTreeSet::new());
        for scene in &scenes::all().await {
            play(scene, &others, &mut seen).await;
            statuses.insert(scene.deal().status().await);
        }
        assert!(statuses.iter().eq(Status::ALL), "some statuses were not tried");
        // Every role of every edge and note was seen to take it in every status, and nobody took anything else.
        let mut legal = BTreeSet::new();
        for status in Status::ALL.iter().copied() {
            for action in Action::ALL.iter().copied() {
                let ways = TABLE.ways(status as usize, action as usize).flat_map(|edge| edge.by);
                legal.extend(ways.map(|role| (status, action, role.name)));
            }
        }
        assert_eq!(seen, legal);
    });
}

#[test]
fn a_wallet_pays_in_one_command() {
    block_on(async {
        let shop = crate::harness::Shop::memory();
        let deal = super::Deal::joined(&shop, super::terms()).await;
        let pay = Command::OpenPayin { by: Method::Wallet };
        let paid = deal.now().await.handle(pay, &shop.escrow.stamp(anna())).unwrap();
        assert_eq!((paid.value().status(), paid.value().held().minor()), (Status::Paid, 11_500));
        // Somebody else's wallet is not touched: an arbiter or a gateway cannot even ask.
        for by in [judy(), Actor::Gateway, Actor::Clock, sam(), user("eve")] {
            let pay = Command::OpenPayin { by: Method::Wallet };
            assert!(deal.now().await.handle(pay, &shop.escrow.stamp(by)).is_err());
        }
    });
}
