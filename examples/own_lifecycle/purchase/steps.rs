//! The events of a purchase, and what each demands and makes. The same live and in replay.

use super::*;

// ---- The events: what is stored. One for each action of the table. ----

macro_rules! events {
    ($($name:ident { $($field:ident: $type:ty)? })+) => { $(
        #[derive(Debug, Clone, Serialize, Deserialize)]
        pub struct $name {
            $(pub(super) $field: $type)?
        }
    )+ };
}

events! {
    Inquired {}
    PaymentRequested { payin: PayinId }
    PaymentConfirmed { paid: Paid }
    PaymentExpires {}
    MarkedDelivered {}
    MarkedReceived {}
    DisputeRaised { why: Prose }
    CalledOff {}
    ReviewsOpened {}
    CustomerReview { text: Prose }
    ProviderReview { text: Prose }
    ReviewsClosed {}
}

// ---- The steps: what each event demands of a status, and what it makes of it. The same live and in replay. ----
//
// `check` sees everything and changes nothing but the effects: entries, and payments that it opens. `make` has nothing
// left to refuse. Who may do it, and what has to become of the money, is in the table and checked before.

impl<S> Purchase<S> {
    // Sets when the clock acts. Each step of the table has cleared it before `make` is called.
    pub(super) fn due(mut self, at: Timestamp) -> Self {
        self.head.deadline = Some(at);
        self
    }

    // All review periods end 7 days after it was received, whatever came in between.
    fn due_for_reviews(self) -> Self {
        let received = self.history().by_key(Status::Received).expect("only what was received is reviewed");
        self.due(TO_REVIEW.after(received))
    }
}

impl Takes<Inquired> for Purchase<Initial> {
    type Next = Purchase<Inquiry>;
    fn make(self, _: Inquired, _: &Stamp) -> Purchase<Inquiry> {
        self.enter(Inquiry {})
    }
}

impl<S: Unpaid> Takes<PaymentRequested> for Purchase<S>
where
    Self: Value<Any = AnyPurchase>,
{
    type Next = Purchase<PendingPayment>;
    // The payin is opened in the same commit. It ends when the time to pay does.
    fn check(&self, event: &PaymentRequested, step: &mut Effects<'_>) -> Result<(), Reason> {
        let (terms, at) = (&self.facts().terms, step.stamp());
        let terms = payin::Terms {
            about: step.subject(),
            payer: terms.customer.clone(),
            amount: terms.price,
            method: Method::Card,
            capture: Capture::Now,
            gateway: terms.gateway.clone(),
            expires: Some(TO_PAY.after(at.at)),
            authentication: Default::default(),
        };
        step.open(Payin::open(event.payin, terms, at).map_err(|refused| refused.reason)?);
        Ok(())
    }
    fn make(self, event: PaymentRequested, at: &Stamp) -> Purchase<PendingPayment> {
        self.due(TO_PAY.after(at.at)).enter(PendingPayment { payin: event.payin })
    }
}

impl Takes<PaymentConfirmed> for Purchase<PendingPayment> {
    type Next = Purchase<Purchased>;
    // The payin books the entry that hands its money over; the purchase counts it.
    fn check(&self, event: &PaymentConfirmed, step: &mut Effects<'_>) -> Result<(), Reason> {
        let (expected, found) = (self.state.payin.subject(), event.paid.payin.subject());
        if expected != found {
            return Err(Reason::WrongSubject { expected, found });
        }
        let (expected, found) = (self.facts().terms.price, event.paid.amount);
        if expected != found {
            return Err(Reason::WrongAmount { expected, found });
        }
        step.count_in(found)
    }
    fn make(self, event: PaymentConfirmed, at: &Stamp) -> Purchase<Purchased> {
        self.due(TO_DELIVER.after(at.at)).enter(Purchased { paid: event.paid })
    }
}

impl Takes<PaymentExpires> for Purchase<PendingPayment> {
    type Next = Purchase<PaymentExpired>;
    fn make(self, _: PaymentExpires, _: &Stamp) -> Purchase<PaymentExpired> {
        self.enter(PaymentExpired {})
    }
}

impl Takes<MarkedDelivered> for Purchase<Purchased> {
    type Next = Purchase<Delivered>;
    fn make(self, _: MarkedDelivered, at: &Stamp) -> Purchase<Delivered> {
        let paid = self.state.paid.clone();
        self.due(TO_RECEIVE.after(at.at)).enter(Delivered { paid })
    }
}

impl<S: Funded> Takes<MarkedReceived> for Purchase<S>
where
    Self: Value<Any = AnyPurchase>,
{
    type Next = Purchase<Received>;
    // The commission goes to the marketplace, the rest into a payout, which has a lifecycle of its own.
    fn check(&self, _: &MarkedReceived, step: &mut Effects<'_>) -> Result<(), Reason> {
        let terms = &self.facts().terms;
        if terms.commission.is_positive() {
            step.pay(Account::Wallet(terms.marketplace.clone()), terms.commission, Purpose::Fee)?;
        }
        let part = (terms.provider.clone(), step.held(), Way::Payout(Destination::Wallet));
        Outgoing::plan(step.subject(), step.seq(), step.stamp().at, [part]).open(&terms.gateway, step)
    }
    // The reviews open at once, by the clock: the deadline is now.
    fn make(self, _: MarkedReceived, at: &Stamp) -> Purchase<Received> {
        self.due(at.at).enter(Received {})
    }
}

impl Takes<DisputeRaised> for Purchase<Delivered> {
    type Next = Purchase<Disputed>;
    fn make(self, event: DisputeRaised, at: &Stamp) -> Purchase<Disputed> {
        let paid = self.state.paid.clone();
        self.due(TO_SETTLE_A_DISPUTE.after(at.at)).enter(Disputed { paid, why: event.why })
    }
}

impl<S: Refundable> Takes<CalledOff> for Purchase<S>
where
    Self: Value<Any = AnyPurchase>,
{
    type Next = Purchase<Canceled>;
    // All of it goes back the way it came, by a refund, which has a lifecycle of its own.
    fn check(&self, _: &CalledOff, step: &mut Effects<'_>) -> Result<(), Reason> {
        let (terms, paid) = (&self.facts().terms, self.state.paid());
        let way = Way::Refund { payin: paid.payin, route: paid.route.clone() };
        let part = (terms.customer.clone(), step.held(), way);
        Outgoing::plan(step.subject(), step.seq(), step.stamp().at, [part]).open(&terms.gateway, step)
    }
    fn make(self, _: CalledOff, _: &Stamp) -> Purchase<Canceled> {
        self.enter(Canceled {})
    }
}

impl Takes<ReviewsOpened> for Purchase<Received> {
    type Next = Purchase<Completed>;
    fn make(self, _: ReviewsOpened, _: &Stamp) -> Purchase<Completed> {
        self.due_for_reviews().enter(Completed {})
    }
}

impl Takes<CustomerReview> for Purchase<Completed> {
    type Next = Purchase<ReviewedByCustomer>;
    fn make(mut self, event: CustomerReview, _: &Stamp) -> Purchase<ReviewedByCustomer> {
        self.head.facts.by_customer = Some(event.text);
        self.due_for_reviews().enter(ReviewedByCustomer {})
    }
}

impl Takes<CustomerReview> for Purchase<ReviewedByProvider> {
    type Next = Purchase<Reviewed>;
    fn make(mut self, event: CustomerReview, _: &Stamp) -> Purchase<Reviewed> {
        self.head.facts.by_customer = Some(event.text);
        self.enter(Reviewed {})
    }
}

impl Takes<ProviderReview> for Purchase<Completed> {
    type Next = Purchase<ReviewedByProvider>;
    fn make(mut self, event: ProviderReview, _: &Stamp) -> Purchase<ReviewedByProvider> {
        self.head.facts.by_provider = Some(event.text);
        self.due_for_reviews().enter(ReviewedByProvider {})
    }
}

impl Takes<ProviderReview> for Purchase<ReviewedByCustomer> {
    type Next = Purchase<Reviewed>;
    fn make(mut self, event: ProviderReview, _: &Stamp) -> Purchase<Reviewed> {
        self.head.facts.by_provider = Some(event.text);
        self.enter(Reviewed {})
    }
}

impl<S: Reviewable> Takes<ReviewsClosed> for Purchase<S>
where
    Self: Value<Any = AnyPurchase>,
{
    type Next = Purchase<Reviewed>;
    fn make(self, _: ReviewsClosed, _: &Stamp) -> Purchase<Reviewed> {
        self.enter(Reviewed {})
    }
}
