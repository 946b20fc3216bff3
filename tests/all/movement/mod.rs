//! Movements: anna, ben and cleo pay; sam, tess and una are paid.

mod charged_back;
mod faults;
mod given_back;
mod kinds;
mod legality;
mod many;
mod matrix;
mod parts;
mod plans;
mod properties;
mod replaying;
mod undoing;

use crate::harness::{Problem, START, Shop, bank, euro, ops, party, user, worker};
use escrowed::{
    escrow::{Caller, EscrowError},
    gateway::{Gateway, Verb},
    lifecycle::Reason,
    money::{Money, Share},
    movement::{AnyMovement, Command, Frame, MovementId, Outside, Payer, Plan, Stands, Status, Why, wallet},
    order::{self, OrderId, Payee},
    party::Actor,
    payment::{Destination, Method},
    sandbox::Behaviour,
    store::Store,
};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Until exactly a day after the start.
fn frame() -> Frame {
    let until = START.parse::<escrowed::time::Timestamp>().unwrap().plus(DAY);
    Frame::new("The gig".parse().unwrap(), until, party("shop"), "sandbox".parse().unwrap())
}

fn wire(name: &str) -> Method {
    Method::BankWire { refund_to: format!("ba_{name}").parse().unwrap() }
}

fn decline() -> Behaviour {
    Behaviour::Decline { reason: "no".parse().unwrap() }
}

fn payee(name: &str, share: Share, to: Destination) -> Payee {
    Payee { party: party(name), share, to }
}

fn payer(name: &str, amount: &str) -> Payer {
    Payer { party: party(name), amount: euro(amount) }
}

/// sam gets €60 at the bank, tess half of the rest, una the other half into her wallet.
fn three_payees() -> Vec<Payee> {
    vec![
        payee("sam", Share::Fixed(euro("60.00")), bank("ba_sam")),
        payee("tess", Share::Rest, Destination::Wallet),
        payee("una", Share::Rest, Destination::Wallet),
    ]
}

/// €30 of anna, €40 of ben, €50 of cleo.
fn three_payers() -> Vec<Payer> {
    vec![payer("anna", "30.00"), payer("ben", "40.00"), payer("cleo", "50.00")]
}

fn top_up() -> Plan {
    Plan::top_up(frame(), party("anna"), Outside::Card, euro("50.00"))
}

fn one_to_many(by: Method) -> Plan {
    Plan::one_to_many(frame(), party("anna"), by, euro("100.01"), three_payees())
}

fn many_to_one() -> Plan {
    Plan::many_to_one(frame(), three_payers(), party("sam"))
}

fn many_to_many() -> Plan {
    Plan::many_to_many(frame(), three_payers(), three_payees())
}

/// A movement in a shop.
struct Run<'s, S, G> {
    shop: &'s Shop<S, G>,
    id: MovementId,
}

async fn try_move<S: Store, G: Gateway>(
    shop: &Shop<S, G>,
    plan: Plan,
    who: impl Into<Caller>,
) -> Result<AnyMovement, Problem<S>> {
    let mut unit = shop.begin().await;
    let movement = shop.escrow.move_money(&mut unit, plan, who).await?;
    shop.commit(unit).await;
    // The value as it is afterwards is what its log says.
    assert_eq!(format!("{:?}", shop.load(movement.id()).await), format!("{movement:?}"));
    Ok(movement)
}

impl<'s, S: Store, G: Gateway> Run<'s, S, G> {
    async fn of(shop: &'s Shop<S, G>, plan: Plan, who: Actor) -> Self {
        let id = try_move(shop, plan, who).await.unwrap().id();
        Self { shop, id }
    }

    async fn now(&self) -> AnyMovement {
        self.shop.load(self.id).await
    }

    async fn status(&self) -> Status {
        self.now().await.status()
    }

    async fn path(&self) -> String {
        let now = self.now().await;
        now.history().by_time().iter().map(|passage| passage.code.name()).collect::<Vec<_>>().join(" ")
    }

    async fn stands(&self) -> Vec<Stands> {
        self.now().await.facts().stands().to_vec()
    }

    async fn order_of(&self, name: &str) -> OrderId {
        self.now().await.order_of(&party(name)).expect("a payer")
    }

    async fn try_pay(&self, name: &str, by: Method) -> Result<order::AnyOrder, Problem<S>> {
        let id = self.order_of(name).await;
        self.shop.try_act(id, order::Command::Pay { by }, user(name)).await
    }

    async fn pay(&self, name: &str, by: Method) {
        self.try_pay(name, by).await.unwrap();
    }

    async fn undo(&self, by: Actor) -> Result<AnyMovement, Problem<S>> {
        self.shop.try_act(self.id, Command::Undo {}, by).await
    }

    async fn why(&self) -> Why {
        match self.now().await {
            AnyMovement::Undone(undone) => undone.state().why(),
            other => panic!("should be undone: {other:?}"),
        }
    }

    async fn wallet(&self, name: &str) -> String {
        self.shop.balance(&format!("wallet:{name}")).await.to_string()
    }

    /// What the movement's own wallet holds.
    async fn common(&self) -> Money {
        self.shop.balance(&format!("wallet:{}", wallet(self.id))).await
    }

    /// Every order of it, as it is by its own log.
    async fn orders(&self) -> Vec<order::Status> {
        let mut found = Vec::new();
        for place in self.now().await.orders().filter(|place| place.stands != Stands::Planned) {
            let order = self.shop.order(place.order).await;
            assert_eq!(Stands::of(&order), Some(place.stands), "the movement knows how far its orders are");
            found.push(order.status());
        }
        found
    }

    /// The clock, until it has nothing more to do.
    async fn clock(&self) {
        loop {
            let due = self.shop.escrow.run_due(&worker(), 100).await.unwrap();
            assert_eq!(due.failed, 0, "{due:?}");
            if due.taken == 0 {
                return;
            }
        }
    }
}

impl<S: Store> Run<'_, S, escrowed::sandbox::Sandbox> {
    /// What the gateway has taken and not paid out again, by the books and by its own.
    async fn outside(&self) -> String {
        let net = self.shop.gateway().net(escrowed::money::Currency::EUR);
        assert_eq!(self.shop.balance("world:sandbox").await.checked_neg().unwrap(), net);
        net.to_string()
    }

    /// It is over, all or nothing; nothing of it is left anywhere between payers and payees.
    async fn is_over(&self) -> bool {
        let (now, orders) = (self.now().await, self.orders().await);
        let done = match now.status() {
            Status::Done => true,
            Status::Undone => false,
            stuck => panic!("stuck in {stuck}: {now:?}"),
        };
        let end = if done { order::Status::Released } else { order::Status::Cancelled };
        assert!(orders.iter().all(|status| *status == end), "{orders:?} of {now:?}");
        assert!(self.common().await.is_zero(), "something is left in the movement's own wallet");
        if done {
            assert_eq!(orders.len(), now.facts().stands().len());
        }
        self.shop.audit().await;
        done
    }
}

fn reason<T: std::fmt::Debug, E: std::fmt::Debug>(done: Result<T, EscrowError<E>>) -> Reason {
    match done {
        Err(EscrowError::Refused(reason)) => reason,
        done => panic!("should be refused: {done:?}"),
    }
}

/// Has the gateway decline the next call of this kind.
fn declines<S: Store>(shop: &Shop<S>, verb: Verb) {
    shop.gateway().script(verb, [decline()]);
}
