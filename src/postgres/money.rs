//! What the entries of a batch do to each account.

use super::{
    PostgresError,
    statement::{Conditions, Gate, Known, Listed, Piece, Plain, Rows, Sql, Statement, sql},
};
use crate::{
    ledger::{Account, Entry, Posting},
    money::{Currency, Money},
    store::Commit,
};
use smallvec::{SmallVec, smallvec};

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
    all: SmallVec<[(String, Move<'c>); 2 * FEW]>,
    // Which of them each posting is part of, posting by posting.
    places: SmallVec<[usize; 2 * FEW]>,
}

impl<'c> Moves<'c> {
    pub(super) fn of(commits: &'c [Commit]) -> Result<Self, PostgresError> {
        let postings = commits.iter().flat_map(Commit::entries).flat_map(Entry::postings);
        let postings = postings.enumerate().map(|(place, posting)| (String::from(posting.account), place, posting));
        let mut postings: SmallVec<[_; 2 * FEW]> = postings.collect();
        let mut places = smallvec![0; postings.len()];
        let code = |posting: &Posting<'_>| posting.amount.currency().code();
        postings.sort_by(|(a, _, one), (b, _, two)| (a, code(one)).cmp(&(b, code(two))));
        let mut all = SmallVec::<[(String, Move<'c>); 2 * FEW]>::with_capacity(postings.len());
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
    pub(super) fn booked(&self, rows: &mut Rows<'_>, same: bool, amounts: impl Iterator<Item = Money> + Clone) {
        let entries = || self.places.chunks_exact(2);
        self.each_account(rows, entries().map(|entry| entry[0]));
        self.each_account(rows, entries().map(|entry| entry[1]));
        self.each_amount(rows, amounts.clone().enumerate().map(|(entry, amount)| (Some(entry), amount.minor())));
        rows.known(same, amounts.map(|amount| (Known::Currency(amount.currency()), amount.currency().code())));
    }

    // Names and amounts that the parts of a statement share with each other are told where there are few entries, as when an order
    // is released with a fee. Of many, it would depend on how their names are ordered which part refers to which, and the text
    // would take many forms.
    fn are_few(&self) -> bool {
        self.places.len() <= 2 * FEW
    }

    fn each_account(&self, rows: &mut Rows<'_>, places: impl Iterator<Item = usize>) {
        let known = |place| self.are_few().then_some(Known::Account(place));
        rows.known(false, places.map(|place| (known(place), self.all[place].0.as_str())));
    }

    // Each with the one entry that it comes from, if there is but one.
    fn each_amount(&self, rows: &mut Rows<'_>, minors: impl Iterator<Item = (Option<usize>, i64)>) {
        let entry = |entry: Option<usize>| entry.filter(|_| self.are_few());
        let moved = |from, minor| entry(from).map(|entry| Known::Moved { entry, taken: minor < 0 });
        rows.known(false, minors.map(|(from, minor)| (moved(from, minor), minor)));
    }

    /// Adds the part that locks what it drains, and what must hold before anything is written.
    ///
    /// What the columns themselves refuse is asked only `ahead`.
    pub(super) fn look(&self, statement: &mut Statement, conditions: &mut Conditions, ahead: bool) {
        // Nobody pays off more than is owed. A party's debts are few, and each is serialised by its own log: no stripes.
        let owed = |sum: &Move<'_>| sum.account.owed() && sum.highest > if ahead { 0 } else { sum.total.max(0) };
        if let Some(rows) = self.rows(statement, owed, |sum| sum.highest) {
            conditions.must(sql!["NOT EXISTS (SELECT FROM " rows " AS u (" AMOUNT ") WHERE (EXISTS (
    SELECT FROM escrowed_stripes AS b
    WHERE b.account = u.account AND b.currency = u.currency AND b.stripe = 0 AND b.owes <= -u.amount
)) IS NOT TRUE)"]);
        }
        if self.all.iter().any(|(_, sum)| sum.drains()) {
            // Whoever takes from a wallet locks all its stripes, and the stripe it will add to elsewhere, in one order for
            // everybody. Money that goes from A to B while other money goes from B to A can then not lock itself out.
            let shared = || self.those(Move::is_shared);
            let sums = || shared().map(|place| &self.all[place].1);
            let mut rows = statement.rows();
            self.each_account(&mut rows, shared());
            rows.known(false, sums().map(Move::currency)).each(sums().map(Move::drains));
            let rows = rows.listed();
            statement.part(sql!["locked AS (
    SELECT b.account, b.currency, b.stripe, b.holds FROM " rows " AS u (account, currency, every)
    JOIN escrowed_stripes AS b ON b.account = u.account AND b.currency = u.currency AND (u.every OR b.stripe = " OWN ")
    ORDER BY b.account, b.currency, b.stripe FOR UPDATE OF b
)"]);
            if let Some(rows) = self.rows(statement, |sum| sum.drains(), |sum| opposite(sum.lowest)) {
                conditions.must(sql!["NOT EXISTS (SELECT FROM " rows " AS u (" AMOUNT ") WHERE (u.amount <= (
    SELECT sum(l.holds) FROM locked AS l WHERE l.account = u.account AND l.currency = u.currency
)) IS NOT TRUE)"]);
            }
        }
        let takes = |sum: &Move<'_>| {
            !sum.is_shared() && sum.account.guarded() && sum.lowest < if ahead { 0 } else { sum.total.min(0) }
        };
        if let Some(rows) = self.rows(statement, takes, |sum| opposite(sum.lowest)) {
            conditions.must(sql!["NOT EXISTS (SELECT FROM " rows " AS u (" AMOUNT ") WHERE (EXISTS (
    SELECT FROM escrowed_stripes AS b
    WHERE b.account = u.account AND b.currency = u.currency AND b.stripe = 0 AND b.holds >= u.amount
)) IS NOT TRUE)"]);
        }
    }

    /// Adds the parts that write. How many rows `taken` has if each of them was there.
    pub(super) fn write(&self, statement: &mut Statement, gate: Gate) -> usize {
        let added = || self.those(|sum| !sum.leaves());
        if added().next().is_some() {
            let sums = || added().map(|place| &self.all[place].1);
            let same = statement.alike(sums().map(|sum| (sum.currency, sum.is_shared())));
            let mut rows = statement.rows();
            self.each_account(&mut rows, added());
            let shared = |sum: &Move<'_>| (Known::Plain(Plain::Is(sum.is_shared())), sum.is_shared());
            rows.known(same, sums().map(Move::currency)).known(same, sums().map(shared));
            let columns = BalanceColumns::of(sums);
            let names = columns.each(|sql, column| sql.literal(column));
            self.by_column(&mut rows, &columns, sums, |sum| sum.total);
            let rows = rows.listed();
            let changes = columns.each(|sql, column| sql.add(sql![column " = b." column " + excluded." column]));
            let values = columns.each(|sql, column| sql.add(sql!["u." column]));
            statement.part(sql!["added AS (
    INSERT INTO escrowed_stripes AS b (account, currency, stripe, " names ")
    SELECT u.account, u.currency, CASE WHEN u.shared THEN " OWN " ELSE 0 END, " values "
    FROM " rows " AS u (account, currency, shared, " names ")" gate "
    ON CONFLICT (account, currency, stripe) DO UPDATE SET " changes "
)"]);
        }
        let drained = |sum: &Move<'_>| sum.leaves() && sum.is_shared();
        if let Some(rows) = self.rows(statement, drained, |sum| opposite(sum.total)) {
            // From the first stripe as much as it has, from the next one the rest, and so on. What is left is told by the
            // row that was locked: the statement's snapshot may be older, and what the column refuses comes first.
            statement.part(sql!["drained AS (
    UPDATE escrowed_stripes AS b SET holds = d.holds - d.part FROM (
        SELECT l.account, l.currency, l.stripe, l.holds, least(l.holds, u.amount - sum(l.holds) OVER stripes + l.holds) AS part
        FROM locked AS l JOIN " rows " AS u (" AMOUNT ") ON l.account = u.account AND l.currency = u.currency
        WINDOW stripes AS (PARTITION BY l.account, l.currency ORDER BY l.stripe)
    ) AS d" gate "
    WHERE b.account = d.account AND b.currency = d.currency AND b.stripe = d.stripe AND d.part > 0
)"]);
        }
        let taken = || self.those(|sum| sum.leaves() && !sum.is_shared());
        if taken().next().is_some() {
            let sums = || taken().map(|place| &self.all[place].1);
            let same = statement.alike(sums().map(|sum| sum.currency));
            let mut rows = statement.rows();
            self.each_account(&mut rows, taken());
            rows.known(same, sums().map(Move::currency));
            let columns = BalanceColumns::of(sums);
            let names = columns.each(|sql, column| sql.literal(column));
            self.by_column(&mut rows, &columns, sums, |sum| opposite(sum.total));
            let rows = rows.listed();
            let changes = columns.each(|sql, column| sql.add(sql![column " = b." column " - u." column]));
            statement.part(sql!["taken AS (
    UPDATE escrowed_stripes AS b SET " changes " FROM " rows " AS u (account, currency, " names ")" gate "
    WHERE b.account = u.account AND b.currency = u.currency AND b.stripe = 0 RETURNING 1
)"]);
        }
        taken().count()
    }

    // An amount of each of these moves for each column.
    fn by_column<'m, I: Iterator<Item = &'m Move<'c>>>(
        &'m self,
        rows: &mut Rows<'_>,
        columns: &BalanceColumns,
        sums: impl Fn() -> I,
        amount: impl Fn(&Move<'c>) -> i64,
    ) where
        'c: 'm,
    {
        let of = |sum: &Move<'c>, column| if sum.column() == column { (sum.only, amount(sum)) } else { (None, 0) };
        for column in &columns.0 {
            self.each_amount(rows, sums().map(|sum| of(sum, *column)));
        }
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
        let mut rows = statement.rows();
        self.each_account(&mut rows, those());
        rows.known(same, sums().map(Move::currency));
        self.each_amount(&mut rows, sums().map(|sum| (sum.only, amount(sum))));
        Some(rows.listed())
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
    const fn column(&self) -> Column {
        match self.account {
            Account::Escrow(_) | Account::Wallet(_) => Column::Holds,
            Account::Debt(_) => Column::Owes,
            Account::World(_) => Column::Outside,
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

/// Where a balance stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Column {
    Holds,
    Owes,
    Outside,
}

impl Column {
    const ALL: [Self; 3] = [Self::Holds, Self::Owes, Self::Outside];

    const fn name(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Owes => "owes",
            Self::Outside => "outside",
        }
    }
}

/// The columns that some moves go to.
struct BalanceColumns(SmallVec<[Column; 3]>);

impl BalanceColumns {
    fn of<'m, 'c: 'm, I: Iterator<Item = &'m Move<'c>>>(moves: impl Fn() -> I) -> Self {
        let columns = Column::ALL.into_iter();
        Self(columns.filter(|column| moves().any(|one| one.column() == *column)).collect())
    }

    /// Something about each of them, as a list.
    fn each(&self, write: fn(&mut Sql, &'static str)) -> EachColumn<'_> {
        EachColumn(self, write)
    }
}

#[derive(Clone, Copy)]
struct EachColumn<'c>(&'c BalanceColumns, fn(&mut Sql, &'static str));

impl Piece for EachColumn<'_> {
    fn add_to(&self, sql: &mut Sql) {
        let Self(columns, write) = self;
        for (place, column) in columns.0.iter().enumerate() {
            sql.literal(if place == 0 { "" } else { ", " });
            write(sql, column.name());
        }
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
