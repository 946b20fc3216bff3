//! A lifecycle of the least possible work, so that a commit costs what the store costs: a tab that holds money and pays
//! somebody out of it again and again. Each payment is one commit: the index row, one event, one entry with its two
//! balances, one call for the outbox.

use escrowed::{
    gateway::Instruction,
    id::{Id, Kind, Subject},
    ledger::{Account, Purpose},
    lifecycle::{Effects, Facts, Opening, Reason, Refused, Takes, Transition},
    money::{Currency, Money},
    party::{Actor, PartyId, Role, Stamp},
    payment::{Agreement, Evidence, Learned, PayinId},
    store::{Answered, Appended, AppendedAll, Commit, Log, RequestKey, Revision, UnitOfWork},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::convert::Infallible;

escrowed::lifecycle! {
    /// Pays somebody again and again.
    pub lifecycle Tab, AnyTab as "tab" with ids "tab" {
        version 1;
        facts Payee;
        opening Opened;
        initial Fresh;
        statuses {
            /// Holds nothing yet.
            Fresh = "FRESH", Nothing;
            /// Pays out of what it holds.
            Running = "RUNNING", Funds;
            /// Gave everything back.
            Closed = "CLOSED", Nothing;
        }
        edges {
            /// Takes money in.
            fund(until: Option<Timestamp>) => Fund records Funded {
                /// At once.
                Fresh -> Running by Role::PLATFORM, Collect, Own;
            }
            /// Gives everything back.
            close => Close records Over {
                /// Any time.
                Running -> Closed by Role::PLATFORM | Role::CLOCK, Release, Own;
            }
        }
        notes {
            /// Pays.
            pay(to: Vec<PartyId>) => Pay records Paid {
                /// Any time.
                Running by Role::PLATFORM, Part, Own;
            }
        }
        commands Command;
    }
}

/// The id of a tab.
pub type TabId = Id<AnyTab>;

#[derive(Debug, Default)]
pub struct Fresh;
#[derive(Debug)]
pub struct Running;
#[derive(Debug)]
pub struct Closed;

/// Whom it pays.
#[derive(Debug)]
pub struct Payee(PartyId);

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Opened {
    payee: PartyId,
}
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Funded {
    // When the clock closes it.
    until: Option<Timestamp>,
}
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Over;
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Paid {
    pub to: Vec<PartyId>,
    // What the call is about: another one each time.
    pub asks: Subject,
}

impl Facts for Payee {
    fn plays(&self, _: Role, _: &PartyId) -> bool {
        false
    }
    fn parties(&self) -> Vec<PartyId> {
        vec![self.0.clone()]
    }
}

impl Opening<AnyTab> for Opened {
    fn check(&self, _: &mut Effects<'_>) -> Result<(), Reason> {
        Ok(())
    }
    fn held(&self) -> Money {
        Money::zero(Currency::EUR)
    }
    fn facts(self, _: &Stamp) -> Payee {
        Payee(self.payee)
    }
}

/// More than any number of payments takes out.
pub const FUNDS: i64 = 1_000_000_000;
/// Each payment, in minor units.
pub const AMOUNT: i64 = 125;

impl Takes<Funded> for Tab<Fresh> {
    type Next = Tab<Running>;
    fn check(&self, _: &Funded, step: &mut Effects<'_>) -> Result<(), Reason> {
        step.receive(Account::World(gateway()), Money::from_minor(FUNDS, Currency::EUR), Purpose::Payin)
    }
    fn make(mut self, event: Funded, _: &Stamp) -> Tab<Running> {
        self.head.deadline = event.until;
        self.enter(Running)
    }
}

impl Takes<Over> for Tab<Running> {
    type Next = Tab<Closed>;
    fn check(&self, _: &Over, step: &mut Effects<'_>) -> Result<(), Reason> {
        step.pay(Account::World(gateway()), step.held(), Purpose::Payout)
    }
    fn make(self, _: Over, _: &Stamp) -> Tab<Closed> {
        self.enter(Closed)
    }
}

impl Takes<Paid> for Tab<Running> {
    type Next = Self;
    fn check(&self, event: &Paid, step: &mut Effects<'_>) -> Result<(), Reason> {
        let amount = Money::from_minor(AMOUNT, Currency::EUR);
        for payee in &event.to {
            step.pay(Account::Wallet(payee.clone()), amount, Purpose::Release)?;
        }
        step.call(gateway(), Instruction::Capture { payin: event.asks, amount });
        Ok(())
    }
    fn make(self, _: Paid, _: &Stamp) -> Self {
        self
    }
}

impl Tab<Fresh> {
    fn fund(self, until: Option<Timestamp>, at: &Stamp) -> Result<Transition<Tab<Running>>, Refused<Self>> {
        self.take(Funded { until }, at)
    }
}

impl Tab<Running> {
    fn close(self, at: &Stamp) -> Result<Transition<Tab<Closed>>, Refused<Self>> {
        self.take(Over, at)
    }

    /// Pays each of them the same.
    pub fn pay(self, to: Vec<PartyId>, at: &Stamp) -> Result<Transition<Self>, Refused<Self>> {
        let asks = Subject::new(Kind::new("pi"), TabId::generate(at.at).subject().uuid());
        self.take(Paid { to, asks }, at)
    }
}

impl Agreement for AnyTab {
    fn wants(&self, _: PayinId) -> bool {
        false
    }
    fn learn(self, _: &Evidence<'_>, _: &Stamp) -> Result<Learned<Self>, Refused<Self>> {
        Ok(Learned::Nothing(self))
    }
    fn due(self, at: &Stamp) -> Result<Learned<Self>, Refused<Self>> {
        match self {
            Self::Running(tab) => Learned::step(tab.close(at)),
            Self::Fresh(_) | Self::Closed(_) => Ok(Learned::Nothing(self)),
        }
    }
}

impl AnyTab {
    fn ready(&self, _: Action, _: &Stamp) -> Result<(), Reason> {
        Ok(())
    }
}

pub fn gateway() -> escrowed::ledger::GatewayName {
    "sandbox".parse().expect("a name")
}

pub fn stamp() -> Stamp {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    let now = Timestamp::from_unix_micros(i64::try_from(now.as_micros()).expect("before the year 294247"));
    Stamp::new(Actor::platform("ops".parse().expect("a name")), now.expect("a time"))
}

/// A tab that was opened and funded in one commit, not yet saved.
pub fn opened(payee: &str, until: Option<Timestamp>) -> Transition<Tab<Running>> {
    let (at, payee) = (stamp(), payee.parse().expect("a name"));
    let tab = Tab::<Fresh>::opened(TabId::generate(at.at), Opened { payee }, &at).expect("a tab can be opened");
    tab.then(|tab| tab.fund(until, &at)).expect("a tab can be funded")
}

/// What is to be written: of each transition its commit.
pub fn commits(transitions: &[Transition<Tab<Running>>]) -> Vec<Commit> {
    transitions.iter().flat_map(|transition| transition.commits().iter().cloned()).collect()
}

/// The values of transitions that were written.
pub async fn saved(
    transitions: Vec<Transition<Tab<Running>>>,
    revisions: impl IntoIterator<Item = Revision>,
) -> Vec<Tab<Running>> {
    let mut tabs = Vec::with_capacity(transitions.len());
    for (transition, revision) in transitions.into_iter().zip(revisions) {
        tabs.push(transition.save(&mut Written(revision)).await.expect("it was written"));
    }
    tabs
}

/// A unit in which the commit was written already, together with others.
struct Written(Revision);

impl UnitOfWork for Written {
    type Error = Infallible;

    async fn log(&mut self, _: Subject) -> Result<Option<Log>, Infallible> {
        Ok(None)
    }
    async fn answered(&mut self, _: &RequestKey) -> Result<Option<Answered>, Infallible> {
        Ok(None)
    }
    async fn append(&mut self, _: &Commit) -> Result<Appended, Infallible> {
        Ok(Appended::Stored(self.0))
    }
    async fn append_all(&mut self, commits: &[Commit]) -> Result<AppendedAll, Infallible> {
        Ok(AppendedAll::Stored(vec![self.0; commits.len()]))
    }
}
