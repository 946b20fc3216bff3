//! A store that fails once, at each point in turn: what was begun is undone, and what has to happen happens once.

use super::*;
use crate::harness::{START, bank};
use escrowed::{
    campaign::Keep,
    escrow::{Escrow, ManualClock},
    gateway::IdempotencyKey,
    id::Subject,
    ledger::{Account, Balance},
    memory::Memory,
    money::{Currency, Money},
    party::PartyId,
    sandbox::Sandbox,
    store::{
        Answered, Appended, AppendedAll, BookedEntry, CallState, CallStatus, Commit, Cursor, DueLease, IndexEntry,
        Inventory, Lease, LeasedCall, Log, Outbox, Page, Postponement, RequestKey, UnitOfWork, Unreadable, Views,
    },
};
use futures_lite::future::block_on;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// Counts down; what is asked when it comes to zero fails.
#[derive(Clone, Default)]
pub(crate) struct Fuse(Arc<AtomicUsize>);

pub(crate) struct Flaky<S> {
    pub(crate) store: S,
    pub(crate) fuse: Fuse,
}

pub(crate) struct FlakyUnit<U> {
    unit: U,
    fuse: Fuse,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum Failed<E> {
    #[error("the line is cut")]
    Cut,
    #[error(transparent)]
    Store(E),
}

impl Fuse {
    fn burn<E>(&self) -> Result<(), Failed<E>> {
        let left = self.0.load(Ordering::SeqCst);
        self.0.store(left.saturating_sub(1), Ordering::SeqCst);
        if left == 1 { Err(Failed::Cut) } else { Ok(()) }
    }

    pub(crate) fn light(&self, length: usize) {
        self.0.store(length, Ordering::SeqCst);
    }

    pub(crate) fn is_out(&self) -> bool {
        self.0.load(Ordering::SeqCst) == 0
    }
}

impl<S: Store> Store for Flaky<S> {
    type Unit = FlakyUnit<S::Unit>;
    type Error = Failed<S::Error>;
    async fn begin(&self) -> Result<Self::Unit, Self::Error> {
        let fuse = self.fuse.clone();
        Ok(FlakyUnit { unit: self.store.begin().await.map_err(Failed::Store)?, fuse })
    }
    async fn commit(&self, unit: Self::Unit) -> Result<(), Self::Error> {
        // The unit is dropped, and so rolled back.
        self.fuse.burn()?;
        self.store.commit(unit.unit).await.map_err(Failed::Store)
    }
}

impl<U: UnitOfWork> UnitOfWork for FlakyUnit<U> {
    type Error = Failed<U::Error>;
    async fn log(&mut self, subject: Subject) -> Result<Option<Log>, Self::Error> {
        self.unit.log(subject).await.map_err(Failed::Store)
    }
    async fn answered(&mut self, key: &RequestKey) -> Result<Option<Answered>, Self::Error> {
        self.unit.answered(key).await.map_err(Failed::Store)
    }
    async fn append(&mut self, commit: &Commit) -> Result<Appended, Self::Error> {
        self.fuse.burn()?;
        self.unit.append(commit).await.map_err(Failed::Store)
    }
    async fn append_all(&mut self, commits: &[Commit]) -> Result<AppendedAll, Self::Error> {
        self.fuse.burn()?;
        self.unit.append_all(commits).await.map_err(Failed::Store)
    }
}

impl<U: Outbox> Outbox for FlakyUnit<U> {
    async fn lease(&mut self, lease: &Lease) -> Result<Vec<Result<LeasedCall, Unreadable>>, Self::Error> {
        self.unit.lease(lease).await.map_err(Failed::Store)
    }
    async fn call(&mut self, key: &IdempotencyKey) -> Result<Option<CallState>, Self::Error> {
        self.unit.call(key).await.map_err(Failed::Store)
    }
    async fn postpone(&mut self, postponement: &Postponement<'_>) -> Result<bool, Self::Error> {
        self.unit.postpone(postponement).await.map_err(Failed::Store)
    }
    async fn lease_due(&mut self, lease: &DueLease) -> Result<Vec<Result<IndexEntry, Unreadable>>, Self::Error> {
        self.unit.lease_due(lease).await.map_err(Failed::Store)
    }
    async fn calls(
        &mut self,
        status: CallStatus,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Result<CallState, Unreadable>>, Self::Error> {
        self.unit.calls(status, after, limit).await.map_err(Failed::Store)
    }
}

impl<U: Views> Views for FlakyUnit<U> {
    async fn find(&mut self, query: &Query, after: Option<&Cursor>, limit: usize) -> Result<Page, Self::Error> {
        self.unit.find(query, after, limit).await.map_err(Failed::Store)
    }
    async fn balance(&mut self, account: &Account, currency: Currency) -> Result<Money, Self::Error> {
        self.unit.balance(account, currency).await.map_err(Failed::Store)
    }
    async fn balances(
        &mut self,
        after: Option<(&Account, Currency)>,
        limit: usize,
    ) -> Result<Vec<Balance>, Self::Error> {
        self.unit.balances(after, limit).await.map_err(Failed::Store)
    }
    async fn entries(&mut self, account: &Account, after: i64, limit: usize) -> Result<Vec<BookedEntry>, Self::Error> {
        self.unit.entries(account, after, limit).await.map_err(Failed::Store)
    }
    async fn books(&mut self, after: i64, limit: usize) -> Result<Vec<BookedEntry>, Self::Error> {
        self.unit.books(after, limit).await.map_err(Failed::Store)
    }
}

impl<U: Inventory> Inventory for FlakyUnit<U> {
    async fn subjects(&mut self, after: Option<Subject>, limit: usize) -> Result<Vec<Subject>, Self::Error> {
        self.unit.subjects(after, limit).await.map_err(Failed::Store)
    }
    async fn row(&mut self, subject: Subject) -> Result<Option<IndexEntry>, Self::Error> {
        self.unit.row(subject).await.map_err(Failed::Store)
    }
    async fn members(
        &mut self,
        after: Option<(&PartyId, Subject)>,
        limit: usize,
    ) -> Result<Vec<(PartyId, Subject)>, Self::Error> {
        self.unit.members(after, limit).await.map_err(Failed::Store)
    }
    async fn accounts(&mut self, after: Option<&Account>, limit: usize) -> Result<Vec<Account>, Self::Error> {
        self.unit.accounts(after, limit).await.map_err(Failed::Store)
    }
    async fn balances_of(&mut self, account: &Account) -> Result<Vec<Balance>, Self::Error> {
        self.unit.balances_of(account).await.map_err(Failed::Store)
    }
    async fn lane(&mut self, key: &IdempotencyKey) -> Result<Option<Subject>, Self::Error> {
        self.unit.lane(key).await.map_err(Failed::Store)
    }
    async fn requests(
        &mut self,
        after: Option<&RequestKey>,
        limit: usize,
    ) -> Result<Vec<(RequestKey, Answered)>, Self::Error> {
        self.unit.requests(after, limit).await.map_err(Failed::Store)
    }
}

pub(crate) type World<S> = Shop<Flaky<S>>;

/// Whether the store failed. Nothing else may.
pub(crate) fn cut<T, E: std::fmt::Debug>(done: Result<T, EscrowError<Failed<E>>>) -> bool {
    match done {
        Ok(_) => false,
        Err(EscrowError::Storage(Failed::Cut)) => true,
        Err(error) => panic!("{error:?}"),
    }
}

/// Commits what was done, or rolls it back. Whether it is done for good; the books are in order in any case.
pub(crate) async fn finished<S: Store>(shop: &World<S>, unit: FlakyUnit<S::Unit>, cut: bool) -> bool {
    let done = if cut {
        drop(unit);
        false
    } else {
        shop.escrow.store().commit(unit).await.is_ok()
    };
    shop.audit().await;
    done
}

/// A campaign from its opening to its end, over and over until each part of it was done. Returns what is to be seen,
/// and whether everything was done before the fuse had burnt down.
async fn drive<S: Store>(shop: &World<S>, keep: Keep) -> (String, bool) {
    let (escrow, clock) = (&shop.escrow, shop.escrow.clock());
    let begin = async || escrow.store().begin().await.unwrap();
    let mut opened = terms();
    opened.policy.batch = 2;
    opened.policy.keep = keep;
    opened.payout = Some(bank("ba_olga"));
    let id = loop {
        let mut unit = begin().await;
        let open = escrow.open(&mut unit, Campaign::open, opened.clone(), olga()).await.map(|campaign| campaign.id());
        let Ok(id) = open else {
            assert!(cut(open));
            continue;
        };
        if escrow.store().commit(unit).await.is_ok() {
            break id;
        }
    };
    let methods = [Method::Card, wire("ben"), Method::Wallet, Method::Card, Method::Card];
    for (number, method) in methods.into_iter().enumerate() {
        let (name, amount) = (["anna", "ben", "cleo", "dora", "emil"][number], "20.00");
        loop {
            let mut unit = begin().await;
            let done = escrow.pledge(&mut unit, id, offer(name, amount), method.clone(), user(name)).await;
            if finished(shop, unit, cut(done)).await {
                break;
            }
        }
    }
    // Emil's payment is still open at the end.
    shop.gateway().script_call(&charge(shop, id, "emil").await, [Behaviour::Pend]);
    send(shop).await;
    clock.advance(SLOT);
    run(shop).await;
    // One of them changes its mind after the gathering.
    let dora = pledge_of(shop, id, "dora").await;
    loop {
        let mut unit = begin().await;
        let done = escrow.act_on_pledge(&mut unit, dora, pledge::Command::Withdraw {}, user("dora")).await;
        if finished(shop, unit, cut(done)).await {
            break;
        }
    }
    clock.advance(DAY);
    run(shop).await;
    while shop.load(id).await.status() == Status::Funded {
        let mut unit = begin().await;
        let done = escrow.act(&mut unit, id, Command::Validate {}, olga()).await;
        finished(shop, unit, cut(done)).await;
    }
    send(shop).await;
    run(shop).await;
    let in_time = !escrow.store().fuse.is_out();
    escrow.store().fuse.light(0);
    shop.settle_down().await;
    shop.audit().await;
    let mut seen = vec![format!("{:?}", path_of(shop, id).await)];
    for name in ["anna", "ben", "cleo", "dora", "emil"] {
        let pledge = pledge_of(shop, id, name).await;
        let (refunds, status) = (shop.refunds(pledge).await.len(), shop.load(pledge).await.status());
        seen.push(format!("{name}: {status}, {refunds} refunds, {}", shop.balance(&format!("wallet:{name}")).await));
    }
    seen.push(format!("{} {}", shop.balance("world:sandbox").await, shop.balance(&format!("escrow:{id}")).await));
    (seen.join("\n"), in_time)
}

async fn path_of<S: Store>(shop: &World<S>, id: CampaignId) -> Vec<&'static str> {
    shop.load(id).await.history().by_time().iter().map(|passage| passage.code.name()).collect()
}

async fn pledge_of<S: Store>(shop: &World<S>, id: CampaignId, name: &str) -> PledgeId {
    let drive = Drive { shop, id };
    let pledges = drive.pledges().await;
    pledges.iter().find(|pledge| pledge.facts().terms().offer.backer == party(name)).expect("a pledge").id()
}

async fn charge<S: Store>(shop: &World<S>, id: CampaignId, name: &str) -> IdempotencyKey {
    let pledge = pledge_of(shop, id, name).await;
    crate::harness::key(shop.payins(pledge).await[0].id().subject(), Verb::Charge)
}

pub(crate) async fn send<S: Store>(shop: &World<S>) {
    loop {
        match shop.escrow.send(&"worker".parse().unwrap(), 100).await {
            Ok(sent) if sent.taken == 0 => return,
            Ok(_) => {}
            done => {
                assert!(cut(done));
                shop.audit().await;
                // Another worker takes over once the lease has ended.
                shop.escrow.clock().advance(Duration::from_secs(61));
            }
        }
    }
}

pub(crate) async fn run<S: Store>(shop: &World<S>) {
    loop {
        match shop.escrow.run_due(&worker(), 100).await {
            Ok(due) if due.taken == 0 => return,
            Ok(due) => assert_eq!(due.failed, 0),
            done => {
                assert!(cut(done));
                shop.audit().await;
                // Another worker takes over once the lease has ended.
                shop.escrow.clock().advance(Duration::from_secs(61));
            }
        }
    }
}

async fn world<S: Store>(store: S) -> World<S> {
    let store = Flaky { store, fuse: Fuse::default() };
    let shop = Shop { escrow: Escrow::with_clock(store, Sandbox::new(1), ManualClock::at(START.parse().unwrap())) };
    shop.fill_wallet("cleo", euro("30.00")).await;
    shop
}

/// Fails at every point in turn, until there is none left to fail at. How many there were.
async fn fail_everywhere<S: Store>(keep: Keep, make: impl Fn(usize) -> S, step: usize) -> usize {
    let (wanted, _) = drive(&world(make(0)).await, keep).await;
    let end = if keep == Keep::KeepItAll { "RELEASED" } else { "RETURNED" };
    assert!(wanted.contains(end), "{wanted}");
    let mut at = 1;
    loop {
        let shop = world(make(at)).await;
        shop.escrow.store().fuse.light(at);
        let (seen, in_time) = drive(&shop, keep).await;
        assert_eq!(seen, wanted, "after a failure at point {at}");
        if in_time {
            return at;
        }
        at += step;
    }
}

#[test]
fn a_failure_anywhere_changes_nothing_of_what_comes_of_it_in_memory() {
    for keep in [Keep::AllOrNothing, Keep::KeepItAll] {
        let points = block_on(fail_everywhere(keep, |_| Memory::new(), 1));
        assert!(points > 40, "only {points} points");
    }
}

#[cfg(feature = "sqlite")]
#[test]
fn a_failure_anywhere_changes_nothing_of_what_comes_of_it_in_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    for keep in [Keep::AllOrNothing, Keep::KeepItAll] {
        let open = |at| escrowed::sqlite::Sqlite::open(folder.path().join(format!("{keep:?}{at}.db"))).unwrap();
        let points = block_on(fail_everywhere(keep, open, 5));
        assert!(points > 40, "only {points} points");
    }
}
