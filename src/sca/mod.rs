//! Strong customer authentication: what a payin asks for, what a gateway says was done, and who bears the liability.
//!
//! ```
//! use escrowed::{gateway::Channel, money::Percent, sca::Limits};
//!
//! let limits = Limits::euro();
//! assert!(limits.low_value().fits("30.00 EUR".parse()?, 4, "70.00 EUR".parse()?).is_ok());       // the 5th, €100.00 in total
//! assert!(limits.low_value().fits("30.01 EUR".parse()?, 0, "0.00 EUR".parse()?).is_err());
//! assert!(limits.low_value().fits("1.00 EUR".parse()?, 5, "5.00 EUR".parse()?).is_err());        // the 6th in a row
//! assert!(limits.low_value().fits("30.00 EUR".parse()?, 3, "70.01 EUR".parse()?).is_err());      // €100.01 in total
//!
//! // With a fraud rate of 0.06 % on cards, transaction risk exempts up to €250.
//! let fraud: Percent = "0.06%".parse()?;
//! assert_eq!(limits.risk_threshold(&Channel::Card, fraud), Some("250.00 EUR".parse()?));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Directive (EU) 2015/2366 (PSD2), article 97, wants a payer to be authenticated by two independent elements before an
//! electronic payment; Commission Delegated Regulation (EU) 2018/389 (the RTS) says how, and names the exemptions. A card or a
//! bank payin therefore says what it needs, by an [`Authentication`]: a challenge on the gateway's page (`direct_link` in
//! `001_146075c5300aa4f1.txt`), or an [`Exemption`]. It is left to the gateway where a payin says nothing.
//! [`payment::payin`](crate::payment::payin) tells how to ask, and what the answers are.
//!
//! | exemption | RTS | what is checked here |
//! |---|---|---|
//! | low value | article 16 | at most €30, at most five in a row and €100 in total since the payer's last challenge |
//! | trusted beneficiary | article 13 | an earlier payin of the payer to the same payee, with a challenge |
//! | recurring | article 14 | the same payer, payee and amount as an earlier payin with a challenge |
//! | transaction risk | article 18 | at most €100, €250 or €500, as the fraud rate allows |
//! | corporate | article 17 | nothing: that the process is for companies only is for the host to know |
//! | merchant initiated | out of scope | an earlier payin of the payer to the same payee, with a challenge; the payer does not act |
//!
//! An exemption is asked for, not granted: the payer's bank may insist on a challenge
//! ([`Outcome::Challenged`](crate::gateway::Outcome::Challenged)), and the same payin goes on with one.
//!
//! Who asks for an exemption bears the loss of a fraud (PSD2, article 74 (2)): [`Liability::Platform`]. Once the payer has
//! passed a challenge, it is the payer's bank: [`Liability::Issuer`].
//!
//! A wallet's payins say nothing of it. They move money that the gateway holds already from one of the platform's
//! accounts to another; the host makes sure of its own users.

pub(crate) mod channel;
mod exemption;
mod limits;
mod response;

pub use exemption::{Authentication, Exemption};
pub use limits::{Limits, LimitsError, LowValue};
pub use response::{Binding, Forged, Response, ReturnCode};

use crate::{
    id::Subject,
    money::{Currency, Money, MoneyError, Percent},
};
use serde::{Deserialize, Serialize};

/// Who bears the loss when the payer says that it was not the one who paid (PSD2, article 74).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Liability {
    /// The payer's bank, which authenticated the payer or chose not to.
    Issuer,
    /// The platform, by way of its gateway.
    Platform,
}

/// What a gateway says of a charge that it settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assurance {
    /// Whether the payer has passed a challenge.
    pub authenticated: bool,
    /// Who bears the loss of a fraud.
    pub liability: Liability,
}

impl Assurance {
    /// The payer has passed a challenge, so that the payer's bank is liable.
    pub const AUTHENTICATED: Self = Self { authenticated: true, liability: Liability::Issuer };
    /// An exemption was used, so that the platform is liable.
    pub const EXEMPT: Self = Self { authenticated: false, liability: Liability::Platform };
}

/// Why a payin is not exempt. Ask for a challenge instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotExempt {
    /// It is more than the exemption goes up to.
    #[error("{asked} is more than {limit}, up to which the exemption goes: ask for a challenge")]
    TooMuch {
        /// What is asked, in minor units.
        asked: Money,
        /// What is exempt at most, in minor units.
        limit: Money,
    },
    /// As many were exempt in a row as may be.
    #[error("{limit} payments in a row were exempt since the payer's last challenge: ask for one")]
    InARow {
        /// How many may be.
        limit: u32,
    },
    /// Together with those before it is too much.
    #[error("{total} would be exempt in total since the payer's last challenge, at most {limit} may be: ask for one")]
    InTotal {
        /// How much it would be, in minor units.
        total: Money,
        /// How much may be, in minor units.
        limit: Money,
    },
    /// The fraud rate is above each of the reference rates.
    #[error("with a fraud rate of {rate} no payment is exempt for its low risk: ask for a challenge")]
    TooMuchFraud {
        /// The fraud rate.
        rate: Percent,
    },
    /// Nobody has said what the limits, which are in euro, are worth in this currency.
    #[error("no limits are known in {currency}: give the escrow some, or ask for a challenge")]
    NoLimits {
        /// The currency.
        currency: Currency,
    },
    /// The limits, or what was counted, are of another currency, or it is too much to add up.
    #[error("{0}; or ask for a challenge")]
    Money(#[from] MoneyError),
    /// At the earlier payin the payer has passed no challenge.
    #[error("{0} was paid without a challenge, so it is no evidence: ask for one")]
    NoChallenge(Subject),
    /// The earlier payin is another payer's, to another payee, or not the same amount.
    #[error("{earlier} has another {what}, so it is no evidence: ask for a challenge")]
    Other {
        /// The earlier payin.
        earlier: Subject,
        /// What is not the same.
        what: &'static str,
    },
    /// The payer itself acts.
    #[error("the payer acts itself, so the merchant does not: ask for a challenge")]
    ByPayer,
}
