//! Loans: bea borrows €10,000 from anna, ben and cleo, who lend a half, three tenths and two tenths of it, at 6 % for a year.

mod charged_back;
mod faults;
mod funding;
mod late;
mod matrix;
mod properties;
mod repaying;
mod replaying;
mod sharing;

use crate::harness::{Problem, Shop, euro, party, user, worker};
use escrowed::{
    distribution::{self, AnyDistribution, DistributionId},
    escrow::EscrowError,
    ledger::Purpose,
    lifecycle::Reason,
    loan::{AnyLoan, Command, DayCount, Form, Loan, LoanId, Owed, Plan, Policy, Status, Terms},
    party::Actor,
    payment::Method,
    pledge::{AnyPledge, Offer, PledgeId},
    sandbox::Behaviour,
    store::{Query, Store, Views},
    time::Timestamp,
};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 3600);

fn bea() -> Actor {
    user("bea")
}

fn decline() -> Behaviour {
    Behaviour::Decline { reason: "no".parse().unwrap() }
}

fn plan() -> Plan {
    let rate = "6%".parse().unwrap();
    Plan { rate, form: Form::Annuity, instalments: 12, months: 1, day_count: DayCount::Thirty360E }
}

/// Until exactly a day after the start. Paid out on May 7th, so due on each 7th.
fn terms() -> Terms {
    let until = crate::harness::START.parse::<Timestamp>().unwrap().plus(DAY);
    let (borrower, shop, gateway) = (party("bea"), party("shop"), "sandbox".parse().unwrap());
    Terms::new("A bakery".parse().unwrap(), euro("10000.00"), until, borrower, shop, gateway, plan())
}

fn with(change: impl FnOnce(&mut Terms)) -> Terms {
    let mut terms = terms();
    change(&mut terms);
    terms
}

fn policy(change: impl FnOnce(&mut Policy)) -> Terms {
    with(|terms| change(&mut terms.policy))
}

/// A loan in a shop.
struct Drive<'s, S> {
    shop: &'s Shop<S>,
    id: LoanId,
}

impl<'s, S: Store> Drive<'s, S> {
    async fn opened(shop: &'s Shop<S>, terms: Terms) -> Self {
        let mut unit = shop.begin().await;
        let id = shop.escrow.open(&mut unit, Loan::open, terms, bea()).await.unwrap().id();
        shop.commit(unit).await;
        Self { shop, id }
    }

    /// In `FUNDED`, by these pledges, paid by card.
    async fn funded(shop: &'s Shop<S>, terms: Terms, pledges: &[(&str, &str)]) -> (Self, Vec<PledgeId>) {
        let drive = Self::opened(shop, terms).await;
        let mut ids = Vec::new();
        for (name, amount) in pledges {
            // Their ids are in the order in which they pledge.
            drive.wait(Duration::from_millis(1));
            ids.push(drive.pledge(name, amount).await.unwrap());
        }
        shop.send().await;
        drive.wait(Duration::from_secs(600));
        drive.clock().await;
        assert_eq!(drive.status().await, Status::Funded);
        (drive, ids)
    }

    /// In `REPAYING`, since the day of the start, by anna, ben and cleo.
    async fn lent(shop: &'s Shop<S>, terms: Terms) -> (Self, [PledgeId; 3]) {
        let lenders = [("anna", "5000.00"), ("ben", "3000.00"), ("cleo", "2000.00")];
        let (drive, pledges) = Self::funded(shop, terms, &lenders).await;
        drive.act(bea(), Command::Validate {}).await;
        assert_eq!(drive.status().await, Status::Repaying);
        (drive, pledges.try_into().unwrap())
    }

    async fn pledge(&self, name: &str, amount: &str) -> Result<PledgeId, Problem<S>> {
        let mut unit = self.shop.begin().await;
        let offer = Offer { backer: party(name), amount: amount.parse().unwrap_or_else(|_| euro(amount)) };
        let pledge = self.shop.escrow.pledge(&mut unit, self.id, offer, Method::Card, user(name)).await?;
        self.shop.commit(unit).await;
        Ok(pledge.id())
    }

    async fn act(&self, by: Actor, command: Command<'_>) -> AnyLoan {
        let live = self.shop.act(self.id, command, by).await;
        // The value as it is afterwards is what its log says.
        assert_eq!(format!("{:?}", self.now().await), format!("{live:?}"));
        live
    }

    async fn refused(&self, by: Actor, command: Command<'_>) -> Reason {
        reason(self.shop.try_act(self.id, command, by).await)
    }

    /// Repays so much by card, and shares it out.
    async fn repay(&self, amount: &str) {
        self.act(bea(), Command::Repay { amount: euro(amount), by: Method::Card }).await;
        self.shop.send().await;
        self.clock().await;
    }

    async fn now(&self) -> AnyLoan {
        self.shop.load(self.id).await
    }

    async fn status(&self) -> Status {
        self.now().await.status()
    }

    async fn owed(&self) -> Owed {
        self.now().await.facts().debt().expect("a debt").owed(self.shop.now()).unwrap()
    }

    /// Principal, interest, interest for late payment, and how much of all that is due.
    async fn owes(&self) -> [String; 4] {
        let owed = self.owed().await;
        [owed.principal, owed.interest, owed.late, owed.due].map(|amount| amount.to_decimal().to_string())
    }

    async fn path(&self) -> String {
        let now = self.now().await;
        let statuses = now.history().by_time().iter().map(|passage| passage.code.name());
        statuses.collect::<Vec<_>>().join(" ")
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

    async fn distributions(&self) -> Vec<AnyDistribution> {
        let mut found = Vec::new();
        for id in self.shop.find(&Query::About(self.id.subject())).await {
            if let Ok(id) = DistributionId::try_from(id) {
                found.push(self.shop.load(id).await);
            }
        }
        found
    }

    /// What each of these pledges has brought: principal and interest.
    async fn received<const N: usize>(&self, pledges: [PledgeId; N]) -> Vec<String> {
        let mut all = Vec::new();
        for id in pledges {
            let received = self.shop.load(id).await.facts().received();
            all.push(format!("{} + {}", received.principal.to_decimal(), received.interest.to_decimal()));
        }
        all
    }

    async fn wallet(&self, name: &str) -> String {
        self.shop.balance(&format!("wallet:{name}")).await.to_decimal().to_string()
    }

    fn wait(&self, time: Duration) {
        self.shop.escrow.clock().advance(time);
    }

    /// To noon (UTC) of this day.
    fn until(&self, day: &str) {
        let then: Timestamp = format!("{day}T12:00:00Z").parse().unwrap();
        let left = then.unix_micros() - self.shop.now().unix_micros();
        self.wait(Duration::from_micros(u64::try_from(left).expect("a day to come")));
    }

    /// What the clock has to do now, in so many steps at most; how many it took.
    async fn steps(&self, limit: usize) -> usize {
        let due = self.shop.escrow.run_due(&worker(), limit).await.unwrap();
        assert_eq!(due.failed, 0, "{due:?}");
        due.taken
    }

    /// The clock, until it has nothing more to do.
    async fn clock(&self) {
        while self.steps(100).await > 0 {}
    }
}

fn reason<T: std::fmt::Debug, E: std::fmt::Debug>(done: Result<T, EscrowError<E>>) -> Reason {
    match done {
        Err(EscrowError::Refused(reason)) => reason,
        done => panic!("should be refused: {done:?}"),
    }
}
