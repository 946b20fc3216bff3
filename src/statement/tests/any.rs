//! Whatever is booked, and whenever it says it was.

use super::*;
use crate::seed::random;
use proptest::{collection::vec, prelude::*};
use std::collections::HashMap;

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

async fn whatever_is_booked<S: Store>(store: S, wishes: &[Wish], second: u64) {
    let mut books = Books::new(store);
    for wish in wishes {
        books.book(wish).await;
    }
    hold_together(&books.store, second).await;
    orders_are_their_accounts(&books.store, second).await;
    parties_have_a_statement_per_currency(&books.store, second).await;
}

proptest! {
    #![proptest_config(random(256))]

    #[test]
    fn statements_add_up_whatever_is_booked(wishes in vec(wish(), 0..60), second in 0_u64..14) {
        block_on(whatever_is_booked(Memory::new(), &wishes, second));
    }
}

#[cfg(feature = "sqlite")]
proptest! {
    #![proptest_config(random(12))]

    #[test]
    fn statements_add_up_whatever_sqlite_has_booked(wishes in vec(wish(), 0..60), second in 0_u64..14) {
        let folder = tempfile::tempdir().unwrap();
        let store = crate::sqlite::Sqlite::open(folder.path().join("books.db")).unwrap();
        block_on(whatever_is_booked(store, &wishes, second));
    }
}

#[cfg(feature = "postgres")]
proptest! {
    #![proptest_config(random(6))]

    #[test]
    fn statements_add_up_whatever_postgres_has_booked(wishes in vec(wish(), 0..60), second in 0_u64..14) {
        use crate::postgres::tests::database::{Database, block_on};
        let database = Database::new();
        block_on(async { whatever_is_booked(database.store().await, &wishes, second).await });
    }
}
