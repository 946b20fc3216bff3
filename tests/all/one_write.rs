//! Whatever is done, it is done by one write: a store that refuses a second one in the same unit.

use escrowed::{
    gateway::IdempotencyKey,
    id::Subject,
    ledger::{Account, Balance},
    memory::Memory,
    money::{Currency, Money},
    party::PartyId,
    store::{
        Answered, Appended, AppendedAll, BookedEntry, CallState, CallStatus, Commit, Cursor, DueLease, IndexEntry,
        Inventory, Lease, LeasedCall, Log, Outbox, Page, Postponement, Query, RequestKey, Store, UnitOfWork,
        Unreadable, Views,
    },
};
use std::collections::BTreeSet;

/// A store whose units take one write each.
#[derive(Debug, Clone)]
pub(crate) struct OneWrite<S>(pub(crate) S);

pub(crate) struct OneWriteUnit<U> {
    unit: U,
    written: bool,
    /// Which logs were read since the last look.
    read: Vec<Subject>,
}

impl OneWrite<Memory> {
    pub(crate) fn memory() -> Self {
        Self(Memory::new())
    }
}

impl<S: Store> Store for OneWrite<S> {
    type Unit = OneWriteUnit<S::Unit>;
    type Error = S::Error;

    async fn begin(&self) -> Result<Self::Unit, S::Error> {
        Ok(OneWriteUnit { unit: self.0.begin().await?, written: false, read: Vec::new() })
    }

    async fn commit(&self, unit: Self::Unit) -> Result<(), S::Error> {
        self.0.commit(unit.unit).await
    }
}

impl<U> OneWriteUnit<U> {
    fn write(&mut self, commits: &[Commit]) {
        assert!(!self.written, "a second write in one unit: {commits:?}");
        self.written = true;
        let subjects: BTreeSet<_> = commits.iter().map(Commit::subject).collect();
        assert_eq!(subjects.len(), commits.len(), "two commits of one subject: {commits:?}");
    }
}

impl<U: UnitOfWork> UnitOfWork for OneWriteUnit<U> {
    type Error = U::Error;

    async fn log(&mut self, subject: Subject) -> Result<Option<Log>, U::Error> {
        self.read.push(subject);
        self.unit.log(subject).await
    }
    async fn answered(&mut self, key: &RequestKey) -> Result<Option<Answered>, U::Error> {
        self.unit.answered(key).await
    }
    async fn append(&mut self, commit: &Commit) -> Result<Appended, U::Error> {
        self.write(std::slice::from_ref(commit));
        self.unit.append(commit).await
    }
    async fn append_all(&mut self, commits: &[Commit]) -> Result<AppendedAll, U::Error> {
        self.write(commits);
        self.unit.append_all(commits).await
    }
}

impl<U: Outbox> Outbox for OneWriteUnit<U> {
    async fn lease(&mut self, lease: &Lease) -> Result<Vec<Result<LeasedCall, Unreadable>>, U::Error> {
        self.unit.lease(lease).await
    }
    async fn call(&mut self, key: &IdempotencyKey) -> Result<Option<CallState>, U::Error> {
        self.unit.call(key).await
    }
    async fn postpone(&mut self, postponement: &Postponement<'_>) -> Result<bool, U::Error> {
        self.unit.postpone(postponement).await
    }
    async fn lease_due(&mut self, lease: &DueLease) -> Result<Vec<Result<IndexEntry, Unreadable>>, U::Error> {
        self.unit.lease_due(lease).await
    }
    async fn calls(
        &mut self,
        status: CallStatus,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Result<CallState, Unreadable>>, U::Error> {
        self.unit.calls(status, after, limit).await
    }
}

impl<U: Views> Views for OneWriteUnit<U> {
    async fn find(&mut self, query: &Query, after: Option<&Cursor>, limit: usize) -> Result<Page, U::Error> {
        self.unit.find(query, after, limit).await
    }
    async fn balance(&mut self, account: &Account, currency: Currency) -> Result<Money, U::Error> {
        self.unit.balance(account, currency).await
    }
    async fn balances(&mut self, after: Option<(&Account, Currency)>, limit: usize) -> Result<Vec<Balance>, U::Error> {
        self.unit.balances(after, limit).await
    }
    async fn entries(&mut self, account: &Account, after: i64, limit: usize) -> Result<Vec<BookedEntry>, U::Error> {
        self.unit.entries(account, after, limit).await
    }
    async fn books(&mut self, after: i64, limit: usize) -> Result<Vec<BookedEntry>, U::Error> {
        self.unit.books(after, limit).await
    }
}

impl<U: Inventory> Inventory for OneWriteUnit<U> {
    async fn subjects(&mut self, after: Option<Subject>, limit: usize) -> Result<Vec<Subject>, U::Error> {
        self.unit.subjects(after, limit).await
    }
    async fn row(&mut self, subject: Subject) -> Result<Option<IndexEntry>, U::Error> {
        self.unit.row(subject).await
    }
    async fn members(
        &mut self,
        after: Option<(&PartyId, Subject)>,
        limit: usize,
    ) -> Result<Vec<(PartyId, Subject)>, U::Error> {
        self.unit.members(after, limit).await
    }
    async fn accounts(&mut self, after: Option<&Account>, limit: usize) -> Result<Vec<Account>, U::Error> {
        self.unit.accounts(after, limit).await
    }
    async fn balances_of(&mut self, account: &Account) -> Result<Vec<Balance>, U::Error> {
        self.unit.balances_of(account).await
    }
    async fn lane(&mut self, key: &IdempotencyKey) -> Result<Option<Subject>, U::Error> {
        self.unit.lane(key).await
    }
    async fn requests(
        &mut self,
        after: Option<&RequestKey>,
        limit: usize,
    ) -> Result<Vec<(RequestKey, Answered)>, U::Error> {
        self.unit.requests(after, limit).await
    }
}

mod tests {
    use super::*;
    use crate::harness::{Shop, euro, key, ops, terms, user};
    use escrowed::{
        gateway::{Outcome, Report, Verb},
        order::{Command, Status},
        payment::{AnyPayin, Method, payin},
    };
    use futures_lite::future::block_on;

    /// That a unit has written, and has read no log twice.
    fn at_once<U>(unit: &OneWriteUnit<U>) {
        assert!(unit.written);
        let subjects: BTreeSet<_> = unit.read.iter().collect();
        assert_eq!(subjects.len(), unit.read.len(), "a log was read twice: {:?}", unit.read);
    }

    #[test]
    fn a_cancelled_order_refunds_a_wallet_in_one_write() {
        block_on(async {
            let shop = Shop::new(OneWrite::memory(), 1);
            shop.fill_wallet("anna", euro("100.00")).await;
            let id = shop.open(terms()).await;
            shop.act(id, Command::Pay { by: Method::Wallet }, user("anna")).await;
            let mut unit = shop.begin().await;
            let order = shop.escrow.act(&mut unit, id, Command::Cancel {}, user("anna")).await.unwrap();
            assert_eq!(order.status(), Status::Cancelled);
            // The order, its refund, and the payin that counts the refund.
            at_once(&unit);
            shop.commit(unit).await;
            assert_eq!(shop.payin(id).await.status(), payin::Status::Refunded);
            assert_eq!(shop.balance("wallet:anna").await, euro("100.00"));
            shop.audit().await;
        });
    }

    #[test]
    fn a_payment_that_nobody_waits_for_any_more_is_called_off_in_the_same_write() {
        block_on(async {
            let shop = Shop::new(OneWrite::memory(), 1);
            let id = shop.open(terms()).await;
            shop.act(id, Command::Pay { by: Method::Card }, user("anna")).await;
            let mut unit = shop.begin().await;
            shop.escrow.act(&mut unit, id, Command::Cancel {}, ops()).await.unwrap();
            at_once(&unit);
            shop.commit(unit).await;
            assert!(matches!(shop.payin(id).await, AnyPayin::Cancelled(_)));
        });
    }

    #[test]
    fn a_report_is_taken_in_one_write() {
        block_on(async {
            let shop = Shop::new(OneWrite::memory(), 1);
            for decline in [false, true] {
                let id = shop.open(terms()).await;
                shop.act(id, Command::Pay { by: Method::Card }, user("anna")).await;
                let call = key(shop.payin(id).await.id().subject(), Verb::Charge);
                let outcome = if decline {
                    Outcome::Declined { reason: "insufficient funds".parse().unwrap() }
                } else {
                    Outcome::Settled { moved: euro("100.00") }
                };
                let mut unit = shop.begin().await;
                shop.escrow.report(&mut unit, &Report { key: call, outcome }).await.unwrap();
                at_once(&unit);
                shop.commit(unit).await;
                let reached = if decline { Status::Failure } else { Status::Published };
                assert_eq!(shop.status(id).await, reached);
            }
        });
    }

    #[test]
    fn the_value_that_comes_back_is_as_it_was_written_and_goes_on() {
        block_on(async {
            let shop = Shop::new(OneWrite::memory(), 1);
            let id = shop.open(terms()).await;
            let order = shop.act(id, Command::Pay { by: Method::Card }, user("anna")).await;
            let at = shop.escrow.stamp(ops());
            let taken = order.handle(Command::Cancel {}, &at).unwrap();
            let mut unit = shop.begin().await;
            let cancelled = shop.escrow.save(&mut unit, taken, &at).await.unwrap();
            shop.commit(unit).await;
            assert_eq!(format!("{cancelled:?}"), format!("{:?}", shop.order(id).await));
        });
    }
}
