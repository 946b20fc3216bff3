//! Transactions: anna buys socks from sam for €100 and €9 of shipping, with fees of all four kinds.

mod cancelling;
mod charged_back;
mod disputes;
mod ending;
mod handling;
mod joining;
mod legality;
mod paying;
mod properties;
mod replaying;
mod response;
mod scenes;
pub(crate) mod storm;
mod table;
pub(crate) mod workers;

use crate::harness::{Problem, Shop, euro, party, user, worker};
use escrowed::{
    deal::{Award, Side},
    escrow::EscrowError,
    gateway::Verb,
    lifecycle::{Reason, replay},
    party::Actor,
    payment::{AnyPayin, AnyPayout, AnyRefund, Method, payout, refund},
    sandbox::Behaviour,
    store::{Query, Store, UnitOfWork, Views},
    transaction::{
        AnyTransaction, Category, Command, Complaint, Fees, Person, Policy, Pricing, Status, TABLE, Terms, Tracking,
        Transaction, TransactionId,
    },
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

/// €100 and €9 of shipping. Anna pays €115 in all: €2 of it are for the gateway side, €4 for the shop. Sam is charged
/// €3 and €5, so €101 reach him.
fn pricing() -> Pricing {
    let mut pricing = Pricing::of(euro("100.00"));
    pricing.amount_extra = euro("9.00");
    pricing.fees =
        Fees { buyer: euro("2.00"), buyer_client: euro("4.00"), seller: euro("3.00"), seller_client: euro("5.00") };
    pricing
}

/// A transaction that one side opens. The gateway side's fees are for `till`, the client's for `shop`.
fn opened_by(side: Side) -> Terms {
    let person = match side {
        Side::Buyer => Person::user(party("anna")),
        Side::Seller => Person::user(party("sam")),
    };
    let gateway = "sandbox".parse().unwrap();
    let mut terms = Terms::new(side, person, pricing(), "socks".parse().unwrap(), party("shop"), gateway);
    terms.platform = Some(party("till"));
    terms
}

/// One that sam opens.
fn terms() -> Terms {
    opened_by(Side::Seller)
}

fn with_policy(policy: Policy) -> Terms {
    Terms { policy, ..terms() }
}

fn card() -> Command<'static> {
    Command::OpenPayin { by: Method::Card }
}

fn wire() -> Method {
    Method::BankWire { refund_to: "ba_anna".parse().unwrap() }
}

fn track() -> Command<'static> {
    Command::Track { tracking: Tracking { carrier: "An Post".parse().unwrap(), code: "RR123IE".parse().unwrap() } }
}

fn complaint() -> Complaint {
    Complaint { category: Category::ItemNotAsDescribed, description: "They are two left ones.".parse().unwrap() }
}

fn complain() -> Command<'static> {
    Command::Complain { complaint: complaint() }
}

fn award(buyer: &str, seller: &str) -> Command<'static> {
    Command::Award { award: Award { buyer: euro(buyer), seller: euro(seller) } }
}

fn path(deal: &AnyTransaction) -> String {
    let statuses = deal.history().by_time().iter().map(|passage| passage.code.name());
    statuses.collect::<Vec<_>>().join(" ")
}

/// Opens a transaction in a unit of its own; its creator does it.
async fn open<S: Store>(shop: &Shop<S>, terms: Terms) -> TransactionId {
    let creator = match terms.creator {
        Side::Buyer => terms.buyer.clone(),
        Side::Seller => terms.seller.clone(),
    };
    let at = shop.escrow.stamp(Actor::Party(creator.expect("the creator is known").id));
    let mut unit = shop.begin().await;
    let opened = Transaction::open(TransactionId::generate(at.at), terms, &at).unwrap();
    let id = opened.save(&mut unit).await.unwrap().id();
    shop.commit(unit).await;
    id
}

/// A transaction in a shop.
struct Deal<'s, S> {
    shop: &'s Shop<S>,
    id: TransactionId,
}

impl<'s, S: Store> Deal<'s, S> {
    async fn opened(shop: &'s Shop<S>, terms: Terms) -> Self {
        Self { id: open(shop, terms).await, shop }
    }

    /// In `joined`.
    async fn joined(shop: &'s Shop<S>, terms: Terms) -> Self {
        let other = match terms.creator {
            Side::Buyer => sam(),
            Side::Seller => anna(),
        };
        let deal = Self::opened(shop, terms).await;
        deal.act(other, Command::Join {}).await;
        deal.expect(Status::Joined).await
    }

    /// In `paid`, by card.
    async fn paid(shop: &'s Shop<S>, terms: Terms) -> Self {
        let deal = Self::joined(shop, terms).await;
        deal.act(anna(), card()).await;
        shop.send().await;
        deal.expect(Status::Paid).await
    }

    /// In `payment_accepted`.
    async fn accepted(shop: &'s Shop<S>, terms: Terms) -> Self {
        let deal = Self::paid(shop, terms).await;
        deal.act(sam(), Command::AcceptPayment {}).await;
        deal.expect(Status::PaymentAccepted).await
    }

    /// In `tracked`.
    async fn tracked(shop: &'s Shop<S>, terms: Terms) -> Self {
        let deal = Self::accepted(shop, terms).await;
        deal.act(sam(), track()).await;
        deal.expect(Status::Tracked).await
    }

    /// In `delivered`, with the complaint period running.
    async fn delivered(shop: &'s Shop<S>, terms: Terms) -> Self {
        let deal = Self::tracked(shop, terms).await;
        deal.act(sam(), Command::Deliver {}).await;
        deal.expect(Status::Delivered).await
    }

    /// In `buyer_handover_confirmed` or `seller_handover_confirmed`.
    async fn handed_over(shop: &'s Shop<S>, by: Side) -> Self {
        let deal = Self::accepted(shop, terms()).await;
        match by {
            Side::Buyer => {
                deal.act(anna(), Command::ConfirmHandover {}).await;
                deal.expect(Status::BuyerHandoverConfirmed).await
            }
            Side::Seller => {
                deal.act(sam(), Command::ConfirmHandover {}).await;
                deal.expect(Status::SellerHandoverConfirmed).await
            }
        }
    }

    /// In `complaint_submitted`, holding €115.
    async fn complained(shop: &'s Shop<S>, terms: Terms) -> Self {
        let deal = Self::delivered(shop, terms).await;
        deal.act(anna(), complain()).await;
        deal.expect(Status::ComplaintSubmitted).await
    }

    /// In `complaint_period_ended` with one payout to the bank under way.
    async fn leaving(shop: &'s Shop<S>) -> Self {
        let deal = Self::delivered(shop, terms()).await;
        deal.act(sam(), Command::SetPayout { to: crate::harness::bank("ba_sam") }).await;
        deal.act(anna(), Command::EndComplaintPeriod {}).await;
        deal.expect(Status::ComplaintPeriodEnded).await
    }

    /// What somebody does. The value as it is afterwards is what its log says; a refusal changes nothing.
    async fn attempt(&self, by: Actor, command: Command<'_>) -> Result<AnyTransaction, Problem<S>> {
        let before = self.now().await;
        let done = self.shop.try_act(self.id, command, by).await;
        let expected = done.as_ref().unwrap_or(&before);
        assert_eq!(format!("{:?}", self.now().await), format!("{expected:?}"), "the log says otherwise");
        done
    }

    async fn act(&self, by: Actor, command: Command<'_>) -> AnyTransaction {
        self.attempt(by, command).await.unwrap()
    }

    async fn refused(&self, by: Actor, command: Command<'_>) -> Reason {
        match self.attempt(by, command).await {
            Err(EscrowError::Refused(reason)) => reason,
            done => panic!("should be refused: {done:?}"),
        }
    }

    async fn now(&self) -> AnyTransaction {
        self.shop.load(self.id).await
    }

    async fn status(&self) -> Status {
        self.now().await.status()
    }

    async fn path(&self) -> String {
        path(&self.now().await)
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

    async fn payouts(&self) -> Vec<AnyPayout> {
        self.shop.payouts(self.id).await
    }

    async fn refunds(&self) -> Vec<AnyRefund> {
        self.shop.refunds(self.id).await
    }

    /// What somebody does to the denied payout.
    async fn on_payout(&self, by: Actor, command: payout::Command) -> Result<(), Problem<S>> {
        let denied = self.payouts().await.into_iter().find(|one| one.status() == payout::Status::Denied);
        let mut unit = self.shop.begin().await;
        self.shop.escrow.act_on_payout(&mut unit, denied.expect("a denied payout").id(), command, by).await?;
        self.shop.commit(unit).await;
        Ok(())
    }

    /// What somebody does to the denied refund.
    async fn on_refund(&self, by: Actor, command: refund::Command<'_>) -> Result<(), Problem<S>> {
        let denied = self.refunds().await.into_iter().find(|one| one.status() == refund::Status::Denied);
        let mut unit = self.shop.begin().await;
        self.shop.escrow.act_on_refund(&mut unit, denied.expect("a denied refund").id(), command, by).await?;
        self.shop.commit(unit).await;
        Ok(())
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

    async fn wallet(&self, name: &str) -> String {
        self.shop.balance(&format!("wallet:{name}")).await.to_string()
    }

    /// What the gateway has taken and not paid out again, by the books and by its own.
    async fn outside(&self) -> String {
        let net = self.shop.gateway().net(escrowed::money::Currency::EUR);
        assert_eq!(self.shop.balance("world:sandbox").await.checked_neg().unwrap(), net);
        net.to_string()
    }

    /// Over, and nothing is left in any account but wallets and the world. What the world gave is what the wallets
    /// hold.
    async fn over(&self, status: Status) {
        assert_eq!(self.status().await, status);
        assert!(TABLE.is_end(status as usize) || status == Status::Cancelled, "{status} is no end");
        assert!(self.now().await.held().is_zero());
        audit(self.shop).await;
        let mut wallets = euro("0.00");
        for name in ["anna", "sam", "shop", "till"] {
            wallets = wallets.checked_add(self.shop.balance(&format!("wallet:{name}")).await).unwrap();
        }
        assert_eq!(self.outside().await, wallets.to_string(), "something is still on its way");
    }
}

/// The shop's audit, and the same of transactions: each is indexed where its log says, and holds what is booked.
async fn audit<S: Store>(shop: &Shop<S>) {
    shop.audit().await;
    for row in TABLE.statuses {
        for subject in shop.find(&Query::status(TABLE.name.parse().unwrap(), row.name)).await {
            let mut unit = shop.begin().await;
            let log = unit.log(subject).await.unwrap().expect("an indexed subject has a log");
            let deal: AnyTransaction = replay(&log).unwrap_or_else(|corrupt| panic!("{corrupt}"));
            assert_eq!(deal.status().name(), row.name, "{subject} is indexed wrongly");
            let held = deal.held();
            assert!(row.holds.admits(held.is_positive()), "{subject} holds {held} in {}", row.name);
            let booked = unit.balance(&escrowed::ledger::Account::Escrow(subject), held.currency()).await.unwrap();
            assert_eq!(held, booked, "{subject} holds other than its log says");
        }
    }
}
