//! What a gateway answers.

use super::IdempotencyKey;
use crate::{
    money::Money,
    sca::Assurance,
    text::{Link, Prose},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// What a gateway answers, at once or later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Done, and so much moved. It is compared with what was asked.
    Settled {
        /// How much moved (or was reserved, or let go), in minor units.
        moved: Money,
    },
    /// Not done, and it will not be.
    Declined {
        /// Why, in the gateway's words.
        reason: Prose,
    },
    /// It was done, and undone since: the bank sent the money of a payout or refund back, days after it had settled. Only what
    /// went out can be returned, to a bank account or a card; whoever says it says that it had settled, too.
    Returned {
        /// How much came back, in minor units: all of it, or what the bank's charge has left of it.
        moved: Money,
        /// Why, in the bank's words.
        reason: Prose,
    },
    /// Not done yet: an answer will follow.
    Pending {
        /// The page to send the payer to, if there is one (`direct_link` in `001_146075c5300aa4f1.txt`).
        direct_link: Option<Link>,
    },
    /// A charge is done, as [`Settled`](Self::Settled) is, and it is known whether the payer was authenticated and who is
    /// liable. Only of a charge.
    Assured {
        /// How much moved, or was reserved, in minor units.
        moved: Money,
        /// Whether the payer was authenticated, and who is liable.
        assurance: Assurance,
    },
    /// A charge is not done yet: the payer has to pass a challenge first. Where an exemption was asked for, it was not granted. Only
    /// of a charge.
    Challenged {
        /// The page to send the payer to.
        direct_link: Link,
        /// When the challenge ends (UTC), if it does. Then the clock calls the payin off.
        until: Option<Timestamp>,
    },
}

/// What became of a call: a webhook, or the answer to the call itself. They are the same thing arriving twice, so a webhook has to
/// say what a lookup would say: of a charge that asked for a challenge or an exemption, [`Outcome::Assured`], not only that it
/// settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The call.
    pub key: IdempotencyKey,
    /// What became of it.
    pub outcome: Outcome,
}

impl Outcome {
    /// Whether it is an answer for good: the call is not looked up any more. A payout or refund that settled may still come back.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        match self {
            Self::Settled { .. } | Self::Assured { .. } | Self::Declined { .. } | Self::Returned { .. } => true,
            Self::Pending { .. } | Self::Challenged { .. } => false,
        }
    }

    /// How much moved, or was reserved or let go, in minor units; `None` when the call is not done, or came back.
    #[must_use]
    pub const fn moved(&self) -> Option<Money> {
        match self {
            Self::Settled { moved } | Self::Assured { moved, .. } => Some(*moved),
            Self::Declined { .. } | Self::Pending { .. } | Self::Challenged { .. } | Self::Returned { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_done_has_moved_anything() {
        let (moved, link) = (Money::from_minor(5, crate::money::Currency::EUR), "https://example.org".parse().unwrap());
        let assured = Outcome::Assured { moved, assurance: Assurance::EXEMPT };
        for (outcome, is_final, amount) in [
            (Outcome::Settled { moved }, true, Some(moved)),
            (assured, true, Some(moved)),
            (Outcome::Declined { reason: "no".parse().unwrap() }, true, None),
            (Outcome::Pending { direct_link: None }, false, None),
            (Outcome::Challenged { direct_link: link, until: None }, false, None),
        ] {
            assert_eq!((outcome.is_final(), outcome.moved()), (is_final, amount), "{outcome:?}");
            let json = serde_json::to_string(&outcome).unwrap();
            assert_eq!(serde_json::from_str::<Outcome>(&json).unwrap(), outcome);
        }
    }
}
