//! The one door for what a gateway says: a webhook and a call's answer are the same thing arriving twice.

use super::{
    Clock, Escrow, EscrowError,
    follow::{about_confirmed, about_denied, about_denied_refund, after_refund},
    gather::Gathering,
    judge::judge,
    trace,
};
use crate::{
    gateway::{Gateway, Outcome, Report, Verb},
    lifecycle::{Transition, Value},
    party::Stamp,
    payment::{
        After, AnyPayin, AnyPayout, AnyRefund, Evidence, Payin, PayinId, Payout, PayoutId, Refund, RefundId,
        payin::{self, Chargeable, Over},
        payout, refund,
        tally::Passed,
    },
    store::{Outbox, Postponement, Store, UnitOfWork},
};

/// What became of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reported {
    /// It was news, and was acted on.
    Taken,
    /// It was known. Nothing was written.
    Repeated,
    /// It came after the final answer that it announces. Nothing was written.
    Late,
}

type Fails<U> = EscrowError<<U as UnitOfWork>::Error>;

impl<S: Store, G: Gateway, C: Clock> Escrow<S, G, C> {
    /// Takes a report: the payment's step, and whatever follows from it for what the payment belongs to.
    ///
    /// The same report may come any number of times, in any order with others; it acts once. A webhook's handler is this:
    ///
    /// ```
    /// use escrowed::{escrow::{Escrow, EscrowError}, gateway::Report, memory::Memory, sandbox::Sandbox, store::Store};
    ///
    /// // The key is what the gateway was given with the call; the host asks its provider to send it back.
    /// async fn webhook(shop: &Escrow<Memory, Sandbox>, body: &str) -> u16 {
    ///     let Ok(report) = serde_json::from_str::<Report>(body) else { return 400 };
    ///     let Ok(mut unit) = shop.store().begin().await else { return 503 };
    ///     match shop.report(&mut unit, &report).await {
    ///         // Taken, repeated or late: all of them are done with.
    ///         Ok(_) => if shop.store().commit(unit).await.is_ok() { 200 } else { 503 },
    ///         // The provider sends it again.
    ///         Err(EscrowError::Stale | EscrowError::Overtaken(_) | EscrowError::Storage(_)) => 503,
    ///         Err(_) => 422,                                                  // for people to look at
    ///     }
    /// }
    ///
    /// let shop = Escrow::new(Memory::new(), Sandbox::new(1));
    /// let body = r#"{"key": "pi_01kr1hgnqred6999kp7cqmx8ss:charge", "outcome": {"pending": {"direct_link": null}}}"#;
    /// assert_eq!(futures_lite::future::block_on(webhook(&shop, body)), 422);  // no such call was ever made
    /// ```
    ///
    /// # Errors
    /// [`EscrowError`] when no such call was made, the amount or currency is not what was asked, it contradicts what
    /// the gateway said before, or somebody else was faster. Nothing may be committed then.
    pub async fn report<U: Outbox>(&self, unit: &mut U, report: &Report) -> Result<Reported, Fails<U>> {
        trace::report(report, self.hear(unit, report)).await
    }

    async fn hear<U: Outbox>(&self, unit: &mut U, report: &Report) -> Result<Reported, Fails<U>> {
        let mut gathered = Gathering::over(unit);
        match self.gather_report(&mut gathered, report).await {
            Ok(Reported::Taken) => gathered.write().await.map(|()| Reported::Taken),
            Ok(known @ (Reported::Repeated | Reported::Late)) => Ok(known),
            Err(error) => Err(gathered.explain(error).await),
        }
    }

    async fn gather_report<U: Outbox>(
        &self,
        gathered: &mut Gathering<'_, U>,
        report: &Report,
    ) -> Result<Reported, Fails<U>> {
        let subject = report.key.subject;
        // The log is read before the call. Whoever answers the call writes both at once, so where a unit sees what others
        // commit meanwhile, the call may be the newer of the two, which is told as a repetition or found stale.
        match gathered.log(subject).await {
            Ok(_) => {}
            Err(EscrowError::Unknown(_)) => return Err(EscrowError::UnknownCall(report.key)),
            Err(error) => return Err(error),
        }
        let call = gathered.unit.call(&report.key).await.map_err(EscrowError::Storage)?;
        // A call that another gateway was asked is none of this one's business.
        let call = call.filter(|call| call.gateway == *self.gateway.name());
        let call = call.ok_or(EscrowError::UnknownCall(report.key))?;
        if let Some(known) = judge(&call, report)? {
            return Ok(known);
        }
        if only_of_a_charge(&report.outcome) && report.key.verb != Verb::Charge {
            let (known, reported) = (call.outcome, report.outcome.clone());
            return Err(EscrowError::Contradiction { key: report.key, known, reported });
        }
        let at = Stamp::gateway(self.clock.now());
        if let Ok(payin) = PayinId::try_from(subject) {
            self.report_payin(gathered, payin, report, &at).await?;
        } else if let Ok(payout) = PayoutId::try_from(subject) {
            self.report_payout(gathered, payout, report, &at).await?;
        } else if let Ok(refund) = RefundId::try_from(subject) {
            self.report_refund(gathered, refund, report, &at).await?;
        } else {
            return Err(EscrowError::UnknownLifecycle(subject.kind()));
        }
        Ok(Reported::Taken)
    }

    async fn report_payin<U: Outbox>(
        &self,
        gathered: &mut Gathering<'_, U>,
        id: PayinId,
        report: &Report,
        at: &Stamp,
    ) -> Result<(), Fails<U>> {
        let (verb, outcome) = (report.key.verb, report.outcome.clone());
        match (gathered.load(id).await?, outcome) {
            (AnyPayin::Created(payin), Outcome::Settled { moved }) if payin.is_reserved_first() => {
                gathered.take(payin.authorize(moved, at)?)?;
                Ok(())
            }
            (AnyPayin::Created(payin), Outcome::Assured { moved, assurance }) if payin.is_reserved_first() => {
                let assured = payin.assure(assurance, at)?;
                let reserved = gathered.take(assured.then(|payin| payin.authorize(moved, at))?)?;
                self.reset_tally(gathered, Passed::Authorized(&reserved), at).await
            }
            (AnyPayin::Created(payin), Outcome::Assured { moved, assurance }) => {
                let assured = payin.assure(assurance, at)?;
                let confirmed = assured.then(|payin| payin.confirm(moved, at))?;
                self.reset_tally(gathered, Passed::Confirmed(confirmed.value()), at).await?;
                self.collect(gathered, confirmed, at).await
            }
            (AnyPayin::Created(payin), Outcome::Challenged { direct_link, until }) => {
                gathered.take(payin.challenge(direct_link, until, at)?)?;
                Ok(())
            }
            (AnyPayin::Created(payin), Outcome::Settled { moved }) => {
                let confirmed = payin.confirm(moved, at)?;
                self.collect(gathered, confirmed, at).await
            }
            (AnyPayin::Created(payin), Outcome::Declined { reason }) => {
                let denied = gathered.take(payin.deny(reason, at)?)?;
                self.tell(gathered, denied.facts().about, &Evidence::PayinDenied(&denied), at).await
            }
            (AnyPayin::Created(payin), Outcome::Pending { direct_link }) => {
                gathered.take(payin.await_payer(direct_link, at)?)?;
                Ok(())
            }
            (AnyPayin::Authorized(payin), Outcome::Settled { moved }) => {
                let confirmed = payin.confirm(moved, at)?;
                self.collect(gathered, confirmed, at).await
            }
            (AnyPayin::Authorized(payin), Outcome::Declined { reason }) => {
                let denied = gathered.take(payin.deny(reason, at)?)?;
                self.tell(gathered, denied.facts().about, &Evidence::PayinDenied(&denied), at).await
            }
            (AnyPayin::Authorized(_), Outcome::Pending { .. }) => self.still_pending(gathered, report).await,
            (AnyPayin::Created(_) | AnyPayin::Authorized(_), reported @ Outcome::Returned { .. }) => {
                Err(EscrowError::Contradiction { key: report.key, known: None, reported })
            }
            (AnyPayin::Denied(payin), outcome) => after_the_end(gathered, payin, verb, outcome, at),
            (AnyPayin::Cancelled(payin), outcome) => after_the_end(gathered, payin, verb, outcome, at),
            (AnyPayin::Authorized(_), reported @ (Outcome::Assured { .. } | Outcome::Challenged { .. }))
            | (AnyPayin::Confirmed(_) | AnyPayin::Refunded(_), reported) => {
                Err(EscrowError::Contradiction { key: report.key, known: None, reported })
            }
        }
    }

    // What it paid for takes its money, or, where nobody waits for it any more, it goes back: in one batch.
    async fn collect<U: Outbox>(
        &self,
        gathered: &mut Gathering<'_, U>,
        confirmed: Transition<Payin<payin::Confirmed>>,
        at: &Stamp,
    ) -> Result<(), Fails<U>> {
        let about = confirmed.value().facts().about;
        let log = gathered.log(about).await?;
        if !(self.member(about)?.wants)(log, confirmed.value().id())? {
            let returned = confirmed.then(|payin| payin.give_back(at))?;
            self.gather(gathered, returned, at).await?;
            return Ok(());
        }
        let handed = confirmed.then(|payin| payin.hand_over(about, at))?;
        let reaction = self.asked(gathered, about, &Evidence::PayinConfirmed(handed.value()), at).await?;
        self.gather_with(gathered, handed, reaction, at).await?;
        Ok(())
    }

    async fn report_payout<U: Outbox>(
        &self,
        gathered: &mut Gathering<'_, U>,
        id: PayoutId,
        report: &Report,
        at: &Stamp,
    ) -> Result<(), Fails<U>> {
        let payout = match gathered.load(id).await? {
            // A held one that the gateway knows of was sent all the same, by a worker that had leave and was slow.
            AnyPayout::Held(held) => AnyPayout::Created(gathered.take(held.let_go(at)?)?),
            other @ (AnyPayout::Created(_)
            | AnyPayout::Confirmed(_)
            | AnyPayout::Denied(_)
            | AnyPayout::Cancelled(_)
            | AnyPayout::Returned(_)) => other,
        };
        match (payout, report.outcome.clone()) {
            (AnyPayout::Created(payout), Outcome::Settled { moved }) => {
                self.paid_out(gathered, payout.confirm(moved, at)?, at).await.map(drop)
            }
            (AnyPayout::Created(payout), Outcome::Declined { reason }) => {
                let denied = gathered.take(payout.deny(reason, at)?)?;
                match about_denied(&denied) {
                    Some(evidence) => self.tell(gathered, denied.facts().about, &evidence, at).await,
                    None => Ok(()),
                }
            }
            (AnyPayout::Created(_), Outcome::Pending { .. }) => self.still_pending(gathered, report).await,
            // What comes back had arrived, whoever forgot to say so.
            (AnyPayout::Created(payout), Outcome::Returned { moved, reason }) => {
                let amount = payout.facts().amount;
                let confirmed = self.paid_out(gathered, payout.confirm(amount, at)?, at).await?;
                self.came_back(gathered, confirmed.come_back(moved, reason, at)?, at).await
            }
            (AnyPayout::Confirmed(payout), Outcome::Returned { moved, reason }) => {
                self.came_back(gathered, payout.come_back(moved, reason, at)?, at).await
            }
            (
                AnyPayout::Confirmed(_),
                reported @ (Outcome::Settled { .. }
                | Outcome::Assured { .. }
                | Outcome::Declined { .. }
                | Outcome::Pending { .. }
                | Outcome::Challenged { .. }),
            )
            | (AnyPayout::Created(_), reported @ (Outcome::Assured { .. } | Outcome::Challenged { .. }))
            | (
                AnyPayout::Held(_) | AnyPayout::Denied(_) | AnyPayout::Cancelled(_) | AnyPayout::Returned(_),
                reported,
            ) => Err(EscrowError::Contradiction { key: report.key, known: None, reported }),
        }
    }

    // The payee has the money.
    async fn paid_out<U: Outbox>(
        &self,
        gathered: &mut Gathering<'_, U>,
        confirmed: Transition<Payout<payout::Confirmed>>,
        at: &Stamp,
    ) -> Result<Payout<payout::Confirmed>, Fails<U>> {
        let confirmed = gathered.take(confirmed)?;
        self.tell(gathered, confirmed.facts().about, &about_confirmed(&confirmed), at).await?;
        Ok(confirmed)
    }

    // The bank sent it back: the payout holds it, and what it was paid out of notes that.
    async fn came_back<U: Outbox>(
        &self,
        gathered: &mut Gathering<'_, U>,
        returned: Transition<Payout<payout::Returned>>,
        at: &Stamp,
    ) -> Result<(), Fails<U>> {
        let returned = gathered.take(returned)?;
        let evidence = Evidence::After(After::PayoutReturned(&returned));
        self.tell(gathered, returned.facts().about, &evidence, at).await
    }

    async fn report_refund<U: Outbox>(
        &self,
        gathered: &mut Gathering<'_, U>,
        id: RefundId,
        report: &Report,
        at: &Stamp,
    ) -> Result<(), Fails<U>> {
        match (gathered.load(id).await?, report.outcome.clone()) {
            (AnyRefund::Created(refund), Outcome::Settled { moved }) => {
                let confirmed = refund.confirm(moved, at)?;
                self.gather(gathered, confirmed, at).await?;
                Ok(())
            }
            (AnyRefund::Created(refund), Outcome::Declined { reason }) => {
                let denied = gathered.take(refund.deny(reason, at)?)?;
                match about_denied_refund(&denied) {
                    Some(evidence) => self.tell(gathered, denied.facts().about, &evidence, at).await,
                    None => Ok(()),
                }
            }
            (AnyRefund::Created(_), Outcome::Pending { .. }) => self.still_pending(gathered, report).await,
            // What comes back had arrived, whoever forgot to say so.
            (AnyRefund::Created(refund), Outcome::Returned { moved, reason }) => {
                let amount = refund.facts().amount;
                let confirmed = self.gather(gathered, refund.confirm(amount, at)?, at).await?;
                self.refund_came_back(gathered, confirmed.come_back(moved, reason, at)?, at).await
            }
            (AnyRefund::Confirmed(refund), Outcome::Returned { moved, reason }) => {
                self.refund_came_back(gathered, refund.come_back(moved, reason, at)?, at).await
            }
            (
                AnyRefund::Confirmed(_),
                reported @ (Outcome::Settled { .. }
                | Outcome::Assured { .. }
                | Outcome::Declined { .. }
                | Outcome::Pending { .. }
                | Outcome::Challenged { .. }),
            )
            | (AnyRefund::Created(_), reported @ (Outcome::Assured { .. } | Outcome::Challenged { .. }))
            | (
                AnyRefund::Denied(_) | AnyRefund::Cancelled(_) | AnyRefund::Returned(_) | AnyRefund::Replaced(_),
                reported,
            ) => Err(EscrowError::Contradiction { key: report.key, known: None, reported }),
        }
    }

    // The bank sent it back: the refund holds it, and what it was refunded out of notes that.
    async fn refund_came_back<U: Outbox>(
        &self,
        gathered: &mut Gathering<'_, U>,
        returned: Transition<Refund<refund::Returned>>,
        at: &Stamp,
    ) -> Result<(), Fails<U>> {
        let returned = gathered.take(returned)?;
        match after_refund(returned.facts(), After::RefundReturned(&returned)) {
            Some(evidence) => self.tell(gathered, returned.facts().about, &evidence, at).await,
            None => Ok(()),
        }
    }

    // Nothing has moved and nobody has to go anywhere: only the outbox needs to know.
    async fn still_pending<U: Outbox>(&self, gathered: &mut Gathering<'_, U>, report: &Report) -> Result<(), Fails<U>> {
        let due = self.clock.now().plus(self.policy.look_up);
        gathered.unit.postpone(&Postponement::pending(report.key, due)).await.map_err(EscrowError::Storage)?;
        Ok(())
    }
}

// What is said of how a payer was authenticated.
const fn only_of_a_charge(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Assured { .. } | Outcome::Challenged { .. } => true,
        Outcome::Settled { .. } | Outcome::Declined { .. } | Outcome::Pending { .. } | Outcome::Returned { .. } => {
            false
        }
    }
}

// A payin that is over: its void is answered, or money or a reservation still comes and is let go of.
fn after_the_end<U: Outbox, P: Over + Chargeable>(
    gathered: &mut Gathering<'_, U>,
    payin: Payin<P>,
    verb: Verb,
    outcome: Outcome,
    at: &Stamp,
) -> Result<(), Fails<U>>
where
    Payin<P>: Value<Any = AnyPayin>,
{
    if let Outcome::Assured { moved, assurance } = outcome {
        let assured = payin.assure(assurance, at)?;
        let only_reserved = assured.value().only_reserved();
        let late = |payin: Payin<P>| if only_reserved { payin.let_go(moved, at) } else { payin.bounce(moved, at) };
        gathered.take(assured.then(late)?)?;
        return Ok(());
    }
    let taken = match (verb, outcome) {
        (Verb::Charge | Verb::Capture, Outcome::Settled { moved }) if payin.only_reserved() => {
            payin.let_go(moved, at)?
        }
        (Verb::Charge | Verb::Capture, Outcome::Settled { moved }) => payin.bounce(moved, at)?,
        (
            Verb::Charge | Verb::Capture | Verb::Void | Verb::Payout | Verb::Refund,
            outcome @ (Outcome::Settled { .. }
            | Outcome::Assured { .. }
            | Outcome::Declined { .. }
            | Outcome::Pending { .. }
            | Outcome::Challenged { .. }
            | Outcome::Returned { .. }),
        ) => payin.note_answer(verb, outcome, at)?,
    };
    gathered.take(taken)?;
    Ok(())
}
