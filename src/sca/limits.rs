//! Up to which amounts a payin may be exempt.

use super::{NotExempt, channel::Channel};
use crate::money::{Currency, Money, MoneyError, Percent};
use serde::{Deserialize, Serialize};

/// Up to which amounts payins in one currency may be exempt: those of the RTS in euro, what a host says they are worth in
/// another currency, or less.
///
/// ```
/// use escrowed::{money::Money, sca::Limits};
///
/// let crowns = |minor| Money::from_minor(minor, "CZK".parse().expect("a currency"));
/// let limits = Limits::of([crowns(75_000), crowns(250_000)], [crowns(250_000), crowns(620_000), crowns(1_250_000)])?;
/// assert!(limits.low_value().fits(crowns(75_000), 0, crowns(0)).is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    low_value: LowValue,
    // In the order of `RATES`.
    risk: [Money; 3],
}

/// The limits of the exemption of low values (RTS, article 16). Amounts in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LowValue {
    /// One payin.
    pub single: Money,
    /// All since the payer's last challenge, together.
    pub total: Money,
    /// How many since the payer's last challenge.
    pub in_a_row: u32,
}

/// Why some amounts are no limits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LimitsError {
    /// They are not of one currency.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// Something would be exempt that the RTS does not exempt.
    #[error("{asked} is more than the {law} of the RTS: give no more than that")]
    Looser {
        /// What was given.
        asked: Money,
        /// What the RTS says.
        law: Money,
    },
    /// More would be exempt in a row than the RTS allows.
    #[error("{asked} in a row are more than the {law} of the RTS: give no more than that")]
    LooserInARow {
        /// What was given.
        asked: u32,
        /// What the RTS says.
        law: u32,
    },
}

// The reference fraud rates of the RTS's annex, each for cards and for credit transfers, in millionths: with no more
// fraud than that, up to €100, €250 and €500 are exempt.
const RATES: [[u32; 2]; 3] = [[1_300, 150], [600, 100], [100, 50]];
const IN_A_ROW: u32 = 5;

const fn euro(minor: i64) -> Money {
    Money::from_minor(minor, Currency::EUR)
}

impl Limits {
    /// Those of the RTS.
    #[must_use]
    pub const fn euro() -> Self {
        let low_value = LowValue { single: euro(3_000), total: euro(10_000), in_a_row: IN_A_ROW };
        Self { low_value, risk: [euro(10_000), euro(25_000), euro(50_000)] }
    }

    /// Those of another currency: what €30 and €100 are worth, then what €100, €250 and €500 are worth. Or stricter ones in
    /// euro. In minor units.
    ///
    /// # Errors
    /// [`LimitsError`] when they are not of one currency, one is not above zero, or, in euro, one is above that of the RTS.
    pub fn of([single, total]: [Money; 2], risk: [Money; 3]) -> Result<Self, LimitsError> {
        let limits = Self { low_value: LowValue { single, total, in_a_row: IN_A_ROW }, risk };
        limits.checked()
    }

    /// The same with fewer low values in a row.
    ///
    /// # Errors
    /// [`LimitsError`] when they are more than the five of the RTS.
    pub fn in_a_row(mut self, in_a_row: u32) -> Result<Self, LimitsError> {
        self.low_value.in_a_row = in_a_row;
        self.checked()
    }

    fn checked(self) -> Result<Self, LimitsError> {
        self.low_value.check()?;
        for (asked, law) in self.risk.into_iter().zip(Self::euro().risk) {
            asked.require_positive()?.compare(self.low_value.single)?;
            no_looser(asked, law)?;
        }
        Ok(self)
    }

    /// Their currency.
    #[must_use]
    pub const fn currency(&self) -> Currency {
        self.low_value.single.currency()
    }

    /// Those of low values.
    #[must_use]
    pub const fn low_value(&self) -> LowValue {
        self.low_value
    }

    /// Up to which amount a payin is exempt for its low risk (RTS, article 18 and annex), by the host's or its gateway's rate
    /// of fraud; `None` when that is too high. In minor units.
    ///
    /// | up to | cards | credit transfers |
    /// |---|---|---|
    /// | €100 | 0.13 % | 0.015 % |
    /// | €250 | 0.06 % | 0.01 % |
    /// | €500 | 0.01 % | 0.005 % |
    #[must_use]
    pub fn risk_threshold(&self, channel: &Channel, fraud: Percent) -> Option<Money> {
        let fits = |rates: &[u32; 2]| match channel {
            Channel::Card => fraud.ppm() <= rates[0],
            Channel::BankWire => fraud.ppm() <= rates[1],
        };
        RATES.iter().zip(self.risk).rfind(|(rates, _)| fits(rates)).map(|(_, threshold)| threshold)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::euro()
    }
}

impl LowValue {
    /// Whether another payin of so much may be exempt after `before` others of `total` since the payer's last challenge. Tells
    /// how much it is together. In minor units.
    ///
    /// The RTS lets a payment service provider choose to count the payments or to add them up. Both are done here.
    ///
    /// # Errors
    /// [`NotExempt`] when it may not.
    pub fn fits(&self, amount: Money, before: u32, total: Money) -> Result<Money, NotExempt> {
        up_to(amount, self.single)?;
        if before >= self.in_a_row {
            return Err(NotExempt::InARow { limit: self.in_a_row });
        }
        let total = total.checked_add(amount)?;
        if total.compare(self.total)?.is_gt() {
            return Err(NotExempt::InTotal { total, limit: self.total });
        }
        Ok(total)
    }

    /// The same as a reason why a payin is not exempt.
    pub(crate) fn lawful(&self) -> Result<(), NotExempt> {
        self.check().map_err(|error| match error {
            LimitsError::Money(error) => error.into(),
            LimitsError::Looser { asked, law } => NotExempt::TooMuch { asked, limit: law },
            LimitsError::LooserInARow { law, .. } => NotExempt::InARow { limit: law },
        })
    }

    /// That they are of one currency and no looser than the RTS, as far as that can be told: it speaks of euro.
    fn check(&self) -> Result<(), LimitsError> {
        self.single.require_positive()?;
        self.total.require_positive()?.compare(self.single)?;
        let law = Limits::euro().low_value;
        no_looser(self.single, law.single)?;
        no_looser(self.total, law.total)?;
        if self.in_a_row > law.in_a_row {
            return Err(LimitsError::LooserInARow { asked: self.in_a_row, law: law.in_a_row });
        }
        Ok(())
    }
}

fn no_looser(asked: Money, law: Money) -> Result<(), LimitsError> {
    if asked.compare(law).is_ok_and(|order| order.is_gt()) {
        return Err(LimitsError::Looser { asked, law });
    }
    Ok(())
}

/// Whether an amount is within a limit.
pub(super) fn up_to(asked: Money, limit: Money) -> Result<(), NotExempt> {
    if asked.compare(limit)?.is_gt() { Err(NotExempt::TooMuch { asked, limit }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn percent(text: &str) -> Percent {
        text.parse().unwrap()
    }

    #[test]
    fn thirty_euro_are_a_low_value_and_a_cent_more_is_not() {
        let (limits, zero) = (Limits::euro().low_value(), euro(0));
        for minor in [1, 2_999, 3_000] {
            assert_eq!(limits.fits(euro(minor), 0, zero), Ok(euro(minor)));
        }
        let too_much = NotExempt::TooMuch { asked: euro(3_001), limit: euro(3_000) };
        assert_eq!(limits.fits(euro(3_001), 0, zero), Err(too_much));
    }

    #[test]
    fn the_fifth_in_a_row_is_exempt_and_the_sixth_is_not() {
        let limits = Limits::euro().low_value();
        assert!((0..5).all(|before| limits.fits(euro(100), before, euro(100 * i64::from(before))).is_ok()));
        assert_eq!(limits.fits(euro(100), 5, euro(500)), Err(NotExempt::InARow { limit: 5 }));
        assert_eq!(limits.fits(euro(100), u32::MAX, euro(500)), Err(NotExempt::InARow { limit: 5 }));
    }

    #[test]
    fn a_hundred_euro_in_total_are_exempt_and_a_cent_more_is_not() {
        let limits = Limits::euro().low_value();
        assert_eq!(limits.fits(euro(1_000), 3, euro(9_000)), Ok(euro(10_000)));
        let in_total = NotExempt::InTotal { total: euro(10_001), limit: euro(10_000) };
        assert_eq!(limits.fits(euro(1_000), 3, euro(9_001)), Err(in_total));
        assert!(matches!(limits.fits(euro(1), 3, euro(i64::MAX)), Err(NotExempt::Money(MoneyError::Overflow))));
    }

    #[test]
    fn the_thresholds_follow_the_reference_rates() {
        let limits = Limits::euro();
        let cards = [("0%", Some(500)), ("0.01%", Some(500)), ("0.0101%", Some(250)), ("0.06%", Some(250))];
        let more = [("0.0601%", Some(100)), ("0.13%", Some(100)), ("0.1301%", None), ("100%", None)];
        for (rate, threshold) in cards.into_iter().chain(more) {
            let expected = threshold.map(|whole| euro(whole * 100));
            assert_eq!(limits.risk_threshold(&Channel::Card, percent(rate)), expected, "{rate}");
        }
        let transfers = [("0.005%", Some(500)), ("0.0051%", Some(250)), ("0.01%", Some(250)), ("0.015%", Some(100))];
        for (rate, threshold) in transfers.into_iter().chain([("0.0151%", None)]) {
            let expected = threshold.map(|whole| euro(whole * 100));
            assert_eq!(limits.risk_threshold(&Channel::BankWire, percent(rate)), expected, "{rate}");
        }
    }

    #[test]
    fn limits_in_euro_are_no_looser_than_the_law() {
        let risk = [euro(10_000), euro(25_000), euro(50_000)];
        assert_eq!(Limits::of([euro(3_000), euro(10_000)], risk), Ok(Limits::euro()));
        let looser = [
            Limits::of([euro(3_001), euro(10_000)], risk),
            Limits::of([euro(3_000), euro(10_001)], risk),
            Limits::of([euro(3_000), euro(10_000)], [euro(10_001), euro(25_000), euro(50_000)]),
            Limits::of([euro(3_000), euro(10_000)], [euro(10_000), euro(25_000), euro(50_001)]),
        ];
        assert!(looser.iter().all(|limits| matches!(limits, Err(LimitsError::Looser { .. }))), "{looser:?}");
        assert_eq!(Limits::euro().in_a_row(6), Err(LimitsError::LooserInARow { asked: 6, law: 5 }));
        let strict = Limits::euro().in_a_row(2).unwrap().low_value();
        assert_eq!(strict.fits(euro(1), 2, euro(2)), Err(NotExempt::InARow { limit: 2 }));
    }

    #[test]
    fn limits_are_of_one_currency() {
        let yen = |minor| Money::from_minor(minor, Currency::JPY);
        let risk = [yen(16_000), yen(40_000), yen(80_000)];
        let limits = Limits::of([yen(4_800), yen(16_000)], risk).unwrap();
        assert_eq!(limits.currency(), Currency::JPY);
        assert!(matches!(limits.low_value().fits(euro(1), 0, yen(0)), Err(NotExempt::Money(_))));
        assert!(matches!(Limits::euro().low_value().fits(yen(1), 0, euro(0)), Err(NotExempt::Money(_))));
        assert!(Limits::of([euro(3_000), yen(16_000)], risk).is_err());
        assert!(Limits::of([yen(4_800), yen(16_000)], Limits::euro().risk).is_err());
        assert!(Limits::of([yen(0), yen(16_000)], risk).is_err());
    }
}
