//! Statuses whose money is on its way.

use super::Counted;
use crate::{
    lifecycle::Reason,
    payment::{Evidence, News, Outgoing, Stands},
};

/// A status whose money is on its way: it learns what becomes of each payment.
pub trait Leaving {
    /// The payments; none when the money has not left yet, or nothing was paid.
    fn leaving(&self) -> Option<&Outgoing>;
    #[doc(hidden)]
    fn leaving_mut(&mut self) -> Option<&mut Outgoing>;

    /// Whether whoever is to get something has it.
    fn arrived(&self) -> bool {
        self.leaving().is_some_and(Outgoing::all_confirmed)
    }

    /// Whether it knows already that this payment arrived: one into a wallet does so in the step that opens it.
    #[doc(hidden)]
    fn knows(&self, evidence: &Evidence<'_>) -> bool {
        let Some((payment, News::Confirmed)) = evidence.of_outgoing() else { return false };
        let leg = self.leaving().and_then(|outgoing| outgoing.leg(payment).ok());
        leg.is_some_and(|leg| leg.stands == Stands::Confirmed)
    }

    /// Whether the payment is one of its own.
    #[doc(hidden)]
    fn opened(&self, evidence: &Evidence<'_>) -> bool {
        let payment = evidence.of_outgoing().map(|(payment, _)| payment);
        self.leaving().zip(payment).is_some_and(|(outgoing, payment)| outgoing.leg(payment).is_ok())
    }

    #[doc(hidden)]
    fn must_have_arrived(&self) -> Result<(), Reason> {
        if self.arrived() { Ok(()) } else { Err(Reason::Missing { what: "the confirmation of every payment" }) }
    }

    #[doc(hidden)]
    fn must_leave(&self) -> Result<&Outgoing, Reason> {
        self.leaving().ok_or(Reason::Missing { what: "a payment that this opened" })
    }

    #[doc(hidden)]
    fn may_count(&self, event: &Counted) -> Result<(), Reason> {
        if event.news == News::Returned {
            // There is no way for money to come back into a deal that has ended.
            return Err(Reason::NotThisWay {
                instead: "no money comes back to what has paid it out: `replace` the payout",
            });
        }
        self.must_leave()?.may_count(event.payment, &event.news)
    }

    #[doc(hidden)]
    fn count(&mut self, event: &Counted) {
        if let Some(outgoing) = self.leaving_mut() {
            outgoing.count(event.payment, &event.news);
        }
    }
}

/// Says where each status keeps its payments.
macro_rules! leaving {
    ($($status:ident: |$state:ident| $get:expr, $get_mut:expr;)+) => { $(
        impl $crate::deal::Leaving for $status {
            fn leaving(&self) -> Option<&$crate::payment::Outgoing> {
                let $state = self;
                $get
            }
            fn leaving_mut(&mut self) -> Option<&mut $crate::payment::Outgoing> {
                let $state = self;
                $get_mut
            }
        }
    )+ };
}

pub(crate) use leaving;
