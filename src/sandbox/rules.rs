//! The rules of a careful gateway: what may move, as things are now.

use super::books::Books;
use crate::{
    gateway::{IdempotencyKey, Instruction, Verb},
    money::Money,
};

/// Why the rules do not let a call settle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Broken {
    NotAboveZero,
    Voided,
    AlreadyTaken,
    NothingReserved,
    MoreThanReserved,
    MoreThanTaken,
    MoreThanBooksHold,
}

impl Books {
    /// How much a call may move, reserve or let go of, as things are now.
    pub(super) fn allowed(&self, instruction: &Instruction) -> Result<Money, Broken> {
        let asked = instruction.amount();
        match instruction {
            Instruction::Void { payin, .. } if self.taken(*payin).is_some() => Err(Broken::AlreadyTaken),
            Instruction::Void { payin, .. } => Ok(self.reserved(*payin).unwrap_or(Money::zero(asked.currency()))),
            Instruction::Charge { .. }
            | Instruction::Capture { .. }
            | Instruction::Payout { .. }
            | Instruction::Refund { .. }
                if !asked.is_positive() =>
            {
                Err(Broken::NotAboveZero)
            }
            Instruction::Charge { payin, .. } => {
                let void = IdempotencyKey { subject: *payin, verb: Verb::Void };
                if self.settled(&void).is_some() { Err(Broken::Voided) } else { Ok(asked) }
            }
            Instruction::Capture { payin, .. } => {
                let reserved = self.reserved(*payin).ok_or(Broken::NothingReserved)?;
                if fits(asked, reserved) { Ok(asked) } else { Err(Broken::MoreThanReserved) }
            }
            Instruction::Payout { .. } => Ok(asked),
            Instruction::Refund { payin, .. } => {
                let taken = self.taken(*payin).ok_or(Broken::MoreThanTaken)?;
                let gone = self.refunded(*payin, asked.currency()).checked_add(asked);
                let gone = gone.and_then(|gone| gone.checked_add(self.charged_back(*payin, asked.currency())));
                let fits = gone.is_ok_and(|gone| fits(gone, taken));
                if fits { Ok(asked) } else { Err(Broken::MoreThanTaken) }
            }
        }
    }
}

impl Broken {
    pub(super) const fn reason(self) -> &'static str {
        match self {
            Self::NotAboveZero => "the amount is not above zero",
            Self::Voided => "the payin was voided",
            Self::AlreadyTaken => "the money has been taken: refund it",
            Self::NothingReserved => "nothing is reserved",
            Self::MoreThanReserved => "more than is reserved, or another currency",
            Self::MoreThanTaken => "more than was taken and not yet refunded, or another currency",
            Self::MoreThanBooksHold => "more than the sandbox's books can hold",
        }
    }
}

/// Whether an amount is within a limit. Nothing is within a limit of another currency.
fn fits(amount: Money, limit: Money) -> bool {
    amount.compare(limit).is_ok_and(|order| order.is_le())
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            Behaviour, Resolution, Sandbox,
            behaviour::plain,
            tests::{capture, charge, eur, payout, refund, send, settled, subject, void},
        },
        *,
    };
    use crate::{
        gateway::{Capture, Outcome, Report},
        money::Currency,
    };

    const EUR: Currency = Currency::EUR;
    const FIVE: Money = Money::from_minor(5, EUR);

    fn declines(sandbox: &Sandbox, call: &Instruction, broken: Broken) {
        assert_eq!(send(sandbox, call), Ok(Outcome::Declined { reason: plain(broken.reason()) }), "{call:?}");
        assert_eq!((sandbox.effects(&call.key()), sandbox.moved(&call.key())), (0, None));
    }

    fn settles(sandbox: &Sandbox, call: &Instruction, moved: Money, net: Money) {
        assert_eq!(send(sandbox, call), Ok(settled(moved)), "{call:?}");
        assert_eq!((sandbox.effects(&call.key()), sandbox.net(net.currency())), (1, net));
    }

    #[test]
    fn a_reservation_is_captured_once() {
        let sandbox = Sandbox::new(1);
        declines(&sandbox, &capture(1, FIVE), Broken::NothingReserved);
        settles(&sandbox, &charge(2, eur(10), Capture::Later), eur(10), eur(0));
        assert_eq!(
            (sandbox.reserved(subject(2)), sandbox.moved(&charge(2, FIVE, Capture::Now).key())),
            (Some(eur(10)), None)
        );
        declines(&sandbox, &refund(20, 2, eur(1)), Broken::MoreThanTaken);
        settles(&sandbox, &capture(2, eur(4)), eur(4), eur(4));
        assert_eq!(sandbox.reserved(subject(2)), None);
        declines(&sandbox, &void(2, eur(10)), Broken::AlreadyTaken);

        settles(&sandbox, &charge(3, eur(10), Capture::Later), eur(10), eur(4));
        declines(&sandbox, &capture(3, eur(11)), Broken::MoreThanReserved);
        settles(&sandbox, &charge(4, eur(10), Capture::Now), eur(10), eur(14));
        declines(&sandbox, &capture(4, eur(10)), Broken::NothingReserved);
        settles(&sandbox, &charge(5, eur(10), Capture::Later), eur(10), eur(14));
        declines(&sandbox, &capture(5, Money::from_minor(10, Currency::JPY)), Broken::MoreThanReserved);
    }

    #[test]
    fn a_void_lets_go_of_all_or_nothing() {
        let sandbox = Sandbox::new(1);
        settles(&sandbox, &charge(1, eur(10), Capture::Later), eur(10), eur(0));
        settles(&sandbox, &void(1, eur(10)), eur(10), eur(0));
        assert_eq!((sandbox.reserved(subject(1)), sandbox.moved(&void(1, FIVE).key())), (None, None));
        declines(&sandbox, &capture(1, eur(10)), Broken::NothingReserved);

        settles(&sandbox, &charge(2, eur(10), Capture::Now), eur(10), eur(10));
        declines(&sandbox, &void(2, eur(10)), Broken::AlreadyTaken);

        sandbox.script(Verb::Charge, [Behaviour::Decline { reason: plain("no") }]);
        send(&sandbox, &charge(3, FIVE, Capture::Later)).unwrap();
        settles(&sandbox, &void(3, FIVE), eur(0), eur(10));
    }

    #[test]
    fn a_void_stops_a_charge_that_has_not_settled() {
        let sandbox = Sandbox::new(1);
        let (pending, late) = (charge(1, FIVE, Capture::Now), charge(2, FIVE, Capture::Now));
        sandbox.script(Verb::Charge, [Behaviour::Pend, Behaviour::TimeoutBefore]);
        send(&sandbox, &pending).unwrap();
        settles(&sandbox, &void(1, FIVE), eur(0), eur(0));
        declines(&sandbox, &pending, Broken::Voided);
        assert_eq!(sandbox.resolve(&pending.key(), Resolution::Settle), None);
        let told = Report { key: pending.key(), outcome: Outcome::Declined { reason: plain(Broken::Voided.reason()) } };
        assert_eq!(sandbox.reports(), [told]);

        send(&sandbox, &late).unwrap_err();
        settles(&sandbox, &void(2, FIVE), eur(0), eur(0));
        declines(&sandbox, &late, Broken::Voided);
        assert!(sandbox.reports().is_empty());
    }

    #[test]
    fn the_rules_hold_when_a_pending_call_settles() {
        let sandbox = Sandbox::new(1);
        settles(&sandbox, &charge(1, FIVE, Capture::Later), FIVE, eur(0));
        sandbox.script(Verb::Capture, [Behaviour::Pend]);
        send(&sandbox, &capture(1, FIVE)).unwrap();
        settles(&sandbox, &void(1, FIVE), FIVE, eur(0));
        let refused = Outcome::Declined { reason: plain(Broken::NothingReserved.reason()) };
        assert_eq!(sandbox.resolve(&capture(1, FIVE).key(), Resolution::Settle), Some(refused));
    }

    #[test]
    fn refunds_stay_within_what_was_taken() {
        let sandbox = Sandbox::new(1);
        declines(&sandbox, &refund(10, 1, FIVE), Broken::MoreThanTaken);
        settles(&sandbox, &charge(1, eur(10), Capture::Now), eur(10), eur(10));
        settles(&sandbox, &refund(11, 1, eur(6)), eur(6), eur(4));
        declines(&sandbox, &refund(12, 1, FIVE), Broken::MoreThanTaken);
        declines(&sandbox, &refund(13, 1, Money::from_minor(1, Currency::JPY)), Broken::MoreThanTaken);
        declines(&sandbox, &refund(14, 1, eur(i64::MAX)), Broken::MoreThanTaken);
        settles(&sandbox, &refund(15, 1, eur(4)), eur(4), eur(0));
        settles(&sandbox, &payout(16, eur(3)), eur(3), eur(-3));
    }

    #[test]
    fn only_amounts_above_zero_and_within_the_books_move() {
        let sandbox = Sandbox::new(1);
        for (number, amount) in [(1, eur(0)), (2, eur(-1))] {
            declines(&sandbox, &charge(number, amount, Capture::Later), Broken::NotAboveZero);
            declines(&sandbox, &payout(number, amount), Broken::NotAboveZero);
        }
        settles(&sandbox, &charge(3, eur(i64::MAX), Capture::Now), eur(i64::MAX), eur(i64::MAX));
        declines(&sandbox, &charge(4, eur(1), Capture::Now), Broken::MoreThanBooksHold);
        sandbox.script(Verb::Refund, [Behaviour::WrongAmount(eur(-1))]);
        declines(&sandbox, &refund(5, 3, eur(1)), Broken::MoreThanBooksHold);
        settles(&sandbox, &refund(6, 3, eur(i64::MAX)), eur(i64::MAX), eur(0));
    }
}
