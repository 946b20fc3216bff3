//! What a user calls, and what a purchase learns of its payments and of the clock.

use super::*;

// ---- The methods: one for each action, named as in the table, on the statuses that have it. ----

impl Purchase<Initial> {
    /// Opens a purchase.
    pub fn open(id: PurchaseId, terms: Terms, at: &Stamp) -> Result<Transition<Self>, Refused<Terms>> {
        Self::opened(id, terms, at)
    }

    pub fn inquire(self, at: &Stamp) -> Result<Transition<Purchase<Inquiry>>, Refused<Self>> {
        self.take(Inquired {}, at)
    }
}

impl<S: Unpaid> Purchase<S>
where
    Self: Value<Any = AnyPurchase>,
{
    pub fn request_payment(self, at: &Stamp) -> Result<Transition<Purchase<PendingPayment>>, Refused<Self>> {
        let payin = PayinId::derived(self.id().subject(), self.head.seq() + 1, 0, at.at);
        self.take(PaymentRequested { payin }, at)
    }
}

impl Purchase<PendingPayment> {
    pub fn confirm_payment(
        self,
        payin: &Payin<Confirmed>,
        at: &Stamp,
    ) -> Result<Transition<Purchase<Purchased>>, Refused<Self>> {
        payin.collect(self, at, |purchase| purchase.take(PaymentConfirmed { paid: Paid::by(payin) }, at))
    }

    pub fn expire_payment(self, at: &Stamp) -> Result<Transition<Purchase<PaymentExpired>>, Refused<Self>> {
        self.take(PaymentExpires {}, at)
    }
}

impl Purchase<Purchased> {
    pub fn mark_delivered(self, at: &Stamp) -> Result<Transition<Purchase<Delivered>>, Refused<Self>> {
        self.take(MarkedDelivered {}, at)
    }
}

impl<S: Funded> Purchase<S>
where
    Self: Value<Any = AnyPurchase>,
{
    pub fn mark_received(self, at: &Stamp) -> Result<Transition<Purchase<Received>>, Refused<Self>> {
        self.take(MarkedReceived {}, at)
    }
}

impl Purchase<Delivered> {
    pub fn dispute(self, why: Prose, at: &Stamp) -> Result<Transition<Purchase<Disputed>>, Refused<Self>> {
        self.take(DisputeRaised { why }, at)
    }
}

impl Purchase<Disputed> {
    /// What the customer says. No other status has it.
    pub fn why(&self) -> &Prose {
        &self.state.why
    }
}

impl<S: Refundable> Purchase<S>
where
    Self: Value<Any = AnyPurchase>,
{
    pub fn cancel(self, at: &Stamp) -> Result<Transition<Purchase<Canceled>>, Refused<Self>> {
        self.take(CalledOff {}, at)
    }
}

impl Purchase<Received> {
    pub fn complete(self, at: &Stamp) -> Result<Transition<Purchase<Completed>>, Refused<Self>> {
        self.take(ReviewsOpened {}, at)
    }
}

impl<S> Purchase<S>
where
    Self: Takes<CustomerReview> + Value<Any = AnyPurchase>,
{
    pub fn review_by_customer(
        self,
        text: Prose,
        at: &Stamp,
    ) -> Result<Transition<<Self as Takes<CustomerReview>>::Next>, Refused<Self>> {
        self.take(CustomerReview { text }, at)
    }
}

impl<S> Purchase<S>
where
    Self: Takes<ProviderReview> + Value<Any = AnyPurchase>,
{
    pub fn review_by_provider(
        self,
        text: Prose,
        at: &Stamp,
    ) -> Result<Transition<<Self as Takes<ProviderReview>>::Next>, Refused<Self>> {
        self.take(ProviderReview { text }, at)
    }
}

impl<S: Reviewable> Purchase<S>
where
    Self: Value<Any = AnyPurchase>,
{
    pub fn expire_review_period(self, at: &Stamp) -> Result<Transition<Purchase<Reviewed>>, Refused<Self>> {
        self.take(ReviewsClosed {}, at)
    }
}

impl AnyPurchase {
    // What the table cannot say about an action being possible now: nothing here.
    pub(super) fn ready(&self, _: Action, _: &Stamp) -> Result<(), Reason> {
        Ok(())
    }
}

// ---- What a purchase learns of its payments, and what the clock does to it. ----

type Lesson = Result<Learned<AnyPurchase>, Refused<AnyPurchase>>;

impl Agreement for AnyPurchase {
    // Money that nobody waits for goes back by itself.
    fn wants(&self, payin: PayinId) -> bool {
        matches!(self, Self::PendingPayment(purchase) if purchase.state.payin == payin)
    }

    fn learn(self, evidence: &Evidence<'_>, at: &Stamp) -> Lesson {
        match evidence {
            Evidence::PayinConfirmed(payin) => match self {
                Self::PendingPayment(purchase) => Learned::step(purchase.confirm_payment(payin, at)),
                other => Err(Refused::wrong_status(other, Action::ConfirmPayment as usize)),
            },
            // As published: without the money the purchase waits until its time is over.
            Evidence::PayinDenied(_) | Evidence::PayinCancelled(_) => Ok(Learned::Nothing(self)),
            // Payments on their way out hold their money themselves, and `Role::PLATFORM` may replace a denied one: the
            // purchase need not wait for them. One that does would count them in a note, as face-to-face deals do.
            Evidence::PayoutConfirmed(_)
            | Evidence::PayoutDenied(_)
            | Evidence::PayoutReplaced(_)
            | Evidence::RefundConfirmed(_)
            | Evidence::RefundDenied(_)
            | Evidence::RefundReplaced(_)
            | Evidence::RefundRedirected(_)
            | Evidence::After(_) => Ok(Learned::Nothing(self)),
            // No status could hold money that came back: refused here, it stays where it is.
            Evidence::PayoutGivenBack(_) | Evidence::PayoutCancelled(_) | Evidence::RefundCancelled(_) => {
                let reason = own("no_way_back", "a purchase takes no money back: replace the payment instead");
                Err(Refused { value: self, reason })
            }
        }
    }

    // The deadline has passed: the one thing that time does in each status.
    fn due(self, at: &Stamp) -> Lesson {
        match self {
            Self::PendingPayment(purchase) => Learned::step(purchase.expire_payment(at)),
            Self::Purchased(purchase) => Learned::step(purchase.cancel(at)),
            Self::Delivered(purchase) => Learned::step(purchase.mark_received(at)),
            Self::Disputed(purchase) => Learned::step(purchase.cancel(at)),
            Self::Received(purchase) => Learned::step(purchase.complete(at)),
            Self::Completed(purchase) => Learned::step(purchase.expire_review_period(at)),
            Self::ReviewedByCustomer(purchase) => Learned::step(purchase.expire_review_period(at)),
            Self::ReviewedByProvider(purchase) => Learned::step(purchase.expire_review_period(at)),
            Self::Initial(_) | Self::Inquiry(_) | Self::PaymentExpired(_) | Self::Canceled(_) | Self::Reviewed(_) => {
                Ok(Learned::Nothing(self))
            }
        }
    }
}
