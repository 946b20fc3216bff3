//! What a payin asks for.

use super::{Binding, Limits, LowValue, NotExempt, channel::Channel, limits::up_to};
use crate::{
    id::Subject,
    money::{Currency, Money, Percent},
};
use serde::{Deserialize, Serialize};

/// What a payin needs of its payer before its money may be taken. Written with the payin and told to the gateway.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Authentication {
    /// Whatever the gateway decides.
    #[default]
    ByGateway,
    /// A challenge: the payin is confirmed only once the gateway says that the payer has passed one.
    Challenge(Binding),
    /// Nothing, by an exemption, unless the payer's bank insists on a challenge.
    Exempt {
        /// Which.
        exemption: Exemption,
        /// What a challenge is bound to, if there is to be one.
        binding: Binding,
    },
}

/// Why no challenge is needed, with what was checked. Amounts in minor units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exemption {
    /// The amount is low (RTS, article 16).
    LowValue {
        /// It is the how many since the payer's last challenge, from 1.
        number: u32,
        /// How much it is together with those before.
        total: Money,
        /// The limits that were kept.
        limits: LowValue,
    },
    /// The payer trusts the payee, and has said so to its bank (RTS, article 13).
    TrustedBeneficiary {
        /// An earlier payin of the payer to that payee, with a challenge.
        listed: Subject,
    },
    /// One of a series of the same amount to the same payee (RTS, article 14).
    Recurring {
        /// The payin of the series that the payer has passed a challenge for.
        first: Subject,
    },
    /// The risk is low (RTS, article 18).
    TransactionRisk {
        /// The rate of fraud that was claimed.
        fraud: Percent,
        /// Up to how much is exempt with it.
        threshold: Money,
    },
    /// The payee takes what the payer has agreed to, without the payer (outside of PSD2's article 97 (1)).
    MerchantInitiated {
        /// The payin at which the payer has agreed, and passed a challenge.
        mandate: Subject,
    },
    /// A company pays by a process that only companies can use (RTS, article 17).
    Corporate,
}

impl Authentication {
    /// Whether it is left to the gateway.
    #[must_use]
    pub const fn is_by_gateway(&self) -> bool {
        matches!(self, Self::ByGateway)
    }

    /// Which exemption is asked for, if one is.
    #[must_use]
    pub const fn exemption(&self) -> Option<&Exemption> {
        match self {
            Self::Exempt { exemption, .. } => Some(exemption),
            Self::ByGateway | Self::Challenge(_) => None,
        }
    }

    /// What a challenge is bound to; nothing where all of it is left to the gateway.
    #[must_use]
    pub const fn binding(&self) -> Option<&Binding> {
        match self {
            Self::Challenge(binding) | Self::Exempt { binding, .. } => Some(binding),
            Self::ByGateway => None,
        }
    }
}

impl Exemption {
    /// Its name, such as `low_value`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::LowValue { .. } => "low_value",
            Self::TrustedBeneficiary { .. } => "trusted_beneficiary",
            Self::Recurring { .. } => "recurring",
            Self::TransactionRisk { .. } => "transaction_risk",
            Self::MerchantInitiated { .. } => "merchant_initiated",
            Self::Corporate => "corporate",
        }
    }

    /// Whether a payin of so much may be exempt by it, as far as what is written of it tells: the same live and in replay.
    pub(crate) fn check(&self, amount: Money, channel: &Channel) -> Result<(), NotExempt> {
        match self {
            Self::LowValue { number, total, limits } => {
                limits.lawful()?;
                let before = number.checked_sub(1).ok_or(NotExempt::InARow { limit: limits.in_a_row })?;
                limits.fits(amount, before, total.checked_sub(amount)?).map(drop)
            }
            Self::TransactionRisk { fraud, threshold } => {
                let euro = Limits::euro().risk_threshold(channel, *fraud);
                let euro = euro.ok_or(NotExempt::TooMuchFraud { rate: *fraud })?;
                if threshold.currency() == Currency::EUR {
                    up_to(*threshold, euro)?;
                }
                up_to(amount, *threshold)
            }
            Self::TrustedBeneficiary { .. }
            | Self::Recurring { .. }
            | Self::MerchantInitiated { .. }
            | Self::Corporate => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn euro(minor: i64) -> Money {
        Money::from_minor(minor, Currency::EUR)
    }

    #[test]
    fn what_was_written_of_an_exemption_is_checked_again() {
        let limits = Limits::euro().low_value();
        let low = |number, total, limits| Exemption::LowValue { number, total: euro(total), limits };
        let check = |exemption: &Exemption, minor| exemption.check(euro(minor), &Channel::Card);
        assert_eq!(check(&low(5, 10_000, limits), 3_000), Ok(()));
        let looser = LowValue { single: euro(9_999), ..limits };
        for (forged, minor) in [
            (low(0, 100, limits), 100),
            (low(6, 600, limits), 100),
            (low(5, 10_001, limits), 100),
            (low(1, 3_001, limits), 3_001),
            (low(1, 5_000, looser), 5_000),
            (low(1, 100, LowValue { in_a_row: 6, ..limits }), 100),
        ] {
            assert!(check(&forged, minor).is_err(), "{forged:?}");
        }
    }

    #[test]
    fn low_risk_is_bounded_by_its_rate_and_its_channel() {
        let risk = |fraud: &str, threshold| Exemption::TransactionRisk {
            fraud: fraud.parse().unwrap(),
            threshold: euro(threshold),
        };
        let check = |exemption: &Exemption, minor, channel| exemption.check(euro(minor), &channel);
        assert_eq!(check(&risk("0.13%", 10_000), 10_000, Channel::Card), Ok(()));
        assert_eq!(check(&risk("0.01%", 50_000), 50_000, Channel::Card), Ok(()));
        let over = NotExempt::TooMuch { asked: euro(10_001), limit: euro(10_000) };
        assert_eq!(check(&risk("0.13%", 10_000), 10_001, Channel::Card), Err(over));
        let forged = NotExempt::TooMuch { asked: euro(25_000), limit: euro(10_000) };
        assert_eq!(check(&risk("0.13%", 25_000), 1, Channel::Card), Err(forged));
        let rate = "0.13%".parse().unwrap();
        assert_eq!(check(&risk("0.13%", 10_000), 1, Channel::BankWire), Err(NotExempt::TooMuchFraud { rate }));
    }

    #[test]
    fn what_is_left_to_the_gateway_is_as_short_as_it_can_be() {
        assert_eq!(serde_json::to_string(&Authentication::default()).unwrap(), r#""by_gateway""#);
        assert_eq!(serde_json::from_str::<Authentication>(r#""by_gateway""#).unwrap(), Authentication::ByGateway);
        assert!(Authentication::ByGateway.binding().is_none() && Authentication::ByGateway.exemption().is_none());
    }
}
