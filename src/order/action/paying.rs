//! From the draft to the payment: what can be done with an order.

use crate::{
    gateway::Capture,
    lifecycle::{Reason, Refused, Transition, Value},
    order::{
        Amendment, AnyOrder, Draft, Failure, Order, OrderId, PendingPublish, Published, Terms, event, step::Amendable,
    },
    party::{PartyId, Stamp},
    payment::{
        Method, Paid, Payin, PayinId,
        payin::{self, Opened},
    },
    sca::Authentication,
};

impl Order<Draft> {
    /// Opens an order.
    ///
    /// # Errors
    /// [`Refused`] when the amount is not above zero, both sides are the same, or the fee cannot be charged.
    pub fn open(id: OrderId, terms: Terms, at: &Stamp) -> Result<Transition<Self>, Refused<Terms>> {
        Self::opened(id, terms, at)
    }

    /// Says who pays.
    ///
    /// # Errors
    /// [`Refused`] when that is the seller, or another than the order was opened for.
    pub fn identify_buyer(
        self,
        buyer: PartyId,
        at: &Stamp,
    ) -> Result<Transition<Order<PendingPublish>>, Refused<Self>> {
        self.take(event::BuyerIdentified { buyer }, at)
    }
}

impl Order<PendingPublish> {
    /// Opens a payin by card or bank wire: the gateway is asked once the transition is saved.
    ///
    /// # Errors
    /// [`Refused`] when one is under way, no attempts are left, or the method is a wallet.
    pub fn pay(self, by: Method, at: &Stamp) -> Result<Transition<Self>, Refused<Self>> {
        self.pay_with(by, Capture::Now, at)
    }

    /// Opens a payin by card that only reserves the amount, to be captured or let go later.
    ///
    /// # Errors
    /// [`Refused`] when one is under way, or no attempts are left.
    pub fn reserve(self, at: &Stamp) -> Result<Transition<Self>, Refused<Self>> {
        self.pay_with(Method::Card, Capture::Later, at)
    }

    /// Pays from the buyer's wallet: no gateway, and published at once.
    ///
    /// # Errors
    /// [`Refused`] when another payin is under way, or no attempts are left. Saving it fails with
    /// [`Failure::Overdrawn`](crate::lifecycle::Failure::Overdrawn) when the wallet does not hold enough.
    pub fn pay_from_wallet(self, at: &Stamp) -> Result<Transition<Order<Published>>, Refused<Self>> {
        let (id, terms) = match self.payin_terms(Method::Wallet, Capture::Now, at) {
            Ok(next) => next,
            Err(reason) => return Err(Refused { value: self, reason }),
        };
        let payin = match payin::open(id, terms, at) {
            Ok(Opened::Paid(payin)) => payin,
            Ok(Opened::Waits(_)) => unreachable!("a wallet pays at once"),
            Err(reason) => return Err(Refused { value: self, reason }),
        };
        let opened = self.take(event::PayinOpened { payin: id }, at)?;
        let published = opened.then(|order| order.publish(payin.value(), &Stamp::gateway(at.at)));
        let published = published.expect("a payin that was opened for this order pays exactly what it costs");
        Ok(published.after(payin))
    }

    /// The payment is there: needs the confirmed payin, whose money the order takes in the same unit.
    ///
    /// # Errors
    /// [`Refused`] when the payin is another's, or of another amount.
    pub fn publish(
        self,
        payin: &Payin<payin::Confirmed>,
        at: &Stamp,
    ) -> Result<Transition<Order<Published>>, Refused<Self>> {
        payin.collect(self, at, |order| order.take(event::Published { paid: Paid::by(payin) }, at))
    }

    /// The payment failed: needs the denied payin.
    ///
    /// # Errors
    /// [`Refused`] when the payin is another's.
    pub fn fail(self, payin: &Payin<payin::Denied>, at: &Stamp) -> Result<Transition<Order<Failure>>, Refused<Self>> {
        self.take(event::Failed { payin: payin.id(), reason: payin.state().reason().clone() }, at)
    }

    /// The payin under way was called off or ran out of time.
    ///
    /// # Errors
    /// [`Refused`] when the payin is another's.
    pub fn drop_payin(self, payin: &Payin<payin::Cancelled>, at: &Stamp) -> Result<Transition<Self>, Refused<Self>> {
        self.take(event::PayinDropped { payin: payin.id() }, at)
    }

    // The command's form: whatever the method, the value of whichever status it leads to.
    pub(in crate::order) fn pay_as_told(self, by: Method, at: &Stamp) -> Result<Transition<AnyOrder>, Refused<Self>> {
        match by {
            Method::Card | Method::BankWire { .. } => self.pay(by, at).map(Transition::widen),
            Method::Wallet => self.pay_from_wallet(at).map(Transition::widen),
        }
    }

    fn pay_with(self, method: Method, capture: Capture, at: &Stamp) -> Result<Transition<Self>, Refused<Self>> {
        if method == Method::Wallet {
            return Err(Refused {
                value: self,
                reason: Reason::NotThisWay { instead: "a wallet pays at once: see `pay_from_wallet`" },
            });
        }
        let opened = self.payin_terms(method, capture, at).and_then(|(id, terms)| {
            Payin::open(id, terms, at).map(|payin| (id, payin)).map_err(|refused| refused.reason)
        });
        match opened {
            Ok((payin, opened)) => Ok(self.take(event::PayinOpened { payin }, at)?.and(opened)),
            Err(reason) => Err(Refused { value: self, reason }),
        }
    }

    fn payin_terms(&self, method: Method, capture: Capture, at: &Stamp) -> Result<(PayinId, payin::Terms), Reason> {
        let terms = &self.facts().terms;
        let payer = terms.buyer.clone().ok_or(Reason::Missing { what: "the buyer" })?;
        let about = self.id().subject();
        let id = PayinId::derived(about, self.head.seq() + 1, 0, at.at);
        let (amount, gateway) = (terms.amount, terms.gateway.clone());
        Ok((
            id,
            payin::Terms {
                about,
                payer,
                amount,
                method,
                capture,
                gateway,
                expires: None,
                authentication: Authentication::ByGateway,
            },
        ))
    }
}

impl Order<PendingPublish> {
    /// Whether it can no longer be paid: the last payin that it may have was called off or ran out of time. It can only be
    /// called off, as its movement is where it is part of one.
    #[must_use]
    pub fn is_spent(&self) -> bool {
        self.state.payin.is_none() && self.facts().attempts_left().is_err()
    }
}

impl Order<Failure> {
    /// Whether the buyer may try again.
    #[must_use]
    pub fn has_tries_left(&self) -> bool {
        self.facts().attempts_left().is_ok()
    }

    /// The buyer tries again.
    ///
    /// # Errors
    /// [`Refused`] when no attempts are left.
    pub fn retry(self, at: &Stamp) -> Result<Transition<Order<PendingPublish>>, Refused<Self>> {
        self.take(event::Retried {}, at)
    }
}

impl<S: Amendable> Order<S>
where
    Self: Value<Any = AnyOrder>,
{
    /// Changes what is known of the order. After payment only its metadata and its fee may change.
    ///
    /// # Errors
    /// [`Refused`] when something else was to change, or the fee cannot be charged.
    pub fn amend(self, changes: Amendment, at: &Stamp) -> Result<Transition<Self>, Refused<Self>> {
        self.take(event::Amended { changes }, at)
    }
}
