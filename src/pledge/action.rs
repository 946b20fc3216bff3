//! What can be done with a pledge, status by status.

use super::{
    AnyPledge, Cancelled, Created, Gathered, Offer, Paid, Pledge, PledgeId, Pool, Proceeds, Refunded, Returned, event,
    state::Returnable,
};
use crate::{
    deal::{Counted, Lost, PayinClosed, PayinOpened},
    gateway::Capture,
    lifecycle::{Refused, Transition, Value},
    party::Stamp,
    payment::{
        self, Evidence, Method, Payin, PayinId,
        payin::{self, Opened},
    },
    sca::Authentication,
};

impl Pledge<Created> {
    /// Opens a pledge to something that takes pledges now.
    ///
    /// # Errors
    /// [`Refused`] when it takes none any more, the amount is not above zero or of another currency, or somebody pledges for
    /// somebody else.
    pub fn open<P: Pool>(id: PledgeId, to: &P, offer: Offer, at: &Stamp) -> Result<Transition<Self>, Refused<Offer>> {
        match to.invite(offer.clone(), at) {
            Ok(terms) => Self::opened(id, terms, at).map_err(|refused| refused.map(|terms| terms.offer)),
            Err(reason) => Err(Refused { value: offer, reason }),
        }
    }

    /// Opens a payin of what is pledged. From a wallet it is paid in the same breath.
    ///
    /// # Errors
    /// [`Refused`] when one is under way, or the deadline has passed.
    pub fn pay(self, by: Method, at: &Stamp) -> Result<Transition<AnyPledge>, Refused<Self>> {
        let (payin, terms) = self.payin_terms(by, at);
        match payin::open(payin, terms, at) {
            Ok(Opened::Waits(opened)) => Ok(self.take(PayinOpened { payin }, at)?.and(opened).widen()),
            Ok(Opened::Paid(confirmed)) => {
                let opened = self.take(PayinOpened { payin }, at)?;
                let paid = opened.then(|pledge| pledge.collect(confirmed.value(), &Stamp::gateway(at.at)));
                Ok(paid.expect("a payin opened for this pledge pays exactly that").after(confirmed).widen())
            }
            Err(reason) => Err(Refused { value: self, reason }),
        }
    }

    /// The payment is there in time: needs the confirmed payin, whose money the pledge takes in the same unit.
    ///
    /// # Errors
    /// [`Refused`] when the payin is another's, or it is too late: see [`turn_away`](Self::turn_away).
    pub fn collect(
        self,
        payin: &Payin<payin::Confirmed>,
        at: &Stamp,
    ) -> Result<Transition<Pledge<Paid>>, Refused<Self>> {
        payin.collect(self, at, |pledge| pledge.take(event::Collected { paid: payment::Paid::by(payin) }, at))
    }

    /// The payment is there too late: its money goes straight into a refund.
    ///
    /// # Errors
    /// [`Refused`] when the payin is another's, or it is in time.
    pub fn turn_away(
        self,
        payin: &Payin<payin::Confirmed>,
        at: &Stamp,
    ) -> Result<Transition<Pledge<Returned>>, Refused<Self>> {
        payin.collect(self, at, |pledge| {
            let paid = payment::Paid::by(payin);
            let refund = pledge.going_back(std::slice::from_ref(&paid), at);
            pledge.take(event::TurnedAway { paid, refund }, at)
        })
    }

    /// No money comes of the payin under way.
    ///
    /// # Errors
    /// [`Refused`] when the payin is another's.
    pub fn drop_payin(self, payin: Lost<'_>, at: &Stamp) -> Result<Transition<Self>, Refused<Self>> {
        self.take(PayinClosed { payin: payin.payin() }, at)
    }

    /// Calls it off. A payin under way is called off, too; money that comes of it all the same goes back by itself.
    ///
    /// # Errors
    /// [`Refused`] when a stranger asks, or the clock comes early.
    pub fn cancel(self, at: &Stamp) -> Result<Transition<Pledge<Cancelled>>, Refused<Self>> {
        self.take(event::Cancelled {}, at)
    }

    fn payin_terms(&self, method: Method, at: &Stamp) -> (PayinId, payin::Terms) {
        let terms = &self.facts().terms;
        let about = self.id().subject();
        let id = PayinId::derived(about, self.head.seq() + 1, 0, at.at);
        let (payer, amount, gateway) = (terms.offer.backer.clone(), terms.offer.amount, terms.gateway.clone());
        // The pledge's own deadline ends it.
        (
            id,
            payin::Terms {
                about,
                payer,
                amount,
                method,
                capture: Capture::Now,
                gateway,
                expires: None,
                authentication: Authentication::ByGateway,
            },
        )
    }
}

impl Pledge<Paid> {
    /// The money goes to what it was pledged to, whose own step counts it in the same unit.
    ///
    /// # Errors
    /// [`Refused`] when somebody asks: it happens by itself.
    pub fn gather(self, at: &Stamp) -> Result<Transition<Pledge<Gathered>>, Refused<Self>> {
        self.take(event::Gathered {}, at)
    }
}

impl Pledge<Gathered> {
    /// Its part of a repayment goes on into the backer's wallet, principal and interest each by an entry of its own. What
    /// shares it out gives it in the same unit.
    ///
    /// # Errors
    /// [`Refused`] when somebody asks: it happens by itself; when either part is below zero, or more would come back than
    /// was pledged.
    pub fn receive(self, proceeds: Proceeds, at: &Stamp) -> Result<Transition<Self>, Refused<Self>> {
        self.take(event::Received { proceeds }, at)
    }
}

impl<S: Returnable> Pledge<S>
where
    Self: Value<Any = AnyPledge>,
{
    /// The backer changes its mind: the refund is opened. What was charged back and not won goes into the backer's wallet.
    /// Where the money has been gathered, what has it gives it up in the same unit:
    /// [`Escrow::act_on_pledge`](crate::escrow::Escrow::act_on_pledge) sees to that.
    ///
    /// # Errors
    /// [`Refused`] when the policy does not let the backer, the deadline has passed, or its payment was charged back and that
    /// is not decided.
    pub fn withdraw(self, at: &Stamp) -> Result<Transition<Pledge<Returned>>, Refused<Self>> {
        let refund = self.going_back(self.facts().till.paid(), at);
        self.take(event::Withdrawn { refund }, at)
    }

    /// It is not needed: the refund is opened. What was charged back and not won goes into the backer's wallet. Where the money
    /// has been gathered, what has it gives it up in the same unit.
    ///
    /// # Errors
    /// [`Refused`] when somebody asks: it happens by itself.
    pub fn give_back(self, at: &Stamp) -> Result<Transition<Pledge<Returned>>, Refused<Self>> {
        let refund = self.going_back(self.facts().till.paid(), at);
        self.take(event::GivenBack { refund }, at)
    }
}

impl Pledge<Returned> {
    /// The backer has the money back: the refund was counted as confirmed.
    ///
    /// # Errors
    /// [`Refused`] while it is not.
    pub fn refund(self, at: &Stamp) -> Result<Transition<Pledge<Refunded>>, Refused<Self>> {
        self.take(event::Refunded {}, at)
    }

    /// Takes to the pledge's knowledge what became of its refund.
    ///
    /// # Errors
    /// [`Refused`] when it is another's, or was counted before.
    pub fn count(self, evidence: &Evidence<'_>, at: &Stamp) -> Result<Transition<Self>, Refused<Self>> {
        let event = Counted::by(evidence);
        self.take_if(event, at)
    }
}
