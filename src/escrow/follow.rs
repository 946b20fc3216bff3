//! What follows from an act by itself: what a payment's order or deal does about it, and what becomes of its payins.

use super::{
    Clock, Escrow, EscrowError,
    gather::Gathering,
    member::{Lapse, Member, Reaction},
    movements::moved,
};
use crate::{
    gateway::Gateway,
    id::Subject,
    lifecycle::{Transition, Value},
    party::{Actor, Stamp},
    payment::{
        After, AnyPayin, AnyRefund, Evidence, PayinId, Payout, Refund, RefundId, payin,
        payout::{self, Went},
        refund,
    },
    store::{Commit, Store, UnitOfWork},
};

type Fails<U> = EscrowError<<U as UnitOfWork>::Error>;

impl<S: Store, G: Gateway, C: Clock> Escrow<S, G, C> {
    /// Gathers a payment's step together with what its order or deal does about it.
    pub(super) async fn gather_with<T: Value, U: UnitOfWork>(
        &self,
        gathered: &mut Gathering<'_, U>,
        taken: Transition<T>,
        reaction: Reaction,
        at: &Stamp,
    ) -> Result<T, Fails<U>> {
        let value = self.gather(gathered, taken.and_all(reaction.commits), at).await?;
        if let Some(payin) = reaction.abandoned {
            self.abandon(gathered, payin, at).await?;
        }
        Ok(value)
    }

    /// Gathers a transition, and what follows from it: for movements, too, of which it writes an order.
    pub(super) async fn gather<T: Value, U: UnitOfWork>(
        &self,
        gathered: &mut Gathering<'_, U>,
        taken: Transition<T>,
        at: &Stamp,
    ) -> Result<T, Fails<U>> {
        let moved = moved(taken.commits());
        let value = self.gather_alone(gathered, taken, at).await?;
        if !moved.is_empty() {
            Box::pin(self.follow_movements(gathered, moved, at)).await?;
        }
        Ok(value)
    }

    /// Gathers a transition. Refunds into wallets are confirmed by the commit that opens them: their payin and what
    /// they belong to learn of it here.
    pub(super) async fn gather_alone<T: Value, U: UnitOfWork>(
        &self,
        gathered: &mut Gathering<'_, U>,
        taken: Transition<T>,
        at: &Stamp,
    ) -> Result<T, Fails<U>> {
        let refunds = confirmed_refunds(taken.commits());
        let value = gathered.take(taken)?;
        for refund in refunds {
            self.refund_confirmed(gathered, refund, at).await?;
        }
        Ok(value)
    }

    /// A refund reached the payer: its payin counts it, once, however often it came back; and what it belongs to learns of it.
    async fn refund_confirmed<U: UnitOfWork>(
        &self,
        gathered: &mut Gathering<'_, U>,
        id: RefundId,
        at: &Stamp,
    ) -> Result<(), Fails<U>> {
        let AnyRefund::Confirmed(refund) = gathered.load(id).await? else { return Ok(()) };
        self.pay_off_charged_back(gathered, &refund, at).await?;
        // A payin that failed and whose money arrived late has nothing to count.
        if refund.facts().again.is_none()
            && let AnyPayin::Confirmed(payin) = gathered.load(refund.facts().payin).await?
        {
            gathered.take(payin.refund(&refund, &Stamp::gateway(at.at))?)?;
        }
        match about_refunded(&refund) {
            Some(evidence) => self.tell(gathered, refund.facts().about, &evidence, at).await,
            None => Ok(()),
        }
    }

    /// Tells what a payment belongs to what became of it.
    pub(super) async fn tell<U: UnitOfWork>(
        &self,
        gathered: &mut Gathering<'_, U>,
        about: Subject,
        evidence: &Evidence<'_>,
        at: &Stamp,
    ) -> Result<(), Fails<U>> {
        let reaction = self.asked(gathered, about, evidence, at).await?;
        self.react(gathered, reaction, at).await
    }

    /// What a payment's order or deal does about what became of it. Nothing is gathered yet.
    pub(super) async fn asked<U: UnitOfWork>(
        &self,
        gathered: &mut Gathering<'_, U>,
        about: Subject,
        evidence: &Evidence<'_>,
        at: &Stamp,
    ) -> Result<Reaction, Fails<U>> {
        let log = gathered.log(about).await?;
        Ok((self.member(about)?.learn)(log, evidence, &Stamp::gateway(at.at))?)
    }

    /// Gathers what a lifecycle behind plain functions does about something.
    pub(super) async fn react<U: UnitOfWork>(
        &self,
        gathered: &mut Gathering<'_, U>,
        reaction: Reaction,
        at: &Stamp,
    ) -> Result<(), Fails<U>> {
        let Reaction { commits, abandoned } = reaction;
        let (refunds, moved) = (confirmed_refunds(&commits), moved(&commits));
        gathered.take_all(commits)?;
        for refund in refunds {
            Box::pin(self.refund_confirmed(gathered, refund, at)).await?;
        }
        if !moved.is_empty() {
            Box::pin(self.follow_movements(gathered, moved, at)).await?;
        }
        match abandoned {
            Some(payin) => self.abandon(gathered, payin, at).await,
            None => Ok(()),
        }
    }

    pub(super) fn member<E>(&self, subject: Subject) -> Result<&Member, EscrowError<E>> {
        let kind = subject.kind();
        self.members.iter().find(|member| member.kind == kind).ok_or(EscrowError::UnknownLifecycle(kind))
    }

    /// A payin that nobody waits for any more is called off where that is still possible; where it is not, its money
    /// will bounce.
    pub(super) async fn abandon<U: UnitOfWork>(
        &self,
        gathered: &mut Gathering<'_, U>,
        id: PayinId,
        at: &Stamp,
    ) -> Result<(), Fails<U>> {
        let payin = gathered.load(id).await?;
        // Whoever ended it: that nobody waits for the payin any more is the platform's business.
        let platform = Stamp::new(by_platform(), at.at);
        if payin.may(payin::Action::Cancel, &platform).is_ok() {
            gathered.take(payin.handle(payin::Command::Cancel {}, &platform)?)?;
        }
        Ok(())
    }
}

// The crate's own hand, where nobody in particular acts.
pub(super) fn by_platform() -> Actor {
    Actor::platform("escrowed".parse().expect("a party's name"))
}

/// What a payout's arrival means for what it was paid out of.
pub(super) fn about_confirmed(payout: &Payout<payout::Confirmed>) -> Evidence<'_> {
    match payout.facts().again {
        None => Evidence::PayoutConfirmed(payout),
        Some(_) => Evidence::After(After::PayoutArrived(payout)),
    }
}

/// What a denied payout means for what it was paid out of; nothing where that was done with it before: the payout itself
/// shows where the money is.
pub(super) fn about_denied(payout: &Payout<payout::Denied>) -> Option<Evidence<'_>> {
    match (payout.facts().again, payout.state().went()) {
        (Some(_), _) => None,
        (None, None) => Some(Evidence::PayoutDenied(payout)),
        (None, Some(Went::On { .. })) => Some(Evidence::PayoutReplaced(payout)),
        (None, Some(Went::Back)) => Some(Evidence::PayoutGivenBack(payout)),
    }
}

/// What a refund's arrival means for what it was refunded out of.
fn about_refunded(refund: &Refund<refund::Confirmed>) -> Option<Evidence<'_>> {
    match refund.facts().again {
        None => Some(Evidence::RefundConfirmed(refund)),
        Some(_) => after_refund(refund.facts(), After::RefundArrived(refund)),
    }
}

/// What a denied refund means for what it was refunded out of; nothing where that was done with it before: the refund itself
/// shows where the money is.
pub(super) fn about_denied_refund(refund: &Refund<refund::Denied>) -> Option<Evidence<'_>> {
    match (refund.facts().again, refund.state().went()) {
        (Some(_), _) => None,
        (None, None) => Some(Evidence::RefundDenied(refund)),
        (None, Some(_)) => Some(Evidence::RefundReplaced(refund)),
    }
}

/// What happens to a refund after its end, for what gave its money. What a payin gave back that nobody waited for was never
/// of what it was to pay for, which has nothing to note.
pub(super) fn after_refund<'e>(terms: &refund::Terms, after: After<'e>) -> Option<Evidence<'e>> {
    (terms.source == terms.about).then_some(Evidence::After(after))
}

fn confirmed_refunds(commits: &[Commit]) -> Vec<RefundId> {
    let confirmed = refund::Status::Confirmed.name();
    commits
        .iter()
        .filter(|commit| commit.index().status == confirmed)
        .filter_map(|commit| commit.subject().try_into().ok())
        .collect()
}

impl<E> From<Lapse> for EscrowError<E> {
    fn from(lapse: Lapse) -> Self {
        match lapse {
            Lapse::Corrupt(corrupt) => Self::Corrupt(corrupt),
            Lapse::Refused(reason) => Self::Refused(reason),
        }
    }
}
