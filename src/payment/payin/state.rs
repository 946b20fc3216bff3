//! The statuses of a payin, each with what only it knows.

use crate::{
    gateway::Verb,
    id::Subject,
    money::{Currency, Money, MoneyError},
    payment::{ChargebackId, RefundId},
    sca::Assurance,
    text::{Link, Prose},
    time::Timestamp,
};

/// The payer is to pay. Leads on by `authorize`, `confirm`, `deny` and `cancel`.
#[derive(Debug, Default)]
pub struct Created {
    pub(super) direct_link: Option<Link>,
    pub(super) sca: Sca,
}

/// The amount is reserved. Leads on by `confirm` (after `capture`), `deny` and `cancel`.
#[derive(Debug)]
pub struct Authorized {
    pub(super) capturing: bool,
    // Another amount than was asked.
    pub(super) captured: Option<Money>,
    pub(super) sca: Sca,
}

/// The money is there. Leads on by `refund`.
#[derive(Debug)]
pub struct Confirmed {
    pub(super) refunded: Money,
    pub(super) refunds: Vec<RefundId>,
    pub(super) handed_to: Option<Subject>,
    pub(super) sca: Sca,
    pub(super) disputes: Disputes,
}

/// The gateway declined. Money that still arrives goes back.
#[derive(Debug)]
pub struct Denied {
    pub(super) reason: Prose,
    pub(super) after: After,
    pub(super) sca: Sca,
    pub(super) disputes: Disputes,
}

/// Called off. Money that still arrives goes back.
#[derive(Debug)]
pub struct Cancelled {
    pub(super) after: After,
    pub(super) sca: Sca,
    pub(super) disputes: Disputes,
}

/// How the payer was, or is to be, authenticated.
#[derive(Debug, Default)]
pub struct Sca {
    pub(super) challenge: Option<Challenge>,
    pub(super) came_back: bool,
    pub(super) assurance: Option<Assurance>,
}

/// A challenge that the gateway has for the payer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// The page to send the payer to.
    pub direct_link: Link,
    /// When it ends (UTC), if it does.
    pub until: Option<Timestamp>,
}

/// A status in which it is known how the payer was, or is to be, authenticated.
pub trait Secured {
    #[doc(hidden)]
    fn sca(&self) -> &Sca;
    #[doc(hidden)]
    fn sca_mut(&mut self) -> &mut Sca;
}

/// A status in which the gateway may still say how the payer was authenticated.
pub trait Chargeable: Secured {
    // Whether the charge is what the gateway still has to answer.
    #[doc(hidden)]
    fn charging(&self) -> bool;
}

/// What still came of it after its end.
#[derive(Debug)]
pub struct After {
    // Which call decides whether money still comes.
    pub(super) asked: Verb,
    pub(super) void: Void,
    // The refund of what came all the same, and how much that was.
    pub(super) bounced: Option<(RefundId, Money)>,
}

/// All of it went back to the payer.
#[derive(Debug)]
pub struct Refunded {
    pub(super) refunds: Vec<RefundId>,
    pub(super) handed_to: Option<Subject>,
    pub(super) disputes: Disputes,
}

/// What of a payin was charged back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Disputes(Vec<(ChargebackId, Money, bool)>);

/// A status in which the money was there, or may have come late.
pub trait Taken {
    /// What of it was charged back.
    fn disputes(&self) -> &Disputes;
    /// What took its money; none when it went back by itself.
    fn handed_to(&self) -> Option<Subject>;
    /// What has come of the amount that was asked, in minor units; none while nothing has. What comes late may be another amount.
    fn came(&self, asked: Money) -> Option<Money>;
    #[doc(hidden)]
    fn disputes_mut(&mut self) -> &mut Disputes;
}

macro_rules! taken {
    ($($status:ident: $handed_to:expr, $came:expr;)+) => { $(
        impl Taken for $status {
            fn disputes(&self) -> &Disputes {
                &self.disputes
            }
            fn handed_to(&self) -> Option<Subject> {
                let handed_to: fn(&Self) -> Option<Subject> = $handed_to;
                handed_to(self)
            }
            fn came(&self, asked: Money) -> Option<Money> {
                let came: fn(&Self, Money) -> Option<Money> = $came;
                came(self, asked)
            }
            fn disputes_mut(&mut self) -> &mut Disputes {
                &mut self.disputes
            }
        }
    )+ };
}

taken! {
    Confirmed: |payin| payin.handed_to, |_, asked| Some(asked);
    Refunded: |payin| payin.handed_to, |_, asked| Some(asked);
    Denied: |_| None, |payin, _| payin.after.bounced.map(|(_, moved)| moved);
    Cancelled: |_| None, |payin, _| payin.after.bounced.map(|(_, moved)| moved);
}

impl Disputes {
    /// How much is gone, in minor units of this currency: what was not won back.
    ///
    /// # Errors
    /// [`MoneyError`] when the sums overflow.
    pub fn gone(&self, currency: Currency) -> Result<Money, MoneyError> {
        Money::sum(self.0.iter().filter(|(.., won)| !won).map(|(_, amount, _)| *amount), currency)
    }

    /// The chargebacks that were not won back: lost, or not decided.
    pub(crate) fn not_won(&self) -> impl Iterator<Item = ChargebackId> {
        self.0.iter().filter(|(.., won)| !won).map(|(chargeback, ..)| *chargeback)
    }

    /// Whether it was counted, and won back.
    pub(super) fn stands(&self, chargeback: ChargebackId) -> Option<bool> {
        self.0.iter().find(|(known, ..)| *known == chargeback).map(|(.., won)| *won)
    }

    pub(super) fn count(&mut self, chargeback: ChargebackId, amount: Money) {
        self.0.push((chargeback, amount, false));
    }

    pub(super) fn win(&mut self, chargeback: ChargebackId) {
        self.0.iter_mut().filter(|(known, ..)| *known == chargeback).for_each(|(.., won)| *won = true);
    }
}

macro_rules! secured {
    ($($status:ident),+) => { $(
        impl Secured for $status {
            fn sca(&self) -> &Sca {
                &self.sca
            }
            fn sca_mut(&mut self) -> &mut Sca {
                &mut self.sca
            }
        }
    )+ };
}

secured!(Created, Authorized, Confirmed, Denied, Cancelled);

impl Chargeable for Created {
    fn charging(&self) -> bool {
        true
    }
}

impl Chargeable for Denied {
    fn charging(&self) -> bool {
        self.after.asked == Verb::Charge
    }
}

impl Chargeable for Cancelled {
    fn charging(&self) -> bool {
        self.after.asked == Verb::Charge
    }
}

impl Sca {
    /// The challenge, once the gateway has told of one.
    #[must_use]
    pub const fn challenge(&self) -> Option<&Challenge> {
        self.challenge.as_ref()
    }

    /// Whether the payer came back from its page.
    #[must_use]
    pub const fn came_back(&self) -> bool {
        self.came_back
    }

    /// What the gateway said of it; nothing until it did.
    #[must_use]
    pub const fn assurance(&self) -> Option<Assurance> {
        self.assurance
    }
}

impl Created {
    /// The page to send the payer to, once the gateway has named it (`direct_link`).
    #[must_use]
    pub const fn direct_link(&self) -> Option<&Link> {
        self.direct_link.as_ref()
    }
}

impl Authorized {
    /// Whether the capture has been asked for.
    #[must_use]
    pub const fn capturing(&self) -> bool {
        self.capturing
    }

    /// What the gateway says that it captured, in minor units, where that is another amount than was asked: it is not booked,
    /// and goes back when the platform calls the payin off.
    #[must_use]
    pub const fn captured(&self) -> Option<Money> {
        self.captured
    }
}

impl Confirmed {
    /// How much of it went back to the payer, in minor units.
    #[must_use]
    pub const fn refunded(&self) -> Money {
        self.refunded
    }

    /// The confirmed refunds of it.
    #[must_use]
    pub fn refunds(&self) -> &[RefundId] {
        &self.refunds
    }

    /// What took its money; none when it went back, or has not been taken yet.
    #[must_use]
    pub const fn handed_to(&self) -> Option<Subject> {
        self.handed_to
    }
}

impl Denied {
    /// Why, in the gateway's words.
    #[must_use]
    pub const fn reason(&self) -> &Prose {
        &self.reason
    }

    /// What still came of it afterwards.
    #[must_use]
    pub const fn after(&self) -> &After {
        &self.after
    }
}

impl Cancelled {
    /// What still came of it afterwards.
    #[must_use]
    pub const fn after(&self) -> &After {
        &self.after
    }
}

/// Whether the gateway was asked to let a reservation go, and what it said. It is asked once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Void {
    NotAsked,
    Asked,
    Settled,
    Declined,
}

/// A status after the end, in which something may still come of it.
pub trait Over: Taken {
    #[doc(hidden)]
    fn after(&self) -> &After;
    #[doc(hidden)]
    fn after_mut(&mut self) -> &mut After;
}

impl Over for Denied {
    fn after(&self) -> &After {
        &self.after
    }
    fn after_mut(&mut self) -> &mut After {
        &mut self.after
    }
}

impl Over for Cancelled {
    fn after(&self) -> &After {
        &self.after
    }
    fn after_mut(&mut self) -> &mut After {
        &mut self.after
    }
}

impl After {
    pub(super) const fn of(asked: Verb, void: Void) -> Self {
        Self { asked, void, bounced: None }
    }

    /// The refund of money that arrived all the same.
    #[must_use]
    pub fn bounced(&self) -> Option<RefundId> {
        self.bounced.map(|(refund, _)| refund)
    }

    /// Whether the gateway has still to answer that it let the reservation go.
    #[must_use]
    pub const fn voiding(&self) -> bool {
        matches!(self.void, Void::Asked)
    }

    /// Whether the gateway declined to let the reservation go: then it stays until the card's bank ends it.
    #[must_use]
    pub const fn void_declined(&self) -> bool {
        matches!(self.void, Void::Declined)
    }
}

impl Refunded {
    /// The refunds of it.
    #[must_use]
    pub fn refunds(&self) -> &[RefundId] {
        &self.refunds
    }
}
