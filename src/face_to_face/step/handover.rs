//! From the handover to the release.

use crate::{
    deal::{ComplaintPeriod, Leaving, Side},
    face_to_face::{
        AnyFaceToFace, BuyerHandoverConfirmed, ComplaintPeriodEnded, FaceToFace, FundsReleased,
        SellerHandoverConfirmed, Status, event,
        state::{Awaiting, Running},
    },
    ledger::{Account, Purpose},
    lifecycle::{Effects, Reason, Takes, Value},
    party::Stamp,
    payment::{Destination, Outgoing, Way},
};

impl<S: Awaiting> Takes<event::HandoverConfirmed> for FaceToFace<S>
where
    Self: Value<Any = AnyFaceToFace>,
{
    type Next = AnyFaceToFace;
    fn check(&self, event: &event::HandoverConfirmed, step: &mut Effects<'_>) -> Result<(), Reason> {
        own_word(self.facts().terms.sides.side_of(&step.stamp().by), event.by)
    }
    fn make(mut self, event: event::HandoverConfirmed, at: &Stamp) -> AnyFaceToFace {
        let policy = &self.facts().terms.policy;
        let period = ComplaintPeriod::from(at.at, policy.complaint, policy.complaint_limit);
        self.head.deadline = Some(period.ends());
        match event.by {
            Side::Buyer => self.enter(BuyerHandoverConfirmed { period }).into(),
            Side::Seller => self.enter(SellerHandoverConfirmed { period }).into(),
        }
    }
    fn lands(&self, event: &event::HandoverConfirmed) -> usize {
        let status = match event.by {
            Side::Buyer => Status::BuyerHandoverConfirmed,
            Side::Seller => Status::SellerHandoverConfirmed,
        };
        status as usize
    }
}

impl Takes<event::HandoverConfirmed> for FaceToFace<BuyerHandoverConfirmed> {
    type Next = FaceToFace<SellerHandoverConfirmed>;
    fn check(&self, event: &event::HandoverConfirmed, step: &mut Effects<'_>) -> Result<(), Reason> {
        own_word(self.facts().terms.sides.side_of(&step.stamp().by), event.by)
    }
    fn make(mut self, _: event::HandoverConfirmed, _: &Stamp) -> FaceToFace<SellerHandoverConfirmed> {
        // The complaint period that runs goes on.
        let period = self.state.period.clone();
        self.head.deadline = Some(period.ends());
        self.enter(SellerHandoverConfirmed { period })
    }
}

// Each side confirms for itself only.
fn own_word(side: Option<Side>, said: Side) -> Result<(), Reason> {
    if side == Some(said) { Ok(()) } else { Err(Reason::Unlike { what: "the side that confirms" }) }
}

impl<S: Running> Takes<event::Extended> for FaceToFace<S>
where
    Self: Value<Any = AnyFaceToFace>,
{
    type Next = Self;
    fn check(&self, event: &event::Extended, step: &mut Effects<'_>) -> Result<(), Reason> {
        own_word(self.facts().terms.sides.side_of(&step.stamp().by), event.side)?;
        self.state.period().may_extend(event.until, step.stamp())
    }
    fn make(mut self, event: event::Extended, _: &Stamp) -> Self {
        let period = self.state.period_mut();
        period.extend(event.side, event.until);
        self.head.deadline = Some(period.ends());
        self
    }
}

impl Takes<event::Waived> for FaceToFace<SellerHandoverConfirmed> {
    type Next = Self;
    fn check(&self, _: &event::Waived, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.state.period.open("waive", step.stamp())
    }
    fn make(mut self, _: event::Waived, _: &Stamp) -> Self {
        self.state.period.waive();
        self
    }
}

impl<S: Running> FaceToFace<S> {
    // The fees and the payouts that end the period at this time. Computed anew in replay and compared.
    pub(in crate::face_to_face) fn settlement(&self, at: &Stamp) -> Result<event::ComplaintPeriodEnded, Reason> {
        let terms = &self.facts().terms;
        let fee = terms.fee()?;
        let seller = terms.sides.known(Side::Seller)?.clone();
        let to = terms.payout.clone().unwrap_or(Destination::Wallet);
        let parts = [(seller, self.held().checked_sub(fee)?, Way::Payout(to))];
        let payouts = Outgoing::plan(self.id().subject(), self.head.seq() + 1, at.at, parts);
        Ok(event::ComplaintPeriodEnded { fee, payouts })
    }

    fn settle(&self, event: &event::ComplaintPeriodEnded, step: &mut Effects<'_>) -> Result<(), Reason> {
        if *event != self.settlement(step.stamp())? {
            return Err(Reason::Unlike { what: "what the seller gets" });
        }
        let terms = &self.facts().terms;
        if event.fee.is_positive() {
            step.pay(Account::Wallet(terms.platform.clone()), event.fee, Purpose::Fee)?;
        }
        event.payouts.open(&terms.gateway, step)
    }
}

impl<S: Running> Takes<event::ComplaintPeriodEnded> for FaceToFace<S>
where
    Self: Value<Any = AnyFaceToFace>,
{
    type Next = FaceToFace<ComplaintPeriodEnded>;
    fn check(&self, event: &event::ComplaintPeriodEnded, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.settle(event, step)
    }
    fn make(self, event: event::ComplaintPeriodEnded, _: &Stamp) -> FaceToFace<ComplaintPeriodEnded> {
        self.enter(ComplaintPeriodEnded { payouts: event.payouts })
    }
}

impl Takes<event::FundsReleased> for FaceToFace<ComplaintPeriodEnded> {
    type Next = FaceToFace<FundsReleased>;
    fn check(&self, event: &event::FundsReleased, _: &mut Effects<'_>) -> Result<(), Reason> {
        match event.settled {
            None => self.state.must_have_arrived(),
            Some(_) => Err(Reason::Already { what: "opening the payouts" }),
        }
    }
    fn make(self, _: event::FundsReleased, _: &Stamp) -> FaceToFace<FundsReleased> {
        let outgoing = self.state.payouts.clone();
        self.enter(FundsReleased { outgoing })
    }
}

impl FaceToFace<SellerHandoverConfirmed> {
    pub(in crate::face_to_face) fn may_release(&self, at: &Stamp) -> Result<(), Reason> {
        self.state.period.over("release", at)?;
        match self.facts().terms.payout {
            None | Some(Destination::Wallet) => Ok(()),
            Some(Destination::Account { .. }) => Err(Reason::NotThisWay {
                instead: "a payout to a bank account takes time: `end_complaint_period` opens it",
            }),
        }
    }
}

impl Takes<event::FundsReleased> for FaceToFace<SellerHandoverConfirmed> {
    type Next = FaceToFace<FundsReleased>;
    fn check(&self, event: &event::FundsReleased, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.may_release(step.stamp())?;
        let settled = event.settled.as_ref().ok_or(Reason::Unlike { what: "the payout" })?;
        self.settle(settled, step)
    }
    fn make(self, event: event::FundsReleased, _: &Stamp) -> FaceToFace<FundsReleased> {
        let outgoing = event.settled.map(|settled| settled.payouts).unwrap_or_default();
        self.enter(FundsReleased { outgoing })
    }
}
