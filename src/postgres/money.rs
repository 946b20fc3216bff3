//! What the entries of a batch do to each account.

use super::{
    PostgresError,
    statement::{Gate, Known, Listed, Plain, Rows, Statement},
};
use crate::{
    ledger::{Account, Entry, Posting},
    money::{Currency, Money},
    store::Commit,
};
use smallvec::SmallVec;
use std::fmt;

/// Up to how many entries are few.
const FEW: usize = 2;

/// What several entries, one after another, do to one account in one currency. In minor units.
pub(super) struct Move<'c> {
    account: &'c Account,
    currency: Currency,
    // The entry, if there is but one that touches it.
    only: Option<usize>,
    total: i64,
    // How far below where it began the balance goes on the way: zero or less.
    lowest: i64,
    // How far above: zero or more.
    highest: i64,
}

/// The moves of a batch, in the order of their accounts' texts, which is that in which rows are locked.
pub(super) struct Moves<'c> {
    all: Vec<(String, Move<'c>)>,
    // Which of them each posting is part of, posting by posting.
    places: Vec<usize>,
}

impl<'c> Moves<'c> {
    pub(super) fn of(commits: &'c [Commit]) -> Result<Self, PostgresError> {
        let postings = commits.iter().flat_map(Commit::entries).flat_map(Entry::postings);
        let mut postings: Vec<_> =
            postings.enumerate().map(|(place, posting)| (String::from(posting.account), place, posting)).collect();
        let mut places = vec![0; postings.len()];
        let code = |posting: &Posting<'_>| posting.amount.currency().code();
        postings.sort_by(|(a, _, one), (b, _, two)| (a, code(one)).cmp(&(b, code(two))));
        let mut all: Vec<(String, Move<'c>)> = Vec::with_capacity(postings.len());
        for (name, place, posting) in postings {
            let (account, currency) = (posting.account, posting.amount.currency());
            if all.last().is_none_or(|(last, sum)| (last, sum.currency) != (&name, currency)) {
                all.push((name, Move { account, currency, only: Some(place / 2), total: 0, lowest: 0, highest: 0 }));
            } else if let Some((_, sum)) = all.last_mut() {
                sum.only = None;
            }
            places[place] = all.len() - 1;
            let (_, sum) = all.last_mut().expect("there is one by now");
            let overflow = || PostgresError::Overflow { account: account.clone() };
            sum.total = sum.total.checked_add(posting.amount.minor()).ok_or_else(overflow)?;
            sum.lowest = sum.lowest.min(sum.total);
            sum.highest = sum.highest.max(sum.total);
        }
        Ok(Self { all, places })
    }

    /// The columns that say what the entries of the batch move: from where, to where, how much, and of what.
    pub(super) fn booked<'s>(
        &self,
        rows: Rows<'s>,
        same: bool,
        amounts: impl Iterator<Item = Money> + Clone,
    ) -> Rows<'s> {
        let entries = || self.places.chunks_exact(2);
        let rows = self.each_account(rows, entries().map(|entry| entry[0]));
        let rows = self.each_account(rows, entries().map(|entry| entry[1]));
        let rows =
            self.each_amount(rows, amounts.clone().enumerate().map(|(entry, amount)| (Some(entry), amount.minor())));
        rows.known(same, amounts.map(|amount| (Known::Currency(amount.currency()), amount.currency().code())))
    }

    // Names and amounts that the parts of a statement share with each other are told where there are few entries, as when an order
    // is released with a fee. Of many, it would depend on how their names are ordered which part refers to which, and the text
    // would take many forms.
    fn are_few(&self) -> bool {
        self.places.len() <= 2 * FEW
    }

    fn each_account<'s>(&self, rows: Rows<'s>, places: impl Iterator<Item = usize>) -> Rows<'s> {
        let known = |place| self.are_few().then_some(Known::Account(place));
        rows.known(false, places.map(|place| (known(place), self.all[place].0.as_str())))
    }

    // Each with the one entry that it comes from, if there is but one.
    fn each_amount<'s>(&self, rows: Rows<'s>, minors: impl Iterator<Item = (Option<usize>, i64)>) -> Rows<'s> {
        let entry = |entry: Option<usize>| entry.filter(|_| self.are_few());
        rows.known(
            false,
            minors.map(|(from, minor)| (entry(from).map(|entry| Known::Moved { entry, taken: minor < 0 }), minor)),
        )
    }

    /// Adds the part that locks what it drains; answers with what must hold before anything is written.
    ///
    /// What the columns themselves refuse is asked only `ahead`.
    pub(super) fn look(&self, statement: &mut Statement, ahead: bool) -> Vec<String> {
        let mut conditions = Vec::new();
        // Nobody pays off more than is owed. A party's debts are few, and each is serialised by its own log: no stripes.
        let owed = |sum: &Move<'_>| sum.account.owed() && sum.highest > if ahead { 0 } else { sum.total.max(0) };
        if let Some(rows) = self.rows(statement, owed, |sum| sum.highest) {
            conditions.push(format!(
                "NOT EXISTS (SELECT FROM {rows} AS u ({AMOUNT}) WHERE (EXISTS (SELECT FROM escrowed_stripes AS b
    WHERE b.account = u.account AND b.currency = u.currency AND b.stripe = 0 AND b.owes <= -u.amount)) IS NOT TRUE)"
            ));
        }
        if self.all.iter().any(|(_, sum)| sum.drains()) {
            // Whoever takes from a wallet locks all its stripes, and the stripe it will add to elsewhere, in one order for
            // everybody. Money that goes from A to B while other money goes from B to A can then not lock itself out.
            let shared = || self.those(Move::is_shared);
            let sums = || shared().map(|place| &self.all[place].1);
            let rows = self.each_account(statement.rows(), shared()).known(false, sums().map(Move::currency));
            let rows = rows.each(sums().map(Move::drains)).listed();
            statement.part(
                "locked",
                format_args!(
                    "SELECT b.account, b.currency, b.stripe, b.holds FROM {rows} AS u (account, currency, every)
JOIN escrowed_stripes AS b ON b.account = u.account AND b.currency = u.currency AND (u.every OR b.stripe = {OWN})
ORDER BY b.account, b.currency, b.stripe FOR UPDATE OF b"
                ),
            );
            if let Some(rows) = self.rows(statement, |sum| sum.drains(), |sum| opposite(sum.lowest)) {
                conditions.push(format!(
                    "NOT EXISTS (SELECT FROM {rows} AS u ({AMOUNT}) WHERE (u.amount <= (SELECT sum(l.holds) FROM locked AS l
    WHERE l.account = u.account AND l.currency = u.currency)) IS NOT TRUE)"
                ));
            }
        }
        let takes = |sum: &Move<'_>| {
            !sum.is_shared() && sum.account.guarded() && sum.lowest < if ahead { 0 } else { sum.total.min(0) }
        };
        if let Some(rows) = self.rows(statement, takes, |sum| opposite(sum.lowest)) {
            conditions.push(format!(
                "NOT EXISTS (SELECT FROM {rows} AS u ({AMOUNT}) WHERE (EXISTS (SELECT FROM escrowed_stripes AS b
    WHERE b.account = u.account AND b.currency = u.currency AND b.stripe = 0 AND b.holds >= u.amount)) IS NOT TRUE)"
            ));
        }
        conditions
    }

    /// Adds the parts that write. How many rows `taken` has if each of them was there.
    pub(super) fn write(&self, statement: &mut Statement, gate: Gate) -> usize {
        let added = || self.those(|sum| !sum.leaves());
        if added().next().is_some() {
            let sums = || added().map(|place| &self.all[place].1);
            let same = statement.alike(sums().map(|sum| (sum.currency, sum.is_shared())));
            let rows = self.each_account(statement.rows(), added()).known(same, sums().map(Move::currency));
            let shared = |sum: &Move<'_>| (Known::Plain(Plain::Is(sum.is_shared())), sum.is_shared());
            let rows = rows.known(same, sums().map(shared));
            let columns = BalanceColumns::of(sums);
            let names = columns.each(|f, column| f.write_str(column));
            let rows = self.by_column(rows, &columns, sums, |sum| sum.total);
            let rows = rows.listed();
            statement.part(
                "added",
                format_args!(
                    "INSERT INTO escrowed_stripes AS b (account, currency, stripe, {names})
SELECT u.account, u.currency, CASE WHEN u.shared THEN {OWN} ELSE 0 END, {} FROM {rows} AS u (account, currency, shared, {names}){gate}
ON CONFLICT (account, currency, stripe) DO UPDATE SET {}",
                    columns.each(|f, column| write!(f, "u.{column}")),
                    columns.each(|f, column| write!(f, "{column} = b.{column} + excluded.{column}")),
                ),
            );
        }
        let drained = |sum: &Move<'_>| sum.leaves() && sum.is_shared();
        if let Some(rows) = self.rows(statement, drained, |sum| opposite(sum.total)) {
            // From the first stripe as much as it has, from the next one the rest, and so on. What is left is told by the
            // row that was locked: the statement's snapshot may be older, and what the column refuses comes first.
            statement.part(
                "drained",
                format_args!(
                    "UPDATE escrowed_stripes AS b SET holds = d.holds - d.part FROM (
    SELECT l.account, l.currency, l.stripe, l.holds, least(l.holds, u.amount - sum(l.holds) OVER stripes + l.holds) AS part
    FROM locked AS l JOIN {rows} AS u ({AMOUNT}) ON l.account = u.account AND l.currency = u.currency
    WINDOW stripes AS (PARTITION BY l.account, l.currency ORDER BY l.stripe)
) AS d{gate}
WHERE b.account = d.account AND b.currency = d.currency AND b.stripe = d.stripe AND d.part > 0"
                ),
            );
        }
        let taken = || self.those(|sum| sum.leaves() && !sum.is_shared());
        if taken().next().is_some() {
            let sums = || taken().map(|place| &self.all[place].1);
            let same = statement.alike(sums().map(|sum| sum.currency));
            let rows = self.each_account(statement.rows(), taken()).known(same, sums().map(Move::currency));
            let columns = BalanceColumns::of(sums);
            let names = columns.each(|f, column| f.write_str(column));
            let rows = self.by_column(rows, &columns, sums, |sum| opposite(sum.total));
            let rows = rows.listed();
            let changes = columns.each(|f, column| write!(f, "{column} = b.{column} - u.{column}"));
            statement.part(
                "taken",
                format_args!(
                    "UPDATE escrowed_stripes AS b SET {changes} FROM {rows} AS u (account, currency, {names}){gate}
WHERE b.account = u.account AND b.currency = u.currency AND b.stripe = 0 RETURNING 1"
                ),
            );
        }
        taken().count()
    }

    // An amount of each of these moves for each column.
    fn by_column<'m, 's, I: Iterator<Item = &'m Move<'c>>>(
        &'m self,
        rows: Rows<'s>,
        columns: &BalanceColumns,
        sums: impl Fn() -> I,
        amount: impl Fn(&Move<'c>) -> i64,
    ) -> Rows<'s>
    where
        'c: 'm,
    {
        let of = |sum: &Move<'c>, column| if sum.column() == column { (sum.only, amount(sum)) } else { (None, 0) };
        columns.0.iter().fold(rows, |rows, column| self.each_amount(rows, sums().map(|sum| of(sum, *column))))
    }

    // Account, currency and an amount of each of these, if there are any.
    fn rows(
        &self,
        statement: &mut Statement,
        which: impl Fn(&Move<'c>) -> bool,
        amount: impl Fn(&Move<'c>) -> i64,
    ) -> Option<Listed> {
        let those = || self.those(&which);
        those().next()?;
        let sums = || those().map(|place| &self.all[place].1);
        let same = statement.alike(sums().map(|sum| sum.currency));
        let rows = self.each_account(statement.rows(), those());
        let rows = rows.known(same, sums().map(Move::currency));
        let amounts = sums().map(|sum| (sum.only, amount(sum)));
        Some(self.each_amount(rows, amounts).listed())
    }

    // The places of some moves.
    fn those(&self, which: impl Fn(&Move<'c>) -> bool) -> impl Iterator<Item = usize> {
        self.all.iter().enumerate().filter(move |(_, (_, sum))| which(sum)).map(|(place, _)| place)
    }

    /// One of the accounts it touches.
    pub(super) fn any(&self) -> Option<&Account> {
        self.all.first().map(|(_, sum)| sum.account)
    }
}

impl Move<'_> {
    fn currency(&self) -> (Known, &'static str) {
        (Known::Currency(self.currency), self.currency.code())
    }

    /// Where the account's balance stands in its row: in the column that can be on those sides of zero on which it may be.
    const fn column(&self) -> &'static str {
        match self.account {
            Account::Escrow(_) | Account::Wallet(_) => "holds",
            Account::Debt(_) => "owes",
            Account::World(_) => "outside",
        }
    }

    /// Whether many may use the account at once, so that it has stripes.
    const fn is_shared(&self) -> bool {
        match self.account {
            Account::World(_) | Account::Wallet(_) => true,
            Account::Escrow(_) | Account::Debt(_) => false,
        }
    }

    /// Whether it takes from several rows.
    const fn drains(&self) -> bool {
        self.is_shared() && self.account.guarded() && self.lowest < 0
    }

    /// Whether it only goes through if something is there already.
    const fn leaves(&self) -> bool {
        !self.account.may_hold(self.total)
    }
}

/// The columns of a balance that some moves go to.
struct BalanceColumns(SmallVec<[&'static str; 3]>);

impl BalanceColumns {
    fn of<'m, 'c: 'm, I: Iterator<Item = &'m Move<'c>>>(moves: impl Fn() -> I) -> Self {
        let columns = ["holds", "owes", "outside"].into_iter();
        Self(columns.filter(|column| moves().any(|one| one.column() == *column)).collect())
    }

    /// Something about each of them, as a list.
    fn each(&self, write: fn(&mut fmt::Formatter<'_>, &str) -> fmt::Result) -> Each<'_> {
        Each(self, write)
    }
}

#[derive(Clone, Copy)]
struct Each<'c>(&'c BalanceColumns, fn(&mut fmt::Formatter<'_>, &str) -> fmt::Result);

impl fmt::Display for Each<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(columns, write) = self;
        for (place, column) in columns.0.iter().enumerate() {
            f.write_str(if place == 0 { "" } else { ", " })?;
            write(f, column)?;
        }
        Ok(())
    }
}

// The lowest number has none, but it is no amount either.
const fn opposite(minor: i64) -> i64 {
    match minor.checked_neg() {
        Some(opposite) => opposite,
        None => i64::MAX,
    }
}

/// What [`Moves::rows`] has.
const AMOUNT: &str = "account, currency, amount";
/// The stripe that this connection adds to.
const OWN: &str = "(pg_backend_pid() % 64)::smallint";
