//! That nobody is paid twice: what a payer has charged back and owes, and the refunds of the same payin.

use super::{Clock, Escrow, EscrowError, follow::by_platform, gather::Gathering};
use crate::{
    gateway::Gateway,
    money::Money,
    party::Stamp,
    payment::{
        AnyDebt, AnyRefund, Chargeback, DebtId, Refund, Route,
        chargeback::{self, Open, Won},
        debt::Source,
        payin::Disputes,
        refund::{self, Command},
    },
    store::{Store, UnitOfWork, Views},
};

type Fails<U> = EscrowError<<U as UnitOfWork>::Error>;

impl<S: Store, G: Gateway, C: Clock> Escrow<S, G, C> {
    /// What a refund brings into the payer's wallet pays what the payer owes for chargebacks of the same payin, in the same
    /// unit: else the payer could spend what its bank has given back before. What the platform has written off of that, it
    /// recoups, out of what is left: first comes what others may be waiting for.
    pub(super) async fn pay_off_charged_back<U: UnitOfWork>(
        &self,
        gathered: &mut Gathering<'_, U>,
        refund: &Refund<refund::Confirmed>,
        at: &Stamp,
    ) -> Result<(), Fails<U>> {
        let came = refund.facts();
        if came.route != Route::Wallet {
            return Ok(());
        }
        let (platform, by_itself) = (Stamp::new(by_platform(), at.at), Stamp::gateway(at.at));
        let (mut left, mut written_off) = (came.amount.minor(), Vec::new());
        let mut part_of = |remains: Money| {
            let part = left.min(remains.minor());
            left -= part;
            Some(Money::from_minor(part, remains.currency())).filter(|part| part.is_positive())
        };
        for debt in owed_for(gathered, came).await? {
            match gathered.load(debt).await? {
                debt @ (AnyDebt::Open(_) | AnyDebt::Covered(_)) => {
                    if let Some(part) = part_of(debt.facts().remains()) {
                        gathered.take(debt.pay(part, Source::Wallet, &platform)?)?;
                    }
                }
                AnyDebt::WrittenOff(debt) => written_off.push(debt),
                AnyDebt::Paid(_) => {}
            }
        }
        for debt in written_off {
            if let Some(part) = part_of(debt.state().lost()) {
                gathered.take(debt.recoup(part, refund, &by_itself)?)?;
            }
        }
        Ok(())
    }

    /// A payer came to owe something for a chargeback: the refunds of the same payin that may still be sent, or may come back,
    /// note it. Then their money goes into the wallet only, where it pays that.
    pub(super) async fn note_charged_back<U: Views>(
        &self,
        gathered: &mut Gathering<'_, U>,
        chargeback: &Chargeback<Open>,
        at: &Stamp,
    ) -> Result<(), Fails<U>> {
        for refund in refunds_of(gathered, chargeback.facts()).await? {
            if refund.may_be_sent() {
                gathered.take(refund.handle(Command::NoteChargedBack { chargeback }, at)?)?;
            }
        }
        Ok(())
    }

    /// The dispute was won: those that noted it may go any way again.
    pub(super) async fn note_won_back<U: Views>(
        &self,
        gathered: &mut Gathering<'_, U>,
        chargeback: &Chargeback<Won>,
        at: &Stamp,
    ) -> Result<(), Fails<U>> {
        for refund in refunds_of(gathered, chargeback.facts()).await? {
            if refund.owed_for().contains(&chargeback.id()) {
                gathered.take(refund.handle(Command::NoteWonBack { chargeback }, at)?)?;
            }
        }
        Ok(())
    }
}

// The debts of a refund's payer for chargebacks of the same payin that were not won.
async fn owed_for<U: UnitOfWork>(
    gathered: &mut Gathering<'_, U>,
    refund: &refund::Terms,
) -> Result<Vec<DebtId>, Fails<U>> {
    let payin = gathered.load(refund.payin).await?;
    let disputes: Vec<_> = payin.disputes().into_iter().flat_map(Disputes::not_won).collect();
    let mut debts = Vec::new();
    for dispute in disputes {
        debts.extend(gathered.load(dispute).await?.facts().owed_by_payer());
    }
    Ok(debts)
}

// The refunds of the payin of a chargeback for which its payer came to owe something.
async fn refunds_of<U: Views>(
    gathered: &mut Gathering<'_, U>,
    chargeback: &chargeback::Terms,
) -> Result<Vec<AnyRefund>, Fails<U>> {
    let mut refunds = Vec::new();
    if chargeback.owed_by_payer().next().is_none() {
        return Ok(refunds);
    }
    for id in gathered.refunds_about(chargeback.about).await? {
        let refund = gathered.load(id).await?;
        if refund.facts().payin == chargeback.payin {
            refunds.push(refund);
        }
    }
    Ok(refunds)
}
