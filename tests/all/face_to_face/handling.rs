//! What a deal loaded at run time does with a command: for every status, action and kind of actor, as its table says.

use super::{
    anna, judy, sam,
    scenes::{self, Proof, Scene},
};
use crate::harness::{bank, euro, ops, user};
use escrowed::{
    deal::{Award, Lost},
    face_to_face::{Action, AnyFaceToFace, Command, JoinCode, Status, TABLE},
    lifecycle::{Edge, Flow, Reason, Transition},
    party::{Actor, Stamp},
    payment::{After, Evidence, Method},
    time::Timestamp,
};
use futures_lite::future::block_on;
use std::collections::BTreeSet;

/// What has to become of a command.
#[derive(Debug)]
enum Verdict {
    WrongStatus,
    WrongActor,
    Barred,
    Unproven,
    Done(&'static Edge),
}

fn verdict(scene: &Scene, status: Status, action: Action, by: &Actor) -> Verdict {
    let ways = || TABLE.ways(status as usize, action as usize);
    if ways().next().is_none() {
        return Verdict::WrongStatus;
    }
    let Some(edge) = ways().find(|edge| edge.by.iter().any(|role| scene.plays(by, *role))) else {
        return Verdict::WrongActor;
    };
    if scene.barred.contains(&action) || (*by == Actor::Clock && !scene.due) {
        Verdict::Barred
    } else if scene.unproven.contains(&action) {
        Verdict::Unproven
    } else {
        Verdict::Done(edge)
    }
}

/// What the commands need.
struct Props<'p> {
    code: &'p JoinCode,
    own: &'p Proof,
    other: &'p Proof,
    evidence: &'p Evidence<'p>,
    held: escrowed::money::Money,
    until: Timestamp,
}

/// The command that fits best: proven by the deal's own payments where they can, else by another deal's.
fn command<'p>(action: Action, props: &Props<'p>) -> Command<'p> {
    let paid = || props.own.paid.as_ref().or(props.other.paid.as_ref()).expect("another deal proves it");
    match action {
        Action::Join => Command::Join { code: props.code },
        Action::Reject => Command::Reject { code: props.code },
        Action::Cancel => Command::Cancel {},
        Action::PayDeposit => Command::PayDeposit { payin: paid() },
        Action::AcceptDeposit => Command::AcceptDeposit {},
        Action::SetPrice => Command::SetPrice { price: euro("180.00") },
        Action::SkipRemainder => Command::SkipRemainder {},
        Action::PayRemainder => Command::PayRemainder { payin: paid() },
        Action::RefundDeposit => Command::RefundDeposit {},
        Action::ConfirmHandover => Command::ConfirmHandover {},
        Action::Complain => super::complain(),
        Action::Escalate => Command::Escalate {},
        Action::EndComplaintPeriod => Command::EndComplaintPeriod {},
        Action::Release => Command::Release {},
        Action::Award => Command::Award { award: Award { buyer: props.held, seller: euro("0.00") } },
        Action::SettleComplaint => Command::SettleComplaint {},
        Action::Miss => Command::Miss {},
        Action::Pay => Command::Pay { by: Method::Card },
        Action::DropPayin => {
            let unpaid = props.own.unpaid.as_ref().or(props.other.unpaid.as_ref()).expect("another deal proves it");
            Command::DropPayin { payin: Lost::Denied(unpaid) }
        }
        Action::Review => Command::Review { under_review: true },
        Action::SetPayout => Command::SetPayout { to: bank("ba") },
        Action::Extend => Command::Extend { until: props.until },
        Action::Waive => Command::Waive {},
        Action::Count => Command::Count { evidence: props.evidence },
        Action::ChargeBack => Command::ChargeBack { chargeback: props.own.taken().part() },
        Action::ChargeBackAll => Command::ChargeBackAll { chargeback: props.own.taken().all() },
        Action::Regain => Command::Regain { chargeback: props.own.taken().won() },
        Action::Close => Command::Close {},
        Action::NoteAfter => Command::NoteAfter { after: After::PayoutReturned(props.own.came_back()) },
    }
}

fn evidence<'p>(own: &'p Proof, other: &'p Proof) -> Evidence<'p> {
    match own {
        Proof { replaced: Some(payout), .. } => Evidence::PayoutReplaced(payout),
        Proof { arrived: Some(payout), .. } => Evidence::PayoutConfirmed(payout),
        Proof { returned: Some(refund), .. } => Evidence::RefundConfirmed(refund),
        Proof { .. } => Evidence::PayoutConfirmed(other.arrived.as_ref().expect("another deal proves it")),
    }
}

/// Tries one command, and returns whether it was carried out.
fn tried(scene: &Scene, deal: AnyFaceToFace, command: Command<'_>, at: &Stamp) -> bool {
    let (status, action) = (deal.status(), command.action());
    let case = format!("{:?}: {action} in {status} ({})", at.by, scene.says);
    let (held, before) = (deal.held(), format!("{deal:?}"));
    let may = deal.may(action, at);
    assert_eq!(may.is_ok(), deal.actions(at).any(|offered| offered == action), "{case}");

    let verdict = verdict(scene, status, action, &at.by);
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
    let (name, by, reason) = (action.name(), at.by.clone(), refused.reason);
    match verdict {
        Verdict::WrongStatus => {
            assert_eq!(reason, Reason::WrongStatus { action: name, status: status.name() }, "{case}");
            assert_eq!(may, Err(reason), "{case}");
        }
        Verdict::WrongActor => {
            let ways = TABLE.ways(status as usize, action as usize);
            let roles = ways.flat_map(|edge| edge.by).map(|role| role.name).collect();
            assert_eq!(reason, Reason::WrongActor { action: name, status: status.name(), by, roles }, "{case}");
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
fn check_step(case: &str, edge: &Edge, from: Status, before: i64, step: &Transition<AnyFaceToFace>) {
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

// Tries every action by every kind of actor, and notes by whom which actions were carried out.
async fn play(scene: &Scene, others: &Proof, seen: &mut BTreeSet<(Status, Action, String)>) {
    let (shop, own) = (&scene.shop, Proof::of(&scene.shop, scene.id).await);
    let deal: AnyFaceToFace = shop.load(scene.id).await;
    let (code, evidence) = (deal.facts().terms().join_code.clone(), evidence(&own, others));
    let (status, until) = (deal.status(), shop.now().plus(5 * super::DAY));
    let props = Props { code: &code, own: &own, other: others, evidence: &evidence, held: deal.held(), until };
    let people = [anna(), sam(), user("eve"), ops(), judy(), Actor::Clock, Actor::Gateway];
    for action in Action::ALL.iter().copied() {
        for by in &people {
            let at = shop.escrow.stamp(by.clone());
            if tried(scene, shop.load(scene.id).await, command(action, &props), &at) {
                seen.insert((status, action, format!("{by:?}")));
            }
        }
    }
    shop.audit().await;
}

#[test]
fn a_command_is_decided_as_the_table_says() {
    block_on(async {
        let scenes = scenes::all().await;
        let mut others = Proof::default();
        for scene in &scenes {
            let Proof { paid, unpaid, arrived, replaced, returned, .. } = Proof::of(&scene.shop, scene.id).await;
            others.paid = others.paid.or(paid);
            others.unpaid = others.unpaid.or(unpaid);
            others.arrived = others.arrived.or(arrived);
            others.replaced = others.replaced.or(replaced);
            others.returned = others.returned.or(returned);
        }
        let mut seen = BTreeSet::new();
        for scene in &scenes {
            play(scene, &others, &mut seen).await;
        }
        for status in Status::ALL.iter().copied() {
            for action in Action::ALL.iter().copied() {
                let legal = TABLE.edge(status as usize, action as usize).is_some();
                let done = seen.iter().any(|(in_status, taken, _)| (*in_status, *taken) == (status, action));
                assert_eq!(done, legal, "{action} in {status}");
            }
        }
        // Who may, did: each role of each edge took it somewhere.
        for edge in TABLE.steps() {
            for from in edge.from {
                let (status, action) = (Status::ALL[*from], Action::ALL[edge.action]);
                let takers = seen.iter().filter(|(at, taken, _)| (*at, *taken) == (status, action)).count();
                assert!(takers >= edge.by.len(), "{action} in {status}: {takers} of {}", edge.by.len());
            }
        }
    });
}
