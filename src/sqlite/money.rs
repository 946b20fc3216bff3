//! Balances and entries: the database's own CHECK refuses to overdraw.

use super::{SqliteError, error, statements::Statements};
use crate::{
    ledger::{Account, Entry, Posting},
    money::Currency,
    store::Record,
};
use rusqlite::params;
use smallvec::SmallVec;

/// Changes the balances and writes the entries into the books. Answers with the account that would have been overdrawn,
/// if one would.
pub(super) fn book(
    statements: &mut Statements<'_>,
    entries: &[Entry],
    subject: &str,
    last: &Record,
) -> Result<Option<Account>, SqliteError> {
    let named: SmallVec<[_; 1]> = entries.iter().map(Named::of).collect();
    if let Some(account) = post(statements, &named)? {
        return Ok(Some(account.clone()));
    }
    for entry in named {
        enter(statements, &entry, subject, last)?;
    }
    Ok(None)
}

/// An entry, with its accounts as text.
struct Named<'e> {
    entry: &'e Entry,
    from: String,
    to: String,
}

impl<'e> Named<'e> {
    fn of(entry: &'e Entry) -> Self {
        Self { entry, from: entry.from().into(), to: entry.to().into() }
    }

    // Each side with its account as text.
    fn postings(&self) -> [(&str, Posting<'e>); 2] {
        let [leaves, arrives] = self.entry.postings();
        [(&self.from, leaves), (&self.to, arrives)]
    }
}

fn post<'e>(statements: &mut Statements<'_>, entries: &[Named<'e>]) -> Result<Option<&'e Account>, SqliteError> {
    // One entry has two accounts, of which there is nothing to add up.
    if entries.len() > 1
        && let Some(sums) = sums(entries)
    {
        for sum in sums {
            if !add(statements, sum.name, sum.account, sum.currency, sum.total)? {
                return Ok(Some(sum.account));
            }
        }
        return Ok(None);
    }
    for (name, Posting { account, amount }) in entries.iter().flat_map(Named::postings) {
        if !add(statements, name, account, amount.currency(), amount.minor())? {
            return Ok(Some(account));
        }
    }
    Ok(None)
}

/// What several entries do to one account together.
struct Sum<'n, 'e> {
    name: &'n str,
    account: &'e Account,
    currency: Currency,
    total: i64,
}

/// One sum per account and currency, which saves statements; `None` when the sums would hide that an account goes
/// below zero on the way, or a sum overflows.
fn sums<'n, 'e>(entries: &'n [Named<'e>]) -> Option<Vec<Sum<'n, 'e>>> {
    // Few are owed, and none of that is hidden in a sum.
    if entries.iter().any(|Named { entry, .. }| entry.from().owed() || entry.to().owed()) {
        return None;
    }
    let mut sums: Vec<(Sum<'n, 'e>, i64)> = Vec::with_capacity(2 * entries.len());
    for (name, Posting { account, amount }) in entries.iter().flat_map(Named::postings) {
        let (minor, currency) = (amount.minor(), amount.currency());
        let same = sums.iter_mut().find(|(sum, _)| sum.currency == currency && sum.account == account);
        if let Some((sum, lowest)) = same {
            sum.total = sum.total.checked_add(minor)?;
            *lowest = sum.total.min(*lowest);
        } else {
            sums.push((Sum { name, account, currency, total: minor }, minor.min(0)));
        }
    }
    let honest = sums.iter().all(|(sum, lowest)| *lowest == sum.total.min(0) || !sum.account.guarded());
    honest.then(|| sums.into_iter().map(|(sum, _)| sum).collect())
}

const ADD: &str = "INSERT INTO escrowed_balances (account, currency, minor) VALUES (?1, ?2, ?3)
ON CONFLICT (account, currency) DO UPDATE SET minor = minor + excluded.minor";
// A row to be inserted is checked before it is known that there is one already, so what leaves a guarded account, or pays
// off what is owed, is no upsert. Where there is no row, there is nothing to take or to pay off.
const TAKE: &str = "UPDATE escrowed_balances SET minor = minor + ?3 WHERE account = ?1 AND currency = ?2";

/// Adds to a balance. False when the account would be overdrawn.
fn add(
    statements: &mut Statements<'_>,
    name: &str,
    account: &Account,
    currency: Currency,
    minor: i64,
) -> Result<bool, SqliteError> {
    let change = if account.may_hold(minor) { ADD } else { TAKE };
    match statements.of(change)?.execute(params![name, currency.code(), minor]) {
        Ok(rows) => Ok(rows == 1),
        Err(error) if error::is_check(&error) => Ok(false),
        Err(error) if error::is_misfit(&error) => Err(SqliteError::Overflow { account: account.clone() }),
        Err(error) => Err(error.into()),
    }
}

const ENTER: &str = "INSERT INTO escrowed_entries
    (subject, seq, from_account, to_account, minor, currency, purpose, at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

fn enter(
    statements: &mut Statements<'_>,
    Named { entry, from, to }: &Named<'_>,
    subject: &str,
    last: &Record,
) -> Result<(), SqliteError> {
    let (minor, currency) = (entry.amount().minor(), entry.amount().currency().code());
    let at = last.stamp.at.unix_micros();
    let values = params![subject, last.seq, from, to, minor, currency, entry.purpose().name(), at];
    statements.of(ENTER)?.execute(values)?;
    Ok(())
}
