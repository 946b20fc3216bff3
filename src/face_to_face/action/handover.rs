//! From the handover to the end: what can be done with a face-to-face deal.

use crate::{
    deal::{Award, Counted, Leaving, Side},
    face_to_face::{
        AnyFaceToFace, BuyerHandoverConfirmed, Complained, ComplaintPeriodEnded, FaceToFace, FundsReleased,
        SellerHandoverConfirmed, event,
        state::{Awaiting, Running},
        step::Disputable,
    },
    lifecycle::{Refused, Transition, Value},
    party::Stamp,
    payment::Evidence,
    text::Prose,
    time::Timestamp,
};

impl<S> FaceToFace<S> {
    // Whoever is on no side is told so by the table, before it is looked at which side speaks.
    fn own_side(&self, at: &Stamp) -> Side {
        self.facts().terms.sides.side_of(&at.by).unwrap_or(Side::Buyer)
    }
}

impl<S: Awaiting> FaceToFace<S>
where
    Self: Value<Any = AnyFaceToFace>,
{
    /// One side says that the goods changed hands: its own status, and the complaint period begins.
    ///
    /// # Errors
    /// [`Refused`] when a stranger asks.
    pub fn confirm_handover(self, at: &Stamp) -> Result<Transition<AnyFaceToFace>, Refused<Self>> {
        let by = self.own_side(at);
        self.take(event::HandoverConfirmed { by }, at)
    }

    pub(in crate::face_to_face) fn confirm_own_handover(
        self,
        at: &Stamp,
    ) -> Result<Transition<AnyFaceToFace>, Refused<Self>> {
        self.confirm_handover(at)
    }

    /// Nobody has confirmed the handover for too long: an arbiter decides.
    ///
    /// # Errors
    /// [`Refused`] before the handover's deadline.
    pub fn escalate(self, at: &Stamp) -> Result<Transition<FaceToFace<Complained>>, Refused<Self>> {
        self.take(event::Escalated {}, at)
    }
}

impl FaceToFace<BuyerHandoverConfirmed> {
    /// The seller confirms, too. The complaint period that runs goes on.
    ///
    /// # Errors
    /// [`Refused`] when somebody else than the seller asks.
    pub fn confirm_handover(
        self,
        at: &Stamp,
    ) -> Result<Transition<FaceToFace<SellerHandoverConfirmed>>, Refused<Self>> {
        self.take(event::HandoverConfirmed { by: Side::Seller }, at)
    }

    pub(in crate::face_to_face) fn confirm_own_handover(
        self,
        at: &Stamp,
    ) -> Result<Transition<FaceToFace<SellerHandoverConfirmed>>, Refused<Self>> {
        self.confirm_handover(at)
    }
}

impl<S: Disputable> FaceToFace<S>
where
    Self: Value<Any = AnyFaceToFace>,
{
    /// The buyer is not content.
    ///
    /// # Errors
    /// [`Refused`] when the complaint period is over.
    pub fn complain(self, what: Prose, at: &Stamp) -> Result<Transition<FaceToFace<Complained>>, Refused<Self>> {
        self.take(event::Complained { what }, at)
    }
}

impl<S: Running> FaceToFace<S>
where
    Self: Value<Any = AnyFaceToFace>,
{
    /// Proposes a longer complaint period, or agrees to the same. It holds once both sides have said so.
    ///
    /// # Errors
    /// [`Refused`] when the period is over, or would not become longer.
    pub fn extend(self, until: Timestamp, at: &Stamp) -> Result<Transition<Self>, Refused<Self>> {
        let side = self.own_side(at);
        self.take(event::Extended { side, until }, at)
    }

    /// The complaint period is over, or the buyer waives the rest of it: the payouts are opened.
    ///
    /// # Errors
    /// [`Refused`] when the clock comes early.
    pub fn end_complaint_period(
        self,
        at: &Stamp,
    ) -> Result<Transition<FaceToFace<ComplaintPeriodEnded>>, Refused<Self>> {
        let event = self.settlement(at);
        self.take_if(event, at)
    }
}

impl FaceToFace<SellerHandoverConfirmed> {
    /// The buyer waives the rest of the complaint period, so that the platform may release.
    ///
    /// # Errors
    /// [`Refused`] when it is over, or was waived before.
    pub fn waive(self, at: &Stamp) -> Result<Transition<Self>, Refused<Self>> {
        self.take(event::Waived {}, at)
    }

    /// Pays the seller into its wallet, at once.
    ///
    /// # Errors
    /// [`Refused`] while the complaint period runs, or when the seller is paid to a bank account.
    pub fn release(self, at: &Stamp) -> Result<Transition<FaceToFace<FundsReleased>>, Refused<Self>> {
        let event = self.settlement(at).map(|settled| event::FundsReleased { settled: Some(settled) });
        self.take_if(event, at)
    }
}

impl FaceToFace<ComplaintPeriodEnded> {
    /// The money went where it was due: every payout was counted as confirmed.
    ///
    /// # Errors
    /// [`Refused`] while one is not.
    pub fn release(self, at: &Stamp) -> Result<Transition<FaceToFace<FundsReleased>>, Refused<Self>> {
        self.take(event::FundsReleased { settled: None }, at)
    }
}

impl FaceToFace<Complained> {
    /// The arbiter decides: so much to the buyer, so much to the seller. Opens the refund and the payout.
    ///
    /// # Errors
    /// [`Refused`] when the amounts do not add up to all that is held, or there is an award already.
    pub fn award(self, award: Award, at: &Stamp) -> Result<Transition<Self>, Refused<Self>> {
        let event = self.awarding(award, at);
        self.take_if(event, at)
    }

    /// The award reached both sides: its refund and payout were counted as confirmed.
    ///
    /// # Errors
    /// [`Refused`] while one is not.
    pub fn settle_complaint(self, at: &Stamp) -> Result<Transition<FaceToFace<FundsReleased>>, Refused<Self>> {
        self.take(event::ComplaintSettled {}, at)
    }
}

impl<S: Leaving> FaceToFace<S>
where
    Self: Value<Any = AnyFaceToFace>,
{
    /// Takes to the deal's knowledge what became of a payout or refund.
    ///
    /// # Errors
    /// [`Refused`] when it is another's, or was counted before.
    pub fn count(self, evidence: &Evidence<'_>, at: &Stamp) -> Result<Transition<Self>, Refused<Self>> {
        let event = Counted::by(evidence);
        self.take_if(event, at)
    }
}
