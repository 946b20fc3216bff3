//! Refunds of what was released.

use super::{
    Caller, Clock, Escrow, EscrowError,
    act::{NOTHING_PAID, under},
    gather::{Acted, Gathering},
};
use crate::{
    gateway::Gateway,
    id::Id,
    ledger::Account,
    lifecycle::{Reason, Value},
    money::Money,
    order::{AnyOrder, OrderId},
    party::Stamp,
    payment::{
        After, Agreement, AnyRefund, Consent, Evidence, RefundId,
        chargeback::{Part, shared},
        refund,
    },
    store::{Request, Store, UnitOfWork, Views},
};

type Fails<U> = EscrowError<<U as UnitOfWork>::Error>;

impl<S: Store, G: Gateway, C: Clock> Escrow<S, G, C> {
    /// Gives the buyer of a released order some or all of its payin back, in minor units: the platform alone may. The order
    /// stays `RELEASED` and notes it.
    ///
    /// Each who was paid bears it by what it had, fees included: its wallet gives as far as it holds, the rest is a debt of
    /// its, which the platform covers at once: see [`refund`](crate::payment::refund#after-the-release). It is sent without
    /// further consent, the way that the payin came; one that is denied holds the money until it is replaced by
    /// [`act_on_refund`](Self::act_on_refund).
    ///
    /// # Errors
    /// [`EscrowError`] when somebody else asks; the order is not released, or part of a movement; the currency is another, or it
    /// is more than was paid less what went back before ([`Reason::TooMuch`]); the platform's wallet does not hold its share
    /// and what it has to cover ([`EscrowError::Overdrawn`]); or somebody else was faster. Nothing may be committed then.
    pub async fn refund_released<U: Views>(
        &self,
        unit: &mut U,
        order: OrderId,
        amount: Money,
        by: impl Into<Caller>,
    ) -> Result<AnyRefund, Fails<U>> {
        let mut caller = by.into();
        refund::only_platform(&caller.actor)?;
        let request = caller.refunds(order.subject(), amount)?;
        if caller.needing.take().is_some() {
            return Err(NOTHING_PAID.into());
        }
        let at = self.stamp(caller.actor);
        let mut gathered = Gathering::over(unit);
        if let Some(before) = gathered.answer(request.as_ref()).await? {
            return Ok(before);
        }
        let platform = Account::Wallet(gathered.load(order).await?.facts().terms().platform.clone());
        let refunded = match self.gather_refund(&mut gathered, order, amount, request.as_ref(), &at).await {
            // The same request may have been done between the two looks.
            Err(EscrowError::Refused(reason)) => match gathered.answer(request.as_ref()).await? {
                Some(before) => Ok(Acted::Before(before)),
                None => Err(EscrowError::Refused(reason)),
            },
            other => other.map(Acted::Now),
        };
        gathered.conclude(refunded).await.map_err(|error| match error {
            // Somebody spent what was there when it was looked for. The platform's wallet has to hold more than was.
            EscrowError::Overdrawn(account) if account != platform => EscrowError::Stale,
            other => other,
        })
    }

    async fn gather_refund<U: Views>(
        &self,
        gathered: &mut Gathering<'_, U>,
        order: OrderId,
        amount: Money,
        request: Option<&Request>,
        at: &Stamp,
    ) -> Result<AnyRefund, Fails<U>> {
        let released = match gathered.load(order).await? {
            AnyOrder::Released(released) => released.widen(),
            other => {
                let status = other.status().name();
                return Err(Reason::WrongStatus { action: "refund_released", status }.into());
            }
        };
        if let Some(part) = released.facts().part() {
            return Err(Reason::PartOf(part.of).into());
        }
        let payin = released.facts().payins().last().copied();
        let payin = gathered.load(payin.ok_or(Reason::Missing { what: "a payin" })?).await?;
        let (paid, served) = (payin.facts(), self.gateway.name());
        if paid.gateway != *served {
            return Err(EscrowError::OtherGateway { asked: paid.gateway.clone(), served: served.clone() });
        }
        let stake = released.stake().ok_or(Reason::Missing { what: "who was paid" })?;
        let (bearers, beyond) = shared(amount.require_positive().map_err(Reason::from)?, &stake.paid)?;
        if beyond.is_positive() {
            let available = amount.checked_sub(beyond).map_err(Reason::from)?;
            return Err(Reason::TooMuch { asked: amount, available }.into());
        }
        let id: RefundId = Id::generate(at.at);
        let parts = bearers.into_iter().map(|(party, part)| (party, Part::Amount, part)).collect();
        let mut shares = self.shares(gathered, id.subject(), parts, at).await?;
        // The platform owes itself nothing: what its wallet does not hold, it cannot give.
        for share in shares.iter_mut().filter(|share| share.party == stake.platform) {
            (share.wallet, share.owed, share.debt) = (share.total()?, Money::zero(amount.currency()), None);
        }
        // Givers before the taker.
        for debt in self.debts(id.subject(), order.subject(), &stake.platform, &shares, at)? {
            gathered.take(debt.then(|debt| debt.cover(at)).map_err(|refused| refused.reason)?)?;
        }
        let terms = refund::Terms {
            about: order.subject(),
            payin: payin.id(),
            payer: paid.payer.clone(),
            amount,
            route: paid.route(),
            consent: Consent::NotNeeded,
            source: order.subject(),
            gateway: served.clone(),
            shares,
            again: None,
        };
        let opened = under(refund::open(id, terms, at)?, request.cloned());
        let refund = self.gather_alone(gathered, opened, at).await?;
        self.tell(gathered, order.subject(), &Evidence::After(After::Refunded(&refund)), at).await?;
        Ok(refund)
    }
}
