//! What a movement of any status does with a command: for every action and kind of actor, as its table says.

use super::*;
use crate::campaign::matrix::{Covered, Kind, judge, verdict};
use escrowed::{
    id::Subject,
    lifecycle::{Lifecycle, Transition, replay},
    movement::{Action, Movement, Orders},
    order::{AnyOrder, Order, Part, Terms},
    party::Stamp,
    store::{Log, Revision, StoredRecord},
    time::Timestamp,
};

/// A movement, what its own facts forbid, and an order of it that has gone on.
struct Scene {
    says: &'static str,
    make: fn() -> AnyMovement,
    late: bool,
    barred: Vec<Action>,
    news: Option<Stands>,
}

fn start() -> Timestamp {
    START.parse().unwrap()
}

fn own() -> Stamp {
    Stamp::gateway(start())
}

// What a transition writes of this, read again.
fn replayed<L: Lifecycle>(taken: &Transition<L>, of: Subject) -> L {
    let commit = taken.commits().iter().find(|commit| commit.subject() == of).expect("its own commit");
    let records = commit.records().iter().map(|record| StoredRecord {
        seq: record.seq,
        name: record.name.to_owned(),
        version: record.version,
        stamp: record.stamp.clone(),
        body: record.payload.to_json().unwrap(),
    });
    replay(&Log { subject: of, revision: Revision::new(1), records: records.collect() }).unwrap()
}

/// An order of a movement that is so far.
fn order(movement: &AnyMovement, nth: usize, stands: Stands) -> AnyOrder {
    let place = movement.orders().nth(nth).unwrap();
    let frame = movement.facts().plan().frame();
    let (name, gateway) = (frame.name.clone(), frame.gateway.clone());
    let mut terms = Terms::new(name, place.amount, place.payee, frame.platform.clone(), gateway);
    terms.part = Some(Part { of: movement.id().subject(), nth: nth.try_into().unwrap(), to: place.to });
    let ops = Stamp::new(ops(), start());
    let open = Order::open(place.order, terms, &own()).unwrap();
    let open = open.then(|order| order.identify_buyer(place.payer, &ops)).unwrap();
    let paid = |open: Transition<_>| open.then(|order: Order<_>| order.pay_from_wallet(&ops)).unwrap();
    let settled = |open| paid(open).then(|order| order.settle(&own())).unwrap();
    let taken = match stands {
        Stands::Open => open.widen(),
        Stands::Paid => paid(open).widen(),
        Stands::Going => settled(open).widen(),
        Stands::Released => settled(open).then(|order| order.release(&[], &own())).unwrap().widen(),
        Stands::Undone => open.then(|order| order.undo(&own())).unwrap().widen(),
        Stands::Planned | Stands::Failed => panic!("not made here"),
    };
    replayed(&taken, place.order.subject())
}

/// The opening, then each step in the same commit.
fn made(steps: &[fn(AnyMovement) -> Transition<AnyMovement>]) -> AnyMovement {
    let at = Kind::Owner.at(start());
    let plan = Plan::many_to_one(frame(), vec![payer("olga", "30.00"), payer("anna", "40.00")], party("sam"));
    // The same each time, so that two of them can be compared.
    let id = MovementId::derived(MovementId::from_uuid(Default::default()).subject(), 1, 0, at.at);
    let mut taken = Movement::open(id, plan, &at).unwrap().widen();
    for step in steps {
        taken = taken.then(|movement| Ok(step(movement))).unwrap();
    }
    let id = taken.value().id().subject();
    replayed(&taken, id)
}

fn all(movement: AnyMovement, stands: Stands) -> Transition<AnyMovement> {
    let orders = [order(&movement, 0, stands), order(&movement, 1, stands)];
    movement.handle(Command::Count { orders: Orders(&orders) }, &own()).unwrap()
}

fn open(movement: AnyMovement) -> Transition<AnyMovement> {
    all(movement, Stands::Open)
}

fn pay(movement: AnyMovement) -> Transition<AnyMovement> {
    all(movement, Stands::Paid)
}

fn release(movement: AnyMovement) -> Transition<AnyMovement> {
    all(movement, Stands::Released)
}

fn called_off(movement: AnyMovement) -> Transition<AnyMovement> {
    all(movement, Stands::Undone)
}

fn collect(movement: AnyMovement) -> Transition<AnyMovement> {
    movement.handle(Command::Collect {}, &own()).unwrap()
}

fn commit(movement: AnyMovement) -> Transition<AnyMovement> {
    movement.handle(Command::Commit {}, &own()).unwrap()
}

fn undo(movement: AnyMovement) -> Transition<AnyMovement> {
    movement.handle(Command::Undo {}, &Stamp::new(ops(), start())).unwrap()
}

fn finish(movement: AnyMovement) -> Transition<AnyMovement> {
    movement.handle(Command::Finish {}, &own()).unwrap()
}

fn end_undoing(movement: AnyMovement) -> Transition<AnyMovement> {
    movement.handle(Command::EndUndoing {}, &own()).unwrap()
}

fn scenes() -> Vec<Scene> {
    use Action::*;
    let scene = |says, make: fn() -> AnyMovement, late, barred: &[Action], news| Scene {
        says,
        make,
        late,
        barred: barred.to_vec(),
        news,
    };
    vec![
        scene("nothing opened", || made(&[]), false, &[Collect], Some(Stands::Open)),
        scene("nothing opened, late", || made(&[]), true, &[Collect], Some(Stands::Open)),
        scene("all opened", || made(&[open]), false, &[], Some(Stands::Paid)),
        scene("nothing paid", || made(&[open, collect]), false, &[Commit], Some(Stands::Paid)),
        scene("nothing paid, late", || made(&[open, collect]), true, &[Commit], Some(Stands::Paid)),
        scene("all paid", || made(&[open, collect, pay]), false, &[], None),
        scene("all paid, late", || made(&[open, collect, pay]), true, &[Commit], None),
        scene("nothing settled", || made(&[open, collect, pay, commit]), false, &[Finish], Some(Stands::Released)),
        scene("all released", || made(&[open, collect, pay, commit, release]), false, &[], None),
        scene("over", || made(&[open, collect, pay, commit, release, finish]), false, &[], None),
        scene("to be undone", || made(&[open, undo]), false, &[EndUndoing], Some(Stands::Undone)),
        scene("paid, to be undone", || made(&[open, collect, pay, undo]), false, &[EndUndoing], Some(Stands::Undone)),
        scene("undone but for the word", || made(&[open, undo, called_off]), false, &[], None),
        scene("undone", || made(&[open, undo, called_off, end_undoing]), false, &[], None),
    ]
}

fn command(action: Action, orders: Option<&[AnyOrder]>) -> Option<Command<'_>> {
    Some(match action {
        Action::Collect => Command::Collect {},
        Action::Commit => Command::Commit {},
        Action::Finish => Command::Finish {},
        Action::Undo => Command::Undo {},
        Action::EndUndoing => Command::EndUndoing {},
        Action::Count => Command::Count { orders: Orders(orders?) },
    })
}

#[test]
fn every_command_in_every_status_by_everybody_is_decided_as_the_table_says() {
    let mut covered = Covered::default();
    for scene in scenes() {
        let now = if scene.late { start().plus(DAY) } else { start() };
        for (action, kind) in Action::ALL.iter().flat_map(|action| Kind::ALL.map(|kind| (*action, kind))) {
            let (before, value) = ((scene.make)(), (scene.make)());
            covered.met(&before);
            let (at, evidence) = (kind.at(now), scene.news.map(|news| [order(&before, 1, news)]));
            // By itself it is undone for a reason only.
            let early = action == Action::Undo && kind == Kind::Gateway && !scene.late;
            let verdict = verdict(&before, action as usize, kind, &at, early || scene.barred.contains(&action));
            let Some(command) = command(action, evidence.as_ref().map(<[_; 1]>::as_slice)) else {
                continue;
            };
            let may = before.may(action, &at);
            if judge(scene.says, &before, action as usize, &verdict, may, value.handle(command, &at)) {
                covered.done(&before, action as usize, kind);
            }
        }
    }
    assert!(covered.left::<AnyMovement>().is_empty(), "not tried: {:?}", covered.left::<AnyMovement>());
}
