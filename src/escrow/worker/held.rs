//! Payouts that the host's policy holds: asked about before they are sent.

use super::super::{
    Clock, Escrow, EscrowError,
    gather::Gathering,
    kyc::{NoAnswer, Verdict},
};
use crate::{
    gateway::Gateway,
    party::Stamp,
    payment::{AnyPayout, PayoutId},
    store::{CallStatus, LeasedCall, Outbox, Postponement, Store},
};

type Fails<S> = EscrowError<<S as Store>::Error>;

/// What is to become of a call that a worker is about to send.
pub(super) enum Gate {
    Send,
    Held,
    /// It never arrived, and is no longer wanted.
    CalledOff,
    /// Somebody else has seen to it meanwhile.
    Lost,
    /// Nobody knows.
    Unknown(NoAnswer),
}

/// Held back, and yet with the gateway by its own word.
#[derive(Debug, thiserror::Error)]
#[error(
    "the gateway said that it has this payout, does not find it now, and it may not be sent again: ask the gateway"
)]
struct Missing;

impl<S: Store, G: Gateway, C: Clock> Escrow<S, G, C> {
    /// Asks the host's policy about a call of which the gateway does not know, and notes what it says.
    ///
    /// The answer and what it does to the call are one unit, which is written only while the call is this worker's. One
    /// that dies before it has changed nothing; one that dies after it has let a payout go leaves a call that is looked
    /// up and asked about anew.
    ///
    /// That a lookup found nothing is no proof that nothing was sent: a request may be under way for longer than any lease.
    /// So what may have been sent stays what may have been sent, though it is held. It can go out later, under its key, and
    /// nobody can take its money back before the gateway has said what became of it.
    pub(super) async fn gate(&self, call: &LeasedCall) -> Result<Gate, Fails<S>> {
        let was_held = call.status == CallStatus::Held;
        let Ok(id) = PayoutId::try_from(call.instruction.key().subject) else {
            // Nobody asks about it; one that a host holds by itself needs leave all the same.
            let has_leave = !was_held || self.put_off(&self.leave(call)).await?;
            return Ok(if has_leave { Gate::Send } else { Gate::Lost });
        };
        if !self.kyc.anybody() && !was_held {
            return Ok(Gate::Send);
        }
        let payout = self.anew(|| async move {
            let mut unit = self.store.begin().await.map_err(EscrowError::Storage)?;
            self.load(&mut unit, id).await
        });
        // No unit is open while the policy is asked, which may need one of its own.
        match self.kyc.ask(payout.await?.facts()).await {
            Ok(Verdict::Hold { .. }) if call.status == CallStatus::Pending => Ok(Gate::Unknown(Box::new(Missing))),
            Ok(verdict) => self.anew(|| self.note(call, id, &verdict)).await,
            Err(error) => Ok(Gate::Unknown(error)),
        }
    }

    async fn note(&self, call: &LeasedCall, id: PayoutId, verdict: &Verdict) -> Result<Gate, Fails<S>> {
        let mut unit = self.store.begin().await.map_err(EscrowError::Storage)?;
        let mut gathered = Gathering::over(&mut unit);
        let now = self.clock.now();
        // No person's hand: whatever happens at the gateway's door by itself bears the gateway's.
        let at = Stamp::gateway(now);
        match (gathered.load(id).await?, verdict) {
            (AnyPayout::Created(payout), Verdict::Hold { reason }) => {
                gathered.take(payout.hold(reason.clone(), &at)?)?;
            }
            (AnyPayout::Held(payout), Verdict::Hold { reason }) if payout.state().reason() != reason => {
                gathered.take(payout.hold(reason.clone(), &at)?)?;
            }
            (AnyPayout::Held(payout), Verdict::Pay) => {
                gathered.take(payout.let_go(&at)?)?;
            }
            (AnyPayout::Created(_), Verdict::Pay) | (AnyPayout::Held(_), Verdict::Hold { .. }) => {}
            (AnyPayout::Confirmed(_) | AnyPayout::Denied(_) | AnyPayout::Cancelled(_) | AnyPayout::Returned(_), _) => {
                return Ok(Gate::Lost);
            }
        }
        let key = call.instruction.key();
        let (mine, gate) = match verdict {
            Verdict::Hold { reason } => {
                let held = Postponement::held(key, now.plus(self.policy.ask_again), reason).under(call);
                (gathered.unit.postpone(&held).await.map_err(EscrowError::Storage)?, Gate::Held)
            }
            Verdict::Pay => {
                let kept = gathered.unit.call(&key).await.map_err(EscrowError::Storage)?;
                let mine = match kept.filter(|kept| kept.status.is_open() && kept.leases == call.lease) {
                    None => false,
                    // It counts as one that may have been sent since it was taken.
                    Some(kept) if kept.sent.is_some() => true,
                    Some(_) => gathered.unit.postpone(&self.leave(call)).await.map_err(EscrowError::Storage)?,
                };
                (mine, Gate::Send)
            }
        };
        if !mine {
            return Ok(Gate::Lost);
        }
        gathered.write().await?;
        self.store.commit(unit).await.map_err(EscrowError::Storage)?;
        Ok(gate)
    }

    // What was held may be sent from now on, by this worker and for as long as a lease runs by no other.
    fn leave(&self, call: &LeasedCall) -> Postponement<'static> {
        let until = self.clock.now().plus(self.policy.lease);
        Postponement::queued(call.instruction.key(), until).under(call)
    }
}
