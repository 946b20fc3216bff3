//! A step that was not taken: why, and the value unchanged.

use super::Value;
use crate::{
    id::Subject,
    money::{FeeError, Money, MoneyError, SplitError},
    party::{Actor, PartyId},
    sca::{Forged, NotExempt},
    text::{Prose, TextError},
    time::Timestamp,
};
use std::{error::Error, fmt, ops::RangeInclusive};

/// A step was refused. Nothing has changed and nothing was written; the value comes back as it was.
#[must_use = "the value that was not changed is in here"]
pub struct Refused<T> {
    /// The value, unchanged.
    pub value: T,
    /// Why.
    pub reason: Reason,
}

/// Why a step was refused. A program matches on it; its text says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The lifecycle's table has no such edge or note in this status.
    #[error("`{action}` is not possible in status {status}: see which `actions` are")]
    WrongStatus {
        /// What was asked.
        action: &'static str,
        /// The status it is in.
        status: &'static str,
    },
    /// The table gives this step to somebody else.
    #[error("`{action}` in status {status} is for {}, not for {by}", .roles.join(" or "))]
    WrongActor {
        /// What was asked.
        action: &'static str,
        /// The status it is in.
        status: &'static str,
        /// Who asked.
        by: Actor,
        /// Who may.
        roles: Vec<&'static str>,
    },
    /// A party does this for itself only, and somebody else asked.
    #[error("a party does this for itself only: leave it to {who}, or to the platform")]
    NotForOthers {
        /// Whom it is for.
        who: &'static str,
    },
    /// It is done by another step, or with something else.
    #[error("not this way: {instead}")]
    NotThisWay {
        /// What can be done instead.
        instead: &'static str,
    },
    /// The clock came before the deadline, or there is none.
    #[error("`{action}` is not due{}", .due.map_or(String::new(), |due| format!(" before {due}")))]
    NotDue {
        /// What was asked.
        action: &'static str,
        /// When it is due (UTC).
        due: Option<Timestamp>,
    },
    /// The deadline has passed.
    #[error("`{action}` was possible until {deadline}")]
    TooLate {
        /// What was asked.
        action: &'static str,
        /// When it ended (UTC).
        deadline: Timestamp,
    },
    /// The evidence belongs to something else.
    #[error("the evidence is about {found}, {expected} is wanted")]
    WrongSubject {
        /// What it should be about.
        expected: Subject,
        /// What it is about.
        found: Subject,
    },
    /// The amount or currency is not what it must be.
    #[error("the amount is {found}, it must be {expected}")]
    WrongAmount {
        /// What it must be, in minor units.
        expected: Money,
        /// What it is, in minor units.
        found: Money,
    },
    /// A number is too small or too big.
    #[error("{what} is out of range: choose from {least} to {most}")]
    OutOfRange {
        /// What is counted.
        what: &'static str,
        /// The smallest it can be.
        least: u64,
        /// The biggest it can be.
        most: u64,
    },
    /// A time is too early or too late.
    #[error("{what} cannot be {found}: choose a time after {after}, at the latest {latest}")]
    WrongTime {
        /// The time of what.
        what: &'static str,
        /// What it is (UTC).
        found: Timestamp,
        /// What it must be after (UTC).
        after: Timestamp,
        /// The latest it can be (UTC).
        latest: Timestamp,
    },
    /// More is asked than there is.
    #[error("{asked} is asked, at most {available} is there")]
    TooMuch {
        /// What is asked, in minor units.
        asked: Money,
        /// What there is, in minor units.
        available: Money,
    },
    /// Both sides are the same party.
    #[error("buyer and seller are the same party: name two")]
    SameParty,
    /// It is one of several orders that succeed or fail together.
    #[error("it is part of {0}: act on that")]
    PartOf(Subject),
    /// The payer has charged the payment back, and owes it: outside, the payer has the money already.
    #[error(
        "{0} took the payment back, and its payer owes it: send the money into the payer's wallet, where it pays that"
    )]
    ChargedBack(Subject),
    /// A refund was to be sent another way, by the way that it goes already.
    #[error("the refund goes that way already: approve it, or name another way")]
    SameRoute,
    /// Somebody is named twice where everybody is named once.
    #[error("{0} is named twice: name everybody once")]
    NamedTwice(PartyId),
    /// A payee is to be paid into a bank account by who cannot vouch that it is the payee's.
    #[error(
        "{0} is paid into its wallet: a bank account is named by the seller for itself, or for others by the platform and its account's defaults"
    )]
    OthersAccount(PartyId),
    /// The platform's own party is to be a payee by somebody else's word.
    #[error(
        "{0} is the platform's own party, which has its fee: only the platform and its account's defaults give it a share"
    )]
    PlatformsShare(PartyId),
    /// A payee bears the id of something here, such as a movement, whose wallet it is.
    #[error("{0} is the id of something, not a party: name the party that is to be paid")]
    NobodysName(PartyId),
    /// A payment is under way already.
    #[error("{0} is still open: wait for it, or cancel it first")]
    Underway(Subject),
    /// A payment that has to be there first is missing.
    #[error("{what} is missing: provide it first")]
    Missing {
        /// What is missing.
        what: &'static str,
    },
    /// As many payments (`payin_intents`) or join codes (`join_attempts`) as are allowed were tried.
    #[error("all {limit} attempts were used")]
    NoAttemptsLeft {
        /// How many are allowed.
        limit: u32,
    },
    /// A join code that is not the deal's.
    #[error("that is not the join code")]
    WrongCode,
    /// A payin that needs a challenge, or was told to have one, is said to be paid without.
    #[error(
        "{0} needs a challenge, and the gateway does not say that it was passed: ask the gateway, report `Assured` where it was, or cancel the payin, which sends it back"
    )]
    NotAuthenticated(Subject),
    /// The payer would be led to another payee than the one who is paid.
    #[error("{found} is not paid by this, {expected} is: name {expected}")]
    WrongPayee {
        /// Who is paid.
        expected: PartyId,
        /// Who was named.
        found: PartyId,
    },
    /// An exemption from the challenge does not apply.
    #[error(transparent)]
    NotExempt(#[from] NotExempt),
    /// What came back from the page of a challenge is not the answer to it.
    #[error(transparent)]
    Forged(#[from] Forged),
    /// Something that was fixed by then was to be changed.
    #[error("{what} cannot change any more")]
    Fixed {
        /// What.
        what: &'static str,
    },
    /// An event says something else than what is worked out of the log before it.
    #[error("{what} is not what follows from the log before it: compare the log with a backup")]
    Unlike {
        /// What.
        what: &'static str,
    },
    /// It was done before, and can be done once only.
    #[error("{what} was done already")]
    Already {
        /// What.
        what: &'static str,
    },
    /// The escrow account would not hold what the lifecycle's table says: the lifecycle's own code is at fault.
    #[error("`{action}` would leave {held} in escrow, which its table does not allow: correct the lifecycle's code")]
    Unbooked {
        /// What was asked.
        action: &'static str,
        /// What would be held, in minor units.
        held: Money,
    },
    /// An amount cannot be worked with.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// Shares do not add up.
    #[error(transparent)]
    Split(#[from] SplitError),
    /// The fee cannot be charged.
    #[error(transparent)]
    Fee(#[from] FeeError),
    /// A text cannot be stored.
    #[error(transparent)]
    Text(#[from] TextError),
    /// An entry cannot be made.
    #[error(transparent)]
    Ledger(#[from] crate::ledger::LedgerError),
    /// A reason of a host's own lifecycle.
    #[error("{message}")]
    Own {
        /// For the program.
        code: &'static str,
        /// For people: what to do.
        message: Prose,
    },
}

impl Reason {
    /// Whether a party does for itself what nobody does for another but who holds an office.
    pub(crate) fn for_itself<'p>(
        by: &Actor,
        own: impl IntoIterator<Item = &'p PartyId>,
        who: &'static str,
    ) -> Result<(), Self> {
        match by {
            Actor::Party(party) if !own.into_iter().any(|own| own == party) => Err(Self::NotForOthers { who }),
            Actor::Party(_) | Actor::Office { .. } | Actor::Clock | Actor::Gateway => Ok(()),
        }
    }

    /// What one write may take on, whatever it gathers, gives back, opens or settles.
    pub(crate) fn batch_of(size: u16) -> Result<(), Self> {
        Self::within("the size of a batch", size.into(), 1..=1000)
    }

    pub(crate) fn within(what: &'static str, found: u64, range: RangeInclusive<u64>) -> Result<(), Self> {
        let (least, most) = (*range.start(), *range.end());
        if range.contains(&found) { Ok(()) } else { Err(Self::OutOfRange { what, least, most }) }
    }
}

impl<T> Refused<T> {
    /// The same reason with another form of the value.
    pub fn map<U>(self, form: impl FnOnce(T) -> U) -> Refused<U> {
        Refused { value: form(self.value), reason: self.reason }
    }
}

impl<V: Value> Refused<V> {
    // For the macro: what the table says of an action that it has not in this status.
    #[doc(hidden)]
    pub fn wrong_status(value: V, action: usize) -> Self {
        let reason = super::wrong_status(&value, action);
        Self { value, reason }
    }
}

impl<T> fmt::Debug for Refused<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Refused").field(&self.reason).finish()
    }
}

impl<T> fmt::Display for Refused<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.reason, f)
    }
}

impl<T> Error for Refused<T> {}
