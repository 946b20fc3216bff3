//! How calls are sent: leases, back-off, how many at once, and when to give up.

use std::{fmt::Display, time::Duration};
use uuid::Uuid;

/// How calls are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// How many calls a worker sees to at once, all of different orders: 16 by default; none counts as 1. Each of them
    /// holds one unit of the store at most, and none while it waits for the gateway.
    pub at_once: usize,
    /// How long a worker may hold a call: 60 seconds by default. Longer than the gateway's slowest answer, which the
    /// host's [`Gateway`](crate::gateway::Gateway) has to limit by itself: the crate starts no timer.
    pub lease: Duration,
    /// How long to wait after the first failure, at most and before [the spread](Self::wait); doubled by each further
    /// one. 1 second by default.
    pub back_off: Duration,
    /// At most so long: 10 minutes by default.
    pub back_off_limit: Duration,
    /// After so many attempts a call is parked for an operator: 20 by default.
    pub attempts: u32,
    /// How often a pending call is looked up, should its webhook get lost: every hour by default.
    pub look_up: Duration,
    /// How long a held payout waits until the host's [`Kyc`](super::super::Kyc) policy is asked again: an hour by default.
    pub ask_again: Duration,
    /// How often the wallet of somebody who owes something is looked into, from when it is owed on: once a day by default.
    pub recover: Duration,
    /// How often a unit of a worker's own is begun anew because somebody else was faster
    /// ([`Store::is_lost_race`](crate::store::Store::is_lost_race),
    /// [`EscrowError::is_lost_race`](super::super::EscrowError::is_lost_race)): 16 times by default. What loses more
    /// often is left until its lease ends, and then taken again.
    pub races: u32,
}

impl Policy {
    /// How long to wait after so many failures in a row (from 1), in whole nanoseconds: half of it grows exponentially
    /// up to the limit, and as much again is spread between those who fail together, so that they do not come back
    /// together. The same one gets the same answer each time.
    ///
    /// This is the "equal jitter" of M. Brooker, "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015):
    /// `t = min(limit, base × 2^n)`, then `t / 2` and a number between 0 and `t / 2`. The number is taken from a UUIDv5
    /// (RFC 9562) of who fails and how often, in place of a random one.
    ///
    /// ```
    /// use escrowed::escrow::Policy;
    /// use std::time::Duration;
    ///
    /// let wait = Policy::default().wait(&"pi_01kr1hgnqred6999kp7cqmx8ss:charge", 3);
    /// assert!(Duration::from_secs(2) <= wait && wait <= Duration::from_secs(4));
    /// ```
    #[must_use]
    pub fn wait(&self, who: &impl Display, failures: u32) -> Duration {
        let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
        let most = self.back_off.saturating_mul(doubled).min(self.back_off_limit);
        // Nobody waits longer than 64 bits of nanoseconds: 584 years.
        let half = u64::try_from(most.as_nanos() / 2).unwrap_or(u64::MAX).min(u64::MAX / 2);
        let bits = Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{who} {failures}").as_bytes()).as_u64_pair().0;
        let spread = (u128::from(half) * u128::from(bits)) >> 64;
        Duration::from_nanos(half + spread as u64)
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            at_once: 16,
            lease: Duration::from_secs(60),
            back_off: Duration::from_secs(1),
            back_off_limit: Duration::from_secs(600),
            attempts: 20,
            look_up: Duration::from_secs(3600),
            ask_again: Duration::from_secs(3600),
            recover: Duration::from_secs(86_400),
            races: 16,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::random;
    use proptest::prelude::*;

    fn policy() -> impl Strategy<Value = Policy> {
        let durations = (0..1_u64 << 40, 0..1_u64 << 50);
        durations.prop_map(|(back_off, limit)| Policy {
            back_off: Duration::from_nanos(back_off),
            back_off_limit: Duration::from_nanos(limit),
            ..Policy::default()
        })
    }

    // What is waited at most.
    fn ceiling(policy: &Policy, failures: u32) -> u128 {
        let doubled = policy.back_off.as_nanos() << (failures - 1).min(60);
        doubled.min(policy.back_off_limit.as_nanos())
    }

    proptest! {
        #![proptest_config(random(256))]

        #[test]
        fn a_wait_is_between_half_and_all_of_what_has_grown(policy in policy(), who in ".{0,9}", failures in 1..99_u32) {
            let (wait, ceiling) = (policy.wait(&who, failures).as_nanos(), ceiling(&policy, failures));
            prop_assert!(ceiling / 2 <= wait && wait <= ceiling, "{wait} of {ceiling}");
            prop_assert_eq!(policy.wait(&who, failures).as_nanos(), wait);
        }

        #[test]
        fn a_wait_never_shrinks_until_the_limit_is_reached(policy in policy(), who in ".{0,9}", failures in 1..60_u32) {
            let (one, next) = (policy.wait(&who, failures), policy.wait(&who, failures + 1));
            let limit = policy.back_off_limit.as_nanos();
            // Halves are rounded down to the nanosecond.
            let slack = Duration::from_nanos(1);
            prop_assert!(ceiling(&policy, failures) * 2 > limit || one <= next + slack, "{one:?}, then {next:?}");
        }

        #[test]
        fn those_who_fail_together_come_back_apart(seed in any::<u64>(), failures in 1..20_u32) {
            let policy = Policy::default();
            let ceiling = ceiling(&policy, failures);
            let mut quarters = [0; 4];
            for call in 0..400 {
                let spread = policy.wait(&format!("{seed}:{call}"), failures).as_nanos() - ceiling / 2;
                quarters[usize::try_from((spread * 8 / ceiling).min(3)).unwrap()] += 1;
            }
            // A hundred each, were they evenly spread; the standard deviation is below nine.
            prop_assert!(quarters.iter().all(|count| (40..=160).contains(count)), "{quarters:?}");
        }
    }

    #[test]
    fn the_ends_of_the_scale_hold() {
        let huge = Policy { back_off: Duration::MAX, back_off_limit: Duration::MAX, ..Policy::default() };
        assert!(huge.wait(&"x", u32::MAX) >= Duration::from_nanos(u64::MAX / 2));
        let none = Policy { back_off: Duration::ZERO, ..Policy::default() };
        assert_eq!(none.wait(&"x", u32::MAX), Duration::ZERO);
        assert!(Policy::default().wait(&"x", 0) <= Duration::from_secs(1));
    }
}
