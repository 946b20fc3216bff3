//! The method of the largest remainder.
//!
//! Each part is rounded down first. The units that are then missing go, one each, to the parts that lost most. So no
//! part is a whole unit or more away from what it is exactly, and nothing is lost or made.

use std::cmp::Reverse;

/// Divides `together` units so that each weight gets `base * weight / whole`, a little less or a little more.
///
/// The exact parts must add up to `together`, give or take less than one unit. `base` comes from an `i64`, so a
/// product stays below 2^127.
pub(super) fn largest_remainder(base: u64, weights: Vec<u64>, whole: u128, together: u64) -> impl Iterator<Item = u64> {
    let exact = |weight: u64| u128::from(base) * u128::from(weight);
    let rounded_down = |weight: u64| u64::try_from(exact(weight) / whole).expect("a part is no larger than the base");
    let mut parts: Vec<u64> = weights.iter().copied().map(rounded_down).collect();
    let missing = together - parts.iter().sum::<u64>();

    let mut by_loss: Vec<usize> = (0..weights.len()).collect();
    // A stable sort: of equal losses the earlier stays first. That is the promised tie-break.
    by_loss.sort_by_key(|&place| Reverse(exact(weights[place]) % whole));
    for (_, place) in (0..missing).zip(by_loss) {
        parts[place] += 1;
    }
    parts.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::random;
    use proptest::{collection::vec, prelude::*};

    fn by_weight(total: u64, weights: &[u64]) -> Vec<u64> {
        let whole = weights.iter().copied().map(u128::from).sum();
        largest_remainder(total, weights.to_vec(), whole, total).collect()
    }

    #[test]
    fn units_go_to_those_who_lost_most_and_then_to_the_earlier() {
        assert_eq!(by_weight(100, &[1, 2, 3]), [17, 33, 50]);
        assert_eq!(by_weight(100, &[2, 2, 3]), [29, 28, 43]);
        assert_eq!(by_weight(2, &[1, 1, 1]), [1, 1, 0]);
        assert_eq!(by_weight(0, &[1, 1]), [0, 0]);
    }

    #[test]
    fn weights_need_not_be_the_whole() {
        // 12.5 and 12.5 of 50, of which 25 are to be handed out.
        assert_eq!(largest_remainder(50, vec![25, 25], 100, 25).collect::<Vec<_>>(), [13, 12]);
        assert_eq!(largest_remainder(50, vec![], 100, 0).count(), 0);
    }

    #[test]
    fn the_largest_numbers_are_safe() {
        let max = i64::MAX as u64;
        assert_eq!(by_weight(max, &[u64::MAX, u64::MAX, 0]), [max / 2 + 1, max / 2, 0]);
    }

    /// Hands out one unit at a time to whoever is furthest below the exact part: slow, and plain to see through.
    fn one_by_one(total: u64, weights: &[u64]) -> Vec<u64> {
        let whole: i128 = weights.iter().copied().map(i128::from).sum();
        let mut parts = vec![0_u64; weights.len()];
        for _ in 0..total {
            let owed = |place: usize| i128::from(total) * i128::from(weights[place]) - i128::from(parts[place]) * whole;
            let next = (0..weights.len()).max_by_key(|&place| (owed(place), Reverse(place))).unwrap();
            parts[next] += 1;
        }
        parts
    }

    proptest! {
        #![proptest_config(random(256))]

        #[test]
        fn weights_agree_with_handing_out_one_by_one(total in 0..200_u64, weights in vec(0..9_u64, 1..8)) {
            prop_assume!(weights.iter().any(|&weight| weight > 0));
            prop_assert_eq!(by_weight(total, &weights), one_by_one(total, &weights));
        }
    }
}
