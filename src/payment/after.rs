//! What happens to money after it has left: told to what it was of, which notes it and keeps its status.

use super::{Destination, Payout, PayoutId, payout};
use crate::{id::Subject, lifecycle::Reason, money::Money, party::PartyId, text::Prose};
use serde::{Deserialize, Serialize};

/// What happened after the end, as evidence: a value of the status that proves it.
#[derive(Debug, Clone, Copy, Serialize)]
pub enum After<'e> {
    /// The bank sent a payout's money back. The payout holds it again.
    PayoutReturned(&'e Payout<payout::Returned>),
    /// A payout that came back passed its money on to another one.
    PayoutSentAgain(&'e Payout<payout::Returned>),
    /// A payout of money that had come back reached its payee.
    PayoutArrived(&'e Payout<payout::Confirmed>),
}

/// The same as it is logged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Afterwards {
    /// The bank sent a payout's money back. The payout holds it again.
    PayoutReturned {
        /// The payout.
        payout: PayoutId,
        /// Whose money it is.
        payee: PartyId,
        /// How much, in minor units.
        amount: Money,
        /// Why, in the bank's words.
        reason: Prose,
    },
    /// A payout that came back passed its money on to another one.
    PayoutSentAgain {
        /// The one that came back.
        payout: PayoutId,
        /// The other one.
        by: PayoutId,
        /// Where that one goes. In a wallet it is at once.
        to: Destination,
    },
    /// A payout of money that had come back reached its payee.
    PayoutArrived {
        /// The payout.
        payout: PayoutId,
    },
}

/// What is logged of it: a note in what the money was of.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Noted {
    pub(crate) what: Afterwards,
}

/// All that happened to something's money after it had left, in order of time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Aftermath(Vec<Afterwards>);

impl After<'_> {
    /// What the money was of.
    #[must_use]
    pub fn about(&self) -> Subject {
        match self {
            Self::PayoutReturned(payout) | Self::PayoutSentAgain(payout) => payout.facts().about,
            Self::PayoutArrived(payout) => payout.facts().about,
        }
    }

    // What it says to what bears this id.
    pub(crate) fn told_to(&self, expected: Subject) -> Result<Noted, Reason> {
        let found = self.about();
        if found == expected {
            Ok(Noted { what: self.noted()? })
        } else {
            Err(Reason::WrongSubject { expected, found })
        }
    }

    /// What it says, to be logged.
    ///
    /// # Errors
    /// [`Reason::Missing`] when the money of the payout that came back has not gone on.
    pub fn noted(&self) -> Result<Afterwards, Reason> {
        Ok(match self {
            Self::PayoutReturned(payout) => {
                let terms = payout.facts();
                Afterwards::PayoutReturned {
                    payout: payout.id(),
                    payee: terms.payee.clone(),
                    amount: terms.amount,
                    reason: payout.state().reason().clone(),
                }
            }
            Self::PayoutSentAgain(payout) => {
                let (by, to) =
                    payout.state().went().ok_or(Reason::Missing { what: "the payout that sends it again" })?;
                Afterwards::PayoutSentAgain { payout: payout.id(), by: *by, to: to.clone() }
            }
            Self::PayoutArrived(payout) => Afterwards::PayoutArrived { payout: payout.id() },
        })
    }
}

impl Aftermath {
    /// What happened, in order of time.
    #[must_use]
    pub fn notes(&self) -> &[Afterwards] {
        &self.0
    }

    /// Each thing happens once, and a payout goes on after it came back.
    pub(crate) fn may_note(&self, event: &Noted) -> Result<(), Reason> {
        if self.0.contains(&event.what) {
            return Err(Reason::Already { what: "noting what happened afterwards" });
        }
        let came_back = |wanted: Option<PayoutId>| {
            let ours = |id| wanted.is_none_or(|wanted| wanted == id);
            let back = |note: &Afterwards| matches!(note, Afterwards::PayoutReturned { payout, .. } if ours(*payout));
            if self.0.iter().any(back) { Ok(()) } else { Err(Reason::Missing { what: "a payout that came back" }) }
        };
        match &event.what {
            Afterwards::PayoutReturned { .. } => Ok(()),
            Afterwards::PayoutSentAgain { payout, .. } => came_back(Some(*payout)),
            // It may have been declined and replaced on the way, which is between the payouts.
            Afterwards::PayoutArrived { .. } => came_back(None),
        }
    }

    pub(crate) fn note(&mut self, event: Noted) {
        self.0.push(event.what);
    }
}

/// Says in which statuses a lifecycle notes what happened to money that had left, and gives them the note.
macro_rules! notes_after {
    ($Value:ident, $Any:ident: $($Status:ident),+ $(,)?) => {
        /// A status from which money has left for good: what happens to it afterwards is noted.
        pub trait Left {}
        $( impl Left for $Status {} )+

        impl<S: Left> $Value<S>
        where
            Self: $crate::lifecycle::Value<Any = $Any>,
        {
            /// Notes what happened to money that had left. The status stays.
            ///
            /// # Errors
            /// [`Refused`](crate::lifecycle::Refused) when it is another's, was noted before, or does not follow from what
            /// was.
            pub fn note_after(
                self,
                after: $crate::payment::After<'_>,
                at: &$crate::party::Stamp,
            ) -> Result<$crate::lifecycle::Transition<Self>, $crate::lifecycle::Refused<Self>> {
                match after.told_to(self.id().subject()) {
                    Ok(event) => self.take(event, at),
                    Err(reason) => Err($crate::lifecycle::Refused { value: self, reason }),
                }
            }
        }

        impl<S: Left> $crate::lifecycle::Takes<$crate::payment::Noted> for $Value<S>
        where
            Self: $crate::lifecycle::Value<Any = $Any>,
        {
            type Next = Self;
            fn check(
                &self,
                event: &$crate::payment::Noted,
                _: &mut $crate::lifecycle::Effects<'_>,
            ) -> Result<(), $crate::lifecycle::Reason> {
                self.facts().aftermath.may_note(event)
            }
            fn make(mut self, event: $crate::payment::Noted, _: &$crate::party::Stamp) -> Self {
                self.head.facts.aftermath.note(event);
                self
            }
        }
    };
}

pub(crate) use notes_after;
