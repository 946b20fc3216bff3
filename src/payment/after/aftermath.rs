//! All that happened to something's money behind its back.

use super::Afterwards;
use crate::{
    id::{Identified, Subject},
    lifecycle::Reason,
    money::Money,
    party::PartyId,
    payment::{AnyPayout, AnyRefund, ChargebackId, PayinId, RefundId},
    text::Prose,
};

/// All that happened to something's money behind its back, in order of time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Aftermath(Vec<Afterwards>);

/// What a chargeback took out of what was held: who has it, of which payin it was, how much in minor units, and why.
#[derive(Debug)]
pub(crate) struct Loss<'a> {
    pub(crate) chargeback: ChargebackId,
    pub(crate) payin: PayinId,
    pub(crate) held: Money,
    pub(crate) reason: &'a Prose,
}

// A dispute that began: of which payin, and who bears what was not held, in minor units; the payer for which refunds.
struct Begun<'a> {
    chargeback: ChargebackId,
    payin: PayinId,
    borne: &'a [(PartyId, Money)],
    refunds: &'a [RefundId],
}

impl Afterwards {
    /// What was taken out of what was held.
    pub(crate) fn loss(&self) -> Option<Loss<'_>> {
        match self {
            Self::ChargedBack { chargeback, payin, held, reason, .. } if held.is_positive() => {
                Some(Loss { chargeback: *chargeback, payin: *payin, held: *held, reason })
            }
            Self::ChargedBack { .. }
            | Self::ChargebackWon { .. }
            | Self::ChargebackLost { .. }
            | Self::PayoutReturned { .. }
            | Self::PayoutSentAgain { .. }
            | Self::PayoutArrived { .. }
            | Self::Refunded { .. }
            | Self::RefundReturned { .. }
            | Self::RefundSentAgain { .. }
            | Self::RefundArrived { .. } => None,
        }
    }

    /// The dispute that it says the end of, and whether that was won.
    const fn end(&self) -> Option<(ChargebackId, bool)> {
        match self {
            Self::ChargebackWon { chargeback } => Some((*chargeback, true)),
            Self::ChargebackLost { chargeback } => Some((*chargeback, false)),
            Self::ChargedBack { .. }
            | Self::PayoutReturned { .. }
            | Self::PayoutSentAgain { .. }
            | Self::PayoutArrived { .. }
            | Self::Refunded { .. }
            | Self::RefundReturned { .. }
            | Self::RefundSentAgain { .. }
            | Self::RefundArrived { .. } => None,
        }
    }

    /// The dispute that it says the beginning of.
    fn begin(&self) -> Option<ChargebackId> {
        self.begun().map(|begun| begun.chargeback)
    }

    /// The dispute that it says the beginning of, with who bears it.
    fn begun(&self) -> Option<Begun<'_>> {
        match self {
            Self::ChargedBack { chargeback, payin, borne, refunds, .. } => {
                Some(Begun { chargeback: *chargeback, payin: *payin, borne, refunds })
            }
            Self::ChargebackWon { .. }
            | Self::ChargebackLost { .. }
            | Self::PayoutReturned { .. }
            | Self::PayoutSentAgain { .. }
            | Self::PayoutArrived { .. }
            | Self::Refunded { .. }
            | Self::RefundReturned { .. }
            | Self::RefundSentAgain { .. }
            | Self::RefundArrived { .. } => None,
        }
    }

    /// The payout or refund that it says came back.
    fn came_back(&self) -> Option<Subject> {
        match self {
            Self::PayoutReturned { payout, .. } => Some(payout.subject()),
            Self::RefundReturned { refund, .. } => Some(refund.subject()),
            Self::ChargedBack { .. }
            | Self::ChargebackWon { .. }
            | Self::ChargebackLost { .. }
            | Self::PayoutSentAgain { .. }
            | Self::PayoutArrived { .. }
            | Self::Refunded { .. }
            | Self::RefundSentAgain { .. }
            | Self::RefundArrived { .. } => None,
        }
    }
}

impl Aftermath {
    /// What happened, in order of time.
    #[must_use]
    pub fn notes(&self) -> &[Afterwards] {
        &self.0
    }

    /// What a party bore, or owes, of what was charged back of a payin and not won. In minor units.
    pub(crate) fn borne_by(&self, who: &PartyId, of: PayinId) -> i64 {
        let borne = self.not_won().filter(|begun| begun.payin == of).flat_map(|begun| begun.borne);
        borne.filter(|(party, _)| party == who).map(|(_, amount)| amount.minor()).sum()
    }

    /// Whether a party bears something of a chargeback that was not won.
    pub(crate) fn bears(&self, who: &PartyId) -> bool {
        self.not_won().flat_map(|begun| begun.borne).any(|(party, _)| party == who)
    }

    /// That a refund's money may go elsewhere than to the payer: it bears no chargeback for it that was not won. What it owes
    /// for that is to be paid by the refund.
    pub(crate) fn may_take_back(&self, refund: RefundId) -> Result<(), Reason> {
        if self.not_won().any(|begun| begun.refunds.contains(&refund)) {
            let instead = "its payer bears a chargeback for it: `replace` the refund by one into the payer's wallet";
            Err(Reason::NotThisWay { instead })
        } else {
            Ok(())
        }
    }

    // What was charged back and did not come back.
    fn not_won(&self) -> impl Iterator<Item = Begun<'_>> {
        self.0.iter().filter_map(Afterwards::begun).filter(|begun| self.end_of(begun.chargeback) != Some(true))
    }

    /// The chargebacks that are not decided.
    pub fn disputes(&self) -> impl Iterator<Item = ChargebackId> {
        self.0.iter().filter_map(Afterwards::begin).filter(|id| self.end_of(*id).is_none())
    }

    // Whether it was won, once it is decided.
    fn end_of(&self, chargeback: ChargebackId) -> Option<bool> {
        self.0.iter().filter_map(Afterwards::end).find(|(id, _)| *id == chargeback).map(|(_, won)| won)
    }

    /// What a chargeback took out of what was held.
    pub(crate) fn loss(&self, chargeback: ChargebackId) -> Option<Loss<'_>> {
        self.0.iter().filter_map(Afterwards::loss).find(|loss| loss.chargeback == chargeback)
    }

    /// What a dispute that was won brings back to what was held.
    pub(crate) fn won(&self, what: &Afterwards) -> Option<Loss<'_>> {
        what.end().filter(|(_, won)| *won).and_then(|(chargeback, _)| self.loss(chargeback))
    }

    /// Whether it takes money out of what was held, or brings it back.
    pub(crate) fn moves(&self, what: &Afterwards) -> bool {
        what.loss().is_some() || self.won(what).is_some()
    }

    /// That every dispute is decided: until then nobody knows what there will be.
    pub(crate) fn decided(&self) -> Result<(), Reason> {
        self.disputes().next().map_or(Ok(()), |chargeback| Err(Reason::Underway(chargeback.subject())))
    }

    /// That something that was held was charged back, and is awaited.
    pub(crate) fn awaits(&self) -> Result<(), Reason> {
        let awaited = self.disputes().any(|chargeback| self.loss(chargeback).is_some());
        if awaited { Ok(()) } else { Err(Reason::Missing { what: "a chargeback that is not decided" }) }
    }

    /// That all that was held was charged back for good.
    pub(crate) fn nothing_left(&self, held: Money) -> Result<(), Reason> {
        self.decided()?;
        if held.is_positive() {
            Err(Reason::NotThisWay { instead: "money is left: only what holds nothing any more is closed" })
        } else if self.0.iter().any(|note| note.loss().is_some()) {
            Ok(())
        } else {
            Err(Reason::Missing { what: "a chargeback of what was held" })
        }
    }

    /// Of what each was paid, what it has not given back for a chargeback or a refund since. In minor units.
    pub(crate) fn left(&self, mut paid: Vec<(PartyId, Money)>) -> Vec<(PartyId, Money)> {
        for note in &self.0 {
            let borne = match note {
                Afterwards::ChargedBack { chargeback, borne, .. } if self.end_of(*chargeback) != Some(true) => borne,
                Afterwards::Refunded { borne, .. } => borne,
                Afterwards::ChargedBack { .. }
                | Afterwards::ChargebackWon { .. }
                | Afterwards::ChargebackLost { .. }
                | Afterwards::PayoutReturned { .. }
                | Afterwards::PayoutSentAgain { .. }
                | Afterwards::PayoutArrived { .. }
                | Afterwards::RefundReturned { .. }
                | Afterwards::RefundSentAgain { .. }
                | Afterwards::RefundArrived { .. } => continue,
            };
            for (party, amount) in borne {
                let mut back = amount.minor();
                for (_, had) in paid.iter_mut().filter(|(known, _)| known == party) {
                    let part = back.min(had.minor()).max(0);
                    *had = Money::from_minor(had.minor() - part, had.currency());
                    back -= part;
                }
            }
        }
        paid
    }

    /// Each thing happens once, a payout or refund goes on after it came back, and a dispute ends after it began.
    pub(crate) fn may_note(&self, what: &Afterwards) -> Result<(), Reason> {
        let begun = what.begin().is_some_and(|id| self.0.iter().any(|note| note.begin() == Some(id)));
        if begun || self.0.contains(what) {
            return Err(Reason::Already { what: "noting what happened afterwards" });
        }
        let back = || self.0.iter().filter_map(Afterwards::came_back);
        let any_back = |kind| back().any(|id| id.kind() == kind);
        let was_back = |is: bool, what| if is { Ok(()) } else { Err(Reason::Missing { what }) };
        let (payout_back, refund_back) = ("a payout that came back", "a refund that came back");
        match what {
            Afterwards::PayoutReturned { .. }
            | Afterwards::RefundReturned { .. }
            | Afterwards::ChargedBack { .. }
            | Afterwards::Refunded { .. } => Ok(()),
            Afterwards::ChargebackWon { chargeback } | Afterwards::ChargebackLost { chargeback } => {
                let open = self.disputes().any(|dispute| dispute == *chargeback);
                if open { Ok(()) } else { Err(Reason::Missing { what: "a chargeback that is not decided" }) }
            }
            Afterwards::PayoutSentAgain { payout, .. } => {
                was_back(back().any(|id| id == payout.subject()), payout_back)
            }
            Afterwards::RefundSentAgain { refund, .. } => {
                was_back(back().any(|id| id == refund.subject()), refund_back)
            }
            // It may have been declined and replaced on the way, which is between the payouts, or the refunds.
            Afterwards::PayoutArrived { .. } => was_back(any_back(AnyPayout::KIND), payout_back),
            Afterwards::RefundArrived { .. } => was_back(any_back(AnyRefund::KIND), refund_back),
        }
    }

    pub(crate) fn note(&mut self, what: Afterwards) {
        self.0.push(what);
    }
}
