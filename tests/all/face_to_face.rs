//! Face-to-face deals: anna buys from sam, with a deposit of €50 and a price of €180.

mod charged_back;
mod clocks;
mod disputes;
mod handing;
mod handling;
mod joining;
mod legality;
mod paying;
mod payins;
mod properties;
mod replaying;
mod scenes;
pub(crate) mod storm;

use crate::harness::{Problem, Shop, euro, party, user, worker};
use escrowed::{
    deal::{Period, Side, Sides},
    escrow::EscrowError,
    face_to_face::{AnyFaceToFace, Charges, Command, FaceToFace, FaceToFaceId, Policy, Status, Terms},
    gateway::Verb,
    lifecycle::Reason,
    party::Actor,
    payment::{AnyPayin, Method},
    sandbox::Behaviour,
    store::Store,
};
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
const TICK: Duration = Duration::from_micros(1);

fn anna() -> Actor {
    user("anna")
}

fn sam() -> Actor {
    user("sam")
}

fn judy() -> Actor {
    Actor::arbiter(party("judy"))
}

fn decline() -> Behaviour {
    Behaviour::Decline { reason: "insufficient funds".parse().unwrap() }
}

/// A deal that one side opens: a deposit of €50, of which €2 are the buyer's fee and €3 the seller's.
fn opened_by(side: Side) -> Terms {
    let creator = match side {
        Side::Buyer => party("anna"),
        Side::Seller => party("sam"),
    };
    let sides = Sides::opened_by(creator, side);
    let mut terms = Terms::new(sides, euro("50.00"), party("shop"), "sandbox".parse().unwrap());
    terms.charges = Some(Charges { buyer: euro("2.00"), seller: euro("3.00") });
    terms
}

/// One that sam opens.
fn terms() -> Terms {
    opened_by(Side::Seller)
}

fn with_policy(policy: Policy) -> Terms {
    Terms { policy, ..terms() }
}

/// The payment has an hour.
fn in_an_hour() -> Terms {
    with_policy(Policy { payment: Some(Period::hours(1)), ..Policy::default() })
}

fn card() -> Command<'static> {
    Command::Pay { by: Method::Card }
}

fn complain() -> Command<'static> {
    Command::Complain { what: "It squeaks".parse().unwrap() }
}

fn path(deal: &AnyFaceToFace) -> String {
    let statuses = deal.history().by_time().iter().map(|passage| passage.code.name());
    statuses.collect::<Vec<_>>().join(" ")
}

/// A deal in a shop.
struct Deal<'s, S> {
    shop: &'s Shop<S>,
    id: FaceToFaceId,
}

impl<'s, S: Store> Deal<'s, S> {
    async fn opened(shop: &'s Shop<S>, terms: Terms) -> Self {
        let creator = terms.sides.on(terms.sides.creator).cloned().unwrap();
        let at = shop.escrow.stamp(Actor::Party(creator));
        let mut unit = shop.begin().await;
        let opened = FaceToFace::open(FaceToFaceId::generate(at.at), terms, &at).unwrap();
        let id = opened.save(&mut unit).await.unwrap().id();
        shop.commit(unit).await;
        Self { shop, id }
    }

    /// In `joined`.
    async fn joined(shop: &'s Shop<S>, terms: Terms) -> Self {
        let other = match terms.sides.creator {
            Side::Buyer => sam(),
            Side::Seller => anna(),
        };
        let code = terms.join_code.clone();
        let deal = Self::opened(shop, terms).await;
        deal.act(other, Command::Join { code: &code }).await;
        deal.expect(Status::Joined).await
    }

    /// In `deposit_paid`, by card.
    async fn deposited(shop: &'s Shop<S>, terms: Terms) -> Self {
        let deal = Self::joined(shop, terms).await;
        deal.act(anna(), card()).await;
        shop.send().await;
        deal.expect(Status::DepositPaid).await
    }

    /// In `deposit_accepted`, or in `remainder_skipped` where the terms say so.
    async fn accepted(shop: &'s Shop<S>, terms: Terms) -> Self {
        let deal = Self::deposited(shop, terms).await;
        deal.act(sam(), Command::AcceptDeposit {}).await;
        deal
    }

    /// In `priced`, at €180.
    async fn priced(shop: &'s Shop<S>, terms: Terms) -> Self {
        let deal = Self::accepted(shop, terms).await;
        deal.act(sam(), Command::SetPrice { price: euro("180.00") }).await;
        deal.expect(Status::Priced).await
    }

    /// In `remainder_paid`, holding €180.
    async fn paid(shop: &'s Shop<S>, terms: Terms) -> Self {
        let deal = Self::priced(shop, terms).await;
        deal.act(anna(), card()).await;
        shop.send().await;
        deal.expect(Status::RemainderPaid).await
    }

    /// In `remainder_skipped`, holding €50.
    async fn skipped(shop: &'s Shop<S>, terms: Terms) -> Self {
        let deal = Self::accepted(shop, terms).await;
        deal.act(sam(), Command::SkipRemainder {}).await;
        deal.expect(Status::RemainderSkipped).await
    }

    /// In `seller_handover_confirmed`, holding €180.
    async fn handed_over(shop: &'s Shop<S>, terms: Terms) -> Self {
        let deal = Self::paid(shop, terms).await;
        deal.act(sam(), Command::ConfirmHandover {}).await;
        deal.expect(Status::SellerHandoverConfirmed).await
    }

    /// In `complained`, holding €180.
    async fn complained(shop: &'s Shop<S>, terms: Terms) -> Self {
        let deal = Self::paid(shop, terms).await;
        deal.act(anna(), complain()).await;
        deal.expect(Status::Complained).await
    }

    /// What somebody does; the value as it is afterwards is what its log says.
    async fn attempt(&self, by: Actor, command: Command<'_>) -> Result<AnyFaceToFace, Problem<S>> {
        let before = self.now().await;
        let done = self.shop.try_act(self.id, command, by).await;
        let expected = done.as_ref().unwrap_or(&before);
        assert_eq!(format!("{:?}", self.now().await), format!("{expected:?}"), "the log says otherwise");
        done
    }

    async fn act(&self, by: Actor, command: Command<'_>) -> AnyFaceToFace {
        self.attempt(by, command).await.unwrap()
    }

    async fn refused(&self, by: Actor, command: Command<'_>) -> Reason {
        match self.attempt(by, command).await {
            Err(EscrowError::Refused(reason)) => reason,
            done => panic!("should be refused: {done:?}"),
        }
    }

    async fn now(&self) -> AnyFaceToFace {
        self.shop.load(self.id).await
    }

    async fn status(&self) -> Status {
        self.now().await.status()
    }

    async fn expect(self, status: Status) -> Self {
        assert_eq!(self.status().await, status);
        self
    }

    async fn held(&self) -> String {
        self.now().await.held().to_string()
    }

    /// The payin that was opened last.
    async fn payin(&self) -> AnyPayin {
        self.shop.load(*self.now().await.facts().till().opened().last().expect("a payin")).await
    }

    fn wait(&self, time: Duration) {
        self.shop.escrow.clock().advance(time);
    }

    /// How many steps the clock took.
    async fn clock(&self) -> usize {
        self.shop.escrow.run_due(&worker(), 100).await.unwrap().taken
    }

    fn decline(&self, verb: Verb) {
        self.shop.gateway().script(verb, [decline()]);
    }

    /// Over, and nothing is left in any account but wallets and the world. What the world gave is what the wallets
    /// hold.
    async fn over(&self, status: Status) {
        assert_eq!(self.status().await, status);
        assert!(self.now().await.held().is_zero());
        self.shop.audit().await;
        let world = self.shop.balance("world:sandbox").await;
        let mut wallets = euro("0.00");
        for name in ["anna", "sam", "shop"] {
            wallets = wallets.checked_add(self.shop.balance(&format!("wallet:{name}")).await).unwrap();
        }
        assert_eq!(world.checked_neg().unwrap(), wallets, "something is still on its way");
    }
}
