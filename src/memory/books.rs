//! Balances and entries.

use crate::{
    id::Subject,
    ledger::{Account, Balance, Entry},
    money::{Currency, Money},
    store::BookedEntry,
    time::Timestamp,
};
use std::{
    collections::{BTreeMap, HashMap},
    ops::Bound,
};

#[derive(Debug, Default)]
pub(super) struct Books {
    balances: BTreeMap<Purse, i64>,
    // An entry's number is its place in here, from 1.
    entries: Vec<BookedEntry>,
    by_account: HashMap<Account, Vec<usize>>,
}

/// One currency of one account, in the order of the accounts as text and the codes of the currencies.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Purse {
    class: &'static str,
    account: Account,
    currency: Currency,
}

/// What a purse held before an entry; `None` when nothing had ever been booked on it.
#[derive(Debug)]
pub(super) struct Was(Purse, Option<i64>);

/// Why an entry cannot be booked.
#[derive(Debug)]
pub(super) enum Unbookable {
    Overdrawn(Account),
    Overflow(Account),
}

impl Books {
    /// Books an entry, and tells what both sides held before.
    pub(super) fn book(
        &mut self,
        entry: &Entry,
        subject: Subject,
        seq: u32,
        at: Timestamp,
    ) -> Result<[Was; 2], Unbookable> {
        let [leaves, arrives] = entry.postings().map(|posting| self.after(posting.account, posting.amount));
        let (leaves, arrives) = (leaves?, arrives?);
        let number = self.entries.len() + 1;
        let before = [leaves, arrives].map(|(purse, minor)| {
            self.by_account.entry(purse.account.clone()).or_default().push(number);
            let before = self.balances.insert(purse.clone(), minor);
            Was(purse, before)
        });
        self.entries.push(BookedEntry {
            number: i64::try_from(number).unwrap_or(i64::MAX),
            subject,
            seq,
            from: entry.from().clone(),
            to: entry.to().clone(),
            amount: entry.amount(),
            purpose: entry.purpose(),
            at,
        });
        Ok(before)
    }

    /// Takes the last entry back.
    pub(super) fn unbook(&mut self, before: [Was; 2]) {
        self.entries.pop();
        for Was(purse, minor) in before {
            if let Some(numbers) = self.by_account.get_mut(&purse.account) {
                numbers.pop();
            }
            match minor {
                Some(minor) => self.balances.insert(purse, minor),
                None => self.balances.remove(&purse),
            };
        }
    }

    pub(super) fn balance(&self, account: &Account, currency: Currency) -> Money {
        let minor = self.balances.get(&Purse::new(account, currency)).copied().unwrap_or_default();
        Money::from_minor(minor, currency)
    }

    pub(super) fn balances(&self, after: Option<(&Account, Currency)>, limit: usize) -> Vec<Balance> {
        let start =
            after.map_or(Bound::Unbounded, |(account, currency)| Bound::Excluded(Purse::new(account, currency)));
        let balances = self.balances.range((start, Bound::Unbounded)).map(|(purse, minor)| Balance {
            account: purse.account.clone(),
            amount: Money::from_minor(*minor, purse.currency),
        });
        balances.take(limit).collect()
    }

    pub(super) fn accounts(&self, after: Option<&Account>, limit: usize) -> Vec<Account> {
        // Whatever an entry names has a balance. Any currency leads into the account that `after` names.
        let start = after.map_or(Bound::Unbounded, |account| Bound::Excluded(Purse::new(account, Currency::EUR)));
        let named = self.balances.range((start, Bound::Unbounded)).map(|(purse, _)| &purse.account);
        let mut accounts: Vec<Account> = Vec::new();
        for account in named.filter(|account| Some(*account) != after) {
            if accounts.last() != Some(account) {
                if accounts.len() == limit {
                    break;
                }
                accounts.push(account.clone());
            }
        }
        accounts
    }

    pub(super) fn balances_of(&self, account: &Account) -> Vec<Balance> {
        let some = Purse::new(account, Currency::EUR);
        let before = self.balances.range(..some.clone()).rev().take_while(|(purse, _)| purse.account == *account);
        let from = self.balances.range(some..).take_while(|(purse, _)| purse.account == *account);
        let balance = |(purse, minor): (&Purse, &i64)| Balance {
            account: account.clone(),
            amount: Money::from_minor(*minor, purse.currency),
        };
        let mut balances: Vec<_> = before.map(balance).collect();
        balances.reverse();
        balances.extend(from.map(balance));
        balances
    }

    pub(super) fn entries(&self, account: &Account, after: i64, limit: usize) -> Vec<BookedEntry> {
        let numbers = self.by_account.get(account).map_or(&[][..], Vec::as_slice);
        let seen = numbers.partition_point(|number| i64::try_from(*number).is_ok_and(|number| number <= after));
        numbers[seen..].iter().take(limit).map(|number| self.entries[number - 1].clone()).collect()
    }

    pub(super) fn all(&self, after: i64, limit: usize) -> Vec<BookedEntry> {
        let seen = usize::try_from(after.max(0)).unwrap_or(usize::MAX).min(self.entries.len());
        self.entries[seen..].iter().take(limit).cloned().collect()
    }

    /// What a purse would hold once `amount` was added to it.
    fn after(&self, account: &Account, amount: Money) -> Result<(Purse, i64), Unbookable> {
        let purse = Purse::new(account, amount.currency());
        let before = self.balances.get(&purse).copied().unwrap_or_default();
        let after = before.checked_add(amount.minor()).ok_or_else(|| Unbookable::Overflow(account.clone()))?;
        if !account.may_hold(after) {
            return Err(Unbookable::Overdrawn(account.clone()));
        }
        Ok((purse, after))
    }
}

impl Purse {
    fn new(account: &Account, currency: Currency) -> Self {
        // What an account's text begins with, since that decides first. Within a class an account sorts as its text.
        let class = match account {
            Account::World(_) => "world",
            Account::Escrow(_) => "escrow",
            Account::Wallet(_) => "wallet",
            Account::Debt(_) => "debt",
        };
        Self { class, account: account.clone(), currency }
    }
}
