//! What each event of a transaction demands, and what it makes of it. The same live and in replay.

use super::{
    AnyTransaction, BuyerHandoverConfirmed, Cancelled, ComplaintPeriodEnded, ComplaintSubmitted, Created, Delivered,
    FundsReleased, Joined, Paid, PaymentAccepted, Person, Refunded, SellerHandoverConfirmed, Status, Tracked,
    Transaction, event,
    state::{Cancellable, Payable, Running},
};
use crate::{
    deal::{ComplaintPeriod, Counted, Leaving, PayinClosed, PayinOpened, Side, later},
    ledger::{Account, Purpose},
    lifecycle::{Effects, Reason, Takes, Value},
    party::{Actor, Stamp},
    payment::{Destination, Outgoing, Way},
    time::Timestamp,
};

impl Takes<event::Joined> for Transaction<Created> {
    type Next = Transaction<Joined>;
    fn make(mut self, _: event::Joined, at: &Stamp) -> Transaction<Joined> {
        let facts = &mut self.head.facts;
        facts.sides.join(&at.by);
        let open = match facts.sides.creator.other() {
            Side::Buyer => &mut facts.terms.buyer,
            Side::Seller => &mut facts.terms.seller,
        };
        if let (None, Actor::Party(who)) = (&open, &at.by) {
            *open = Some(Person::user(who.clone()));
        }
        self.enter(Joined {})
    }
}

impl<S: Cancellable> Transaction<S> {
    // What a cancellation at this time gives back: all that is held. Computed anew in replay and compared.
    pub(super) fn cancellation(&self, at: &Stamp) -> Result<event::Cancelled, Reason> {
        if !S::PAID {
            return Ok(event::Cancelled { refund: None });
        }
        let buyer = self.facts().sides.known(Side::Buyer)?;
        let parts = self.facts().till.back(buyer, self.held());
        let refund = Outgoing::plan(self.id().subject(), self.head.seq() + 1, at.at, parts);
        Ok(event::Cancelled { refund: Some(refund) })
    }
}

impl<S: Cancellable> Takes<event::Cancelled> for Transaction<S>
where
    Self: Value<Any = AnyTransaction>,
{
    type Next = Transaction<Cancelled>;
    fn check(&self, event: &event::Cancelled, step: &mut Effects<'_>) -> Result<(), Reason> {
        if *event != self.cancellation(step.stamp())? {
            return Err(Reason::Unlike { what: "what goes back to the buyer" });
        }
        event.refund.as_ref().map_or(Ok(()), |refund| refund.open(&self.facts().terms.gateway, step))
    }
    fn make(self, event: event::Cancelled, _: &Stamp) -> Transaction<Cancelled> {
        self.enter(Cancelled { refund: event.refund })
    }
}

impl Takes<PayinOpened> for Transaction<Joined> {
    type Next = Self;
    fn check(&self, _: &PayinOpened, _: &mut Effects<'_>) -> Result<(), Reason> {
        self.facts().till.is_free()
    }
    fn make(mut self, event: PayinOpened, _: &Stamp) -> Self {
        self.head.facts.till.open(event.payin);
        self
    }
}

impl Takes<PayinClosed> for Transaction<Joined> {
    type Next = Self;
    fn check(&self, event: &PayinClosed, _: &mut Effects<'_>) -> Result<(), Reason> {
        self.facts().till.awaits(event.payin)
    }
    fn make(mut self, _: PayinClosed, _: &Stamp) -> Self {
        self.head.facts.till.close();
        self
    }
}

impl Takes<event::Paid> for Transaction<Joined> {
    type Next = Transaction<Paid>;
    fn check(&self, event: &event::Paid, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.facts().till.may_take(&event.paid, self.facts().terms.pricing.owed()?)?;
        step.count_in(event.paid.amount)
    }
    fn make(mut self, event: event::Paid, _: &Stamp) -> Transaction<Paid> {
        self.head.facts.till.take(event.paid);
        self.enter(Paid {})
    }
}

impl Takes<event::PaymentAccepted> for Transaction<Paid> {
    type Next = Transaction<PaymentAccepted>;
    fn make(mut self, _: event::PaymentAccepted, at: &Stamp) -> Transaction<PaymentAccepted> {
        let track_until = self.facts().terms.policy.tracking.after(at.at);
        self.head.deadline = Some(track_until);
        self.enter(PaymentAccepted { track_until })
    }
}

impl Transaction<PaymentAccepted> {
    pub(super) fn in_time(&self, action: &'static str, at: &Stamp) -> Result<(), Reason> {
        let deadline = self.state.track_until;
        if at.at < deadline { Ok(()) } else { Err(Reason::TooLate { action, deadline }) }
    }

    fn may_extend(&self, until: Timestamp, at: &Stamp) -> Result<(), Reason> {
        self.in_time("extend_tracking", at)?;
        let accepted = self.history().by_key(Status::PaymentAccepted).unwrap_or(at.at);
        let latest = self.facts().terms.policy.tracking_limit.after(accepted);
        later("the end of tracking", until, self.state.track_until, latest)
    }
}

impl Takes<event::TrackingExtended> for Transaction<PaymentAccepted> {
    type Next = Self;
    fn check(&self, event: &event::TrackingExtended, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.may_extend(event.until, step.stamp())
    }
    fn make(mut self, event: event::TrackingExtended, _: &Stamp) -> Self {
        self.state.track_until = event.until;
        self.head.deadline = Some(event.until);
        self
    }
}

impl Takes<event::Tracked> for Transaction<PaymentAccepted> {
    type Next = Transaction<Tracked>;
    fn make(self, event: event::Tracked, _: &Stamp) -> Transaction<Tracked> {
        self.enter(Tracked { tracking: event.tracking })
    }
}

impl<S> Transaction<S> {
    // The period in which the buyer may complain, from now on.
    fn start_period(&mut self, at: &Stamp) -> ComplaintPeriod {
        let complaint = self.facts().terms.policy.complaint;
        let period = ComplaintPeriod::from(at.at, complaint, complaint);
        self.head.deadline = Some(period.ends());
        period
    }
}

impl Takes<event::Delivered> for Transaction<Tracked> {
    type Next = Transaction<Delivered>;
    fn make(mut self, _: event::Delivered, at: &Stamp) -> Transaction<Delivered> {
        let period = self.start_period(at);
        self.enter(Delivered { period })
    }
}

impl Takes<event::HandoverConfirmed> for Transaction<PaymentAccepted> {
    type Next = AnyTransaction;
    fn check(&self, event: &event::HandoverConfirmed, step: &mut Effects<'_>) -> Result<(), Reason> {
        if self.facts().sides.side_of(&step.stamp().by) == Some(event.by) {
            Ok(())
        } else {
            Err(Reason::Unlike { what: "the side that confirms" })
        }
    }
    fn make(mut self, event: event::HandoverConfirmed, at: &Stamp) -> AnyTransaction {
        let period = self.start_period(at);
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

impl<S: Running> Takes<event::Complained> for Transaction<S>
where
    Self: Value<Any = AnyTransaction>,
{
    type Next = Transaction<ComplaintSubmitted>;
    fn check(&self, _: &event::Complained, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.state.period().open("complain", step.stamp())
    }
    fn make(self, event: event::Complained, _: &Stamp) -> Transaction<ComplaintSubmitted> {
        self.enter(ComplaintSubmitted { complaint: event.complaint, awarded: None })
    }
}

impl<S: Running> Transaction<S> {
    // The fees and the payouts that end the period at this time. Computed anew in replay and compared.
    pub(super) fn settlement(&self, at: &Stamp) -> Result<event::ComplaintPeriodEnded, Reason> {
        let (terms, seller) = (&self.facts().terms, self.facts().sides.known(Side::Seller)?);
        let (platform, client) = (terms.pricing.for_platform()?, terms.pricing.for_client()?);
        let left = self.held().checked_sub(platform)?.checked_sub(client)?;
        let to = terms.payout.clone().unwrap_or(Destination::Wallet);
        let parts = [(seller.clone(), left, Way::Payout(to))];
        let payouts = Outgoing::plan(self.id().subject(), self.head.seq() + 1, at.at, parts);
        Ok(event::ComplaintPeriodEnded { platform, client, payouts })
    }
}

impl<S: Running> Takes<event::ComplaintPeriodEnded> for Transaction<S>
where
    Self: Value<Any = AnyTransaction>,
{
    type Next = Transaction<ComplaintPeriodEnded>;
    fn check(&self, event: &event::ComplaintPeriodEnded, step: &mut Effects<'_>) -> Result<(), Reason> {
        if *event != self.settlement(step.stamp())? {
            return Err(Reason::Unlike { what: "what each gets" });
        }
        let terms = &self.facts().terms;
        let platform = terms.platform.as_ref().unwrap_or(&terms.client_id);
        for (wallet, fee) in [(platform, event.platform), (&terms.client_id, event.client)] {
            if fee.is_positive() {
                step.pay(Account::Wallet(wallet.clone()), fee, Purpose::Fee)?;
            }
        }
        event.payouts.open(&terms.gateway, step)
    }
    fn make(self, event: event::ComplaintPeriodEnded, _: &Stamp) -> Transaction<ComplaintPeriodEnded> {
        self.enter(ComplaintPeriodEnded { payouts: event.payouts })
    }
}

impl Takes<event::FundsReleased> for Transaction<ComplaintPeriodEnded> {
    type Next = Transaction<FundsReleased>;
    fn check(&self, _: &event::FundsReleased, _: &mut Effects<'_>) -> Result<(), Reason> {
        self.state.must_have_arrived()
    }
    fn make(self, _: event::FundsReleased, _: &Stamp) -> Transaction<FundsReleased> {
        let outgoing = self.state.payouts.clone();
        self.enter(FundsReleased { outgoing })
    }
}

impl Transaction<ComplaintSubmitted> {
    // Whether the award has reached everybody, and leaves the seller something or nothing.
    pub(super) fn settled(&self, seller_gets: bool) -> Result<(), Reason> {
        let awarded = self.state.awarded.as_ref().ok_or(Reason::Missing { what: "the award" })?;
        if awarded.award.seller.is_positive() != seller_gets {
            let what = if seller_gets { "something for the seller" } else { "an award of everything to the buyer" };
            return Err(Reason::Missing { what });
        }
        self.state.must_have_arrived()
    }

    fn outgoing(&self) -> Outgoing {
        self.state.awarded.as_ref().map(|awarded| awarded.outgoing.clone()).unwrap_or_default()
    }
}

impl Takes<event::ComplaintSettled> for Transaction<ComplaintSubmitted> {
    type Next = Transaction<FundsReleased>;
    fn check(&self, _: &event::ComplaintSettled, _: &mut Effects<'_>) -> Result<(), Reason> {
        self.settled(true)
    }
    fn make(self, _: event::ComplaintSettled, _: &Stamp) -> Transaction<FundsReleased> {
        let outgoing = self.outgoing();
        self.enter(FundsReleased { outgoing })
    }
}

impl Takes<event::Refunded> for Transaction<ComplaintSubmitted> {
    type Next = Transaction<Refunded>;
    fn check(&self, _: &event::Refunded, _: &mut Effects<'_>) -> Result<(), Reason> {
        self.settled(false)
    }
    fn make(self, _: event::Refunded, _: &Stamp) -> Transaction<Refunded> {
        let outgoing = self.outgoing();
        self.enter(Refunded { outgoing })
    }
}

impl Takes<event::Refunded> for Transaction<Cancelled> {
    type Next = Transaction<Refunded>;
    fn check(&self, _: &event::Refunded, _: &mut Effects<'_>) -> Result<(), Reason> {
        self.state.must_have_arrived()
    }
    fn make(self, _: event::Refunded, _: &Stamp) -> Transaction<Refunded> {
        let outgoing = self.state.refund.clone().unwrap_or_default();
        self.enter(Refunded { outgoing })
    }
}

impl<S: Leaving> Takes<Counted> for Transaction<S>
where
    Self: Value<Any = AnyTransaction>,
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

impl<S: Payable> Takes<event::PayoutSet> for Transaction<S>
where
    Self: Value<Any = AnyTransaction>,
{
    type Next = Self;
    fn make(mut self, event: event::PayoutSet, _: &Stamp) -> Self {
        self.head.facts.terms.payout = Some(event.to);
        self
    }
}
