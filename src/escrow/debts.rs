//! What is owed: paid off out of the debtor's wallet, covered, or written off.

use super::{
    Caller, Clock, Escrow, EscrowError,
    act::Step,
    follow::by_platform,
    gather::{Acted, Gathering},
};
use crate::{
    gateway::Gateway,
    ledger::Account,
    money::Money,
    party::{Actor, Stamp},
    payment::{
        AnyDebt, DebtId, Route,
        chargeback::Part,
        debt::{self, Source},
        payin::Disputes,
        refund,
    },
    store::{Store, UnitOfWork, Views},
};

type Fails<U> = EscrowError<<U as UnitOfWork>::Error>;

impl<S: Store, G: Gateway, C: Clock> Escrow<S, G, C> {
    /// Pays a debt off out of the debtor's wallet, as far as that goes: for a host that does not want to wait for the worker,
    /// in the unit that has paid into the wallet. Nothing is written where there is nothing to pay, or to pay with.
    ///
    /// # Errors
    /// [`EscrowError`] when it is unknown, a stranger asks, or somebody else was faster.
    pub async fn recover<U: Views>(&self, unit: &mut U, id: DebtId, by: Actor) -> Result<AnyDebt, Fails<U>> {
        let mut gathered = Gathering::over(unit);
        let paid = self.gather_recovery(&mut gathered, id, by).await;
        gathered.conclude(paid).await.map_err(spent)
    }

    async fn gather_recovery<U: Views>(
        &self,
        gathered: &mut Gathering<'_, U>,
        id: DebtId,
        by: Actor,
    ) -> Result<Acted<AnyDebt>, Fails<U>> {
        let at = self.stamp(by);
        let debt = gathered.load(id).await?;
        let there = purse(gathered, &debt).await?;
        if !there.is_positive() || !debt.is_owed() {
            return Ok(Acted::Before(debt));
        }
        gathered.take(debt.pay(there, Source::Wallet, &at)?).map(Acted::Now)
    }

    /// Acts on a debt: pays it off, covers it with the platform's money, or writes it off.
    ///
    /// # Errors
    /// [`EscrowError`] when it is unknown, refused, stale, or a wallet does not hold enough.
    pub async fn act_on_debt<U: UnitOfWork>(
        &self,
        unit: &mut U,
        id: DebtId,
        command: debt::Command,
        by: impl Into<Caller>,
    ) -> Result<AnyDebt, Fails<U>> {
        let mut gathered = Gathering::over(unit);
        let acted = match self.step(&mut gathered, id, command, by.into()).await {
            Ok(Step::Taken(taken, _)) => gathered.take(taken).map(Acted::Now),
            Ok(Step::Before(debt)) => Ok(Acted::Before(debt)),
            Err(error) => Err(error),
        };
        gathered.conclude(acted).await
    }

    /// What a refund brings into the payer's wallet pays what the payer owes for chargebacks of the same payin, in the same
    /// unit: else the payer could spend what its bank has given back before.
    pub(super) async fn pay_off_charged_back<U: UnitOfWork>(
        &self,
        gathered: &mut Gathering<'_, U>,
        refund: &refund::Terms,
        at: &Stamp,
    ) -> Result<(), Fails<U>> {
        if refund.route != Route::Wallet {
            return Ok(());
        }
        let payin = gathered.load(refund.payin).await?;
        let disputes: Vec<_> = payin.disputes().into_iter().flat_map(Disputes::not_won).collect();
        let (mut left, platform) = (refund.amount.minor(), Stamp::new(by_platform(), at.at));
        for dispute in disputes {
            let chargeback = gathered.load(dispute).await?;
            let shares = chargeback.facts().shares.iter();
            let own = shares.filter(|share| share.of == Part::Amount && share.party == refund.payer);
            for debt in own.filter_map(|share| share.debt) {
                let debt = gathered.load(debt).await?;
                let part = left.min(debt.facts().remains().minor());
                if debt.is_owed() && part > 0 {
                    let amount = Money::from_minor(part, refund.amount.currency());
                    gathered.take(debt.pay(amount, Source::Wallet, &platform)?)?;
                    left -= part;
                }
            }
        }
        Ok(())
    }

    /// The debtor's wallet is looked into.
    pub(super) async fn debt_due(
        &self,
        gathered: &mut Gathering<'_, S::Unit>,
        id: DebtId,
        at: &Stamp,
    ) -> Result<bool, EscrowError<S::Error>> {
        let debt = gathered.load(id).await?;
        let there = purse(gathered, &debt).await?;
        let taken = if there.is_positive() {
            debt.pay(there, Source::Wallet, at)?
        } else {
            debt.handle(debt::Command::Defer {}, at)?
        };
        gathered.take(taken)?;
        Ok(true)
    }
}

// What the debtor's wallet holds.
async fn purse<U: Views>(gathered: &mut Gathering<'_, U>, debt: &AnyDebt) -> Result<Money, Fails<U>> {
    let terms = debt.facts().terms();
    let (account, currency) = (Account::Wallet(terms.debtor.clone()), terms.amount.currency());
    gathered.unit.balance(&account, currency).await.map_err(EscrowError::Storage)
}

// Somebody spent what was there when it was looked for.
fn spent<E>(error: EscrowError<E>) -> EscrowError<E> {
    match error {
        EscrowError::Overdrawn(_) => EscrowError::Stale,
        other => other,
    }
}
