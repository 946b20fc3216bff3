//! Drawing up statements from the books.

use super::{Holder, Line, Span, Statement, StatementError, SubjectStatement};
use crate::{
    id::Subject,
    ledger::Account,
    money::{Currency, Money, MoneyError},
    party::PartyId,
    store::{BookedEntry, Cursor, Query, Views},
};
use std::collections::{BTreeMap, HashSet};

const PAGE: usize = 500;

/// The statement of one account in one currency. All zeros where nothing was ever booked.
///
/// # Errors
/// [`StatementError`] when a balance overflows, the entries do not add up to what the account holds, or the storage fails.
pub async fn of_account<U: Views>(
    unit: &mut U,
    account: &Account,
    currency: Currency,
    span: Span,
) -> Result<Statement, StatementError<U::Error>> {
    let mut sheet = Sheet::new(currency, span);
    read(unit, account, |entry| {
        if entry.amount.currency() == currency {
            sheet.count(account, entry);
        }
    })
    .await?;
    agree(unit, account, &sheet).await?;
    Ok(sheet.statement(Holder::Account(account.clone()))?)
}

/// The statements of a party's wallet, one for each currency that was booked on it before the end of the span, in order of
/// their codes.
///
/// # Errors
/// [`StatementError`] as for [`of_account`].
pub async fn of_party<U: Views>(
    unit: &mut U,
    party: &PartyId,
    span: Span,
) -> Result<Vec<Statement>, StatementError<U::Error>> {
    let wallet = Account::Wallet(party.clone());
    let mut sheets = Sheets::new(span);
    read(unit, &wallet, |entry| sheets.count(&wallet, entry)).await?;
    sheets.audited(unit, &wallet).await
}

/// The statements of an order or a deal: of its escrow account and of those of its payments, and of all of them together.
///
/// # Errors
/// [`StatementError`] as for [`of_account`].
pub async fn of_subject<U: Views>(
    unit: &mut U,
    subject: Subject,
    span: Span,
) -> Result<SubjectStatement, StatementError<U::Error>> {
    let accounts = accounts_of(unit, subject).await?;
    let own: HashSet<&Account> = accounts.iter().collect();
    let (mut total, mut each) = (Sheets::new(span), Vec::new());
    for account in &accounts {
        let mut sheets = Sheets::new(span);
        read(unit, account, |entry| {
            if !(own.contains(&entry.from) && own.contains(&entry.to)) {
                total.count(account, entry.clone());
            }
            sheets.count(account, entry);
        })
        .await?;
        each.extend(sheets.audited(unit, account).await?);
    }
    let total = total.statements(&Holder::Subject(subject))?;
    Ok(SubjectStatement { subject, total, accounts: each })
}

/// Its own escrow account, then those of its payments in order of their ids.
async fn accounts_of<U: Views>(unit: &mut U, subject: Subject) -> Result<Vec<Account>, StatementError<U::Error>> {
    let (mut accounts, mut after) = (vec![Account::Escrow(subject)], None::<Cursor>);
    loop {
        let page = unit.find(&Query::About(subject), after.as_ref(), PAGE).await.map_err(StatementError::Storage)?;
        accounts.extend(page.rows.iter().map(|row| Account::Escrow(row.subject)));
        after = page.next;
        if after.is_none() {
            return Ok(accounts);
        }
    }
}

/// Reads every entry on an account, in order of their numbers, a page at a time.
async fn read<U: Views>(
    unit: &mut U,
    account: &Account,
    mut each: impl FnMut(BookedEntry),
) -> Result<(), StatementError<U::Error>> {
    let mut last = 0;
    loop {
        let page = unit.entries(account, last, PAGE).await.map_err(StatementError::Storage)?;
        let Some(end) = page.last() else { return Ok(()) };
        last = end.number;
        page.into_iter().for_each(&mut each);
    }
}

/// Whether all that was ever booked adds up to what the account holds.
async fn agree<U: Views>(unit: &mut U, account: &Account, sheet: &Sheet) -> Result<(), StatementError<U::Error>> {
    let counted = sheet.money(sheet.ever)?;
    let held = unit.balance(account, sheet.currency).await.map_err(StatementError::Storage)?;
    if held == counted {
        return Ok(());
    }
    Err(StatementError::Disagrees { account: account.clone(), held, counted })
}

/// What was counted, by currency.
struct Sheets(BTreeMap<Currency, Sheet>, Span);

/// What was counted in one currency. Sums are wider than amounts: only what is told has to fit.
struct Sheet {
    currency: Currency,
    span: Span,
    opening: i128,
    lines: Vec<Line>,
    // Everything, whatever the span.
    ever: i128,
    // Whether anything was booked before the end of the span.
    in_use: bool,
}

impl Sheets {
    const fn new(span: Span) -> Self {
        Self(BTreeMap::new(), span)
    }

    fn count(&mut self, account: &Account, entry: BookedEntry) {
        let currency = entry.amount.currency();
        self.0.entry(currency).or_insert_with(|| Sheet::new(currency, self.1)).count(account, entry);
    }

    fn statements(self, of: &Holder) -> Result<Vec<Statement>, MoneyError> {
        self.0.into_values().filter(|sheet| sheet.in_use).map(|sheet| sheet.statement(of.clone())).collect()
    }

    /// The statements of an account whose entries add up to what it holds.
    async fn audited<U: Views>(
        self,
        unit: &mut U,
        account: &Account,
    ) -> Result<Vec<Statement>, StatementError<U::Error>> {
        for sheet in self.0.values() {
            agree(unit, account, sheet).await?;
        }
        Ok(self.statements(&Holder::Account(account.clone()))?)
    }
}

impl Sheet {
    const fn new(currency: Currency, span: Span) -> Self {
        Self { currency, span, opening: 0, lines: Vec::new(), ever: 0, in_use: false }
    }

    fn count(&mut self, account: &Account, entry: BookedEntry) {
        let BookedEntry { number, subject, seq, from, to, amount, purpose, at } = entry;
        let leaves = from == *account;
        let minor = if leaves { -amount.minor() } else { amount.minor() };
        self.ever += i128::from(minor);
        if !self.span.ends_after(at) {
            return;
        }
        self.in_use = true;
        if self.span.begins_after(at) {
            self.opening += i128::from(minor);
            return;
        }
        let (account, counter) = if leaves { (from, to) } else { (to, from) };
        let amount = Money::from_minor(minor, self.currency);
        // The balance is known once the lines are in the order of time.
        let balance = Money::zero(self.currency);
        self.lines.push(Line { number, at, account, counter, amount, purpose, subject, seq, balance });
    }

    fn statement(mut self, of: Holder) -> Result<Statement, MoneyError> {
        self.lines.sort_by_key(|line| (line.at, line.number));
        let (mut lines, mut balance) = (std::mem::take(&mut self.lines), self.opening);
        for line in &mut lines {
            balance += i128::from(line.amount.minor());
            line.balance = self.money(balance)?;
        }
        let (opening, closing) = (self.money(self.opening)?, self.money(balance)?);
        Ok(Statement { of, currency: self.currency, span: self.span, opening, lines, closing })
    }

    fn money(&self, minor: i128) -> Result<Money, MoneyError> {
        i64::try_from(minor).map(|minor| Money::from_minor(minor, self.currency)).map_err(|_| MoneyError::Overflow)
    }
}
