//! How pledges raise money: from `OPEN` to `FUNDED`, or back to everybody, for each lifecycle that does.

use serde::{Deserialize, Serialize};

/// When something that is raised by pledges takes no more of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Close {
    /// At the deadline, whatever was raised by then.
    AtDeadline,
    /// As soon as the target is met, or else at the deadline.
    WhenMet,
}

/// Gives a lifecycle the half in which its money is raised: the statuses `OPEN`, `COUNTING`, `FUNDED`, `MISSED`, `CANCELLED` and
/// `RETURNED`, every step among them, and [`Pool`](crate::pledge::Pool). `closed` are its other statuses, in which no pledge
/// is looked for.
///
/// What is the lifecycle's own it says itself: its table and its events, whether what was counted is enough (`is_funded`),
/// whether its terms take an offer (`may_take`), and whom a pledge pays in the end (`payee`).
macro_rules! raised_by_pledges {
    ($Value:ident, $Any:ident; closed: $($Closed:ident),+) => {
        use super::{Action, $Any, $Value, Status, event};
        use $crate::{
            ledger::{Account, Purpose},
            lifecycle::{Effects, Reason, Refused, Takes, Transition, Value},
            money::Money,
            party::{Actor, Stamp},
            payment::Destination,
            pledge::{self, Back, Close, Pledge, PledgeId},
        };

        /// Pledges are taken. Leads on by `close`; ends by `cancel`.
        #[derive(Debug, Default)]
        pub struct Open {}

        /// The last paid pledges are gathered. Leads on by `decide`, by itself; ends by `cancel`.
        #[derive(Debug)]
        pub struct Counting {
            through: Option<PledgeId>,
        }

        /// The target is met. Leads on by `validate`; ends by `cancel`.
        #[derive(Debug)]
        pub struct Funded {}

        /// The target was missed. Leads on by `give_back` and `finish`, by itself.
        #[derive(Debug)]
        pub struct Missed {
            through: Option<PledgeId>,
        }

        /// Called off. Leads on by `give_back` and `finish`, by itself.
        #[derive(Debug)]
        pub struct Cancelled {
            through: Option<PledgeId>,
        }

        /// Every pledge has gone back.
        #[derive(Debug)]
        pub struct Returned {}

        /// A status in which paid pledges are gathered.
        pub trait Gathering {
            #[doc(hidden)]
            fn got(&mut self, through: Option<PledgeId>);
        }

        /// A status in which pledges go back.
        pub trait GivingBack {
            #[doc(hidden)]
            fn got(&mut self, through: Option<PledgeId>);
        }

        /// A status that can be called off, and in which it may still be said where the money is paid.
        pub trait Raising {}
        impl Raising for Open {}
        impl Raising for Counting {}
        impl Raising for Funded {}

        /// A status that ends once every pledge has gone back.
        pub trait Finishing: GivingBack {}
        impl Finishing for Missed {}
        impl Finishing for Cancelled {}

        impl Gathering for Open {
            fn got(&mut self, _: Option<PledgeId>) {}
        }
        impl Gathering for Counting {
            fn got(&mut self, through: Option<PledgeId>) {
                self.through = through.max(self.through);
            }
        }
        impl GivingBack for Open {
            fn got(&mut self, _: Option<PledgeId>) {}
        }
        impl GivingBack for Missed {
            fn got(&mut self, through: Option<PledgeId>) {
                self.through = through.max(self.through);
            }
        }
        impl GivingBack for Cancelled {
            fn got(&mut self, through: Option<PledgeId>) {
                self.through = through.max(self.through);
            }
        }

        impl $Value<Open> {
            /// No more pledges are taken.
            ///
            /// # Errors
            /// [`Refused`] before the deadline, unless the target is met and the policy closes it then.
            pub fn close(self, at: &Stamp) -> Result<Transition<$Value<Counting>>, Refused<Self>> {
                self.take(event::Closed {}, at)
            }

            // By itself only once the target is met, where the policy says so. The clock comes at the deadline.
            pub(super) fn may_close(&self, at: &Stamp) -> Result<(), Reason> {
                let terms = &self.facts().terms;
                let early = terms.policy.close == Close::WhenMet && terms.is_met(self.held())?;
                match at.by {
                    Actor::Gateway if !early => Err(Reason::NotDue { action: "close", due: Some(terms.deadline) }),
                    Actor::Gateway | Actor::Clock | Actor::Party(_) | Actor::Office { .. } => Ok(()),
                }
            }
        }

        impl $Value<Counting> {
            /// Everything is counted: `FUNDED` or `MISSED`.
            ///
            /// # Errors
            /// [`Refused`] when somebody asks: it happens by itself.
            pub fn decide(self, at: &Stamp) -> Result<Transition<$Any>, Refused<Self>> {
                self.take(event::Decided {}, at)
            }

            // Whether it is enough.
            fn counted(&self) -> bool {
                self.is_funded().expect("`check` has compared what was counted with what is enough")
            }
        }

        impl<S: Gathering> $Value<S>
        where
            Self: Value<Any = $Any>,
        {
            /// Takes the money of paid pledges, which hand it over in the same unit. All before `through` were looked at.
            ///
            /// # Errors
            /// [`Refused`] when one is another's.
            pub fn gather(
                self,
                pledges: &[&Pledge<pledge::Gathered>],
                through: Option<PledgeId>,
                at: &Stamp,
            ) -> Result<Transition<Self>, Refused<Self>> {
                let event = self.gathering(pledges, through);
                self.take_if(event, at)
            }

            fn gathering(
                &self,
                pledges: &[&Pledge<pledge::Gathered>],
                through: Option<PledgeId>,
            ) -> Result<event::Gathered, Reason> {
                self.own(pledges.iter().map(|pledge| pledge.facts()))?;
                let amounts = pledges.iter().map(|pledge| pledge.facts().terms().offer.amount);
                let amount = Money::sum(amounts, self.held().currency())?;
                // At most a thousand in a batch.
                let pledges = u32::try_from(pledges.len()).unwrap_or(u32::MAX);
                Ok(event::Gathered { pledges, amount, through })
            }
        }

        impl<S: GivingBack> $Value<S>
        where
            Self: Value<Any = $Any>,
        {
            /// Gives pledges back, which take their money in the same unit. All before `through` were looked at.
            ///
            /// # Errors
            /// [`Refused`] when one is another's, or nothing would be left: see
            /// [`give_rest_back`](Self::give_rest_back).
            pub fn give_back(
                self,
                pledges: &[&Pledge<pledge::Returned>],
                through: Option<PledgeId>,
                at: &Stamp,
            ) -> Result<Transition<Self>, Refused<Self>> {
                let event = self.own(pledges.iter().map(|pledge| pledge.facts())).map(|()| event::GivenBack { pledges: Back::of(pledges), through });
                self.take_if(event, at)
            }

            /// Gives back all that are left, which take their money in the same unit. All before `through` were looked at.
            ///
            /// # Errors
            /// [`Refused`] when one is another's, or something would be left: see [`give_back`](Self::give_back).
            pub fn give_rest_back(
                self,
                pledges: &[&Pledge<pledge::Returned>],
                through: Option<PledgeId>,
                at: &Stamp,
            ) -> Result<Transition<Self>, Refused<Self>> {
                let event = self.own(pledges.iter().map(|pledge| pledge.facts())).map(|()| event::RestGivenBack { pledges: Back::of(pledges), through });
                self.take_if(event, at)
            }

            // Whichever of the two it is.
            fn give(
                self,
                pledges: &[&Pledge<pledge::Returned>],
                through: Option<PledgeId>,
                at: &Stamp,
            ) -> Result<Transition<Self>, Refused<Self>> {
                match Back::of(pledges).sum(self.held()) {
                    Ok(sum) if sum == self.held() => self.give_rest_back(pledges, through, at),
                    Ok(_) => self.give_back(pledges, through, at),
                    Err(reason) => Err(Refused { value: self, reason }),
                }
            }

            fn paid_back(mut self, pledges: &Back, through: Option<PledgeId>) -> Self {
                // Pledges that were withdrawn no longer count; what goes back after the end was raised all the same.
                if self.position() == Status::Open as usize {
                    let facts = &mut self.head.facts;
                    let left = pledges.out_of(facts.pledges, facts.raised);
                    (facts.pledges, facts.raised) = left.expect("`check` has found that they were gathered");
                }
                self.state.got(through);
                self
            }
        }

        impl<S: Raising> $Value<S>
        where
            Self: Value<Any = $Any>,
        {
            /// Calls it off. Every pledge goes back, batch by batch.
            ///
            /// # Errors
            /// [`Refused`] when a stranger asks, or the clock comes early.
            pub fn cancel(self, at: &Stamp) -> Result<Transition<$Value<Cancelled>>, Refused<Self>> {
                self.take(event::Cancelled {}, at)
            }

            /// Says where the money is paid once it is raised.
            ///
            /// # Errors
            /// [`Refused`] when somebody else asks than who is paid, or the platform.
            pub fn set_payout(self, to: Destination, at: &Stamp) -> Result<Transition<Self>, Refused<Self>> {
                self.take(event::PayoutSet { to }, at)
            }
        }

        impl<S: Finishing> $Value<S>
        where
            Self: Value<Any = $Any>,
        {
            /// Every pledge has gone back.
            ///
            /// # Errors
            /// [`Refused`] while it holds money of one.
            pub fn finish(self, at: &Stamp) -> Result<Transition<$Value<Returned>>, Refused<Self>> {
                self.take(event::Finished {}, at)
            }
        }

        impl<S> $Value<S> {
            // Whether these pledges are its own, in its currency.
            fn own<'f>(&self, mut pledges: impl Iterator<Item = &'f pledge::Facts>) -> Result<(), Reason> {
                let (expected, currency) = (self.id().subject(), self.held().currency());
                pledges.try_for_each(|facts| {
                    let (found, amount) = (facts.terms().about, facts.terms().offer.amount);
                    amount.checked_sub(Money::zero(currency))?;
                    if found == expected { Ok(()) } else { Err(Reason::WrongSubject { expected, found }) }
                })
            }

            // Each pledge's money goes back to it. The pledge counts it in the same unit.
            fn pay_back(&self, pledges: &Back, step: &mut Effects<'_>) -> Result<(), Reason> {
                let currency = self.held().currency();
                for (pledge, minor) in &pledges.0 {
                    let amount = Money::from_minor(*minor, currency);
                    step.pay(Account::Escrow(pledge.subject()), amount, Purpose::GiveBack)?;
                }
                pledges.out_of(self.facts().pledges, self.facts().raised).map(drop)
            }
        }

        impl Takes<event::Closed> for $Value<Open> {
            type Next = $Value<Counting>;
            fn check(&self, _: &event::Closed, step: &mut Effects<'_>) -> Result<(), Reason> {
                self.may_close(step.stamp())
            }
            fn make(mut self, _: event::Closed, at: &Stamp) -> $Value<Counting> {
                // There is something to do from now on, until it is done.
                self.head.deadline = Some(at.at);
                self.enter(Counting { through: None })
            }
        }

        impl<S: Gathering> Takes<event::Gathered> for $Value<S>
        where
            Self: Value<Any = $Any>,
        {
            type Next = Self;
            fn check(&self, event: &event::Gathered, step: &mut Effects<'_>) -> Result<(), Reason> {
                self.facts().raised.checked_add(event.amount)?;
                step.count_in(event.amount)
            }
            fn make(mut self, event: event::Gathered, _: &Stamp) -> Self {
                let facts = &mut self.head.facts;
                facts.pledges += u64::from(event.pledges);
                facts.raised = facts.raised.checked_add(event.amount).expect("`check` has added it");
                self.state.got(event.through);
                self
            }
        }

        impl<S: GivingBack> Takes<event::GivenBack> for $Value<S>
        where
            Self: Value<Any = $Any>,
        {
            type Next = Self;
            fn check(&self, event: &event::GivenBack, step: &mut Effects<'_>) -> Result<(), Reason> {
                self.pay_back(&event.pledges, step)
            }
            fn make(self, event: event::GivenBack, _: &Stamp) -> Self {
                self.paid_back(&event.pledges, event.through)
            }
        }

        impl<S: GivingBack> Takes<event::RestGivenBack> for $Value<S>
        where
            Self: Value<Any = $Any>,
        {
            type Next = Self;
            fn check(&self, event: &event::RestGivenBack, step: &mut Effects<'_>) -> Result<(), Reason> {
                self.pay_back(&event.pledges, step)
            }
            fn make(self, event: event::RestGivenBack, _: &Stamp) -> Self {
                self.paid_back(&event.pledges, event.through)
            }
        }

        impl Takes<event::Decided> for $Value<Counting> {
            type Next = $Any;
            fn check(&self, _: &event::Decided, _: &mut Effects<'_>) -> Result<(), Reason> {
                self.is_funded().map(drop)
            }
            fn make(mut self, _: event::Decided, at: &Stamp) -> $Any {
                if self.counted() {
                    self.head.deadline = Some(self.facts().terms.policy.validation.after(at.at));
                    self.enter(Funded {}).into()
                } else {
                    self.head.deadline = Some(at.at);
                    self.enter(Missed { through: None }).into()
                }
            }
            fn lands(&self, _: &event::Decided) -> usize {
                let status = if self.counted() { Status::Funded } else { Status::Missed };
                status as usize
            }
        }

        impl<S: Raising> Takes<event::Cancelled> for $Value<S>
        where
            Self: Value<Any = $Any>,
        {
            type Next = $Value<Cancelled>;
            fn make(mut self, _: event::Cancelled, at: &Stamp) -> $Value<Cancelled> {
                self.head.deadline = Some(at.at);
                self.enter(Cancelled { through: None })
            }
        }

        impl<S: Raising> Takes<event::PayoutSet> for $Value<S>
        where
            Self: Value<Any = $Any>,
        {
            type Next = Self;
            fn make(mut self, event: event::PayoutSet, _: &Stamp) -> Self {
                self.head.facts.terms.payout = Some(event.to);
                self
            }
        }

        impl<S: Finishing> Takes<event::Finished> for $Value<S>
        where
            Self: Value<Any = $Any>,
        {
            type Next = $Value<Returned>;
            fn check(&self, _: &event::Finished, _: &mut Effects<'_>) -> Result<(), Reason> {
                if self.held().is_zero() { Ok(()) } else { Err(Reason::Missing { what: "the return of every pledge" }) }
            }
            fn make(self, _: event::Finished, _: &Stamp) -> $Value<Returned> {
                self.enter(Returned {})
            }
        }

        $crate::pledge::pooled!($Any; closed: $($Closed),+);
    };
}
pub(crate) use raised_by_pledges;
