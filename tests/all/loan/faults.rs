//! A store that fails once, at each point in turn: what was begun is undone, and what has to happen happens once.

use super::*;
use crate::{
    campaign::faults::{Flaky, Fuse, World, cut, finished, run, send},
    harness::{START, ops},
};
use escrowed::{
    escrow::{Escrow, ManualClock},
    gateway::Verb,
    memory::Memory,
    sandbox::Sandbox,
};
use futures_lite::future::block_on;

/// Does it over and over until it is done for good.
async fn done<S: Store>(shop: &World<S>, id: LoanId, by: Actor, command: impl Fn() -> Command<'static>) {
    loop {
        let mut unit = shop.escrow.store().begin().await.unwrap();
        let done = shop.escrow.act(&mut unit, id, command(), by.clone()).await;
        if finished(shop, unit, cut(done)).await {
            return;
        }
    }
}

/// A loan from its opening to its end. Returns what is to be seen, and whether everything was done before the fuse had burnt
/// down.
async fn drive<S: Store>(shop: &World<S>) -> (String, bool) {
    let (escrow, clock) = (&shop.escrow, shop.escrow.clock());
    let terms = policy(|policy| policy.batch = 2);
    let id = loop {
        let mut unit = escrow.store().begin().await.unwrap();
        let open = escrow.open(&mut unit, Loan::open, terms.clone(), bea()).await.map(|loan| loan.id());
        let Ok(id) = open else {
            assert!(cut(open));
            continue;
        };
        if escrow.store().commit(unit).await.is_ok() {
            break id;
        }
    };
    for (name, amount) in [("anna", "5000.00"), ("ben", "3000.00"), ("cleo", "2000.00")] {
        clock.advance(Duration::from_millis(1));
        loop {
            let mut unit = escrow.store().begin().await.unwrap();
            let offer = Offer { backer: party(name), amount: euro(amount) };
            let done = escrow.pledge(&mut unit, id, offer, Method::Card, user(name)).await;
            if finished(shop, unit, cut(done)).await {
                break;
            }
        }
    }
    send(shop).await;
    clock.advance(Duration::from_secs(600));
    run(shop).await;
    done(shop, id, bea(), || Command::Validate {}).await;
    // Paid by card at once; declined, and paid from the wallet on a day after it was due.
    for (day, wallet) in [(31, false), (40, true)] {
        let drive = Drive { shop, id };
        drive.until(if day == 31 { "2026-06-07" } else { "2026-07-16" });
        run(shop).await;
        let amount = euro("860.66");
        done(shop, id, bea(), || Command::Repay { amount, by: Method::Card }).await;
        if wallet {
            shop.gateway().script(Verb::Charge, [decline()]);
        }
        send(shop).await;
        if wallet {
            done(shop, id, bea(), || Command::Repay { amount, by: Method::Wallet }).await;
        }
        run(shop).await;
    }
    done(shop, id, ops(), || Command::DeclareDefault {}).await;
    done(shop, id, bea(), || Command::Repay { amount: euro("99.99"), by: Method::Wallet }).await;
    run(shop).await;
    done(shop, id, ops(), || Command::WriteOff {}).await;
    let in_time = !escrow.store().fuse.is_out();
    escrow.store().fuse.light(0);
    shop.settle_down().await;
    shop.audit().await;
    let drive = Drive { shop, id };
    let mut seen = vec![drive.path().await, format!("{:?}", drive.now().await.facts().repaid())];
    for pledge in drive.pledges().await {
        let (backer, received) = (&pledge.facts().terms().offer.backer, pledge.facts().received());
        seen.push(format!("{backer}: {received:?} {}", drive.wallet(backer.as_str()).await));
    }
    seen.sort();
    for distribution in drive.distributions().await {
        assert_eq!(distribution.status(), distribution::Status::Shared);
    }
    seen.push(format!("{} {}", shop.balance("world:sandbox").await, drive.wallet("bea").await));
    (seen.join("\n"), in_time)
}

fn world<S: Store>(store: S) -> World<S> {
    let store = Flaky { store, fuse: Fuse::default() };
    Shop { escrow: Escrow::with_clock(store, Sandbox::new(1), ManualClock::at(START.parse().unwrap())) }
}

/// Fails at every point in turn, until there is none left to fail at. How many there were.
async fn fail_everywhere<S: Store>(make: impl Fn(usize) -> S, step: usize) -> usize {
    let (wanted, _) = drive(&world(make(0))).await;
    assert!(wanted.contains("REPAYING LATE REPAYING DEFAULTED WRITTEN_OFF"), "{wanted}");
    let mut at = 1;
    loop {
        let shop = world(make(at));
        shop.escrow.store().fuse.light(at);
        let (seen, in_time) = drive(&shop).await;
        assert_eq!(seen, wanted, "after a failure at point {at}");
        if in_time {
            return at;
        }
        at += step;
    }
}

#[test]
fn a_failure_anywhere_changes_nothing_of_what_comes_of_it_in_memory() {
    let points = block_on(fail_everywhere(|_| Memory::new(), 1));
    assert!(points > 40, "only {points} points");
}

#[cfg(feature = "sqlite")]
#[test]
fn a_failure_anywhere_changes_nothing_of_what_comes_of_it_in_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let open = |at| escrowed::sqlite::Sqlite::open(folder.path().join(format!("{at}.db"))).unwrap();
    let points = block_on(fail_everywhere(open, 5));
    assert!(points > 40, "only {points} points");
}
