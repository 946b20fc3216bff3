//! What each party owes: its account is below zero by what its debts say remains of them.

use super::{Difference, Part, Reading, books::Sums};
use crate::{
    ledger::Account,
    lifecycle::replay,
    money::Money,
    party::PartyId,
    payment::{AnyDebt, DebtId},
    store::{Query, Store, UnitOfWork, Views},
};

const PAGE: usize = 100;

/// What the debts of a party say otherwise than the entries on its account.
pub(super) async fn owed<S: Store>(
    reading: &mut Reading<'_, S>,
    party: &PartyId,
    entries: &Sums,
) -> Result<Vec<Difference>, S::Error> {
    let (mut debts, query, mut after) = (Sums::default(), Query::Party(party.clone()), None);
    loop {
        let page = match reading.unit().await?.find(&query, after.as_ref(), PAGE).await {
            Ok(page) => page,
            Err(cause) => return Ok(vec![reading.unreadable(Part::Parties(None), cause)]),
        };
        for id in page.rows.iter().filter_map(|row| DebtId::try_from(row.subject).ok()) {
            // One that cannot be read is told of by itself, and is missing here.
            let log = reading.unit().await?.log(id.subject()).await;
            if let Ok(Some(log)) = log
                && let Ok(debt) = replay::<AnyDebt>(&log)
                && debt.is_owed()
                && debt.facts().terms().debtor == *party
            {
                let remains = debt.facts().remains();
                debts.count(Money::from_minor(-remains.minor(), remains.currency()));
            }
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let mut found = Vec::new();
    for entries in entries.amounts() {
        let debts = debts.of(entries.currency());
        if debts != entries {
            found.push(Difference::Owed { account: Account::Debt(party.clone()), debts, entries });
        }
    }
    Ok(found)
}
