//! What the entries of a batch do to each account.

use super::{
    PostgresError,
    statement::{Statement, columns},
};
use crate::{
    ledger::{Account, Entry},
    money::Currency,
    store::Commit,
};
use std::collections::HashMap;

/// What several entries, one after another, do to one account in one currency. In minor units.
pub(super) struct Move<'c> {
    account: &'c Account,
    currency: Currency,
    total: i64,
    // How far below where it began the balance goes on the way: zero or less.
    lowest: i64,
    // How far above: zero or more.
    highest: i64,
}

/// The moves of a batch, in the order of their accounts' texts, which is that in which rows are locked.
pub(super) struct Moves<'c>(Vec<(String, Move<'c>)>);

impl<'c> Moves<'c> {
    pub(super) fn of(commits: &'c [Commit]) -> Result<Self, PostgresError> {
        let mut moves: Vec<(String, Move<'c>)> = Vec::new();
        let mut places = HashMap::new();
        for posting in commits.iter().flat_map(Commit::entries).flat_map(Entry::postings) {
            let (account, currency) = (posting.account, posting.amount.currency());
            let place = *places.entry((account, currency)).or_insert_with(|| {
                moves.push((account.to_string(), Move { account, currency, total: 0, lowest: 0, highest: 0 }));
                moves.len() - 1
            });
            let (_, sum) = &mut moves[place];
            let overflow = || PostgresError::Overflow { account: account.clone() };
            sum.total = sum.total.checked_add(posting.amount.minor()).ok_or_else(overflow)?;
            sum.lowest = sum.lowest.min(sum.total);
            sum.highest = sum.highest.max(sum.total);
        }
        moves.sort_by(|(a, one), (b, two)| (a, one.currency.code()).cmp(&(b, two.currency.code())));
        Ok(Self(moves))
    }

    /// Adds the parts that look and lock; answers with what must hold before anything is written.
    pub(super) fn look(&self, statement: &mut Statement) -> Option<String> {
        let needs: Vec<_> = self.0.iter().filter(|(_, sum)| sum.account.guarded() && sum.lowest < 0).collect();
        let owed = self.owed(statement);
        if needs.is_empty() {
            return owed;
        }
        if needs.iter().any(|(_, sum)| sum.is_shared()) {
            // Whoever takes from a wallet locks all its stripes, and the stripe it will add to elsewhere, in one order for
            // everybody. Money that goes from A to B while other money goes from B to A can then not lock itself out.
            let (mut accounts, mut currencies, mut all) = (Vec::new(), Vec::new(), Vec::new());
            for (name, sum) in self.0.iter().filter(|(_, sum)| sum.is_shared()) {
                accounts.push(name.as_str());
                currencies.push(sum.currency.code());
                all.push(sum.account.guarded() && sum.lowest < 0);
            }
            let rows = columns!(statement; "text": accounts, "text": currencies, "bool": all);
            let rows = rows.named(statement, "account, currency, every");
            let locked = format!(
                "SELECT b.account, b.currency, b.stripe, b.minor FROM {rows}
JOIN escrowed_balances AS b ON b.account = u.account AND b.currency = u.currency AND (u.every OR b.stripe = {OWN})
ORDER BY b.account, b.currency, b.stripe FOR UPDATE OF b"
            );
            statement.part("locked", &locked);
        }
        let mut conditions: Vec<_> = owed.into_iter().collect();
        for shared in [true, false] {
            let (mut accounts, mut currencies, mut amounts) = (Vec::new(), Vec::new(), Vec::new());
            for (name, sum) in needs.iter().filter(|(_, sum)| sum.is_shared() == shared) {
                accounts.push(name.as_str());
                currencies.push(sum.currency.code());
                // In this direction there is always room: the lowest number has no opposite, but it is no amount either.
                amounts.push(sum.lowest.checked_neg().unwrap_or(i64::MAX));
            }
            if !accounts.is_empty() {
                let rows = columns!(statement; "text": accounts, "text": currencies, "int8": amounts);
                let rows = rows.named(statement, "account, currency, amount");
                let holds = if shared {
                    "u.amount <= (SELECT sum(l.minor) FROM locked AS l WHERE l.account = u.account AND l.currency = u.currency)"
                } else {
                    "EXISTS (SELECT FROM escrowed_balances AS b WHERE b.account = u.account AND b.currency = u.currency
    AND b.stripe = 0 AND b.minor >= u.amount)"
                };
                conditions.push(format!("NOT EXISTS (SELECT FROM {rows} WHERE ({holds}) IS NOT TRUE)"));
            }
        }
        Some(conditions.join("\nAND "))
    }

    /// That nobody pays off more than is owed. A party's debts are few, and each is serialised by its own log: no stripes.
    fn owed(&self, statement: &mut Statement) -> Option<String> {
        let (mut accounts, mut currencies, mut amounts) = (Vec::new(), Vec::new(), Vec::new());
        for (name, sum) in self.0.iter().filter(|(_, sum)| sum.account.owed() && sum.highest > 0) {
            accounts.push(name.as_str());
            currencies.push(sum.currency.code());
            amounts.push(sum.highest);
        }
        if accounts.is_empty() {
            return None;
        }
        let rows = columns!(statement; "text": accounts, "text": currencies, "int8": amounts);
        let rows = rows.named(statement, "account, currency, amount");
        Some(format!(
            "NOT EXISTS (SELECT FROM {rows} WHERE (EXISTS (SELECT FROM escrowed_balances AS b
    WHERE b.account = u.account AND b.currency = u.currency AND b.stripe = 0 AND b.minor <= -u.amount)) IS NOT TRUE)"
        ))
    }

    /// Adds the parts that write.
    pub(super) fn write(&self, statement: &mut Statement, gate: &str) {
        let leaves = |sum: &Move<'_>| !sum.account.may_hold(sum.total);
        let (mut accounts, mut currencies, mut amounts, mut shared) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (name, sum) in self.0.iter().filter(|(_, sum)| !leaves(sum)) {
            accounts.push(name.as_str());
            currencies.push(sum.currency.code());
            amounts.push(sum.total);
            shared.push(sum.is_shared());
        }
        if !accounts.is_empty() {
            let rows = columns!(statement; "text": accounts, "text": currencies, "int8": amounts, "bool": shared);
            let rows = rows.named(statement, "account, currency, minor, shared");
            let added = format!(
                "INSERT INTO escrowed_balances AS b (account, currency, stripe, minor)
SELECT u.account, u.currency, CASE WHEN u.shared THEN {OWN} ELSE 0 END, u.minor
FROM {rows}, {gate} ORDER BY u.account, u.currency
ON CONFLICT (account, currency, stripe) DO UPDATE SET minor = b.minor + excluded.minor"
            );
            statement.part("added", &added);
        }
        for in_stripes in [false, true] {
            let (mut accounts, mut currencies, mut amounts) = (Vec::new(), Vec::new(), Vec::new());
            for (name, sum) in self.0.iter().filter(|(_, sum)| leaves(sum) && sum.is_shared() == in_stripes) {
                accounts.push(name.as_str());
                currencies.push(sum.currency.code());
                amounts.push(sum.total.checked_neg().unwrap_or(i64::MAX));
            }
            if accounts.is_empty() {
                continue;
            }
            let rows = columns!(statement; "text": accounts, "text": currencies, "int8": amounts);
            let rows = rows.named(statement, "account, currency, amount");
            if in_stripes {
                // From the first stripe as much as it has, from the next one the rest, and so on. What is left is told by
                // the row that was locked: the statement's snapshot may be older, and its CHECK comes first.
                let drained = format!(
                    "UPDATE escrowed_balances AS b SET minor = d.minor - d.part FROM (
    SELECT l.account, l.currency, l.stripe, l.minor, least(l.minor, u.amount - sum(l.minor) OVER stripes + l.minor) AS part
    FROM locked AS l JOIN {rows} ON l.account = u.account AND l.currency = u.currency
    WINDOW stripes AS (PARTITION BY l.account, l.currency ORDER BY l.stripe)
) AS d, {gate}
WHERE b.account = d.account AND b.currency = d.currency AND b.stripe = d.stripe AND d.part > 0"
                );
                statement.part("drained", &drained);
            } else {
                let taken = format!(
                    "UPDATE escrowed_balances AS b SET minor = b.minor - u.amount
FROM {rows}, {gate}
WHERE b.account = u.account AND b.currency = u.currency AND b.stripe = 0"
                );
                statement.part("taken", &taken);
            }
        }
    }

    /// One of the accounts it touches.
    pub(super) fn any(&self) -> Option<&Account> {
        self.0.first().map(|(_, sum)| sum.account)
    }
}

impl Move<'_> {
    /// Whether many may use the account at once, so that it has stripes.
    const fn is_shared(&self) -> bool {
        match self.account {
            Account::World(_) | Account::Wallet(_) => true,
            Account::Escrow(_) | Account::Debt(_) => false,
        }
    }
}

/// The stripe that this connection adds to.
const OWN: &str = "(pg_backend_pid() % 64)::smallint";
