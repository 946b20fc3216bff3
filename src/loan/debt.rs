//! What a borrower owes, day by day, and what a repayment goes to.

use super::{
    day_count::day,
    plan::{Instalment, Plan, due_day, grows, half_even, late_at},
};
use crate::{
    deal::Period,
    lifecycle::Reason,
    money::{Currency, Money, MoneyError, Percent},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use time::Date;

/// What a borrower owes, since the day on which it was paid.
///
/// - Interest accrues by the day on the principal that is outstanding, also when that is repaid early or late, and is counted
///   exactly. It is rounded, half to even, when an instalment falls due, or else in what a repayment goes to; never twice.
///   So who pays each instalment on its day pays exactly what the schedule says.
/// - Principal that is repaid early takes the place of the next instalments' principal: until then only interest, which is
///   less by then, falls due.
/// - A repayment goes to interest for late payment first, then to interest up to its own day, then to principal. After a
///   default it goes to principal first: what lenders lent comes back before what it earned.
/// - Interest for late payment, where the terms have it, accrues by the day on principal that has fallen due and was not
///   repaid, beside the usual interest, and bears none itself.
/// - After a default nothing more accrues.
#[derive(Debug, Clone)]
pub struct Debt {
    plan: Plan,
    late_rate: Option<Percent>,
    currency: Currency,
    schedule: Vec<Instalment>,
    // Interest is accrued until then.
    since: Date,
    outstanding: i64,
    // Of the period under way, and for late payment: in parts of a minor unit, as the plan says.
    accrued: i128,
    late_accrued: i128,
    // How much interest had fallen due with each instalment that has; all together, in minor units.
    fallen: Vec<i128>,
    interest_paid: i128,
    late_paid: i128,
    frozen: bool,
}

/// What is owed on a day, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Owed {
    /// The principal that is outstanding.
    pub principal: Money,
    /// Interest up to that day.
    pub interest: Money,
    /// Interest for late payment up to that day.
    pub late: Money,
    /// How much of all that has fallen due: what to pay to be on schedule.
    pub due: Money,
}

/// What a repayment goes to, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Allotment {
    /// Interest for late payment.
    pub late: Money,
    /// Interest.
    pub interest: Money,
    /// Principal.
    pub principal: Money,
}

impl Owed {
    /// What would pay the loan off on that day, in minor units.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] when it does not fit.
    pub fn payoff(&self) -> Result<Money, MoneyError> {
        self.principal.checked_add(self.interest)?.checked_add(self.late)
    }
}

impl Debt {
    pub(super) fn new(plan: Plan, late_rate: Option<Percent>, lent: Money, start: Timestamp) -> Result<Self, Reason> {
        let schedule = plan.schedule(lent, start)?;
        Ok(Self {
            plan,
            late_rate,
            currency: lent.currency(),
            schedule,
            since: day(start),
            outstanding: lent.minor(),
            accrued: 0,
            late_accrued: 0,
            fallen: Vec::new(),
            interest_paid: 0,
            late_paid: 0,
            frozen: false,
        })
    }

    /// The schedule, as it is without early or late payments.
    #[must_use]
    pub fn schedule(&self) -> &[Instalment] {
        &self.schedule
    }

    /// What is owed on the day (UTC) of this time, if nothing more is paid until then.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] when it does not fit.
    pub fn owed(&self, at: Timestamp) -> Result<Owed, MoneyError> {
        let then = self.clone().at(at);
        let late = then.late();
        Ok(Owed {
            principal: self.money(i128::from(then.outstanding))?,
            interest: self.money(then.interest())?,
            late: self.money(late)?,
            due: self.money(if then.frozen { then.all() } else { then.behind(then.fallen.len()) + late })?,
        })
    }

    /// What is still to be paid and when, from the day (UTC) of this time on, if each instalment is paid on its day. What
    /// had fallen due by then is part of the first.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] when it does not fit.
    pub fn remaining(&self, at: Timestamp) -> Result<Vec<Instalment>, MoneyError> {
        let (mut then, mut lines) = (self.clone().at(at), Vec::new());
        let first = if then.frozen { self.schedule.len() } else { then.fallen.len() };
        for line in &self.schedule[first..] {
            then = then.at(line.due);
            let number = then.fallen.len();
            let (principal, interest) = (then.planned(number) - then.back(), then.interest() + then.late());
            let principal = self.money(principal.max(0))?;
            then.take(&Allotment { late: self.money(then.late())?, interest: self.money(then.interest())?, principal });
            let (interest, outstanding) = (self.money(interest)?, self.money(i128::from(then.outstanding))?);
            lines.push(Instalment { principal, interest, outstanding, ..*line });
        }
        Ok(lines)
    }

    /// Since when (UTC) it is late, or when it will be, if nothing more is paid: the first instalment that is not covered, and
    /// the period of grace. `None` when every instalment is.
    #[must_use]
    pub fn late_at(&self, grace: Period) -> Option<Timestamp> {
        if self.frozen {
            return None;
        }
        let mut then = self.clone();
        let uncovered = self.schedule.iter().enumerate().find(|(nth, line)| {
            then.accrue_until(due_day(line));
            then.behind(nth + 1) > 0
        });
        uncovered.map(|(_, line)| late_at(due_day(line), grace))
    }

    /// Whether nothing is owed any more, by what has accrued until the last repayment.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.all() == 0
    }

    /// The debt once so much was repaid at this time (UTC).
    ///
    /// # Errors
    /// [`Reason`] as a repayment would be refused.
    pub fn repaid(&self, amount: Money, at: Timestamp) -> Result<Self, Reason> {
        let allotment = self.allot(amount, at)?;
        let mut then = self.clone().at(at);
        then.take(&allotment);
        Ok(then)
    }

    /// What a repayment of this much at this time (UTC) goes to.
    ///
    /// # Errors
    /// [`Reason::TooMuch`] when it is more than is owed, [`Reason::Money`] when it is nothing or of another currency.
    pub(super) fn allot(&self, amount: Money, at: Timestamp) -> Result<Allotment, Reason> {
        let owed = self.owed(at)?;
        let available = owed.payoff()?;
        let asked = amount.require_positive()?;
        if asked.compare(available)?.is_gt() {
            return Err(Reason::TooMuch { asked, available });
        }
        let mut left = amount.minor();
        let mut part = |of: Money| {
            let part = left.min(of.minor());
            left -= part;
            Money::from_minor(part, self.currency)
        };
        Ok(if self.frozen {
            let (principal, interest, late) = (part(owed.principal), part(owed.interest), part(owed.late));
            Allotment { late, interest, principal }
        } else {
            let (late, interest, principal) = (part(owed.late), part(owed.interest), part(owed.principal));
            Allotment { late, interest, principal }
        })
    }

    /// Counts what a repayment went to.
    pub(super) fn take(&mut self, allotment: &Allotment) {
        self.late_paid += i128::from(allotment.late.minor());
        self.interest_paid += i128::from(allotment.interest.minor());
        self.outstanding -= allotment.principal.minor();
    }

    /// As it is at a later time (UTC), if nothing is paid until then.
    pub(super) fn at(mut self, at: Timestamp) -> Self {
        if !self.frozen {
            self.accrue_until(day(at));
        }
        self
    }

    /// Nothing more accrues, and all of it is due.
    pub(super) fn frozen(self, at: Timestamp) -> Self {
        Self { frozen: true, ..self.at(at) }
    }

    fn accrue_until(&mut self, until: Date) {
        while let Some(line) = self.schedule.get(self.fallen.len())
            && due_day(line) <= until
        {
            self.accrue(due_day(line));
            let before = self.fallen.last().copied().unwrap_or_default();
            self.fallen.push(before + half_even(self.accrued, self.plan.unit()));
            self.accrued = 0;
        }
        self.accrue(until);
    }

    // Between two instalments nothing changes but by repayments.
    fn accrue(&mut self, until: Date) {
        if until <= self.since {
            return;
        }
        self.accrued += i128::from(self.outstanding) * self.plan.grows(self.since, until);
        if let Some(rate) = self.late_rate {
            // Interest that was paid ahead covers principal that is not.
            let fallen = self.fallen.len();
            let overdue = (self.planned(fallen) - self.back()).clamp(0, self.behind(fallen));
            self.late_accrued += overdue * grows(rate, self.plan.day_count, self.since, until);
        }
        self.since = until;
    }

    // How much principal is to be repaid with the first instalments.
    fn planned(&self, instalments: usize) -> i128 {
        let left = instalments.checked_sub(1).map(|last| self.schedule[last].outstanding.minor());
        self.lent() - left.map_or(self.lent(), i128::from)
    }

    fn lent(&self) -> i128 {
        let first = &self.schedule[0];
        i128::from(first.principal.minor()) + i128::from(first.outstanding.minor())
    }

    fn back(&self) -> i128 {
        self.lent() - i128::from(self.outstanding)
    }

    // What was to be paid with the first instalments, which have fallen due, and was not.
    fn behind(&self, instalments: usize) -> i128 {
        let Some(last) = instalments.checked_sub(1) else { return 0 };
        (self.planned(instalments) + self.fallen[last] - self.back() - self.interest_paid).max(0)
    }

    fn interest(&self) -> i128 {
        let fallen = self.fallen.last().copied().unwrap_or_default();
        fallen + half_even(self.accrued, self.plan.unit()) - self.interest_paid
    }

    fn late(&self) -> i128 {
        half_even(self.late_accrued, self.plan.unit()) - self.late_paid
    }

    fn all(&self) -> i128 {
        i128::from(self.outstanding) + self.interest() + self.late()
    }

    fn money(&self, minor: i128) -> Result<Money, MoneyError> {
        let minor = i64::try_from(minor).map_err(|_| MoneyError::Overflow)?;
        Ok(Money::from_minor(minor, self.currency))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loan::{DayCount, Form};
    use crate::seed::random;
    use proptest::prelude::*;

    const DAY: i64 = 86_400_000_000;

    fn after(days: i64) -> Timestamp {
        // January 15th, 2026.
        Timestamp::from_unix_micros((20_468 + days) * DAY + 7).unwrap()
    }

    fn euro(minor: i64) -> Money {
        Money::from_minor(minor, Currency::EUR)
    }

    fn any_plan() -> impl Strategy<Value = Plan> {
        let form = prop::sample::select(vec![Form::Annuity, Form::InterestOnly, Form::Bullet]);
        (0..300_000_u32, form, 1..30_u16, 1..5_u8, prop::sample::select(&DayCount::ALL)).prop_map(
            |(ppm, form, instalments, months, day_count)| Plan {
                rate: Percent::from_ppm(ppm).unwrap(),
                form,
                instalments,
                months,
                day_count,
            },
        )
    }

    fn late_rate() -> impl Strategy<Value = Option<Percent>> {
        prop::option::of((0..300_000_u32).prop_map(|ppm| Percent::from_ppm(ppm).unwrap()))
    }

    proptest! {
        #![proptest_config(random(256))]

        #[test]
        fn who_pays_what_is_due_on_its_day_pays_the_schedule(plan in any_plan(), lent in 1..100_000_000_i64) {
            let mut debt = Debt::new(plan, None, euro(lent), after(0)).unwrap();
            for line in debt.schedule().to_vec() {
                prop_assert_eq!(debt.late_at(Period::days(1)).is_none(), debt.is_settled());
                let owed = debt.owed(line.due).unwrap();
                prop_assert_eq!((owed.due, owed.interest), (line.sum().unwrap(), line.interest));
                if owed.due.is_positive() {
                    debt = debt.repaid(owed.due, line.due).unwrap();
                }
                prop_assert_eq!(debt.owed(line.due).unwrap().principal, line.outstanding);
            }
            prop_assert!(debt.is_settled());
        }

        #[test]
        fn looking_changes_nothing(plan in any_plan(), late in late_rate(), looks in prop::collection::vec(0..900_i64, 0..9)) {
            let debt = Debt::new(plan, late, euro(1_000_000), after(0)).unwrap();
            let wanted = debt.owed(after(1_000)).unwrap();
            let looked = looks.iter().fold(debt, |debt, day| debt.at(after(*day)));
            prop_assert_eq!(looked.owed(after(1_000)).unwrap(), wanted);
        }

        // However little is paid how often, interest is that of each day on what was outstanding, rounded once in each
        // instalment.
        #[test]
        fn nothing_is_rounded_away(
            plan in any_plan(), lent in 1..200_000_i64, pays in prop::collection::vec((1..40_i64, 0..400_i64), 1..60),
        ) {
            let mut debt = Debt::new(plan, None, euro(lent), after(0)).unwrap();
            let (mut today, mut exact, mut paid) = (0, 0_i128, 0_i128);
            for (days, minor) in pays {
                for day in today..today + days {
                    exact += i128::from(debt.outstanding) * plan.grows(day_of(day), day_of(day + 1));
                }
                today += days;
                let owed = debt.owed(after(today)).unwrap();
                let amount = minor.min(owed.payoff().unwrap().minor());
                let all = i128::from(owed.interest.minor()) + paid;
                let off = (all * plan.unit() - exact).abs() * 2;
                let falls = 1 + debt.clone().at(after(today)).fallen.len() as i128;
                prop_assert!(off <= falls * plan.unit(), "{all} interest is off by {off} after {falls}");
                if amount > 0 {
                    let allotment = debt.allot(euro(amount), after(today)).unwrap();
                    let sum = allotment.principal.minor() + allotment.interest.minor() + allotment.late.minor();
                    prop_assert_eq!(sum, amount);
                    prop_assert!(allotment.principal.is_zero() || allotment.interest == owed.interest);
                    paid += i128::from(allotment.interest.minor());
                    debt = debt.repaid(euro(amount), after(today)).unwrap();
                }
            }
        }

        #[test]
        fn what_remains_pays_it_off(
            plan in any_plan(), late in late_rate(), lent in 1..10_000_000_i64, day in 0..1_500_i64, part in 0..1_000_i64,
        ) {
            let mut debt = Debt::new(plan, late, euro(lent), after(0)).unwrap();
            let first = euro(debt.owed(after(day)).unwrap().payoff().unwrap().minor() * part / 1_000);
            if first.is_positive() {
                debt = debt.repaid(first, after(day)).unwrap();
            }
            let mut remaining = debt.remaining(after(day)).unwrap();
            remaining.retain(|line| line.sum().unwrap().is_positive());
            for line in remaining {
                debt = debt.repaid(line.sum().unwrap(), line.due).unwrap();
                prop_assert_eq!(debt.owed(line.due).unwrap().principal, line.outstanding);
                prop_assert_eq!(debt.owed(line.due).unwrap().due, euro(0));
            }
            let over = debt.schedule().last().is_some_and(|last| last.due <= after(day));
            prop_assert!(debt.is_settled() || over);
        }

        #[test]
        fn after_a_default_nothing_accrues_and_principal_comes_first(
            plan in any_plan(), late in late_rate(), lent in 1..10_000_000_i64, day in 0..1_500_i64, part in 1..=1_000_i64,
        ) {
            let debt = Debt::new(plan, late, euro(lent), after(0)).unwrap().frozen(after(day));
            let owed = debt.owed(after(day)).unwrap();
            prop_assert_eq!(debt.owed(after(day + 5_000)).unwrap(), owed);
            let payoff = owed.payoff().unwrap();
            prop_assert_eq!(owed.due, payoff);
            let amount = euro((payoff.minor() * part / 1_000).max(1));
            let allotment = debt.allot(amount, after(day + 9)).unwrap();
            prop_assert_eq!(allotment.principal.minor(), amount.minor().min(lent));
            prop_assert!(debt.allot(euro(payoff.minor() + 1), after(day + 9)).is_err());
        }
    }

    fn day_of(days: i64) -> Date {
        day(after(days))
    }
}
