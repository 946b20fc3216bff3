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
    /// Somebody else has seen to it meanwhile.
    Lost,
    /// Nobody knows.
    Unknown(NoAnswer),
}

impl<S: Store, G: Gateway, C: Clock> Escrow<S, G, C> {
    /// Asks the host's policy about a call of which the gateway does not know, and notes what it says.
    ///
    /// The answer and what it does to the call are one unit, which is written only while the call is this worker's. One
    /// that dies before it has changed nothing; one that dies after it has let a payout go leaves a call that is looked
    /// up and asked about anew.
    pub(super) async fn gate(&self, call: &LeasedCall) -> Result<Gate, Fails<S>> {
        let Ok(id) = PayoutId::try_from(call.instruction.key().subject) else { return Ok(Gate::Send) };
        if !self.kyc.anybody() {
            return Ok(Gate::Send);
        }
        let payout = self.anew(|| async move {
            let mut unit = self.store.begin().await.map_err(EscrowError::Storage)?;
            self.load(&mut unit, id).await
        });
        // No unit is open while the policy is asked, which may need one of its own.
        match self.kyc.ask(payout.await?.facts()).await {
            Ok(verdict) => self.anew(|| self.note(call, id, &verdict)).await,
            Err(error) => Ok(Gate::Unknown(error)),
        }
    }

    async fn note(&self, call: &LeasedCall, id: PayoutId, verdict: &Verdict) -> Result<Gate, Fails<S>> {
        let mut unit = self.store.begin().await.map_err(EscrowError::Storage)?;
        let mut gathered = Gathering::over(&mut unit);
        let (now, key) = (self.clock.now(), call.instruction.key());
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
        let (mine, gate) = match verdict {
            Verdict::Hold { reason } => {
                let (taken, due) = (Some(call.attempts), now.plus(self.policy.ask_again));
                let held = Postponement { key, taken, status: CallStatus::Held, due, problem: Some(reason) };
                (gathered.unit.postpone(&held).await.map_err(EscrowError::Storage)?, Gate::Held)
            }
            Verdict::Pay => {
                let kept = gathered.unit.call(&key).await.map_err(EscrowError::Storage)?;
                let taken = call.attempts.saturating_add(1);
                (kept.is_some_and(|kept| kept.status.is_open() && kept.attempts == taken), Gate::Send)
            }
        };
        if !mine {
            return Ok(Gate::Lost);
        }
        gathered.write().await?;
        self.store.commit(unit).await.map_err(EscrowError::Storage)?;
        Ok(gate)
    }
}
