//! Balances and entries: the database's own CHECK refuses to overdraw.

use super::{SqliteError, error, statements::Statements};
use crate::{
    ledger::{Account, Entry, Posting},
    money::Currency,
    store::Record,
};
use rusqlite::params;

/// Changes the balances. Answers with the account that would have been overdrawn, if one would.
pub(super) fn post(statements: &mut Statements<'_>, entries: &[Entry]) -> Result<Option<Account>, SqliteError> {
    if let Some(sums) = sums(entries) {
        for sum in sums {
            if !add(statements, sum.account, sum.currency, sum.total)? {
                return Ok(Some(sum.account.clone()));
            }
        }
        return Ok(None);
    }
    for Posting { account, amount } in entries.iter().flat_map(Entry::postings) {
        if !add(statements, account, amount.currency(), amount.minor())? {
            return Ok(Some(account.clone()));
        }
    }
    Ok(None)
}

/// What several entries do to one account together.
struct Sum<'e> {
    account: &'e Account,
    currency: Currency,
    total: i64,
}

/// One sum per account and currency, which saves statements; `None` when the sums would hide that an account goes
/// below zero on the way, or a sum overflows.
fn sums(entries: &[Entry]) -> Option<Vec<Sum<'_>>> {
    // Few are owed, and none of that is hidden in a sum.
    if entries.iter().any(|entry| entry.from().owed() || entry.to().owed()) {
        return None;
    }
    let mut sums: Vec<(Sum<'_>, i64)> = Vec::with_capacity(2 * entries.len());
    for Posting { account, amount } in entries.iter().flat_map(Entry::postings) {
        let (minor, currency) = (amount.minor(), amount.currency());
        let same = sums.iter_mut().find(|(sum, _)| sum.currency == currency && sum.account == account);
        if let Some((sum, lowest)) = same {
            sum.total = sum.total.checked_add(minor)?;
            *lowest = sum.total.min(*lowest);
        } else {
            sums.push((Sum { account, currency, total: minor }, minor.min(0)));
        }
    }
    let honest = sums.iter().all(|(sum, lowest)| *lowest == sum.total.min(0) || !sum.account.guarded());
    honest.then(|| sums.into_iter().map(|(sum, _)| sum).collect())
}

const ADD: &str = "INSERT INTO escrowed_balances (account, currency, minor, guarded) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (account, currency) DO UPDATE SET minor = minor + excluded.minor";
// A row to be inserted is checked before it is known that there is one already, so what leaves a guarded account, or pays
// off what is owed, is no upsert. Where there is no row, there is nothing to take or to pay off.
const TAKE: &str = "UPDATE escrowed_balances SET minor = minor + ?3 WHERE account = ?1 AND currency = ?2";

/// Adds to a balance. False when the account would be overdrawn.
fn add(
    statements: &mut Statements<'_>,
    account: &Account,
    currency: Currency,
    minor: i64,
) -> Result<bool, SqliteError> {
    let name = account.to_string();
    let changed = if !account.may_hold(minor) {
        statements.of(TAKE)?.execute(params![name, currency.code(), minor])
    } else {
        statements.of(ADD)?.execute(params![name, currency.code(), minor, account.guarded()])
    };
    match changed {
        Ok(rows) => Ok(rows == 1),
        Err(error) if error::is_check(&error) => Ok(false),
        Err(error) if error::is_misfit(&error) => Err(SqliteError::Overflow { account: account.clone() }),
        Err(error) => Err(error.into()),
    }
}

const ENTER: &str = "INSERT INTO escrowed_entries
    (subject, seq, from_account, to_account, minor, currency, purpose, at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

/// Writes an entry into the books.
pub(super) fn enter(
    statements: &mut Statements<'_>,
    entry: &Entry,
    subject: &str,
    last: &Record,
) -> Result<(), SqliteError> {
    let (from, to) = (entry.from().to_string(), entry.to().to_string());
    let (minor, currency) = (entry.amount().minor(), entry.amount().currency().code());
    let at = last.stamp.at.unix_micros();
    let values = params![subject, last.seq, from, to, minor, currency, entry.purpose().name(), at];
    statements.of(ENTER)?.execute(values)?;
    Ok(())
}
