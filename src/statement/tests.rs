//! Statements of books whose entries were stamped in any order.

use super::*;
use crate::{
    conformance::store::commits::{account, at, entry, euro, goes_on, opens, order, payin, saved},
    memory::Memory,
    party::Stamp,
    store::{AppendedAll, BookedEntry, Commit, Revision, Store, UnitOfWork, Views},
};
use futures_lite::future::block_on;
use proptest::{collection::vec, prelude::*};
use std::collections::HashMap;

/// A movement that somebody wishes: between two of the accounts, so much, in which currency, stamped when.
#[derive(Debug, Clone)]
struct Wish {
    from: usize,
    to: usize,
    minor: i64,
    yen: bool,
    second: u64,
}

/// Its own account is that of the order, the payins are about it, the rest is none of its business.
fn accounts() -> Vec<Account> {
    let escrow = Account::Escrow;
    let plain = ["world:sandbox", "wallet:alice", "wallet:bob"].map(account);
    let subjects = [order(1), payin(1), payin(2), order(2)].map(escrow);
    plain.into_iter().chain(subjects).collect()
}

fn wish() -> impl Strategy<Value = Wish> {
    (0_usize..7, 0_usize..7, 1_i64..60, any::<bool>(), 0_u64..12).prop_map(|(from, to, minor, yen, second)| Wish {
        from,
        to,
        minor,
        // What an order holds is of one currency.
        yen: yen && from < 3 && to < 3,
        second,
    })
}

/// Fulfils the wishes that the books allow.
struct Books<S> {
    store: S,
    subjects: HashMap<Subject, (Option<Revision>, u32, Money)>,
    number: u128,
}

impl<S: Store> Books<S> {
    fn new(store: S) -> Self {
        Self { store, subjects: HashMap::new(), number: 1_000 }
    }

    async fn book(&mut self, wish: &Wish) {
        let all = accounts();
        let (from, to) = (&all[wish.from], &all[wish.to]);
        if from == to {
            return;
        }
        let amount = Money::from_minor(wish.minor, if wish.yen { Currency::JPY } else { Currency::EUR });
        let booked = crate::ledger::Entry::new(from.clone(), to.clone(), amount, Purpose::Collect).unwrap();
        let mut commits = Vec::new();
        for (side, sign) in [(from, -1), (to, 1)] {
            if let Account::Escrow(subject) = side {
                let (_, _, held) = self.subjects.get(subject).copied().unwrap_or((None, 0, euro(0)));
                let after = euro(held.minor() + sign * wish.minor);
                if after.is_negative() {
                    return;
                }
                commits.push(self.commit(*subject, held, after));
            }
        }
        if commits.is_empty() {
            self.number += 1;
            commits.push(opens(order(self.number)));
        }
        for commit in &mut commits {
            commit.records[0].stamp = Stamp::clock(at(wish.second));
        }
        commits[0].entries = vec![booked];
        let mut unit = self.store.begin().await.unwrap();
        if let AppendedAll::Stored(revisions) = unit.append_all(&commits).await.unwrap() {
            self.store.commit(unit).await.unwrap();
            for (commit, revision) in commits.iter().zip(revisions) {
                let seq = commit.records[0].seq;
                self.subjects.insert(commit.subject, (Some(revision), seq, commit.index.held));
            }
        }
    }

    fn commit(&self, subject: Subject, before: Money, after: Money) -> Commit {
        let mut commit = match self.subjects.get(&subject) {
            Some((Some(revision), seq, _)) => goes_on(subject, *revision, seq + 1),
            Some((None, ..)) | None => opens(subject),
        };
        commit.held_before = before;
        commit.index.held = after;
        commit.index.about = [payin(1), payin(2)].contains(&subject).then(|| order(1));
        commit
    }
}

async fn booked<U: Views>(unit: &mut U, account: &Account) -> Vec<BookedEntry> {
    unit.entries(account, 0, usize::MAX >> 1).await.unwrap()
}

fn adds_up(statement: &Statement) {
    let mut balance = statement.opening();
    for line in statement.lines() {
        balance = balance.checked_add(line.amount).unwrap();
        assert_eq!(line.balance, balance);
        assert!(statement.span().contains(line.at) && line.account != line.counter);
    }
    assert_eq!(balance, statement.closing());
    assert!(statement.lines().is_sorted_by_key(|line| (line.at, line.number)));
}

/// What must hold for a point in time within the books.
async fn hold_together<S: Store>(store: &S, second: u64) {
    let mut unit = store.begin().await.unwrap();
    let now = at(second);
    for currency in [Currency::EUR, Currency::JPY] {
        let mut sum = 0;
        for account in accounts() {
            let before = of_account(&mut unit, &account, currency, Span::before(now)).await.unwrap();
            let after = of_account(&mut unit, &account, currency, Span::since(now)).await.unwrap();
            let all = of_account(&mut unit, &account, currency, Span::ALL).await.unwrap();
            [&before, &after, &all].into_iter().for_each(adds_up);
            assert!(before.opening().is_zero() && all.opening().is_zero());
            assert_eq!(before.closing(), after.opening());
            assert_eq!(after.closing(), unit.balance(&account, currency).await.unwrap());
            assert_eq!(after.closing(), all.closing());
            let parts: Vec<_> = before.lines().iter().chain(after.lines()).cloned().collect();
            assert_eq!(parts, all.lines());
            assert_eq!(before.closing(), by_hand(&booked(&mut unit, &account).await, &account, currency, now));
            sum += before.closing().minor();
        }
        assert_eq!(sum, 0, "the statements of all accounts add up to zero at any time");
    }
}

fn by_hand(entries: &[BookedEntry], account: &Account, currency: Currency, now: Timestamp) -> Money {
    let of = |entry: &&BookedEntry| entry.at < now && entry.amount.currency() == currency;
    let signed = |entry: &BookedEntry| if entry.to == *account { entry.amount.minor() } else { -entry.amount.minor() };
    Money::from_minor(entries.iter().filter(of).map(signed).sum(), currency)
}

/// The order's accounts taken as one hold what they hold one by one, and their own traffic is not in the total.
async fn orders_are_their_accounts<S: Store>(store: &S, second: u64) {
    let mut unit = store.begin().await.unwrap();
    let own = [order(1), payin(1), payin(2)].map(Account::Escrow);
    for span in [Span::ALL, Span::since(at(second)), Span::before(at(second)), Span::new(at(3), at(9)).unwrap()] {
        let stated = of_subject(&mut unit, order(1), span).await.unwrap();
        stated.accounts().iter().chain(stated.total()).for_each(adds_up);
        let sum = |of: fn(&Statement) -> Money| stated.accounts().iter().map(|one| of(one).minor()).sum::<i64>();
        let total = |of: fn(&Statement) -> Money| stated.total().iter().map(|one| of(one).minor()).sum::<i64>();
        assert_eq!(sum(Statement::opening), total(Statement::opening));
        assert_eq!(sum(Statement::closing), total(Statement::closing));
        for line in stated.total().iter().flat_map(Statement::lines) {
            assert!(own.contains(&line.account) && !own.contains(&line.counter));
        }
        for statement in stated.accounts() {
            assert!(matches!(statement.of(), Holder::Account(account) if own.contains(account)));
        }
    }
}

async fn parties_have_a_statement_per_currency<S: Store>(store: &S, second: u64) {
    let mut unit = store.begin().await.unwrap();
    let wallet = account("wallet:alice");
    let entries = booked(&mut unit, &wallet).await;
    for span in [Span::ALL, Span::before(at(second))] {
        let stated = of_party(&mut unit, &"alice".parse().unwrap(), span).await.unwrap();
        let mut used: Vec<_> =
            entries.iter().filter(|one| span.ends_after(one.at)).map(|one| one.amount.currency()).collect();
        used.sort();
        used.dedup();
        assert_eq!(stated.iter().map(Statement::currency).collect::<Vec<_>>(), used);
        for statement in &stated {
            assert_eq!(*statement, of_account(&mut unit, &wallet, statement.currency(), span).await.unwrap());
        }
    }
}

fn whatever_is_booked<S: Store>(store: S, wishes: &[Wish], second: u64) {
    block_on(async {
        let mut books = Books::new(store);
        for wish in wishes {
            books.book(wish).await;
        }
        hold_together(&books.store, second).await;
        orders_are_their_accounts(&books.store, second).await;
        parties_have_a_statement_per_currency(&books.store, second).await;
    });
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn statements_add_up_whatever_is_booked(wishes in vec(wish(), 0..60), second in 0_u64..14) {
        whatever_is_booked(Memory::new(), &wishes, second);
    }
}

#[cfg(feature = "sqlite")]
proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn statements_add_up_whatever_sqlite_has_booked(wishes in vec(wish(), 0..60), second in 0_u64..14) {
        let folder = tempfile::tempdir().unwrap();
        let store = crate::sqlite::Sqlite::open(folder.path().join("books.db")).unwrap();
        whatever_is_booked(store, &wishes, second);
    }
}

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

#[cfg(feature = "csv")]
mod table {
    use super::*;

    /// Names that strangers may choose, and how they are written.
    const STRANGERS: [(&str, &str); 10] = [
        ("=1+1", "=1+1"),
        ("+1", "+1"),
        ("-1", "-1"),
        ("@SUM(A1)", "@SUM(A1)"),
        ("Smith-Jones; ltd, 5 - 4", "Smith-Jones; ltd, 5 - 4"),
        ("a;=1+1", "a;'=1+1"),
        ("a\",\"=1+1", "a\",\"'=1+1"),
        ("a\n=1+1,b", "a\n'=1+1,b"),
        ("\t=HYPERLINK(\"x\")", "\t'=HYPERLINK(\"x\")"),
        ("a; \t-1", "a; \t'-1"),
    ];

    async fn paid_to(name: &str) -> Memory {
        let store = Memory::new();
        let mut commit = opens(order(1));
        let wallet = Account::Wallet(name.parse().unwrap()).to_string();
        commit.entries = vec![entry("world:sandbox", "wallet:alice", 1250), entry("wallet:alice", &wallet, 50)];
        saved(&store, &commit).await;
        store
    }

    #[test]
    fn a_statement_is_a_table_that_any_reader_takes() {
        block_on(async {
            for (name, written) in STRANGERS {
                let store = paid_to(name).await;
                let statement = alice(&store, Span::new(at(0), at(9)).unwrap()).await;
                let mut csv = Vec::new();
                write_csv([&statement, &statement], &mut csv).unwrap();
                assert!(csv.ends_with(b"\r\n"));
                let rows: Vec<_> = ::csv::Reader::from_reader(&csv[..]).into_records().map(Result::unwrap).collect();
                assert_eq!(rows.len(), 8);
                let cells: Vec<_> = rows[2].iter().collect();
                let counter = format!("wallet:{written}");
                let (id, at) = (order(1).to_string(), at(1).to_string());
                assert_eq!(
                    cells,
                    [
                        "wallet:alice",
                        "entry",
                        "2",
                        &at,
                        "wallet:alice",
                        &counter,
                        "payin",
                        &id,
                        "1",
                        "EUR",
                        "-50",
                        "-0.50",
                        "1200",
                        "12.00"
                    ]
                );
                let edges: Vec<_> = [0, 3].map(|row| (&rows[row][1], &rows[row][3], &rows[row][13])).into();
                let (from, until) = (super::at(0).to_string(), super::at(9).to_string());
                assert_eq!(edges, [("opening", &*from, "0.00"), ("closing", &*until, "12.00")]);
            }
        });
    }

    #[test]
    fn no_cell_is_a_formula_wherever_a_spreadsheet_splits() {
        block_on(async {
            for (name, _) in STRANGERS {
                let store = paid_to(name).await;
                let mut csv = Vec::new();
                write_csv([&alice(&store, Span::ALL).await], &mut csv).unwrap();
                for separator in [b',', b';', b'\t'] {
                    let reader = ::csv::ReaderBuilder::new().delimiter(separator).flexible(true).from_reader(&csv[..]);
                    for cell in
                        reader.into_records().flat_map(|row| row.unwrap().iter().map(String::from).collect::<Vec<_>>())
                    {
                        let bare = cell.trim_start_matches([' ', '"', '\t', '\n']);
                        let formula = bare.starts_with(['=', '+', '-', '@']);
                        assert!(
                            !formula || bare.parse::<f64>().is_ok(),
                            "{name:?} split at {separator} gives {cell:?}"
                        );
                    }
                }
            }
        });
    }
}
