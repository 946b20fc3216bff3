//! What a person wants to see: paths, ledgers, balances.

use crate::{Outcome, Shop};
use escrowed::{
    id::{Id, Subject},
    ledger::{Account, Balance, trial_balance},
    lifecycle::Lifecycle,
    order,
    sqlite::SqliteUnit,
    store::{BookedEntry, Query, Store, Views},
};
use std::collections::BTreeSet;

/// The path of an order or a deal, and every entry of it.
pub(crate) async fn deal<L: Lifecycle>(shop: &Shop, id: Id<L>) -> Outcome<()> {
    let mut unit = shop.store().begin().await?;
    let value = shop.load(&mut unit, id).await?;
    let passages = value.head().history().by_time().iter();
    let path: Vec<String> = passages.map(|passage| passage.code.to_string()).collect();
    println!("      {id}\n      {}", path.join(" → "));
    for entry in ledger(&mut unit, id.subject()).await? {
        println!("      {:>14}  {:<9} {} → {}", entry.amount, entry.purpose, short(&entry.from), short(&entry.to));
    }
    assert!(value.head().held().is_zero(), "what is over holds nothing");
    println!();
    Ok(())
}

/// Every entry of an order and its payments, in the order they were booked.
async fn ledger(unit: &mut SqliteUnit, id: Subject) -> Outcome<Vec<BookedEntry>> {
    let page = unit.find(&Query::About(id), None, 100).await?;
    let (mut entries, mut seen) = (Vec::new(), BTreeSet::new());
    for subject in page.rows.iter().map(|row| row.subject).chain([id]) {
        for entry in unit.entries(&Account::Escrow(subject), 0, 100).await? {
            if seen.insert(entry.number) {
                entries.push(entry);
            }
        }
    }
    entries.sort_by_key(|entry| entry.number);
    Ok(entries)
}

/// The end of an id says enough on a screen.
fn short(account: &Account) -> String {
    match account {
        Account::Escrow(subject) => {
            let text = subject.to_string();
            format!("{}_…{}", subject.kind(), &text[text.len() - 4..])
        }
        Account::World(_) | Account::Wallet(_) | Account::Debt(_) => account.to_string(),
    }
}

pub(crate) async fn balances(shop: &Shop) -> Outcome<()> {
    let mut unit = shop.store().begin().await?;
    let mut balances: Vec<Balance> = Vec::new();
    loop {
        let last = balances.last().cloned();
        let after = last.as_ref().map(|balance| (&balance.account, balance.amount.currency()));
        let page = unit.balances(after, 100).await?;
        if page.is_empty() {
            break;
        }
        balances.extend(page);
    }
    println!("Balances:");
    for balance in balances.iter().filter(|balance| !balance.amount.is_zero()) {
        println!("      {:>14}  {}", balance.amount, balance.account);
    }
    for sum in trial_balance(&balances)? {
        println!("Trial balance: {sum} over {} accounts.", balances.len());
        assert!(sum.is_zero(), "the books are out of balance");
    }
    let released = unit.find(&Query::status(order::TABLE.name.parse()?, "RELEASED"), None, 100).await?;
    println!("Orders released: {}.", released.rows.len());
    Ok(())
}
