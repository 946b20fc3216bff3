//! What each event of a count demands, and what it makes of it. The same live and in replay.

use super::{AnyTally, Counting, Low, Tally, Terms, action::id_of, event};
use crate::{
    lifecycle::{Effects, Facts, Opening, Reason, Takes},
    money::Money,
    party::{PartyId, Role, Stamp},
};

impl Facts for Terms {
    fn plays(&self, role: Role, who: &PartyId) -> bool {
        role == Role::BUYER && *who == self.payer
    }
    fn parties(&self) -> Vec<PartyId> {
        vec![self.payer.clone()]
    }
}

impl Opening<AnyTally> for Terms {
    fn check(&self, step: &mut Effects<'_>) -> Result<(), Reason> {
        let (expected, found) = (id_of(&self.payer, &self.gateway).subject(), step.subject());
        if expected == found { Ok(()) } else { Err(Reason::WrongSubject { expected, found }) }
    }
    fn held(&self) -> Money {
        Money::zero(self.currency)
    }
    fn facts(self, _: &Stamp) -> Terms {
        self
    }
}

impl Takes<event::Counted> for Tally<Counting> {
    type Next = Self;
    fn check(&self, event: &event::Counted, _: &mut Effects<'_>) -> Result<(), Reason> {
        if self.state.lows.iter().any(|low| low.payin == event.payin) {
            return Err(Reason::Already { what: "counting this payin" });
        }
        let amount = event.amount.require_positive()?;
        event.limits.lawful()?;
        event.limits.fits(amount, self.number(), self.total()).map(drop)?;
        Ok(())
    }
    fn make(mut self, event: event::Counted, at: &Stamp) -> Self {
        self.state.lows.push(Low { payin: event.payin, amount: event.amount, at: at.at });
        self
    }
}

impl Takes<event::Reset> for Tally<Counting> {
    type Next = Self;
    fn make(mut self, event: event::Reset, _: &Stamp) -> Self {
        self.state.lows.retain(|low| event.leaves(low));
        self
    }
}

impl event::Reset {
    // Whether something may have come after the challenge.
    pub(super) fn leaves(&self, low: &Low) -> bool {
        low.at >= self.opened && low.payin != self.payin
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        money::Currency,
        party::Actor,
        payment::PayinId,
        sca::{Limits, LowValue, NotExempt},
    };

    fn at(second: u32) -> Stamp {
        Stamp::new(Actor::Party("anna".parse().unwrap()), format!("2026-05-07T15:39:{second:02}Z").parse().unwrap())
    }

    fn opened() -> Tally<Counting> {
        let (payer, gateway) = ("anna".parse().unwrap(), "sandbox".parse().unwrap());
        let tally = Tally::open(Terms { payer, gateway, currency: Currency::EUR }, &at(0)).unwrap();
        tally.then(|tally| tally.count(PayinId::generate(at(1).at), euro(1_000), low(), &at(1))).unwrap().into_parts().0
    }

    const fn euro(minor: i64) -> Money {
        Money::from_minor(minor, Currency::EUR)
    }

    fn low() -> LowValue {
        Limits::euro().low_value()
    }

    #[test]
    fn one_payin_counts_once() {
        let tally = opened();
        let payin = tally.state().lows()[0].payin;
        let refused = tally.count(payin, euro(1), low(), &at(2)).map(drop).unwrap_err();
        assert_eq!(refused.reason, Reason::Already { what: "counting this payin" });
    }

    #[test]
    fn looser_limits_than_the_laws_are_refused() {
        let looser = LowValue { single: euro(5_000), ..low() };
        let refused = opened().count(PayinId::generate(at(2).at), euro(4_000), looser, &at(2)).map(drop).unwrap_err();
        assert!(matches!(refused.reason, Reason::NotExempt(NotExempt::TooMuch { .. })), "{refused}");
    }

    #[test]
    fn a_stranger_counts_nothing() {
        let mallory = Stamp::new(Actor::Party("mallory".parse().unwrap()), at(2).at);
        let refused = opened().count(PayinId::generate(at(2).at), euro(1), low(), &mallory).map(drop).unwrap_err();
        assert!(matches!(refused.reason, Reason::WrongActor { .. }));
    }

    #[test]
    fn what_may_have_come_after_a_challenge_stays() {
        let (before, after) = (opened(), PayinId::generate(at(9).at));
        let payin = before.state().lows()[0].payin;
        let low = |payin, second| Low { payin, amount: euro(1), at: at(second).at };
        let reset = event::Reset { payin: after, opened: at(5).at };
        assert!(!reset.leaves(&low(payin, 4)));
        assert!(reset.leaves(&low(payin, 5)) && reset.leaves(&low(payin, 6)));
        assert!(!reset.leaves(&low(after, 5)), "its own payin");
    }
}
