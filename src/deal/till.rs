//! The payins of a deal: which is under way, which were taken.

use crate::{
    id::Subject,
    lifecycle::Reason,
    money::Money,
    party::PartyId,
    payment::{Outgoing, Paid, PayinId, Way},
};

/// The payins of a deal, one at a time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Till {
    opened: Vec<PayinId>,
    underway: Option<PayinId>,
    paid: Vec<Paid>,
}

impl Till {
    /// Every payin that was opened, in order.
    #[must_use]
    pub fn opened(&self) -> &[PayinId] {
        &self.opened
    }

    /// The payin under way.
    #[must_use]
    pub const fn underway(&self) -> Option<PayinId> {
        self.underway
    }

    /// The payins whose money was taken, in order.
    #[must_use]
    pub fn paid(&self) -> &[Paid] {
        &self.paid
    }

    pub(crate) fn is_free(&self) -> Result<(), Reason> {
        self.underway.map_or(Ok(()), |payin| Err(Reason::Underway(payin.subject())))
    }

    pub(crate) fn awaits(&self, payin: PayinId) -> Result<(), Reason> {
        let expected: Subject = self.expected()?.subject();
        let found = payin.subject();
        if expected == found { Ok(()) } else { Err(Reason::WrongSubject { expected, found }) }
    }

    pub(crate) fn expected(&self) -> Result<PayinId, Reason> {
        self.underway.ok_or(Reason::Missing { what: "a payin under way" })
    }

    /// Exactly what was to be paid, by the payin under way.
    pub(crate) fn may_take(&self, paid: &Paid, expected: Money) -> Result<(), Reason> {
        self.awaits(paid.payin)?;
        let found = paid.amount;
        if found == expected { Ok(()) } else { Err(Reason::WrongAmount { expected, found }) }
    }

    pub(crate) fn open(&mut self, payin: PayinId) {
        self.opened.push(payin);
        self.underway = Some(payin);
    }

    pub(crate) const fn close(&mut self) {
        self.underway = None;
    }

    pub(crate) fn take(&mut self, paid: Paid) {
        self.underway = None;
        self.paid.push(paid);
    }

    /// Some of what a payin paid was charged back: at most what is held, which may be more than that payin paid. A deal takes no
    /// other payin after that, so all that it ever loses together was held at one time, and fits. In minor units.
    pub(crate) fn lose(&mut self, payin: PayinId, amount: Money) {
        for paid in self.paid.iter_mut().filter(|paid| paid.payin == payin) {
            paid.amount = paid.amount.checked_sub(amount).expect("`check` has taken it out of what was held");
        }
    }

    /// It is there again, once. In minor units.
    pub(crate) fn regain(&mut self, payin: PayinId, amount: Money) {
        for paid in self.paid.iter_mut().filter(|paid| paid.payin == payin) {
            paid.amount = paid.amount.checked_add(amount).expect("`check` has found that this was lost");
        }
    }

    /// Whom these payments paid and, out of what they leave, the client of the platform its fee and the platform the rest. In
    /// minor units.
    pub(crate) fn paid_to(
        &self,
        outgoing: &Outgoing,
        platform: &PartyId,
        client: Option<(&PartyId, Money)>,
    ) -> Vec<(PartyId, Money)> {
        let mut left: i64 = self.paid.iter().map(|paid| paid.amount.minor()).sum();
        let mut paid = Vec::new();
        for leg in outgoing.legs() {
            left -= leg.amount.minor();
            if matches!(leg.way, Way::Payout(_)) {
                paid.push((leg.party.clone(), leg.amount));
            }
        }
        let currency = self.paid.first().map(|paid| paid.amount.currency());
        if let Some((client, fee)) = client {
            let part = fee.minor().min(left).max(0);
            left -= part;
            paid.push((client.clone(), Money::from_minor(part, fee.currency())));
        }
        paid.extend(currency.map(|currency| (platform.clone(), Money::from_minor(left.max(0), currency))));
        paid
    }

    /// How `amount` goes back to the payer, in minor units.
    pub(crate) fn back(&self, payer: &PartyId, amount: Money) -> Vec<(PartyId, Money, Way)> {
        Paid::back(&self.paid, payer, amount)
    }
}
