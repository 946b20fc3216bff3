//! What a call may meet, as scripted or as drawn.
//!
//! ```
//! use escrowed::sandbox::{Chaos, Sandbox};
//!
//! let sandbox = Sandbox::new(7);
//! sandbox.chaos(Chaos { pend: 250, timeout_after: 50, ..Chaos::default() });   // the other 700 in 1000 just settle
//! ```

use crate::{
    gateway::Report,
    money::Money,
    sca::Assurance,
    text::{Prose, Text},
    time::Timestamp,
};

/// What a new call meets.
///
/// It is about how the answer travels. Whether the money may move is for the rules to say: a call that they do not
/// allow is declined where it would have settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Behaviour {
    /// Settles at once with what was asked.
    Settle,
    /// Is declined.
    Decline {
        /// Why.
        reason: Prose,
    },
    /// Is pending until [`Sandbox::resolve`](super::Sandbox::resolve). A charge gets a `direct_link` that leads nowhere.
    Pend,
    /// Is pending, too, and says that the payer has to pass a challenge at the `direct_link`, until then (UTC). So an
    /// exemption that was asked for is not granted. Anything but a charge just pends.
    Challenge {
        /// When it ends.
        until: Option<Timestamp>,
    },
    /// Settles, and says this of the payer whatever was asked. Anything but a charge just settles.
    Assure(Assurance),
    /// Fails before the call arrives: nothing happened, and a lookup finds nothing. The next try is a new call.
    TimeoutBefore,
    /// Settles, and then the answer is lost. A lookup and the next try tell the truth.
    TimeoutAfter,
    /// Settles, answers, and reports the same again by webhook.
    SettleTwice,
    /// Settles and queues the webhook, and only then answers that the call is pending. The two come out of order.
    WebhookFirst,
    /// Settles with this amount in place of what was asked, and really moves it. So a host can test that it compares.
    WrongAmount(Money),
}

/// How a pending call ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution {
    /// It settles with what was asked.
    Settle,
    /// It is declined.
    Decline {
        /// Why.
        reason: Prose,
    },
}

/// How often calls without a script meet what, in a thousand. The rest of the thousand settles.
///
/// Weights that add up to more than 1000 are shares of their sum, and none of the calls just settles. A sandbox that
/// only ever times out before the call arrives never does anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Chaos {
    /// [`Behaviour::Decline`], per mille.
    pub decline: u16,
    /// [`Behaviour::Pend`], per mille.
    pub pend: u16,
    /// [`Behaviour::Challenge`] without an end, per mille.
    pub challenge: u16,
    /// [`Behaviour::TimeoutBefore`], per mille.
    pub timeout_before: u16,
    /// [`Behaviour::TimeoutAfter`], per mille.
    pub timeout_after: u16,
    /// [`Behaviour::SettleTwice`], per mille.
    pub settle_twice: u16,
    /// [`Behaviour::WebhookFirst`], per mille.
    pub webhook_first: u16,
    /// [`Behaviour::WrongAmount`], per mille: one minor unit more or less than was asked.
    pub wrong_amount: u16,
    /// How many webhooks [`Sandbox::reports_shuffled`](super::Sandbox::reports_shuffled) hands out twice, per mille.
    pub repeat_report: u16,
}

impl Chaos {
    /// A bad day: a good part of everything except challenges and wrong amounts, half of the webhooks twice.
    pub const ROUGH: Self = Self {
        decline: 100,
        pend: 150,
        challenge: 0,
        timeout_before: 100,
        timeout_after: 100,
        settle_twice: 100,
        webhook_first: 100,
        wrong_amount: 0,
        repeat_report: 500,
    };

    pub(super) fn draw(&self, asked: Money, random: &mut SplitMix64) -> Behaviour {
        let weighed = [
            (self.decline, Behaviour::Decline { reason: plain("the sandbox felt like declining") }),
            (self.pend, Behaviour::Pend),
            (self.challenge, Behaviour::Challenge { until: None }),
            (self.timeout_before, Behaviour::TimeoutBefore),
            (self.timeout_after, Behaviour::TimeoutAfter),
            (self.settle_twice, Behaviour::SettleTwice),
            (self.webhook_first, Behaviour::WebhookFirst),
            (self.wrong_amount, Behaviour::WrongAmount(nearly(asked, random))),
        ];
        let total: u64 = weighed.iter().map(|(weight, _)| u64::from(*weight)).sum();
        let mut place = random.below(total.max(1000));
        for (weight, behaviour) in weighed {
            match place.checked_sub(u64::from(weight)) {
                Some(rest) => place = rest,
                None => return behaviour,
            }
        }
        Behaviour::Settle
    }

    pub(super) fn shuffle(&self, reports: Vec<Report>, random: &mut SplitMix64) -> Vec<Report> {
        let mut shuffled = Vec::with_capacity(reports.len());
        for report in reports {
            if random.below(1000) < u64::from(self.repeat_report) {
                shuffled.push(report.clone());
            }
            shuffled.push(report);
        }
        // Fisher and Yates, in Durstenfeld's form (Communications of the ACM 7 (7), 1964, algorithm 235).
        for last in (1..shuffled.len()).rev() {
            shuffled.swap(last, random.index(last + 1));
        }
        shuffled
    }
}

/// A text of our own, known to be short and plain.
pub(super) fn plain<const MAX: usize>(text: &str) -> Text<MAX> {
    text.parse().expect("our own texts are short and plain")
}

fn nearly(asked: Money, random: &mut SplitMix64) -> Money {
    let unit = Money::from_minor(1, asked.currency());
    let other = if random.below(2) == 0 { asked.checked_add(unit) } else { asked.checked_sub(unit) };
    other.unwrap_or(unit)
}

/// SplitMix64: G. L. Steele, D. Lea and C. H. Flood, "Fast splittable pseudorandom number generators" (OOPSLA 2014),
/// with the constants of S. Vigna's public-domain `splitmix64.c`. Good enough for tests, and for nothing secret.
#[derive(Debug, Clone)]
pub(super) struct SplitMix64(u64);

impl SplitMix64 {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number below `limit`; 0 if that is 0. The bias is under `limit` in 2^64.
    pub(super) const fn below(&mut self, limit: u64) -> u64 {
        ((self.next() as u128 * limit as u128) >> 64) as u64
    }

    /// A place in a list of this length.
    pub(super) const fn index(&mut self, length: usize) -> usize {
        self.below(length as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{gateway::Outcome, money::Currency};

    const ASKED: Money = Money::from_minor(100, Currency::EUR);

    fn draws(chaos: Chaos, seed: u64) -> Vec<Behaviour> {
        let mut random = SplitMix64::new(seed);
        (0..2000).map(|_| chaos.draw(ASKED, &mut random)).collect()
    }

    #[test]
    fn random_numbers_are_those_of_the_reference() {
        let mut random = SplitMix64::new(1_234_567);
        let first = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!([random.next(), random.next(), random.next()], first);
        let mut random = SplitMix64::new(0);
        assert_eq!(random.next(), 0xe220_a839_7b1d_cdaf);
        assert!((0..1000).all(|_| random.below(3) < 3));
        assert_eq!(random.below(0), 0);
    }

    #[test]
    fn the_same_seed_draws_the_same() {
        assert_eq!(draws(Chaos::ROUGH, 1), draws(Chaos::ROUGH, 1));
        assert_ne!(draws(Chaos::ROUGH, 1), draws(Chaos::ROUGH, 2));
    }

    #[test]
    fn weights_are_kept() {
        let share = |chaos, wanted: Behaviour| draws(chaos, 5).iter().filter(|drawn| **drawn == wanted).count();
        assert_eq!(share(Chaos::default(), Behaviour::Settle), 2000);
        assert_eq!(share(Chaos { pend: 1000, ..Chaos::default() }, Behaviour::Pend), 2000);
        for wanted in [
            Behaviour::Pend,
            Behaviour::TimeoutBefore,
            Behaviour::TimeoutAfter,
            Behaviour::SettleTwice,
            Behaviour::WebhookFirst,
            Behaviour::Settle,
        ] {
            let count = share(Chaos::ROUGH, wanted.clone());
            assert!((140..800).contains(&count), "{wanted:?} came {count} times in 2000");
        }
        let beyond = Chaos { pend: u16::MAX, decline: u16::MAX, ..Chaos::default() };
        assert_eq!(share(beyond, Behaviour::Settle), 0);
        assert!((900..1100).contains(&share(beyond, Behaviour::Pend)));
    }

    #[test]
    fn a_wrong_amount_is_off_by_one_minor_unit() {
        let drawn = draws(Chaos { wrong_amount: 1000, ..Chaos::default() }, 3);
        for off in [99, 101] {
            assert!(drawn.contains(&Behaviour::WrongAmount(Money::from_minor(off, Currency::EUR))));
        }
        assert!(!drawn.contains(&Behaviour::WrongAmount(ASKED)));
        for extreme in [i64::MAX, i64::MIN] {
            let extreme = Money::from_minor(extreme, Currency::EUR);
            assert!((0..9).all(|seed| nearly(extreme, &mut SplitMix64::new(seed)) != extreme));
        }
    }

    #[test]
    fn shuffling_loses_nothing() {
        let reports: Vec<Report> = (0..50)
            .map(|n| Report {
                key: format!("pi_01kr1hgnqred6999kp7cqmx8s{}:charge", n % 10).parse().unwrap(),
                outcome: Outcome::Settled { moved: Money::from_minor(n, Currency::EUR) },
            })
            .collect();
        let once = Chaos::default().shuffle(reports.clone(), &mut SplitMix64::new(1));
        assert_ne!(once, reports);
        assert_eq!(once.len(), reports.len());
        let some_twice = Chaos::ROUGH.shuffle(reports.clone(), &mut SplitMix64::new(1));
        assert!((60..90).contains(&some_twice.len()));
        assert!(reports.iter().all(|report| once.contains(report) && some_twice.contains(report)));
        assert!(Chaos::ROUGH.shuffle(Vec::new(), &mut SplitMix64::new(1)).is_empty());
    }
}
