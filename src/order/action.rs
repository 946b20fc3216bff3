//! What can be done with an order, status by status.

use super::{
    Accepted, Amendment, AnyOrder, BlockedRelease, Cancelled, Draft, Failure, Order, OrderId, Paid, PayoutPlan,
    PendingPublish, PendingRelease, PendingValidate, Published, Rejected, Released, Terms,
    event::{self, News},
    starting::Amendable,
    state::{Blockable, Cancellable, Funded},
};
use crate::{
    gateway::Capture,
    lifecycle::{Reason, Refused, Transition, Value},
    money::Money,
    party::{PartyId, Stamp},
    payment::{
        Destination, Method, Payin, PayinId, Payout, Refund, payin,
        payout::{self, Went},
        refund,
    },
    text::Prose,
};

/// Why a release is stopped.
#[derive(Debug)]
pub enum Blocking<'e> {
    /// An operator stops it, for a reason.
    Operator(Prose),
    /// A payout was denied.
    Denied(&'e Payout<payout::Denied>),
}

/// What became of a payout of an order that is being released.
#[derive(Debug)]
pub enum PayoutNews<'e> {
    /// The payee has the money.
    Confirmed(&'e Payout<payout::Confirmed>),
    /// The gateway declined.
    Denied(&'e Payout<payout::Denied>),
    /// Its money went on to another payout.
    Replaced(&'e Payout<payout::Denied>),
}

/// A payout that gave its money back to the order.
#[derive(Debug)]
pub enum PayoutBack<'e> {
    /// After a denial.
    GivenBack(&'e Payout<payout::Denied>),
    /// Before the gateway was asked.
    Cancelled(&'e Payout<payout::Cancelled>),
}

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
        let (about, gateway) = (self.id().subject(), Stamp::gateway(at.at));
        let payin = Payin::open_from_wallet(id, terms, at)
            .and_then(|paid| paid.then(|payin| payin.hand_over(about, &gateway)).map_err(|_| unreachable!()));
        let payin = match payin {
            Ok(payin) => payin,
            Err(refused) => return Err(Refused { value: self, reason: refused.reason }),
        };
        let opened = self.take(event::PayinOpened { payin: id }, at)?;
        let published = opened.then(|order| order.publish(payin.value(), &gateway));
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
        let paid = Paid { payin: payin.id(), route: payin.facts().route() };
        let (about, amount) = (self.id().subject(), payin.facts().amount);
        let collected = match payin.collected_by(about, at) {
            Ok(collected) => collected,
            Err(reason) => return Err(Refused { value: self, reason }),
        };
        let published = self.take(event::Published { paid, amount }, at)?;
        Ok(published.after_all(collected))
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
    pub(super) fn pay_as_told(self, by: Method, at: &Stamp) -> Result<Transition<AnyOrder>, Refused<Self>> {
        match by {
            Method::Card | Method::BankWire { .. } => self.pay(by, at).map(Transition::widen),
            Method::Wallet => self.pay_from_wallet(at).map(Transition::widen),
        }
    }

    fn pay_with(self, method: Method, capture: Capture, at: &Stamp) -> Result<Transition<Self>, Refused<Self>> {
        if method == Method::Wallet {
            return Err(Refused {
                value: self,
                reason: Reason::Missing { what: "a gateway: see `pay_from_wallet`; it" },
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
        Ok((id, payin::Terms { about, payer, amount, method, capture, gateway, expires: None }))
    }
}

impl Order<Failure> {
    /// The buyer tries again.
    ///
    /// # Errors
    /// [`Refused`] when no attempts are left.
    pub fn retry(self, at: &Stamp) -> Result<Transition<Order<PendingPublish>>, Refused<Self>> {
        self.take(event::Retried {}, at)
    }
}

impl Order<Published> {
    /// The seller accepts; payout details follow.
    ///
    /// # Errors
    /// [`Refused`] when somebody else than the seller asks.
    pub fn accept(self, at: &Stamp) -> Result<Transition<Order<Accepted>>, Refused<Self>> {
        self.take(event::Accepted {}, at)
    }

    /// The seller accepts with the payout details at hand: straight on to the validation, in one commit.
    ///
    /// # Errors
    /// [`Refused`] when somebody else than the seller asks, or the shares do not add up.
    pub fn accept_with(
        self,
        plan: PayoutPlan,
        at: &Stamp,
    ) -> Result<Transition<Order<PendingValidate>>, Refused<Self>> {
        if let Err(reason) = self.planned(&plan) {
            return Err(Refused { value: self, reason });
        }
        let planned = self.accept(at)?.then(|order| order.set_payout(plan, at));
        Ok(planned.expect("the seller may set a plan that adds up"))
    }

    /// The seller refuses: a refund of all of it is opened, which waits for an operator's approval.
    ///
    /// # Errors
    /// [`Refused`] when somebody else than the seller asks.
    pub fn reject(self, at: &Stamp) -> Result<Transition<Order<Rejected>>, Refused<Self>> {
        let refund = self.next_refund(at);
        self.take(event::Rejected { refund }, at)
    }

    // The command's form.
    pub(super) fn accept_as_told(
        self,
        payout: Option<PayoutPlan>,
        at: &Stamp,
    ) -> Result<Transition<AnyOrder>, Refused<Self>> {
        match payout {
            Some(plan) => self.accept_with(plan, at).map(Transition::widen),
            None => self.accept(at).map(Transition::widen),
        }
    }
}

impl Order<Accepted> {
    /// Says who is paid, how much, and where to.
    ///
    /// # Errors
    /// [`Refused`] when the shares do not add up.
    pub fn set_payout(self, plan: PayoutPlan, at: &Stamp) -> Result<Transition<Order<PendingValidate>>, Refused<Self>> {
        self.take(event::PayoutSet { plan }, at)
    }
}

impl Order<PendingValidate> {
    /// The platform's word that the money may go: the fee is booked and the payouts are opened.
    ///
    /// # Errors
    /// [`Refused`] when somebody else than the platform asks.
    pub fn validate(self, at: &Stamp) -> Result<Transition<Order<PendingRelease>>, Refused<Self>> {
        match self.settlement(at) {
            Ok(event) => self.take(event, at),
            Err(reason) => Err(Refused { value: self, reason }),
        }
    }
}

impl Order<PendingRelease> {
    /// All payees are paid: needs the confirmation of every payout that was not counted yet.
    ///
    /// # Errors
    /// [`Refused`] when one is missing, or is another's.
    pub fn release(
        self,
        payouts: &[&Payout<payout::Confirmed>],
        at: &Stamp,
    ) -> Result<Transition<Order<Released>>, Refused<Self>> {
        let payouts = payouts.iter().map(|payout| payout.id()).collect();
        self.take(event::Released { payouts }, at)
    }

    /// A denied payout stops the release.
    ///
    /// # Errors
    /// [`Refused`] when the payout is another's.
    pub fn block(
        self,
        payout: &Payout<payout::Denied>,
        at: &Stamp,
    ) -> Result<Transition<Order<BlockedRelease>>, Refused<Self>> {
        let reason = payout.state().reason().clone();
        self.take(event::Blocked { reason, payout: Some(payout.id()) }, at)
    }

    /// Takes to the order's knowledge what became of a payout.
    ///
    /// # Errors
    /// [`Refused`] when it is another's, was counted before, or has to block the release.
    pub fn count_payout(self, payout: PayoutNews<'_>, at: &Stamp) -> Result<Transition<Self>, Refused<Self>> {
        self.take(payout.counted(), at)
    }

    // The command's form.
    pub(super) fn block_because(
        self,
        why: Blocking<'_>,
        at: &Stamp,
    ) -> Result<Transition<Order<BlockedRelease>>, Refused<Self>> {
        match why {
            Blocking::Denied(payout) => self.block(payout, at),
            Blocking::Operator(_) => Err(Refused { value: self, reason: Reason::Missing { what: "a denied payout" } }),
        }
    }
}

impl<S: Blockable> Order<S>
where
    Self: Value<Any = AnyOrder>,
{
    /// An operator stops the release, for a reason.
    ///
    /// # Errors
    /// [`Refused`] when somebody else than the platform asks.
    pub fn block(self, reason: Prose, at: &Stamp) -> Result<Transition<Order<BlockedRelease>>, Refused<Self>> {
        self.take(event::Blocked { reason, payout: None }, at)
    }

    /// Opens a refund of some of the money by hand, in minor units. It waits for an operator's approval.
    ///
    /// # Errors
    /// [`Refused`] when what stays would not cover the fee.
    pub fn refund_part(self, amount: Money, at: &Stamp) -> Result<Transition<Self>, Refused<Self>> {
        let refund = self.next_refund(at);
        self.take(event::PartRefunded { refund, amount }, at)
    }

    /// A refund that was opened by hand was called off, and its money is back.
    ///
    /// # Errors
    /// [`Refused`] when it is another's.
    pub fn take_back_refund(
        self,
        refund: &Refund<refund::Cancelled>,
        at: &Stamp,
    ) -> Result<Transition<Self>, Refused<Self>> {
        let (expected, found) = (self.id().subject(), refund.facts().source);
        if expected != found {
            return Err(Refused { value: self, reason: Reason::WrongSubject { expected, found } });
        }
        self.take(event::RefundTakenBack { refund: refund.id(), amount: refund.facts().amount }, at)
    }

    // The command's form.
    pub(super) fn block_because(
        self,
        why: Blocking<'_>,
        at: &Stamp,
    ) -> Result<Transition<Order<BlockedRelease>>, Refused<Self>> {
        match why {
            Blocking::Operator(reason) => self.block(reason, at),
            Blocking::Denied(_) => {
                Err(Refused { value: self, reason: Reason::Missing { what: "an operator's reason" } })
            }
        }
    }
}

impl<S: Funded> Order<S> {
    /// The payin that paid for it.
    #[must_use]
    pub fn payin(&self) -> PayinId {
        self.state.paid().payin
    }
}

impl<S: Cancellable> Order<S>
where
    Self: Value<Any = AnyOrder>,
{
    /// Calls the order off. What was paid goes back by itself.
    ///
    /// # Errors
    /// [`Refused`] when this status leaves it to somebody else, or payouts are still out.
    pub fn cancel(self, at: &Stamp) -> Result<Transition<Order<Cancelled>>, Refused<Self>> {
        let refund = self.state.paid().map(|_| self.next_refund(at));
        self.take(event::Cancelled { refund }, at)
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

impl Order<BlockedRelease> {
    /// Lets the release go on, in the status it was blocked in.
    ///
    /// # Errors
    /// [`Refused`] while a denied payout has no new one in its place.
    pub fn unblock(self, at: &Stamp) -> Result<Transition<AnyOrder>, Refused<Self>> {
        self.take(event::Unblocked {}, at)
    }

    /// Takes to the order's knowledge what became of a payout.
    ///
    /// # Errors
    /// [`Refused`] when it is another's, or was counted before.
    pub fn count_payout(self, payout: PayoutNews<'_>, at: &Stamp) -> Result<Transition<Self>, Refused<Self>> {
        self.take(payout.counted(), at)
    }

    /// A payout gave its money back.
    ///
    /// # Errors
    /// [`Refused`] when it is another's, or was counted before.
    pub fn take_back_payout(self, payout: PayoutBack<'_>, at: &Stamp) -> Result<Transition<Self>, Refused<Self>> {
        let (payout, amount) = match payout {
            PayoutBack::GivenBack(payout) if payout.state().went() == Some(&Went::Back) => {
                (payout.id(), payout.facts().amount)
            }
            PayoutBack::Cancelled(payout) => (payout.id(), payout.facts().amount),
            PayoutBack::GivenBack(_) => {
                return Err(Refused {
                    value: self,
                    reason: Reason::Missing { what: "a payout that gave its money back" },
                });
            }
        };
        self.take(event::PayoutTakenBack { payout, amount }, at)
    }
}

impl PayoutNews<'_> {
    fn counted(&self) -> event::PayoutCounted {
        match self {
            Self::Confirmed(payout) => event::PayoutCounted { payout: payout.id(), news: News::Confirmed },
            Self::Denied(payout) => event::PayoutCounted { payout: payout.id(), news: News::Denied },
            Self::Replaced(payout) => {
                let news = match payout.state().went() {
                    Some(Went::On { payout, to }) => {
                        News::Replaced { by: *payout, settled: *to == Destination::Wallet }
                    }
                    Some(Went::Back) | None => News::Denied,
                };
                event::PayoutCounted { payout: payout.id(), news }
            }
        }
    }
}
