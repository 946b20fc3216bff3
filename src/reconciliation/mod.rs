//! Reconciliation: a gateway's settlement file beside our own books, line by line.
//!
//! ```
//! use escrowed::{escrow::Escrow, memory::Memory, order, party::Actor, payment::Method, sandbox::Sandbox};
//! use escrowed::{reconciliation::{SettlementLine, reconcile}, statement::Span, store::{Query, Store, Views}};
//! # futures_lite::future::block_on(async {
//! # let escrow = Escrow::new(Memory::new(), Sandbox::new(7));
//! # let ops = Actor::platform("ops".parse()?);
//! # let mut unit = escrow.store().begin().await?;
//! # let mut orders = Vec::new();
//! # for amount in ["100.00 EUR", "40.00 EUR", "7.50 EUR"] {
//! #     let terms = order::Terms::new("A bicycle".parse()?, amount.parse()?, "sam".parse()?, "shop".parse()?, "sandbox".parse()?);
//! #     let id = escrow.open_order(&mut unit, terms, ops.clone()).await?.id();
//! #     escrow.act(&mut unit, id, order::Command::IdentifyBuyer { buyer: "anna".parse()? }, ops.clone()).await?;
//! #     escrow.act(&mut unit, id, order::Command::Pay { by: Method::Card }, Actor::Party("anna".parse()?)).await?;
//! #     orders.push(unit.find(&Query::About(id.subject()), None, 1).await?.rows[0].subject);
//! # }
//! # escrow.store().commit(unit).await?;
//! # escrow.send(&"worker-1".parse()?, 10).await?;
//! # let [first, second, third] = orders[..] else { panic!() };
//! // Anna paid three orders by card: €100.00, €40.00 and €7.50. The gateway's file knows two of them.
//! let line = |line, reference: &str, amount: &str| -> Result<_, Box<dyn std::error::Error>> {
//!     Ok(SettlementLine { line, reference: Some(reference.parse()?), amount: amount.parse()?, date: None, kind: None })
//! };
//! let file = [
//!     line(2, &format!("{first}:charge"), "100.00 EUR")?,
//!     line(3, &format!("{second}:charge"), "39.00 EUR")?,
//!     line(4, "ch_3MmlLr", "5.00 EUR")?,
//! ];
//! let lines = file.into_iter().map(Ok::<_, std::convert::Infallible>);
//! let mut unit = escrow.store().begin().await?;
//! let found = reconcile(&mut unit, &"sandbox".parse()?, Span::ALL, lines).await?;
//! assert_eq!(found.matched[0].payment, first);
//! assert_eq!((found.differing[0].payment, found.differing[0].here.to_string()), (second, "40.00 EUR".into()));
//! assert_eq!(found.missing_here[0].line.line, 4);
//! assert_eq!((found.missing_there[0].payment, found.missing_there[0].amount.to_string()), (third, "7.50 EUR".into()));
//! assert!(!found.is_clean());
//! # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
//! ```
//!
//! Our side is what the books say moved between a payment and the world, beside the settled call that moved it. A payment
//! moves money once, so a line is matched by its payment: the line's reference is the
//! [`IdempotencyKey`](crate::gateway::IdempotencyKey) that the gateway was given with a call, or the payment's id alone.
//! Amounts are seen from the gateway: above zero what it took from payers, below zero what it paid out.
//!
//! Two kinds move money more than once, and are told apart by the amount: a payout or refund that came back, and a chargeback,
//! which takes its amount and the gateway's fee, in one line or two, and returns the amount when it was won. The id of a
//! chargeback that the gateway knows by a name of its own is [`chargeback::id_of`](crate::payment::chargeback::id_of).
//!
//! The file and the books draw their lines between days at different moments: a gateway settles before it reports. So a line
//! is looked for among everything that was ever booked, whereas a booked payment has to be in the file only if it was booked
//! within the [`Span`](crate::statement::Span) that is given.
//!
//! Lines come from anywhere: from a provider's API, or, with the feature `csv`, from a `SettlementFile`.
//!
//! Nothing is held in memory but one line, a page of entries, the id of each payment that the file names with the number of its
//! line, and what was found: [`reconcile_each`] hands that over piece by piece instead. Each line is looked up by its payment;
//! then the entries on the gateway's account are read once, from the first to the last.

#[cfg(feature = "csv")]
mod columns;
mod compare;
#[cfg(feature = "csv")]
mod file;
#[cfg(feature = "csv")]
mod lines;
#[cfg(all(test, feature = "csv"))]
mod tests;

#[cfg(feature = "csv")]
pub use columns::{AmountColumn, Columns, CurrencyColumn, Separator, Signs};
pub use compare::{reconcile, reconcile_each};
#[cfg(feature = "csv")]
pub use file::{LineProblem, SettlementFile, SettlementFileError};

use crate::{
    id::Subject,
    ledger::GatewayName,
    money::{Money, MoneyError},
    store::CallStatus,
    text::Name,
    time::Timestamp,
};
use serde::{Serialize, Serializer};

/// One line of a settlement file: what the gateway says it moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SettlementLine {
    /// Where it is in the file, from 1, the header included.
    pub line: u64,
    /// What the gateway says it was for: an idempotency key of ours, the id of a payment of ours, or something of its own.
    pub reference: Option<Name>,
    /// How much, in minor units: above zero what it took from a payer, below zero what it paid out.
    pub amount: Money,
    /// When, in the gateway's words. It is shown, not compared.
    pub date: Option<Name>,
    /// What it was, in the gateway's words. It is shown, not compared.
    pub kind: Option<Name>,
}

/// What became of one line, or of one entry of ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// Both sides say the same.
    Matched(Matched),
    /// Both sides know it, with different amounts or currencies.
    Differs(Differs),
    /// The file has it, our books have not.
    MissingHere(MissingHere),
    /// Our books have it, the file has not.
    MissingThere(MissingThere),
    /// The file names a payment again. Such a line is compared with nothing.
    Duplicate(Duplicate),
    /// Our own outbox and our own books do not say the same of a payment that the file names. Told beside what became of
    /// the line.
    Astray(Astray),
}

/// Both sides say the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Matched {
    /// The line.
    pub line: SettlementLine,
    /// The payment.
    pub payment: Subject,
}

/// Both sides know it, with different amounts or currencies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Differs {
    /// The line, with the gateway's amount.
    pub line: SettlementLine,
    /// The payment.
    pub payment: Subject,
    /// What our books say moved, in minor units, seen from the gateway.
    pub here: Money,
}

/// The file has it, our books have not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MissingHere {
    /// The line.
    pub line: SettlementLine,
    /// What is known of it here.
    pub why: Unbooked,
}

/// What is known of a line that our books do not have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unbooked {
    /// Nothing: the reference is none of ours, or no gateway was ever asked to move money for it. A fee of the gateway's
    /// own, for instance.
    Unknown,
    /// The payment goes through another gateway.
    OtherGateway(GatewayName),
    /// Its call is in the outbox and has not been answered: the report got lost or is still to come, or the call was
    /// withdrawn before anybody had sent it.
    Unanswered(#[serde(serialize_with = "by_name")] CallStatus),
    /// The gateway declined it, as far as we know.
    Declined,
    /// What the gateway did for it moved no money: an amount was reserved, or let go of.
    NothingMoved,
    /// The outbox says that it moved money, the books do not: see [`Astray`].
    Settled,
}

/// Our books have it, the file has not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MissingThere {
    /// The payment.
    pub payment: Subject,
    /// The number of the entry in the books.
    pub number: i64,
    /// When it was booked (UTC).
    pub at: Timestamp,
    /// How much, in minor units, seen from the gateway.
    pub amount: Money,
}

/// The file names a payment again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Duplicate {
    /// The line.
    pub line: SettlementLine,
    /// The payment.
    pub payment: Subject,
    /// The line that named it first.
    pub first: u64,
}

/// Our own outbox and our own books do not say the same. They are written in one commit, so somebody changed one of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Astray {
    /// The payment.
    pub payment: Subject,
    /// What moved by its settled call, in minor units, seen from the gateway.
    pub called: Option<Money>,
    /// What moved by the books, in minor units, seen from the gateway.
    pub booked: Option<Money>,
}

/// All that was found, each kind in the order of the file or of the books.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Reconciliation {
    /// On both sides, the same.
    pub matched: Vec<Matched>,
    /// On both sides, not the same.
    pub differing: Vec<Differs>,
    /// In the file only.
    pub missing_here: Vec<MissingHere>,
    /// In our books only.
    pub missing_there: Vec<MissingThere>,
    /// In the file more than once.
    pub duplicates: Vec<Duplicate>,
    /// Not the same in our outbox and in our books.
    pub astray: Vec<Astray>,
}

/// Why a file was not reconciled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReconciliationError<E, L> {
    /// A line could not be read. Nothing after it was looked at.
    #[error("the settlement file cannot be read")]
    Line(#[source] L),
    /// What a payment moved does not fit into 64 bits.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// The storage failed.
    #[error("the storage failed")]
    Storage(#[source] E),
}

impl Reconciliation {
    /// Whether both sides say the same throughout.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        let Self { matched: _, differing, missing_here, missing_there, duplicates, astray } = self;
        differing.is_empty()
            && missing_here.is_empty()
            && missing_there.is_empty()
            && duplicates.is_empty()
            && astray.is_empty()
    }

    /// Puts a finding where it belongs.
    pub fn add(&mut self, finding: Finding) {
        match finding {
            Finding::Matched(found) => self.matched.push(found),
            Finding::Differs(found) => self.differing.push(found),
            Finding::MissingHere(found) => self.missing_here.push(found),
            Finding::MissingThere(found) => self.missing_there.push(found),
            Finding::Duplicate(found) => self.duplicates.push(found),
            Finding::Astray(found) => self.astray.push(found),
        }
    }
}

fn by_name<S: Serializer>(status: &CallStatus, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(status.name())
}
