//! Who bears what a card network took: what each gives at once, and what it comes to owe.

use super::{Clock, Escrow, EscrowError, gather::Gathering};
use crate::{
    gateway::{Dispute, Gateway},
    id::Subject,
    ledger::Account,
    lifecycle::{Reason, Transition},
    money::Money,
    party::{PartyId, Stamp},
    payment::{
        AnyPayin, Debt, DebtId, RefundId,
        chargeback::{Borne, Part, Share, Stake, borne},
        debt,
        payin::Disputes,
    },
    store::{Store, UnitOfWork, Views},
};

type Fails<U> = EscrowError<<U as UnitOfWork>::Error>;

impl<S: Store, G: Gateway, C: Clock> Escrow<S, G, C> {
    /// Who bears a dispute of a payin, and whose platform bears its fee.
    pub(super) async fn bearers<U: Views>(
        &self,
        gathered: &mut Gathering<'_, U>,
        paid: &AnyPayin,
        dispute: &Dispute,
    ) -> Result<(Borne, PartyId), Fails<U>> {
        let (about, payer) = (paid.facts().about, &paid.facts().payer);
        let member = self.member(about)?;
        let said = (member.stake)(gathered.log(about).await?)?;
        let none = |platform| Stake::none(platform, dispute.amount.currency());
        // What took nothing of it has nothing to give.
        let stake = match (said, paid.handed_to()) {
            (Some(stake), Some(_)) => stake,
            (Some(stake), None) => none(stake.platform),
            (None, _) => none(self.platform.clone()),
        };
        // What is raised by pledges has thousands of them, and where it has nothing to give its payer bears all anyway.
        let nobody_else = stake.held.is_zero() && stake.paid.is_empty();
        let refunds = if member.pool.is_some() && nobody_else { Vec::new() } else { refunding(gathered, paid).await? };
        let borne = borne(dispute.amount, payer, refunds, &stake)?;
        Ok((borne, stake.platform))
    }

    /// What of each part its bearer's wallet gives, and what it comes to owe.
    pub(super) async fn shares<U: Views>(
        &self,
        gathered: &mut Gathering<'_, U>,
        cause: Subject,
        parts: Vec<(PartyId, Part, Money)>,
        at: &Stamp,
    ) -> Result<Vec<Share>, Fails<U>> {
        let mut shares: Vec<Share> = Vec::with_capacity(parts.len());
        for (nth, (party, of, amount)) in (0..).zip(parts) {
            let account = Account::Wallet(party.clone());
            let balance = gathered.unit.balance(&account, amount.currency()).await.map_err(EscrowError::Storage)?;
            let given: i64 = shares.iter().filter(|share| share.party == party).map(|share| share.wallet.minor()).sum();
            let wallet = (balance.minor() - given).clamp(0, amount.minor());
            let owed = Money::from_minor(amount.minor() - wallet, amount.currency());
            let debt = owed.is_positive().then(|| DebtId::derived(cause, 1, nth, at.at));
            shares.push(Share { party, of, wallet: Money::from_minor(wallet, amount.currency()), owed, debt });
        }
        Ok(shares)
    }

    /// The debts of these shares of what has to be paid all the same.
    pub(super) fn debts(
        &self,
        cause: Subject,
        about: Subject,
        creditor: &PartyId,
        shares: &[Share],
        at: &Stamp,
    ) -> Result<Vec<Transition<Debt<debt::Open>>>, Reason> {
        let every = self.policy.recover;
        let owed = shares.iter().filter_map(|share| Some((share.debt?, share)));
        let open = owed.map(|(id, share)| {
            let terms = debt::Terms {
                about,
                cause,
                debtor: share.party.clone(),
                creditor: creditor.clone(),
                amount: share.owed,
                due: at.at.plus(every),
                every,
            };
            debt::open(id, terms, at)
        });
        open.collect()
    }
}

// What refunds of a payin have for its payer that no chargeback was borne for yet, the oldest first. That is also what
// arrived once and was sent back by the bank, which the payin counts.
async fn refunding<U: Views>(
    gathered: &mut Gathering<'_, U>,
    paid: &AnyPayin,
) -> Result<Vec<(RefundId, Money)>, Fails<U>> {
    let mut found = Vec::new();
    for id in gathered.refunds_about(paid.facts().about).await? {
        // It may have been passed on after the index was read.
        let id = holder(gathered, id).await?;
        let (refund, known) = (gathered.load(id).await?, found.iter().any(|(known, _)| *known == id));
        if !known && refund.facts().payin == paid.id() && refund.held().is_positive() {
            found.push((id, refund.held()));
        }
    }
    found.sort_by_key(|(id, _)| *id);
    for dispute in paid.disputes().into_iter().flat_map(Disputes::not_won) {
        for (refund, part) in gathered.load(dispute).await?.facts().refunds.clone() {
            let now = holder(gathered, refund).await?;
            for (_, left) in found.iter_mut().filter(|(id, _)| *id == now) {
                *left = left.checked_sub(part).map_err(Reason::from)?;
            }
        }
    }
    found.retain(|(_, left)| left.is_positive());
    Ok(found)
}

// The refund that has a refund's money now: the last one that it was passed on to.
async fn holder<U: UnitOfWork>(gathered: &mut Gathering<'_, U>, mut id: RefundId) -> Result<RefundId, Fails<U>> {
    while let Some((by, _)) = gathered.load(id).await?.went() {
        id = *by;
    }
    Ok(id)
}
