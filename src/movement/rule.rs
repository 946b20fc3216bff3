//! What the table cannot say: the conditions of an action that depend on a movement's own facts.

use super::{
    Action, AnyMovement, Collecting, Facts, Movement, Orders, Stands, Why, event,
    state::{Counting, Stage, Undoable},
};
use crate::{
    lifecycle::{Reason, Value, only, wrong_status},
    order::{AnyOrder, OrderId},
    party::{Actor, Stamp},
};

impl AnyMovement {
    // Everything but the data of the command, which only the step sees. The table has been asked before.
    pub(super) fn ready(&self, action: Action, at: &Stamp) -> Result<(), Reason> {
        match action {
            Action::Undo => match self {
                Self::Planned(movement) => movement.why(at).map(drop),
                Self::Collecting(movement) => movement.why(at).map(drop),
                Self::Committed(_) | Self::Done(_) | Self::Undoing(_) | Self::Undone(_) => {
                    Err(wrong_status(self, action as usize))
                }
            },
            Action::Commit => only::<Movement<Collecting>, event::Committed>(self)?.may_commit(at),
            Action::Collect => self.facts().all_open(),
            Action::Finish => self.facts().all_released(),
            Action::EndUndoing => self.facts().all_undone(),
            Action::Count => Ok(()),
        }
    }
}

impl Facts {
    fn every(&self, wanted: fn(Stands) -> bool, what: &'static str) -> Result<(), Reason> {
        if self.stands.iter().all(|stands| wanted(*stands)) { Ok(()) } else { Err(Reason::Missing { what }) }
    }

    // Every order that is paid from outside is there to be paid.
    pub(super) fn all_open(&self) -> Result<(), Reason> {
        if self.first().contains(&Stands::Planned) {
            Err(Reason::Missing { what: "the opening of every order" })
        } else {
            Ok(())
        }
    }

    pub(super) fn all_paid(&self) -> Result<(), Reason> {
        if self.first().iter().all(|stands| *stands == Stands::Paid) {
            Ok(())
        } else {
            Err(Reason::Missing { what: "the payment of every order" })
        }
    }

    pub(super) fn all_released(&self) -> Result<(), Reason> {
        self.every(|stands| stands == Stands::Released, "the release of every order")
    }

    // What was never opened need not be called off.
    pub(super) fn all_undone(&self) -> Result<(), Reason> {
        self.every(|stands| matches!(stands, Stands::Planned | Stands::Undone), "the undoing of every order")
    }

    pub(super) fn failed(&self) -> Option<usize> {
        self.stands.iter().position(|stands| *stands == Stands::Failed)
    }

    pub(super) fn is_late(&self, at: &Stamp) -> bool {
        at.at >= self.plan().frame().until
    }
}

impl Movement<Collecting> {
    pub(super) fn may_commit(&self, at: &Stamp) -> Result<(), Reason> {
        self.facts().all_paid()?;
        let deadline = self.facts().plan().frame().until;
        if self.facts().is_late(at) { Err(Reason::TooLate { action: "commit", deadline }) } else { Ok(()) }
    }
}

impl<S: Undoable> Movement<S>
where
    Self: Value<Any = AnyMovement>,
{
    // People call it off as they please; by itself it is undone for a reason.
    pub(super) fn why(&self, at: &Stamp) -> Result<Why, Reason> {
        let facts = self.facts();
        match at.by {
            Actor::Party(_) | Actor::Office { .. } => Ok(Why::CalledOff),
            Actor::Clock | Actor::Gateway => match facts.failed() {
                Some(nth) => Ok(Why::Failed(self.order(nth))),
                None if facts.is_late(at) => Ok(Why::TooLate),
                None => Err(Reason::NotDue { action: "undo", due: Some(facts.plan().frame().until) }),
            },
        }
    }
}

impl<S> Movement<S> {
    // At most 2000.
    pub(super) fn order(&self, nth: usize) -> OrderId {
        let opened = self.history().by_time().first().expect("whatever exists was opened").stamp.at;
        OrderId::derived(self.id().subject(), 1, u32::try_from(nth).unwrap_or(u32::MAX), opened)
    }

    // How far an order is by its own log, and which of the movement's it is.
    fn found(&self, order: &AnyOrder) -> Result<(u32, Stands), Reason> {
        let (expected, found) = (self.id().subject(), order.id().subject());
        let other = Reason::WrongSubject { expected, found };
        let Some(part) = order.facts().part().filter(|part| part.of == expected) else { return Err(other) };
        let known = usize::try_from(part.nth).is_ok_and(|nth| nth < self.facts().stands.len());
        if !known || self.order(part.nth as usize) != order.id() {
            return Err(other);
        }
        let (action, status) = ("count", order.status().name());
        Ok((part.nth, Stands::of(order).ok_or(Reason::WrongStatus { action, status })?))
    }

    pub(super) fn counted(&self, orders: Orders<'_>) -> Result<event::Counted, Reason> {
        let found = orders.0.iter().map(|order| self.found(order));
        Ok(event::Counted { orders: found.collect::<Result<_, _>>()? })
    }
}

impl<S: Counting> Movement<S> {
    // Each order only goes on, and no further than the movement is.
    pub(super) fn may_count(&self, event: &event::Counted) -> Result<(), Reason> {
        let (facts, mut counted) = (self.facts(), std::collections::BTreeSet::new());
        for (nth, to) in &event.orders {
            let place = usize::try_from(*nth).unwrap_or(usize::MAX);
            let Some(from) = facts.stands.get(place) else {
                return Err(Reason::Missing { what: "such an order of the movement" });
            };
            if to <= from || !counted.insert(nth) {
                return Err(Reason::Already { what: "counting how far the order is" });
            }
            let first = place < facts.first().len();
            let fits = match S::STAGE {
                Stage::Before => first && matches!(to, Stands::Open | Stands::Failed | Stands::Paid),
                Stage::After => {
                    let ready = if first { *from == Stands::Paid || *from == Stands::Going } else { facts.funded() };
                    ready && matches!(to, Stands::Going | Stands::Released)
                }
                // What is paid meanwhile is paid, and goes back next.
                Stage::Back => {
                    first && *from != Stands::Planned && matches!(to, Stands::Failed | Stands::Paid | Stands::Undone)
                }
            };
            if !fits {
                return Err(Reason::Missing { what: "the movement's own step" });
            }
        }
        if event.orders.is_empty() { Err(Reason::Missing { what: "an order" }) } else { Ok(()) }
    }
}

impl Facts {
    // Everything has arrived in the movement's own wallet.
    pub(super) fn funded(&self) -> bool {
        self.first().iter().all(|stands| *stands == Stands::Released)
    }
}
