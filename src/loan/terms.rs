//! What a loan is about.

use super::{AnyLoan, BORROWER, Debt, Plan};
use crate::{
    deal::{Period, Till},
    distribution::DistributionId,
    ledger::GatewayName,
    lifecycle::{self, Effects, Opening, Reason},
    money::{FeePolicy, Money, Percent},
    party::{PartyId, Role, Stamp},
    payment::Destination,
    pledge::{Close, Offer, Proceeds},
    text::{Name, Prose},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// What a loan is about. [`Terms::new`] takes what every loan needs; the rest may be set on the fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// What the money is for, in a few words.
    pub name: Name,
    /// How much is to be lent at least, above zero, in minor units. What is pledged in time beyond it is lent, too.
    pub target: Money,
    /// Until when (UTC): a pledge counts when it is paid before, not at that time or later.
    pub deadline: Timestamp,
    /// Who borrows.
    pub borrower: PartyId,
    /// Whose wallet earns the fee: the marketplace's own party. It pays in what it recovers after a default.
    pub platform: PartyId,
    /// Through which gateway the payments go.
    pub gateway: GatewayName,
    /// How it is repaid.
    pub plan: Plan,
    /// The interest of a year on principal that has fallen due and was not repaid, beside the usual interest. None when left
    /// out.
    #[serde(default)]
    pub late_rate: Option<Percent>,
    /// The fee on what is lent, kept back when the borrower is paid. Free of charge when left out.
    #[serde(default)]
    pub fees: Option<FeePolicy>,
    /// What the money is for, at length.
    #[serde(default)]
    pub description: Option<Prose>,
    /// Where the borrower is paid: into the borrower's wallet when left out.
    #[serde(default)]
    pub payout: Option<Destination>,
    /// The rules.
    #[serde(default)]
    pub policy: Policy,
}

/// The rules of a loan. Stored with the opening, so a later change does not touch open loans.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// When it closes: as soon as the target is met by default.
    pub close: Close,
    /// Whether lenders may withdraw a paid pledge until it closes: yes by default. The platform may in any case.
    pub withdrawals: bool,
    /// How often paid pledges are gathered in the loan's escrow account: every ten minutes by default.
    pub gathering: Period,
    /// How many pledges are gathered, given back or paid in one unit: 100 by default, from 1 to 1000.
    pub batch: u16,
    /// How long it may be `FUNDED` before the clock calls it off, so that a silent borrower strands nobody's money: 30 days by
    /// default.
    pub validation: Period,
    /// How long after an instalment's day the loan becomes `LATE`, if it is not paid: 5 days by default.
    pub grace: Period,
    /// How long a payin of a repayment may take before the clock calls it off: 14 days by default, as long as a bank wire may
    /// stay pending.
    pub payment: Period,
}

/// What is known of a loan in every status.
#[derive(Debug)]
pub struct Facts {
    pub(super) terms: Terms,
    pub(super) pledges: u64,
    pub(super) raised: Money,
    pub(super) debt: Option<Debt>,
    pub(super) till: Till,
    // What the payin under way is to pay.
    pub(super) asked: Money,
    pub(super) asked_at: Timestamp,
    // What is owed after a default if nothing comes of that payin, where it was opened by a clock that was ahead.
    pub(super) unasked: Option<Debt>,
    // What lenders have got, or are about to get.
    pub(super) repaid: Proceeds,
    pub(super) distribution: Option<DistributionId>,
}

impl Terms {
    /// The terms of a loan without a fee, by the default policy.
    #[must_use]
    pub fn new(
        name: Name,
        target: Money,
        deadline: Timestamp,
        borrower: PartyId,
        platform: PartyId,
        gateway: GatewayName,
        plan: Plan,
    ) -> Self {
        let (late_rate, fees, description, payout, policy) = (None, None, None, None, Policy::default());
        Self { name, target, deadline, borrower, platform, gateway, plan, late_rate, fees, description, payout, policy }
    }

    /// The fee on what is lent, in minor units: the greater of the percentage and the absolute amount, at least the platform's
    /// minimum.
    ///
    /// # Errors
    /// [`Reason::Fee`] when it would exceed what is lent or is of another currency.
    pub fn fee(&self, lent: Money) -> Result<Money, Reason> {
        match &self.fees {
            Some(policy) => Ok(policy.fee(lent, None)?),
            None => Ok(Money::zero(lent.currency())),
        }
    }

    pub(super) fn is_met(&self, raised: Money) -> Result<bool, Reason> {
        Ok(raised.compare(self.target)?.is_ge())
    }

    /// What the borrower owes if it is paid then.
    pub(super) fn debt(&self, lent: Money, start: Timestamp) -> Result<Debt, Reason> {
        Debt::new(self.plan, self.late_rate, lent, start)
    }

    // Whom a pledge to it pays in the end.
    pub(super) const fn payee(&self) -> &PartyId {
        &self.borrower
    }

    // Nobody lends to themselves, nor more than is missing.
    pub(super) fn may_take(&self, offer: &Offer, held: Money) -> Result<(), Reason> {
        if offer.backer == self.borrower {
            return Err(Reason::SameParty);
        }
        let (asked, available) = (offer.amount, self.target.checked_sub(held)?);
        if asked.compare(available)?.is_gt() { Err(Reason::TooMuch { asked, available }) } else { Ok(()) }
    }

    fn check(&self, at: &Stamp) -> Result<(), Reason> {
        self.target.require_positive()?;
        if at.at >= self.deadline {
            return Err(Reason::TooLate { action: "open", deadline: self.deadline });
        }
        Reason::batch_of(self.policy.batch)?;
        Reason::for_itself(&at.by, [&self.borrower], "the borrower")?;
        self.debt(self.target, self.deadline)?;
        let (asked, available) = (self.fee(self.target)?, self.target);
        if asked == available { Err(Reason::TooMuch { asked, available }) } else { Ok(()) }
    }
}

impl Plan {
    /// What the borrower of so much owes, from when it is paid (UTC): for those who want to know before.
    ///
    /// # Errors
    /// [`Reason`] as of [`schedule`](Self::schedule).
    pub fn debt(&self, lent: Money, start: Timestamp) -> Result<Debt, Reason> {
        Debt::new(*self, None, lent, start)
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            close: Close::WhenMet,
            withdrawals: true,
            gathering: Period::seconds(600),
            batch: 100,
            validation: Period::days(30),
            grace: Period::days(5),
            payment: Period::days(14),
        }
    }
}

impl Opening<AnyLoan> for Terms {
    fn check(&self, step: &mut Effects<'_>) -> Result<(), Reason> {
        Self::check(self, step.stamp())
    }
    fn held(&self) -> Money {
        Money::zero(self.target.currency())
    }
    fn facts(self, at: &Stamp) -> Facts {
        let nothing = Money::zero(self.target.currency());
        Facts {
            terms: self,
            pledges: 0,
            raised: nothing,
            debt: None,
            till: Till::default(),
            asked: nothing,
            asked_at: at.at,
            unasked: None,
            repaid: Proceeds::zero(nothing.currency()),
            distribution: None,
        }
    }
    fn gateway(&self) -> Option<&GatewayName> {
        Some(&self.gateway)
    }
    fn deadline(&self) -> Option<Timestamp> {
        Some(self.deadline)
    }
}

impl Facts {
    /// The terms as they are now.
    #[must_use]
    pub const fn terms(&self) -> &Terms {
        &self.terms
    }

    /// How many pledges were gathered and not withdrawn. What goes back after the end still counts.
    #[must_use]
    pub const fn pledges(&self) -> u64 {
        self.pledges
    }

    /// How much they come to, in minor units: what is lent, once it is.
    #[must_use]
    pub const fn raised(&self) -> Money {
        self.raised
    }

    /// What the borrower owes; `None` before it is paid.
    #[must_use]
    pub const fn debt(&self) -> Option<&Debt> {
        self.debt.as_ref()
    }

    /// The payins of repayments.
    #[must_use]
    pub const fn till(&self) -> &Till {
        &self.till
    }

    /// What has been repaid: principal, and interest with that for late payment. How far it is with the lenders, its
    /// distributions tell.
    #[must_use]
    pub const fn repaid(&self) -> Proceeds {
        self.repaid
    }

    pub(super) fn owes(&self) -> Result<&Debt, Reason> {
        self.debt.as_ref().ok_or(Reason::Missing { what: "the borrower's payout" })
    }
}

impl lifecycle::Facts for Facts {
    fn plays(&self, role: Role, who: &PartyId) -> bool {
        role == BORROWER && *who == self.terms.borrower
    }
    // The lenders are those of its pledges.
    fn parties(&self) -> Vec<PartyId> {
        vec![self.terms.borrower.clone()]
    }
}
