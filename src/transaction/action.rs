//! What can be done with a transaction, status by status.

use super::{
    AnyTransaction, Cancelled, Complaint, ComplaintPeriodEnded, ComplaintSubmitted, Created, Delivered, FundsReleased,
    Joined, Paid, PaymentAccepted, Refunded, Terms, Tracked, Tracking, Transaction, TransactionId, event,
    state::{Cancellable, Payable, Running},
};
use crate::{
    deal::{Award, Counted, Leaving, Lost, PayinClosed, PayinOpened, Side},
    gateway::Capture,
    lifecycle::{Reason, Refused, Transition, Value},
    party::Stamp,
    payment::{
        self, Destination, Evidence, Method, Payin, PayinId,
        payin::{self, Opened},
    },
    sca::Authentication,
    time::Timestamp,
};

impl Transaction<Created> {
    /// Opens a transaction.
    ///
    /// # Errors
    /// [`Refused`] when the price is not above zero, the seller's fees exceed it, or somebody opens it for somebody else.
    pub fn open(id: TransactionId, terms: Terms, at: &Stamp) -> Result<Transition<Self>, Refused<Terms>> {
        Self::opened(id, terms, at)
    }

    /// The other side joins.
    ///
    /// # Errors
    /// [`Refused`] when the creator asks, or another than the transaction was opened for.
    pub fn join(self, at: &Stamp) -> Result<Transition<Transaction<Joined>>, Refused<Self>> {
        self.take(event::Joined {}, at)
    }
}

impl<S: Cancellable> Transaction<S>
where
    Self: Value<Any = AnyTransaction>,
{
    /// Calls it off. What was paid goes back to the buyer by itself, all of it.
    ///
    /// # Errors
    /// [`Refused`] when this status leaves it to somebody else, or the clock comes early.
    pub fn cancel(self, at: &Stamp) -> Result<Transition<Transaction<Cancelled>>, Refused<Self>> {
        let event = self.cancellation(at);
        self.take_if(event, at)
    }
}

impl Transaction<Joined> {
    /// Opens a payin of what the buyer owes. From a wallet it is paid in the same breath.
    ///
    /// # Errors
    /// [`Refused`] when one is under way.
    pub fn open_payin(self, by: Method, at: &Stamp) -> Result<Transition<AnyTransaction>, Refused<Self>> {
        let opened = self.payin_terms(by, at).and_then(|(id, terms)| Ok((id, payin::open(id, terms, at)?)));
        match opened {
            Ok((payin, Opened::Waits(opened))) => Ok(self.take(PayinOpened { payin }, at)?.and(opened).widen()),
            Ok((payin, Opened::Paid(confirmed))) => {
                let opened = self.take(PayinOpened { payin }, at)?;
                let paid = opened.then(|deal| deal.pay(confirmed.value(), &Stamp::gateway(at.at)));
                Ok(paid.expect("a payin opened for this transaction pays exactly what is due").after(confirmed).widen())
            }
            Err(reason) => Err(Refused { value: self, reason }),
        }
    }

    /// The payment is there: needs the confirmed payin, whose money the transaction takes in the same unit.
    ///
    /// # Errors
    /// [`Refused`] when the payin is another's, or of another amount.
    pub fn pay(
        self,
        payin: &Payin<payin::Confirmed>,
        at: &Stamp,
    ) -> Result<Transition<Transaction<Paid>>, Refused<Self>> {
        payin.collect(self, at, |deal| deal.take(event::Paid { paid: payment::Paid::by(payin) }, at))
    }

    /// No money comes of the payin under way.
    ///
    /// # Errors
    /// [`Refused`] when the payin is another's.
    pub fn drop_payin(self, payin: Lost<'_>, at: &Stamp) -> Result<Transition<Self>, Refused<Self>> {
        self.take(PayinClosed { payin: payin.payin() }, at)
    }

    fn payin_terms(&self, method: Method, at: &Stamp) -> Result<(PayinId, payin::Terms), Reason> {
        let facts = self.facts();
        let payer = facts.sides.known(Side::Buyer)?.clone();
        let about = self.id().subject();
        let id = PayinId::derived(about, self.head.seq() + 1, 0, at.at);
        let expires = facts.terms.policy.payment.map(|period| period.after(at.at));
        let (amount, gateway, capture) = (facts.terms.pricing.owed()?, facts.terms.gateway.clone(), Capture::Now);
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
}

impl Transaction<Paid> {
    /// The seller accepts. The tracking window begins.
    ///
    /// # Errors
    /// [`Refused`] when somebody else than the seller asks.
    pub fn accept_payment(self, at: &Stamp) -> Result<Transition<Transaction<PaymentAccepted>>, Refused<Self>> {
        self.take(event::PaymentAccepted {}, at)
    }
}

impl Transaction<PaymentAccepted> {
    /// The seller gives a tracking number.
    ///
    /// # Errors
    /// [`Refused`] when somebody else than the seller asks.
    pub fn track(self, tracking: Tracking, at: &Stamp) -> Result<Transition<Transaction<Tracked>>, Refused<Self>> {
        self.take(event::Tracked { tracking }, at)
    }

    /// One side says that the goods changed hands: its own status, and the complaint period begins.
    ///
    /// # Errors
    /// [`Refused`] when a stranger asks.
    pub fn confirm_handover(self, at: &Stamp) -> Result<Transition<AnyTransaction>, Refused<Self>> {
        // Whoever is on no side is told so by the table.
        let by = self.facts().sides.side_of(&at.by).unwrap_or(Side::Buyer);
        self.take(event::HandoverConfirmed { by }, at)
    }

    /// The buyer gives the seller more time.
    ///
    /// # Errors
    /// [`Refused`] when the time is over, or would not become longer.
    pub fn extend_tracking(self, until: Timestamp, at: &Stamp) -> Result<Transition<Self>, Refused<Self>> {
        self.take(event::TrackingExtended { until }, at)
    }
}

impl Transaction<Tracked> {
    /// The goods arrived. The complaint period begins.
    ///
    /// # Errors
    /// [`Refused`] when somebody else than the seller or the platform asks.
    pub fn deliver(self, at: &Stamp) -> Result<Transition<Transaction<Delivered>>, Refused<Self>> {
        self.take(event::Delivered {}, at)
    }
}

impl<S: Running> Transaction<S>
where
    Self: Value<Any = AnyTransaction>,
{
    /// The buyer is not content.
    ///
    /// # Errors
    /// [`Refused`] when the complaint period is over.
    pub fn complain(
        self,
        complaint: Complaint,
        at: &Stamp,
    ) -> Result<Transition<Transaction<ComplaintSubmitted>>, Refused<Self>> {
        self.take(event::Complained { complaint }, at)
    }

    /// The complaint period is over, or the buyer waives the rest of it: the payouts are opened.
    ///
    /// # Errors
    /// [`Refused`] when the clock comes early.
    pub fn end_complaint_period(
        self,
        at: &Stamp,
    ) -> Result<Transition<Transaction<ComplaintPeriodEnded>>, Refused<Self>> {
        let event = self.settlement(at);
        self.take_if(event, at)
    }
}

impl Transaction<ComplaintPeriodEnded> {
    /// The money went where it was due: every payout was counted as confirmed.
    ///
    /// # Errors
    /// [`Refused`] while one is not.
    pub fn release(self, at: &Stamp) -> Result<Transition<Transaction<FundsReleased>>, Refused<Self>> {
        self.take(event::FundsReleased {}, at)
    }
}

impl Transaction<ComplaintSubmitted> {
    /// The arbiter decides: so much to the buyer, so much to the seller. Opens the refund and the payout.
    ///
    /// # Errors
    /// [`Refused`] when the amounts do not add up to all that is held, or there is an award already.
    pub fn award(self, award: Award, at: &Stamp) -> Result<Transition<Self>, Refused<Self>> {
        let event = self.awarding(award, at);
        self.take_if(event, at)
    }

    /// An award that leaves the seller something reached both sides.
    ///
    /// # Errors
    /// [`Refused`] while a payment is not confirmed, or when the buyer gets everything.
    pub fn settle_complaint(self, at: &Stamp) -> Result<Transition<Transaction<FundsReleased>>, Refused<Self>> {
        self.take(event::ComplaintSettled {}, at)
    }

    /// An award of everything to the buyer reached the buyer.
    ///
    /// # Errors
    /// [`Refused`] while the refund is not confirmed, or when the seller gets something.
    pub fn refund(self, at: &Stamp) -> Result<Transition<Transaction<Refunded>>, Refused<Self>> {
        self.take(event::Refunded {}, at)
    }
}

impl Transaction<Cancelled> {
    /// The buyer has the money back: every refund was counted as confirmed.
    ///
    /// # Errors
    /// [`Refused`] while one is not, or when nothing was paid.
    pub fn refund(self, at: &Stamp) -> Result<Transition<Transaction<Refunded>>, Refused<Self>> {
        self.take(event::Refunded {}, at)
    }
}

impl<S: Leaving> Transaction<S>
where
    Self: Value<Any = AnyTransaction>,
{
    /// Takes to the transaction's knowledge what became of a payout or refund.
    ///
    /// # Errors
    /// [`Refused`] when it is another's, or was counted before.
    pub fn count(self, evidence: &Evidence<'_>, at: &Stamp) -> Result<Transition<Self>, Refused<Self>> {
        let event = Counted::by(evidence);
        self.take_if(event, at)
    }
}

impl<S: Payable> Transaction<S>
where
    Self: Value<Any = AnyTransaction>,
{
    /// Says where the seller is paid.
    ///
    /// # Errors
    /// [`Refused`] when somebody else than the seller or the platform asks.
    pub fn set_payout(self, to: Destination, at: &Stamp) -> Result<Transition<Self>, Refused<Self>> {
        self.take(event::PayoutSet { to }, at)
    }
}
