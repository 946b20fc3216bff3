//! The accounts: each balance is what the entries add up to, and each entry belongs to somebody's log.

use super::{Difference, Part, Place, Reading, Step, Verified, Verifier, Within, debts::owed, list};
use crate::{
    ledger::Account,
    money::{Currency, Money},
    store::{BookedEntry, Inventory, Store, Views},
};
use std::collections::BTreeMap;

/// What entries add up to on one account, by currency.
#[derive(Debug, Default)]
pub(super) struct Sums(BTreeMap<Currency, i64>);

impl Sums {
    /// Adds what an entry does to an account. Balances stay within 64 bits, so sums that do not are those of tampered
    /// entries, and differ from any balance all the same.
    pub(super) fn add(&mut self, account: &Account, booked: &BookedEntry) {
        if booked.to == *account {
            self.count(booked.amount);
        }
        if booked.from == *account {
            let amount = booked.amount;
            self.count(Money::from_minor(amount.minor().wrapping_neg(), amount.currency()));
        }
    }

    pub(super) fn count(&mut self, amount: Money) {
        let sum = self.0.entry(amount.currency()).or_default();
        *sum = sum.wrapping_add(amount.minor());
    }

    /// All of them, with this currency if nothing was booked in it.
    pub(super) fn with(mut self, currency: Currency) -> Vec<Money> {
        self.0.entry(currency).or_default();
        self.amounts()
    }

    /// That of one currency, in minor units.
    pub(super) fn of(&self, currency: Currency) -> Money {
        Money::from_minor(self.0.get(&currency).copied().unwrap_or_default(), currency)
    }

    pub(super) fn amounts(&self) -> Vec<Money> {
        self.0.iter().map(|(currency, minor)| Money::from_minor(*minor, *currency)).collect()
    }
}

impl From<&[Money]> for Sums {
    fn from(sums: &[Money]) -> Self {
        Self(sums.iter().map(|sum| (sum.currency(), sum.minor())).collect())
    }
}

impl Verifier {
    /// Goes through accounts, one after another, until a page of entries was read.
    pub(super) async fn accounts<S: Store>(
        &self,
        store: &S,
        mut after: Option<Account>,
        within: Option<&Within>,
    ) -> Result<Step, S::Error> {
        let (mut seen, mut found) = (Verified::default(), Vec::new());
        let mut reading = Reading::of(store);
        let mut left = self.page;
        let (mut begun, accounts) = if let Some(within) = within {
            (Some(within), Ok(vec![within.account.clone()]))
        } else {
            let last = after.as_ref();
            (None, list!(reading, self.page, |unit, limit| unit.accounts(last, limit)))
        };
        let accounts = match accounts {
            Ok(accounts) => accounts,
            Err(cause) => {
                found.push(reading.unreadable(Part::Accounts(after), cause));
                return Ok(Step::new(Some(Place::CALLS), seen, found));
            }
        };
        if accounts.is_empty() {
            return Ok(Step::new(Some(Place::CALLS), seen, found));
        }
        for account in accounts {
            let begun = begun.take();
            let (mut sums, mut number) =
                begun.map_or_else(Default::default, |within| (Sums::from(&*within.sums), within.number));
            let page = match reading.unit().await?.entries(&account, number, left).await {
                Ok(page) => page,
                Err(cause) => {
                    found.push(reading.unreadable(Part::Entries(account.clone()), cause));
                    after = Some(account);
                    continue;
                }
            };
            for booked in &page {
                number = booked.number;
                sums.add(&account, booked);
                if booked.from == account && !belongs(booked) {
                    found.push(Difference::EntryExtra { booked: Box::new(booked.clone()) });
                }
            }
            if page.len() == left {
                let within = Within { account, number, sums: sums.amounts() };
                return Ok(Step::new(Some(Place::Accounts { after, within: Some(within) }), seen, found));
            }
            // Somebody may have booked between the two.
            let differs = balances(&mut reading, &account, &sums).await?;
            if differs.is_empty() {
                seen.accounts += 1;
            } else {
                found.append(&mut self.again(&mut reading, &account).await?);
                seen.accounts += 1;
            }
            left = (left - page.len()).saturating_sub(1);
            after = Some(account);
            if left == 0 {
                break;
            }
        }
        Ok(Step::new(Some(Place::Accounts { after, within: None }), seen, found))
    }

    // A second look at an account, from its first entry.
    async fn again<S: Store>(
        &self,
        reading: &mut Reading<'_, S>,
        account: &Account,
    ) -> Result<Vec<Difference>, S::Error> {
        reading.renew();
        let (mut sums, mut number) = (Sums::default(), 0);
        loop {
            let page = match reading.unit().await?.entries(account, number, self.page).await {
                Ok(page) => page,
                Err(cause) => return Ok(vec![reading.unreadable(Part::Entries(account.clone()), cause)]),
            };
            let Some(last) = page.last() else { break };
            number = last.number;
            page.iter().for_each(|booked| sums.add(account, booked));
        }
        balances(reading, account, &sums).await
    }
}

// Whether a subject moves its own money, which is all that one can book.
fn belongs(booked: &BookedEntry) -> bool {
    let own = Account::Escrow(booked.subject);
    booked.from == own || booked.to == own
}

// What the balances of an account say otherwise than its entries.
async fn balances<S: Store>(
    reading: &mut Reading<'_, S>,
    account: &Account,
    sums: &Sums,
) -> Result<Vec<Difference>, S::Error> {
    let mut found = Vec::new();
    if let Account::Escrow(subject) = account {
        match reading.unit().await?.row(*subject).await {
            Ok(Some(_)) => {}
            Ok(None) => found.push(Difference::AccountExtra { account: account.clone() }),
            Err(cause) => found.push(reading.unreadable(Part::Row(*subject), cause)),
        }
    }
    if let Account::Debt(party) = account {
        found.append(&mut owed(reading, party, sums).await?);
    }
    let kept = match reading.unit().await?.balances_of(account).await {
        Ok(kept) => kept,
        Err(cause) => {
            found.push(reading.unreadable(Part::Balances(account.clone()), cause));
            return Ok(found);
        }
    };
    let mut sums = sums.0.clone();
    for balance in kept {
        let kept = balance.amount;
        let entries = Money::from_minor(sums.remove(&kept.currency()).unwrap_or_default(), kept.currency());
        if entries != kept {
            found.push(Difference::Balance { account: account.clone(), entries, kept: Some(kept) });
        }
    }
    let without = sums.into_iter().map(|(currency, minor)| Money::from_minor(minor, currency));
    found.extend(without.map(|entries| Difference::Balance { account: account.clone(), entries, kept: None }));
    Ok(found)
}
