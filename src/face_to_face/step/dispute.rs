//! From the complaint to its end.

use crate::{
    deal::{Counted, Leaving},
    face_to_face::{
        AnyFaceToFace, Complained, FaceToFace, FundsReleased, event,
        state::{Awaiting, Running},
    },
    lifecycle::{Effects, Reason, Takes, Value},
    party::Stamp,
    time::Timestamp,
};

/// A status in which the buyer may complain, and the period that limits it, if one runs.
pub trait Disputable {
    #[doc(hidden)]
    fn in_time(&self, at: &Stamp) -> Result<(), Reason>;
}

macro_rules! disputable {
    ($($status:ident: |$state:ident, $at:ident| $in_time:expr;)+) => { $(
        impl Disputable for crate::face_to_face::$status {
            fn in_time(&self, $at: &Stamp) -> Result<(), Reason> {
                let $state = self;
                $in_time
            }
        }
    )+ };
}

disputable! {
    RemainderPaid: |_state, _at| Ok(());
    RemainderSkipped: |_state, _at| Ok(());
    BuyerHandoverConfirmed: |state, at| state.period().open("complain", at);
    SellerHandoverConfirmed: |state, at| state.period().open("complain", at);
}

impl<S: Disputable> Takes<event::Complained> for FaceToFace<S>
where
    Self: Value<Any = AnyFaceToFace>,
{
    type Next = FaceToFace<Complained>;
    fn check(&self, _: &event::Complained, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.state.in_time(step.stamp())
    }
    fn make(self, event: event::Complained, _: &Stamp) -> FaceToFace<Complained> {
        self.enter(Complained { what: Some(event.what), awarded: None })
    }
}

// The clock cannot come early; an operator must not either.
pub(in crate::face_to_face) fn may_escalate(deadline: Option<Timestamp>, at: &Stamp) -> Result<(), Reason> {
    match deadline {
        Some(due) if at.at >= due => Ok(()),
        due => Err(Reason::NotDue { action: "escalate", due }),
    }
}

impl<S: Awaiting> Takes<event::Escalated> for FaceToFace<S>
where
    Self: Value<Any = AnyFaceToFace>,
{
    type Next = FaceToFace<Complained>;
    fn check(&self, _: &event::Escalated, step: &mut Effects<'_>) -> Result<(), Reason> {
        may_escalate(self.deadline(), step.stamp())
    }
    fn make(self, _: event::Escalated, _: &Stamp) -> FaceToFace<Complained> {
        self.enter(Complained { what: None, awarded: None })
    }
}

impl Takes<event::ComplaintSettled> for FaceToFace<Complained> {
    type Next = FaceToFace<FundsReleased>;
    fn check(&self, _: &event::ComplaintSettled, _: &mut Effects<'_>) -> Result<(), Reason> {
        self.state.must_have_arrived()
    }
    fn make(self, _: event::ComplaintSettled, _: &Stamp) -> FaceToFace<FundsReleased> {
        let outgoing = self.state.awarded.as_ref().map(|awarded| awarded.outgoing.clone()).unwrap_or_default();
        self.enter(FundsReleased { outgoing })
    }
}

impl<S: Leaving> Takes<Counted> for FaceToFace<S>
where
    Self: Value<Any = AnyFaceToFace>,
{
    type Next = Self;
    fn check(&self, event: &Counted, _: &mut Effects<'_>) -> Result<(), Reason> {
        self.state.may_count(event)
    }
    fn make(mut self, event: Counted, _: &Stamp) -> Self {
        self.state.count(&event);
        self
    }
}
