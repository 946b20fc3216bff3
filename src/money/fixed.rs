//! Decimal numbers that are whole numbers of a small unit: how they are read and written.
//!
//! An amount counts minor units, a percentage counts millionths. Both are whole numbers inside and decimals on paper,
//! with a fixed number of places in between. Nothing here rounds: a number that does not fit is a [`Misfit`].

use rust_decimal::Decimal;

/// Why a number is not a whole number of the unit.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Misfit {
    /// It is not written as `-12.34`.
    NotANumber,
    /// It has more decimals than there are places; trailing zeros do not count.
    TooPrecise { given: u32 },
    /// It does not fit into 128 bits.
    TooBig,
}

/// Reads `[-]digits[.digits]` as a whole number of units, `places` decimals each.
///
/// Stricter than [`Decimal`]'s own reader, which also takes `1_000`, `+1`, `.5` and `5.`, and may round: an amount
/// that somebody typed has one meaning or none.
pub(super) fn read(text: &str, places: u32) -> Result<i128, Misfit> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, decimals) = match digits.split_once('.') {
        Some((_, "")) => return Err(Misfit::NotANumber),
        Some(parts) => parts,
        None => (digits, ""),
    };
    if whole.is_empty() || !whole.bytes().chain(decimals.bytes()).all(|byte| byte.is_ascii_digit()) {
        return Err(Misfit::NotANumber);
    }
    let decimals = decimals.trim_end_matches('0');
    let given = u32::try_from(decimals.len()).unwrap_or(u32::MAX);
    let missing = places.checked_sub(given).ok_or(Misfit::TooPrecise { given })?;

    let zeros = std::iter::repeat_n(b'0', missing as usize);
    let mut units: i128 = 0;
    for digit in whole.bytes().chain(decimals.bytes()).chain(zeros) {
        let ten = units.checked_mul(10).ok_or(Misfit::TooBig)?;
        units = ten.checked_add(i128::from(digit - b'0')).ok_or(Misfit::TooBig)?;
    }
    Ok(if negative { -units } else { units })
}

/// The number as a whole number of units, `places` decimals each.
pub(super) fn from_decimal(number: Decimal, places: u32) -> Result<i128, Misfit> {
    let number = number.normalize();
    let given = number.scale();
    let missing = places.checked_sub(given).ok_or(Misfit::TooPrecise { given })?;
    let factor = 10_i128.checked_pow(missing).ok_or(Misfit::TooBig)?;
    number.mantissa().checked_mul(factor).ok_or(Misfit::TooBig)
}

/// Writes units with all their places: 1234 with 2 places is `12.34`. What [`read`] takes.
pub(super) fn text(units: i64, places: u32) -> String {
    let sign = if units < 0 { "-" } else { "" };
    let width = places as usize;
    let digits = format!("{:0>min$}", units.unsigned_abs(), min = width + 1);
    let (whole, decimals) = digits.split_at(digits.len() - width);
    if decimals.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{decimals}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::random;
    use proptest::prelude::*;

    #[test]
    fn one_way_to_write_a_number() {
        assert_eq!(read("12.34", 2), Ok(1234));
        assert_eq!(read("12", 2), Ok(1200));
        assert_eq!(read("-0.05", 2), Ok(-5));
        assert_eq!(read("007", 0), Ok(7));
        for text in
            ["", "-", ".", ".5", "5.", "-.5", "+1", "--1", "1_000", "1,000", "1e3", " 1", "1 ", "1.2.3", "٣", "0x1"]
        {
            assert_eq!(read(text, 2), Err(Misfit::NotANumber), "{text:?}");
        }
    }

    #[test]
    fn trailing_zeros_are_not_precision() {
        assert_eq!(read("1.2300000", 2), Ok(123));
        assert_eq!(read("1.000", 0), Ok(1));
        assert_eq!(read("1.001", 2), Err(Misfit::TooPrecise { given: 3 }));
        assert_eq!(from_decimal(Decimal::new(1_2300, 4), 2), Ok(123));
        assert_eq!(from_decimal(Decimal::new(1_2301, 4), 2), Err(Misfit::TooPrecise { given: 4 }));
    }

    #[test]
    fn sizes_without_end_are_refused() {
        assert_eq!(read(&"9".repeat(60), 2), Err(Misfit::TooBig));
        assert_eq!(read(&format!("{}7", "0".repeat(60)), 2), Ok(700));
        assert_eq!(read(&format!("0.{}1", "0".repeat(60)), 2), Err(Misfit::TooPrecise { given: 61 }));
        assert_eq!(from_decimal(Decimal::MAX, 40), Err(Misfit::TooBig));
    }

    #[test]
    fn the_smallest_number_is_written_whole() {
        assert_eq!(text(i64::MIN, 2), "-92233720368547758.08");
        assert_eq!(text(-5, 3), "-0.005");
        assert_eq!(text(0, 2), "0.00");
        assert_eq!(text(-7, 0), "-7");
    }

    proptest! {
        #![proptest_config(random(256))]

        #[test]
        fn what_is_written_reads_back(units: i64, places in 0_u32..=6) {
            prop_assert_eq!(read(&text(units, places), places), Ok(i128::from(units)));
            prop_assert_eq!(from_decimal(Decimal::new(units, places), places), Ok(i128::from(units)));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,40}", places in 0_u32..=6) {
            let _ = read(&text, places);
        }

        #[test]
        fn agrees_with_decimal(text in "-?[0-9]{1,15}(\\.[0-9]{1,6})?", places in 0_u32..=6) {
            prop_assert_eq!(read(&text, places), from_decimal(text.parse().unwrap(), places));
        }
    }
}
