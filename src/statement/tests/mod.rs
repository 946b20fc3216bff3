//! Statements of books whose entries were stamped in any order.

mod any;
#[cfg(feature = "csv")]
mod table;

use super::*;
use crate::{
    conformance::store::commits::{account, at, entry, euro, goes_on, opens, order, payin, saved},
    memory::Memory,
    party::Stamp,
    store::{AppendedAll, BookedEntry, Commit, Revision, Store, UnitOfWork, Views},
};
use futures_lite::future::block_on;

/// A movement that somebody wishes: between two of the accounts, so much, in which currency, stamped when.
/// Books each amount from the world into alice's wallet, or back, at its second.
async fn wallet(movements: &[(i64, u64)]) -> Memory {
    let store = Memory::new();
    for (number, (minor, second)) in (1..).zip(movements) {
        let mut commit = opens(order(number));
        commit.records[0].stamp = Stamp::clock(at(*second));
        let (from, to) = if *minor > 0 { ("world:sandbox", "wallet:alice") } else { ("wallet:alice", "world:sandbox") };
        commit.entries = vec![entry(from, to, minor.abs())];
        saved(&store, &commit).await;
    }
    store
}

async fn alice(store: &Memory, span: Span) -> Statement {
    let mut unit = store.begin().await.unwrap();
    of_account(&mut unit, &account("wallet:alice"), Currency::EUR, span).await.unwrap()
}

fn amounts(statement: &Statement) -> Vec<(i64, i64)> {
    statement.lines().iter().map(|line| (line.amount.minor(), line.balance.minor())).collect()
}

#[test]
fn entries_count_at_their_own_time_and_then_in_the_order_of_their_numbers() {
    block_on(async {
        // The second worker's clock is slow: what it books later is stamped earlier, before there was any money.
        let store = wallet(&[(100, 10), (-30, 8), (5, 10), (7, 20)]).await;
        let all = alice(&store, Span::ALL).await;
        assert_eq!(amounts(&all), [(-30, -30), (100, 70), (5, 75), (7, 82)]);
        let tenth = alice(&store, Span::new(at(10), at(20)).unwrap()).await;
        assert_eq!((tenth.opening(), tenth.closing()), (euro(-30), euro(75)));
        assert_eq!(amounts(&tenth), [(100, 70), (5, 75)]);
    });
}

#[test]
fn an_account_that_nobody_booked_on_has_a_statement_of_nothing() {
    block_on(async {
        let store = wallet(&[(100, 10)]).await;
        let mut unit = store.begin().await.unwrap();
        let yen = of_account(&mut unit, &account("wallet:alice"), Currency::JPY, Span::ALL).await.unwrap();
        let nothing = Money::zero(Currency::JPY);
        assert_eq!((yen.opening(), yen.lines().len(), yen.closing()), (nothing, 0, nothing));
        let too_early = of_party(&mut unit, &"alice".parse().unwrap(), Span::before(at(10))).await.unwrap();
        assert!(too_early.is_empty());
        let later = of_party(&mut unit, &"alice".parse().unwrap(), Span::since(at(11))).await.unwrap();
        assert_eq!((later[0].opening(), later[0].closing(), later[0].lines().len()), (euro(100), euro(100), 0));
        assert!(of_party(&mut unit, &"bob".parse().unwrap(), Span::ALL).await.unwrap().is_empty());
        let unknown = of_subject(&mut unit, order(99), Span::ALL).await.unwrap();
        assert!(unknown.total().is_empty() && unknown.accounts().is_empty());
    });
}

#[test]
fn more_than_a_page_is_read_to_its_end() {
    block_on(async {
        let store = Memory::new();
        let mut commit = opens(order(1));
        commit.entries = (0..1_203).map(|_| entry("world:sandbox", "wallet:alice", 2)).collect();
        saved(&store, &commit).await;
        let all = alice(&store, Span::ALL).await;
        assert_eq!((all.lines().len(), all.closing()), (1_203, euro(2_406)));
        // So are more payments than fit on a page of the index.
        for number in 1..=501 {
            let mut commit = opens(payin(number));
            (commit.index.about, commit.index.held) = (Some(order(1)), euro(1));
            commit.entries = vec![entry("world:sandbox", &format!("escrow:{}", payin(number)), 1)];
            saved(&store, &commit).await;
        }
        let mut unit = store.begin().await.unwrap();
        let stated = of_subject(&mut unit, order(1), Span::ALL).await.unwrap();
        assert_eq!((stated.accounts().len(), stated.total()[0].closing()), (501, euro(501)));
    });
}

#[test]
fn a_balance_on_the_way_that_does_not_fit_is_refused() {
    block_on(async {
        // In the order of the numbers all is well; in the order of time the wallet would hold twice the largest amount.
        let store = wallet(&[(i64::MAX, 1), (-i64::MAX, 3), (i64::MAX, 2)]).await;
        let mut unit = store.begin().await.unwrap();
        let refused = of_account(&mut unit, &account("wallet:alice"), Currency::EUR, Span::ALL).await;
        assert!(matches!(refused, Err(StatementError::Money(MoneyError::Overflow))), "{refused:?}");
        drop(unit);
        // Where that is no line, it does no harm.
        assert_eq!(alice(&store, Span::since(at(4))).await.opening(), euro(i64::MAX));
    });
}

#[cfg(feature = "sqlite")]
#[test]
fn books_that_were_tampered_with_are_not_stated() {
    block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("books.db");
        let store = crate::sqlite::Sqlite::open(&path).unwrap();
        let mut commit = opens(order(1));
        commit.entries = vec![entry("world:sandbox", "wallet:alice", 5)];
        saved(&store, &commit).await;
        let tamper = "UPDATE escrowed_balances SET minor = 6 WHERE account = 'wallet:alice'";
        rusqlite::Connection::open(&path).unwrap().execute(tamper, []).unwrap();
        let mut unit = store.begin().await.unwrap();
        match of_party(&mut unit, &"alice".parse().unwrap(), Span::ALL).await {
            Err(StatementError::Disagrees { account: which, held, counted }) => {
                assert_eq!((which, held, counted), (account("wallet:alice"), euro(6), euro(5)));
            }
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn statements_are_drawn_on_any_thread() {
    fn sent<T: Send>(_: T) {}
    block_on(async {
        let mut unit = Memory::new().begin().await.unwrap();
        sent(of_subject(&mut unit, order(1), Span::ALL));
        sent(of_party(&mut unit, &"alice".parse().unwrap(), Span::ALL));
        sent(of_account(&mut unit, &account("wallet:alice"), Currency::EUR, Span::ALL));
        let lines: [Result<_, std::io::Error>; 0] = [];
        sent(crate::reconciliation::reconcile(&mut unit, &"sandbox".parse().unwrap(), Span::ALL, lines));
    });
}

#[test]
fn json_says_it_all() {
    block_on(async {
        let store = wallet(&[(100, 10), (-30, 11)]).await;
        let json = serde_json::to_value(alice(&store, Span::since(at(11))).await).unwrap();
        let euros = |minor| serde_json::json!({ "amount": minor, "currency": "EUR" });
        assert_eq!(
            json,
            serde_json::json!({
                "of": "wallet:alice",
                "currency": "EUR",
                "from": "2026-05-07T15:39:57Z",
                "until": null,
                "opening": euros(100),
                "lines": [{
                    "number": 2,
                    "at": "2026-05-07T15:39:57Z",
                    "account": "wallet:alice",
                    "counter": "world:sandbox",
                    "amount": euros(-30),
                    "purpose": "payin",
                    "subject": order(2).to_string(),
                    "seq": 1,
                    "balance": euros(70),
                }],
                "closing": euros(70),
            })
        );
    });
}
