//! The door for what a gateway says of card payments that are charged back.

use super::{
    Caller, Clock, Escrow, EscrowError, Reported,
    act::Step,
    gather::{Acted, Gathering},
};
use crate::{
    gateway::{Dispute, DisputeStage, Gateway},
    lifecycle::{Reason, Value},
    money::{Money, MoneyError},
    party::Stamp,
    payment::{
        After, AnyChargeback, AnyDebt, AnyPayin, Chargeback, ChargebackId, Evidence, PayinId,
        chargeback::{self, Back, Part, Share, Undecided},
        debt::Source,
    },
    store::{Store, UnitOfWork, Views},
};

type Fails<U> = EscrowError<<U as UnitOfWork>::Error>;

// What a notice of a dispute was.
enum Heard {
    Known(Reported),
    Begun,
    Ended,
}

impl<S: Store, G: Gateway, C: Clock> Escrow<S, G, C> {
    /// Takes what a gateway says of a card payment that is charged back: who bears it, and what becomes of what was paid for.
    ///
    /// The same may come any number of times, in any order; it acts once. The end may come before the beginning, as each
    /// tells all. See [`chargeback`] for who bears what. A webhook's handler is that of
    /// [`report`](Self::report), with this in its place.
    ///
    /// # Errors
    /// [`EscrowError`] when there is no such payin, more is taken than was paid, the fee is below zero or in another currency, it
    /// contradicts what was said before, or somebody else was faster. [`EscrowError::Overtaken`] when it may be taken later: the
    /// payin was not heard to be paid yet, also where it was declined or called off, or more would be gone of it than was paid
    /// while the end of another dispute was not heard of. Nothing may be committed then.
    pub async fn dispute<U: Views>(&self, unit: &mut U, dispute: &Dispute) -> Result<Reported, Fails<U>> {
        match self.hear_of(unit, dispute).await? {
            Heard::Known(reported) => Ok(reported),
            Heard::Ended => Ok(Reported::Taken),
            // What begins and ends at once is written as two: what is given back must have been taken before.
            Heard::Begun if dispute.stage == DisputeStage::Open => Ok(Reported::Taken),
            Heard::Begun => self.hear_of(unit, dispute).await.map(|_| Reported::Taken),
        }
    }

    async fn hear_of<U: Views>(&self, unit: &mut U, dispute: &Dispute) -> Result<Heard, Fails<U>> {
        let mut gathered = Gathering::over(unit);
        match self.gather_dispute(&mut gathered, dispute).await {
            Ok(heard @ (Heard::Begun | Heard::Ended)) => match gathered.write().await {
                Ok(()) => Ok(heard),
                // Somebody spent what was there when it was looked for.
                Err(EscrowError::Overdrawn(_)) => Err(EscrowError::Stale),
                Err(error) => Err(error),
            },
            Ok(known @ Heard::Known(_)) => Ok(known),
            Err(error) => Err(gathered.explain(error).await),
        }
    }

    /// Acts on a chargeback: the platform accepts it without a fight. What was paid for stays stopped until the gateway says
    /// how it ended.
    ///
    /// # Errors
    /// [`EscrowError`] when it is unknown, decided, or somebody else than the platform asks.
    pub async fn accept_chargeback<U: UnitOfWork>(
        &self,
        unit: &mut U,
        id: ChargebackId,
        by: impl Into<Caller>,
    ) -> Result<AnyChargeback, Fails<U>> {
        let mut gathered = Gathering::over(unit);
        let accepted = match self.step(&mut gathered, id, chargeback::Command::Accept {}, by.into()).await {
            Ok(Step::Taken(taken, _)) => gathered.take(taken).map(Acted::Now),
            Ok(Step::Before(chargeback)) => Ok(Acted::Before(chargeback)),
            Err(error) => Err(error),
        };
        gathered.conclude(accepted).await
    }

    async fn gather_dispute<U: Views>(
        &self,
        gathered: &mut Gathering<'_, U>,
        dispute: &Dispute,
    ) -> Result<Heard, Fails<U>> {
        if dispute.fee.is_negative() {
            return Err(Reason::Money(MoneyError::Negative { amount: dispute.fee }).into());
        }
        dispute.amount.compare(dispute.fee).map_err(Reason::from)?;
        let payin = PayinId::try_from(dispute.payin).map_err(|_| EscrowError::Unknown(dispute.payin))?;
        let (asked, served) = (gathered.load(payin).await?.facts().gateway.clone(), self.gateway.name());
        if asked != *served {
            return Err(EscrowError::OtherGateway { asked, served: served.clone() });
        }
        let id = chargeback::id_of(payin, &dispute.reference);
        let at = Stamp::gateway(self.clock.now());
        let known = match gathered.load(id).await {
            Ok(known) => known,
            Err(EscrowError::Unknown(_)) => {
                self.charge_back(gathered, id, payin, dispute, &at).await?;
                return Ok(Heard::Begun);
            }
            Err(error) => return Err(error),
        };
        let told = (known.facts().payin, known.facts().amount, known.facts().fee);
        let contradiction = |known: &AnyChargeback| {
            let (chargeback, known, reported) = (known.id(), known.status(), Box::new(dispute.clone()));
            Err(EscrowError::Disputed { chargeback, known, reported })
        };
        if told != (payin, dispute.amount, dispute.fee) {
            return contradiction(&known);
        }
        match (known, dispute.stage) {
            (AnyChargeback::Open(_) | AnyChargeback::Accepted(_), DisputeStage::Open)
            | (AnyChargeback::Won(_), DisputeStage::Won)
            | (AnyChargeback::Lost(_), DisputeStage::Lost) => Ok(Heard::Known(Reported::Repeated)),
            (AnyChargeback::Won(_) | AnyChargeback::Lost(_), DisputeStage::Open) => Ok(Heard::Known(Reported::Late)),
            (AnyChargeback::Open(open), stage @ (DisputeStage::Won | DisputeStage::Lost)) => {
                self.decide(gathered, open, stage, &at).await
            }
            (AnyChargeback::Accepted(accepted), stage @ (DisputeStage::Won | DisputeStage::Lost)) => {
                self.decide(gathered, accepted, stage, &at).await
            }
            (known @ AnyChargeback::Won(_), DisputeStage::Lost)
            | (known @ AnyChargeback::Lost(_), DisputeStage::Won) => contradiction(&known),
        }
    }

    // The money is gone: whoever is to bear it gives its part, in the same write.
    async fn charge_back<U: Views>(
        &self,
        gathered: &mut Gathering<'_, U>,
        id: ChargebackId,
        payin: PayinId,
        dispute: &Dispute,
        at: &Stamp,
    ) -> Result<(), Fails<U>> {
        let paid = gathered.load(payin).await?;
        in_turn(gathered, &paid, dispute).await?;
        let (about, payer) = (paid.facts().about, paid.facts().payer.clone());
        let (borne, platform) = self.bearers(gathered, &paid, dispute).await?;
        let mut parts: Vec<_> = borne.by.into_iter().map(|(party, amount)| (party, Part::Amount, amount)).collect();
        if !dispute.fee.is_zero() {
            parts.push((platform.clone(), Part::Fee, dispute.fee));
        }
        let shares = self.shares(gathered, id.subject(), parts, at).await?;
        let terms = chargeback::Terms {
            about,
            payin,
            payer,
            platform,
            reference: dispute.reference.clone(),
            reason: dispute.reason.clone(),
            amount: dispute.amount,
            fee: dispute.fee,
            held: borne.held,
            refunds: borne.refunds,
            shares,
            gateway: self.gateway.name().clone(),
        };
        let opened = chargeback::open(id, terms, at)?;
        // Givers before the taker.
        self.tell_after(gathered, payin, After::ChargedBack(opened.value()), at).await?;
        let facts = opened.value().facts();
        for debt in self.debts(id.subject(), about, &facts.platform, &facts.shares, at)? {
            gathered.take(debt)?;
        }
        let counted = match paid {
            AnyPayin::Confirmed(payin) => payin.charge_back(opened.value(), at)?.widen(),
            AnyPayin::Refunded(payin) => payin.charge_back(opened.value(), at)?.widen(),
            AnyPayin::Denied(payin) => payin.charge_back(opened.value(), at)?.widen(),
            AnyPayin::Cancelled(payin) => payin.charge_back(opened.value(), at)?.widen(),
            AnyPayin::Created(_) | AnyPayin::Authorized(_) => return Err(EscrowError::Overtaken(dispute.payin)),
        };
        gathered.take(counted)?;
        self.note_charged_back(gathered, opened.value(), at).await?;
        gathered.take(opened)?;
        Ok(())
    }

    async fn decide<V: Undecided, U: Views>(
        &self,
        gathered: &mut Gathering<'_, U>,
        chargeback: Chargeback<V>,
        stage: DisputeStage,
        at: &Stamp,
    ) -> Result<Heard, Fails<U>>
    where
        Chargeback<V>: Value<Any = AnyChargeback>,
    {
        let payin = chargeback.facts().payin;
        match stage {
            DisputeStage::Open => return Ok(Heard::Known(Reported::Repeated)),
            DisputeStage::Lost => {
                let lost = gathered.take(chargeback.lose(at)?)?;
                self.tell_after(gathered, payin, After::ChargebackLost(&lost), at).await?;
            }
            DisputeStage::Won => {
                let (mut back, mut lessened) = (Vec::new(), Vec::new());
                for share in chargeback.facts().shares.iter().filter(|share| share.of == Part::Amount) {
                    let debt = match share.debt {
                        Some(debt) => Some(gathered.load(debt).await?),
                        None => None,
                    };
                    back.push(gives_back(share, debt.as_ref())?);
                    lessened.extend(debt.filter(|debt| debt.is_owed()));
                }
                let id = chargeback.id();
                let won = gathered.take(chargeback.win(back, at)?)?;
                self.tell_after(gathered, payin, After::ChargebackWon(&won), at).await?;
                for debt in lessened {
                    let remains = debt.facts().remains();
                    gathered.take(debt.pay(remains, Source::Given(id.subject()), at)?)?;
                }
                let counted = match gathered.load(payin).await? {
                    AnyPayin::Confirmed(payin) => payin.win_back(&won, at)?.widen(),
                    AnyPayin::Refunded(payin) => payin.win_back(&won, at)?.widen(),
                    AnyPayin::Denied(payin) => payin.win_back(&won, at)?.widen(),
                    AnyPayin::Cancelled(payin) => payin.win_back(&won, at)?.widen(),
                    AnyPayin::Created(_) | AnyPayin::Authorized(_) => {
                        return Err(Reason::Missing { what: "a payin whose money was there" }.into());
                    }
                };
                gathered.take(counted)?;
                self.note_won_back(gathered, &won, at).await?;
            }
        }
        Ok(Heard::Ended)
    }

    // What took a payin's money learns what happened to it. What never took any has nothing to note.
    async fn tell_after<U: UnitOfWork>(
        &self,
        gathered: &mut Gathering<'_, U>,
        payin: PayinId,
        after: After<'_>,
        at: &Stamp,
    ) -> Result<(), Fails<U>> {
        match gathered.load(payin).await?.handed_to() {
            Some(about) => self.tell(gathered, about, &Evidence::After(after), at).await,
            None => Ok(()),
        }
    }
}

// A card network takes nothing that was not paid, and no more than was. Where it seems to, the notice of what happened in
// between is on its way.
async fn in_turn<U: UnitOfWork>(
    gathered: &mut Gathering<'_, U>,
    paid: &AnyPayin,
    dispute: &Dispute,
) -> Result<(), Fails<U>> {
    // Also one that was declined or called off may have been paid all the same: then that goes back.
    let (Some(disputes), Some(all)) = (paid.disputes(), paid.came()) else {
        return Err(EscrowError::Overtaken(dispute.payin));
    };
    let taken = dispute.amount;
    let gone = disputes.gone(all.currency()).and_then(|gone| gone.checked_add(taken)).map_err(Reason::from)?;
    let too_much = |taken: Money| taken.compare(all).map_err(Reason::from).map(|order| order.is_gt());
    // Of what was won meanwhile nothing stays gone. What is too much by itself the payin refuses.
    if dispute.stage == DisputeStage::Won || too_much(taken)? || !too_much(gone)? {
        return Ok(());
    }
    for id in disputes.not_won() {
        match gathered.load(id).await? {
            AnyChargeback::Open(_) | AnyChargeback::Accepted(_) => return Err(EscrowError::Overtaken(dispute.payin)),
            AnyChargeback::Won(_) | AnyChargeback::Lost(_) => {}
        }
    }
    Ok(())
}

// What is still owed for it is owed no longer; what was paid of it goes back to whoever paid.
fn gives_back(share: &Share, debt: Option<&AnyDebt>) -> Result<Back, Reason> {
    let zero = Money::zero(share.owed.currency());
    let (owed, recovered, written_off) = match debt {
        None => (zero, zero, zero),
        Some(debt) => match debt {
            AnyDebt::WrittenOff(debt) => (zero, debt.facts().recovered(), debt.state().lost()),
            AnyDebt::Open(_) | AnyDebt::Covered(_) | AnyDebt::Paid(_) => {
                (debt.facts().remains(), debt.facts().recovered(), zero)
            }
        },
    };
    let debt = share.debt.filter(|_| owed.is_positive());
    Ok(Back { party: share.party.clone(), owed, debt, wallet: share.wallet.checked_add(recovered)?, written_off })
}
