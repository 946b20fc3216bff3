//! Campaigns: olga raises €100 from anna, ben and cleo by tomorrow, for a fee of 5 %, at least €2.

mod charged_back;
mod deciding;
mod ending;
pub(crate) mod faults;
pub(crate) mod given_back;
pub(crate) mod legality;
mod many;
pub(crate) mod matrix;
mod pledging;
mod properties;
pub(crate) mod replaying;
mod storm;

use crate::harness::{Problem, Shop, euro, party, user, worker};
use escrowed::{
    campaign::{AnyCampaign, Campaign, CampaignId, Command, Status, Terms},
    escrow::{Caller, EscrowError},
    gateway::Verb,
    lifecycle::Reason,
    money::{FeePolicy, FeeRule},
    party::Actor,
    payment::{AnyPayin, AnyRefund, Method, refund},
    pledge::{self, AnyPledge, Offer, PledgeId},
    sandbox::Behaviour,
    store::{Query, Store},
};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 3600);
const SLOT: Duration = Duration::from_secs(600);
const TICK: Duration = Duration::from_micros(1);

fn olga() -> Actor {
    user("olga")
}

fn decline() -> Behaviour {
    Behaviour::Decline { reason: "no".parse().unwrap() }
}

fn fees() -> FeePolicy {
    FeePolicy::new(FeeRule::new("5%".parse().unwrap(), euro("0.00")).unwrap(), euro("2.00")).unwrap()
}

/// Until exactly a day after the start.
fn terms() -> Terms {
    let until = crate::harness::START.parse::<escrowed::time::Timestamp>().unwrap().plus(DAY);
    let (owner, shop, gateway) = (party("olga"), party("shop"), "sandbox".parse().unwrap());
    let mut terms = Terms::new("A record".parse().unwrap(), euro("100.00"), until, owner, shop, gateway);
    terms.fees = Some(fees());
    terms
}

fn with(change: impl FnOnce(&mut escrowed::campaign::Policy)) -> Terms {
    let mut terms = terms();
    change(&mut terms.policy);
    terms
}

fn wire(name: &str) -> Method {
    Method::BankWire { refund_to: format!("ba_{name}").parse().unwrap() }
}

fn offer(name: &str, amount: &str) -> Offer {
    Offer { backer: party(name), amount: euro(amount) }
}

/// A campaign in a shop.
struct Drive<'s, S> {
    shop: &'s Shop<S>,
    id: CampaignId,
}

impl<'s, S: Store> Drive<'s, S> {
    async fn opened(shop: &'s Shop<S>, terms: Terms) -> Self {
        let mut unit = shop.begin().await;
        let id = shop.escrow.open(&mut unit, Campaign::open, terms, olga()).await.unwrap().id();
        shop.commit(unit).await;
        Self { shop, id }
    }

    /// In `FUNDED`, with €120 of anna, ben and cleo.
    async fn funded(shop: &'s Shop<S>, terms: Terms) -> (Self, [PledgeId; 3]) {
        let drive = Self::opened(shop, terms).await;
        let pledges = drive.backed(["50.00", "40.00", "30.00"]).await;
        drive.over().await;
        (drive.expect(Status::Funded).await, pledges)
    }

    /// Pledges of anna, ben and cleo, paid by card.
    async fn backed(&self, amounts: [&str; 3]) -> [PledgeId; 3] {
        let [anna, ben, cleo] = amounts;
        let pledges = [self.pays("anna", anna).await, self.pays("ben", ben).await, self.pays("cleo", cleo).await];
        self.shop.send().await;
        pledges
    }

    /// The deadline is there, and everything that has to be done is.
    async fn over(&self) {
        self.wait(DAY);
        self.clock().await;
        self.shop.send().await;
    }

    async fn try_pledge(&self, who: impl Into<Caller>, offer: Offer, by: Method) -> Result<PledgeId, Problem<S>> {
        let mut unit = self.shop.begin().await;
        let pledge = self.shop.escrow.pledge(&mut unit, self.id, offer, by, who).await?;
        self.shop.commit(unit).await;
        Ok(pledge.id())
    }

    async fn pledge(&self, name: &str, amount: &str, by: Method) -> PledgeId {
        self.try_pledge(user(name), offer(name, amount), by).await.unwrap()
    }

    async fn pays(&self, name: &str, amount: &str) -> PledgeId {
        self.pledge(name, amount, Method::Card).await
    }

    async fn try_on(&self, id: PledgeId, command: pledge::Command<'_>, by: Actor) -> Result<AnyPledge, Problem<S>> {
        let mut unit = self.shop.begin().await;
        let pledge = self.shop.escrow.act_on_pledge(&mut unit, id, command, by).await?;
        self.shop.commit(unit).await;
        // The value as it is afterwards is what its log says.
        assert_eq!(format!("{:?}", self.shop.load(id).await), format!("{pledge:?}"));
        Ok(pledge)
    }

    async fn withdraw(&self, id: PledgeId, by: Actor) -> Result<AnyPledge, Problem<S>> {
        self.try_on(id, pledge::Command::Withdraw {}, by).await
    }

    async fn act(&self, by: Actor, command: Command<'_>) -> AnyCampaign {
        self.shop.act(self.id, command, by).await
    }

    async fn refused(&self, by: Actor, command: Command<'_>) -> Reason {
        reason(self.shop.try_act(self.id, command, by).await)
    }

    async fn now(&self) -> AnyCampaign {
        self.shop.load(self.id).await
    }

    async fn expect(self, status: Status) -> Self {
        assert_eq!(self.now().await.status(), status);
        self
    }

    async fn path(&self) -> String {
        let now = self.now().await;
        let statuses = now.history().by_time().iter().map(|passage| passage.code.name());
        statuses.collect::<Vec<_>>().join(" ")
    }

    /// How many pledges count, and what they come to.
    async fn raised(&self) -> (u64, String) {
        let now = self.now().await;
        (now.facts().pledges(), now.facts().raised().to_string())
    }

    async fn status(&self, id: PledgeId) -> pledge::Status {
        self.shop.load(id).await.status()
    }

    async fn statuses<const N: usize>(&self, ids: [PledgeId; N]) -> Vec<&'static str> {
        let mut statuses = Vec::new();
        for id in ids {
            statuses.push(self.status(id).await.name());
        }
        statuses
    }

    async fn pledges(&self) -> Vec<AnyPledge> {
        let mut pledges = Vec::new();
        for id in self.shop.find(&Query::About(self.id.subject())).await {
            if let Ok(id) = PledgeId::try_from(id) {
                pledges.push(self.shop.load(id).await);
            }
        }
        pledges
    }

    async fn payin(&self, id: PledgeId) -> AnyPayin {
        self.shop.payins(id).await.pop().expect("a payin")
    }

    async fn refunds(&self, id: PledgeId) -> Vec<AnyRefund> {
        self.shop.refunds(id).await
    }

    /// Passes a denied refund's money on.
    async fn replace(&self, id: PledgeId, route: escrowed::payment::Route) {
        let denied = self.refunds(id).await.into_iter().find(|refund| refund.status() == refund::Status::Denied);
        let mut unit = self.shop.begin().await;
        let (id, replace) = (denied.expect("a denied refund").id(), refund::Command::Replace { route });
        self.shop.escrow.act_on_refund(&mut unit, id, replace, crate::harness::ops()).await.unwrap();
        self.shop.commit(unit).await;
    }

    fn wait(&self, time: Duration) {
        self.shop.escrow.clock().advance(time);
    }

    /// What the clock has to do now; how many steps it took.
    async fn tick(&self) -> usize {
        self.steps(100).await
    }

    /// The same, in so many steps at most.
    async fn steps(&self, limit: usize) -> usize {
        let due = self.shop.escrow.run_due(&worker(), limit).await.unwrap();
        assert_eq!(due.failed, 0, "{due:?}");
        due.taken
    }

    /// The clock, until it has nothing more to do.
    async fn clock(&self) {
        while self.tick().await > 0 {}
    }

    fn decline(&self, verb: Verb) {
        self.shop.gateway().script(verb, [decline()]);
    }

    async fn wallet(&self, name: &str) -> String {
        self.shop.balance(&format!("wallet:{name}")).await.to_string()
    }

    async fn in_escrow(&self) -> String {
        self.shop.balance(&format!("escrow:{}", self.id)).await.to_string()
    }

    /// What the gateway has taken and not paid out again, by the books and by its own.
    async fn outside(&self) -> String {
        let net = self.shop.gateway().net(escrowed::money::Currency::EUR);
        assert_eq!(self.shop.balance("world:sandbox").await.checked_neg().unwrap(), net);
        net.to_string()
    }
}

fn reason<T: std::fmt::Debug, E: std::fmt::Debug>(done: Result<T, EscrowError<E>>) -> Reason {
    match done {
        Err(EscrowError::Refused(reason)) => reason,
        done => panic!("should be refused: {done:?}"),
    }
}
