//! From the opening to the payment: what can be done with a face-to-face deal.

use crate::{
    deal::{Lost, PayinClosed, PayinOpened, Side},
    face_to_face::{
        AnyFaceToFace, Cancelled, CancelledWithDeposit, Created, DepositAccepted, DepositPaid, DepositRefunded,
        FaceToFace, FaceToFaceId, JoinCode, Joined, Priced, Rejected, RemainderPaid, RemainderSkipped, Terms, event,
        state::{Payable, Unpaid},
        step::Refundable,
    },
    gateway::Capture,
    lifecycle::{Reason, Refused, Transition, Value},
    money::Money,
    party::Stamp,
    payment::{
        Destination, Method, Outgoing, Paid, Payin, PayinId,
        payin::{self, Opened},
    },
    sca::Authentication,
};

impl FaceToFace<Created> {
    /// Opens a deal.
    ///
    /// # Errors
    /// [`Refused`] when the deposit is not above zero or less than the fees, or somebody opens it for somebody else.
    pub fn open(id: FaceToFaceId, terms: Terms, at: &Stamp) -> Result<Transition<Self>, Refused<Terms>> {
        Self::opened(id, terms, at)
    }

    /// The other side joins.
    ///
    /// # Errors
    /// [`Refused`] when the code is another, too many were tried, the time is over, or the creator asks. Write a wrong
    /// code down with [`miss`](Self::miss), or nobody counts it; a command does so by itself.
    pub fn join(self, code: &JoinCode, at: &Stamp) -> Result<Transition<FaceToFace<Joined>>, Refused<Self>> {
        let event = self.knows(code).map(|()| event::Joined {});
        self.take_if(event, at)
    }

    /// The other side wants nothing of it.
    ///
    /// # Errors
    /// [`Refused`] as for [`join`](Self::join).
    pub fn reject(self, code: &JoinCode, at: &Stamp) -> Result<Transition<FaceToFace<Rejected>>, Refused<Self>> {
        let event = self.knows(code).map(|()| event::Rejected {});
        self.take_if(event, at)
    }

    /// Counts a wrong code.
    ///
    /// # Errors
    /// [`Refused`] when too many were counted already.
    pub fn miss(self, at: &Stamp) -> Result<Transition<Self>, Refused<Self>> {
        self.take(event::Missed {}, at)
    }

    /// Calls it off before anybody joined.
    ///
    /// # Errors
    /// [`Refused`] when somebody else than the creator asks.
    pub fn cancel(self, at: &Stamp) -> Result<Transition<FaceToFace<Cancelled>>, Refused<Self>> {
        self.take(event::Cancelled { kept: None, refund: Outgoing::default() }, at)
    }

    fn knows(&self, code: &JoinCode) -> Result<(), Reason> {
        if self.facts().terms.join_code.matches(code) { Ok(()) } else { Err(Reason::WrongCode) }
    }

    // The command's form: a wrong code is counted, and the deal stays as it is.
    pub(in crate::face_to_face) fn join_or_miss(
        self,
        code: &JoinCode,
        at: &Stamp,
    ) -> Result<Transition<AnyFaceToFace>, Refused<Self>> {
        match self.knows(code) {
            Ok(()) => self.join(code, at).map(Transition::widen),
            Err(_) => self.miss(at).map(Transition::widen),
        }
    }

    // The command's form: a wrong code is counted, and the deal stays as it is.
    pub(in crate::face_to_face) fn reject_or_miss(
        self,
        code: &JoinCode,
        at: &Stamp,
    ) -> Result<Transition<AnyFaceToFace>, Refused<Self>> {
        match self.knows(code) {
            Ok(()) => self.reject(code, at).map(Transition::widen),
            Err(_) => self.miss(at).map(Transition::widen),
        }
    }
}

impl FaceToFace<Joined> {
    /// Calls it off before anything was paid. A payin under way is called off, too, or goes back.
    ///
    /// # Errors
    /// [`Refused`] when a stranger asks.
    pub fn cancel(self, at: &Stamp) -> Result<Transition<FaceToFace<Cancelled>>, Refused<Self>> {
        self.take(event::Cancelled { kept: None, refund: Outgoing::default() }, at)
    }

    /// The deposit is there: needs the confirmed payin, whose money the deal takes in the same unit.
    ///
    /// # Errors
    /// [`Refused`] when the payin is another's, or of another amount.
    pub fn pay_deposit(
        self,
        payin: &Payin<payin::Confirmed>,
        at: &Stamp,
    ) -> Result<Transition<FaceToFace<DepositPaid>>, Refused<Self>> {
        payin.collect(self, at, |deal| deal.take(event::DepositPaid { paid: Paid::by(payin) }, at))
    }
}

impl<S: Payable> FaceToFace<S>
where
    Self: Value<Any = AnyFaceToFace>,
{
    /// No money comes of the payin under way.
    ///
    /// # Errors
    /// [`Refused`] when the payin is another's.
    pub fn drop_payin(self, payin: Lost<'_>, at: &Stamp) -> Result<Transition<Self>, Refused<Self>> {
        self.take(PayinClosed { payin: payin.payin() }, at)
    }

    fn payin_terms(&self, amount: Money, method: Method, at: &Stamp) -> Result<(PayinId, payin::Terms), Reason> {
        let terms = &self.facts().terms;
        let payer = terms.sides.known(Side::Buyer)?.clone();
        let about = self.id().subject();
        let id = PayinId::derived(about, self.head.seq() + 1, 0, at.at);
        let expires = terms.policy.payment.map(|period| period.after(at.at));
        let (gateway, capture) = (terms.gateway.clone(), Capture::Now);
        Ok((
            id,
            payin::Terms {
                about,
                payer,
                amount,
                method,
                capture,
                gateway,
                expires,
                authentication: Authentication::ByGateway,
            },
        ))
    }

    // Opens a payin; a wallet pays at once, and `paid` is what that makes of the deal.
    fn pay_amount<N, P>(
        self,
        amount: Result<Money, Reason>,
        by: Method,
        at: &Stamp,
        paid: P,
    ) -> Result<Transition<AnyFaceToFace>, Refused<Self>>
    where
        N: Value<Any = AnyFaceToFace>,
        P: FnOnce(Self, &Payin<payin::Confirmed>, &Stamp) -> Result<Transition<N>, Refused<Self>>,
    {
        let opened = amount.and_then(|amount| {
            let (id, terms) = self.payin_terms(amount, by, at)?;
            Ok((id, payin::open(id, terms, at)?))
        });
        match opened {
            Ok((payin, Opened::Waits(opened))) => Ok(self.take(PayinOpened { payin }, at)?.and(opened).widen()),
            Ok((payin, Opened::Paid(confirmed))) => {
                let opened = self.take(PayinOpened { payin }, at)?;
                let paid = opened.then(|deal| paid(deal, confirmed.value(), &Stamp::gateway(at.at)));
                Ok(paid.expect("a payin opened for this deal pays exactly what is due").after(confirmed).widen())
            }
            Err(reason) => Err(Refused { value: self, reason }),
        }
    }
}

impl FaceToFace<Joined> {
    /// Opens a payin of the deposit. From a wallet it is paid in the same breath.
    ///
    /// # Errors
    /// [`Refused`] when one is under way.
    pub fn pay(self, by: Method, at: &Stamp) -> Result<Transition<AnyFaceToFace>, Refused<Self>> {
        let deposit = Ok(self.facts().terms.deposit);
        self.pay_amount(deposit, by, at, Self::pay_deposit)
    }

    pub(in crate::face_to_face) fn pay_as_told(
        self,
        by: Method,
        at: &Stamp,
    ) -> Result<Transition<AnyFaceToFace>, Refused<Self>> {
        self.pay(by, at)
    }
}

impl FaceToFace<Priced> {
    /// Opens a payin of the remainder. From a wallet it is paid in the same breath.
    ///
    /// # Errors
    /// [`Refused`] when one is under way.
    pub fn pay(self, by: Method, at: &Stamp) -> Result<Transition<AnyFaceToFace>, Refused<Self>> {
        let remainder = self.remainder();
        self.pay_amount(remainder, by, at, Self::pay_remainder)
    }

    pub(in crate::face_to_face) fn pay_as_told(
        self,
        by: Method,
        at: &Stamp,
    ) -> Result<Transition<AnyFaceToFace>, Refused<Self>> {
        self.pay(by, at)
    }

    /// The remainder is there: needs the confirmed payin, whose money the deal takes in the same unit.
    ///
    /// # Errors
    /// [`Refused`] when the payin is another's, or of another amount.
    pub fn pay_remainder(
        self,
        payin: &Payin<payin::Confirmed>,
        at: &Stamp,
    ) -> Result<Transition<FaceToFace<RemainderPaid>>, Refused<Self>> {
        payin.collect(self, at, |deal| deal.take(event::RemainderPaid { paid: Paid::by(payin) }, at))
    }

    /// The rest is paid in another way, or not at all.
    ///
    /// # Errors
    /// [`Refused`] when a payin is under way.
    pub fn skip_remainder(self, at: &Stamp) -> Result<Transition<FaceToFace<RemainderSkipped>>, Refused<Self>> {
        self.take(event::RemainderSkipped {}, at)
    }
}

impl FaceToFace<DepositPaid> {
    /// The deposit's payment is, or is no longer, under review. Accepting is refused meanwhile.
    ///
    /// # Errors
    /// [`Refused`] when somebody else than the platform or the gateway says so.
    pub fn review(self, under_review: bool, at: &Stamp) -> Result<Transition<Self>, Refused<Self>> {
        self.take(event::Reviewed { under_review }, at)
    }

    /// The seller takes the deposit.
    ///
    /// # Errors
    /// [`Refused`] while its payment is under review.
    pub fn accept_deposit(self, at: &Stamp) -> Result<Transition<FaceToFace<DepositAccepted>>, Refused<Self>> {
        self.take(event::DepositAccepted {}, at)
    }

    // The command's form: where the remainder was skipped from the start, straight on.
    pub(in crate::face_to_face) fn accept_deposit_as_agreed(
        self,
        at: &Stamp,
    ) -> Result<Transition<AnyFaceToFace>, Refused<Self>> {
        let skip = self.facts().terms.skip_remainder;
        let accepted = self.accept_deposit(at)?;
        if skip {
            let skipped = accepted.then(|deal| deal.skip_remainder(at));
            Ok(skipped.expect("who may accept the deposit may skip the remainder").widen())
        } else {
            Ok(accepted.widen())
        }
    }
}

impl FaceToFace<DepositAccepted> {
    /// The seller says what it costs in full, the deposit included, in minor units.
    ///
    /// # Errors
    /// [`Refused`] when that is not more than the deposit, or of another currency.
    pub fn set_price(self, price: Money, at: &Stamp) -> Result<Transition<FaceToFace<Priced>>, Refused<Self>> {
        self.take(event::Priced { price }, at)
    }

    /// Nothing but the deposit goes through escrow.
    ///
    /// # Errors
    /// [`Refused`] when somebody else than the seller asks.
    pub fn skip_remainder(self, at: &Stamp) -> Result<Transition<FaceToFace<RemainderSkipped>>, Refused<Self>> {
        self.take(event::RemainderSkipped {}, at)
    }
}

impl<S: Refundable> FaceToFace<S>
where
    Self: Value<Any = AnyFaceToFace>,
{
    /// Calls it off. The deposit goes back by itself, less what the policy keeps.
    ///
    /// # Errors
    /// [`Refused`] when this status leaves it to somebody else.
    pub fn cancel(self, at: &Stamp) -> Result<Transition<FaceToFace<CancelledWithDeposit>>, Refused<Self>> {
        let event = self.cancellation(at);
        self.take_if(event, at)
    }
}

impl FaceToFace<CancelledWithDeposit> {
    /// The deposit is back: every refund was counted as confirmed.
    ///
    /// # Errors
    /// [`Refused`] while one is not.
    pub fn refund_deposit(self, at: &Stamp) -> Result<Transition<FaceToFace<DepositRefunded>>, Refused<Self>> {
        self.take(event::DepositRefunded {}, at)
    }
}

impl<S: Unpaid> FaceToFace<S>
where
    Self: Value<Any = AnyFaceToFace>,
{
    /// Says where the seller is paid.
    ///
    /// # Errors
    /// [`Refused`] when somebody else than the seller or the platform asks.
    pub fn set_payout(self, to: Destination, at: &Stamp) -> Result<Transition<Self>, Refused<Self>> {
        self.take(event::PayoutSet { to }, at)
    }
}
