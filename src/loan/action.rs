//! What can be done with a loan, status by status. How it is funded is in `raising`.

use super::{
    AnyLoan, Defaulted, Disbursing, Funded, Late, Loan, LoanId, Open, Repaid, Repaying, Terms, WrittenOff, event,
    state::{Owing, Scheduled},
};
use crate::{
    deal::{Counted, Lost, PayinClosed},
    gateway::Capture,
    lifecycle::{Reason, Recorded, Refused, Takes, Transition, Value},
    money::Money,
    party::{PartyId, Stamp},
    payment::{
        Evidence, Method, Paid, Payin, PayinId,
        payin::{self, Opened},
    },
    sca::Authentication,
};

impl Loan<Open> {
    /// Opens a loan.
    ///
    /// # Errors
    /// [`Refused`] when the target is not above zero or goes into the fee, the plan is none, the deadline has passed, or
    /// somebody opens it for somebody else.
    pub fn open(id: LoanId, terms: Terms, at: &Stamp) -> Result<Transition<Self>, Refused<Terms>> {
        Self::opened(id, terms, at)
    }
}

impl Loan<Funded> {
    /// The borrower takes the loan: the fee is booked and the payout is opened.
    ///
    /// # Errors
    /// [`Refused`] when somebody else than the borrower or the platform asks.
    pub fn validate(self, at: &Stamp) -> Result<Transition<Loan<Disbursing>>, Refused<Self>> {
        let event = self.settlement(at);
        self.take_if(event, at)
    }
}

impl Loan<Disbursing> {
    /// The borrower is paid: the payout was counted as confirmed. The schedule begins on that day (UTC).
    ///
    /// # Errors
    /// [`Refused`] while it is not.
    pub fn disburse(self, at: &Stamp) -> Result<Transition<Loan<Repaying>>, Refused<Self>> {
        self.take(event::Disbursed {}, at)
    }

    /// Takes to the loan's knowledge what became of the payout.
    ///
    /// # Errors
    /// [`Refused`] when it is another's, or was counted before.
    pub fn count(self, evidence: &Evidence<'_>, at: &Stamp) -> Result<Transition<Self>, Refused<Self>> {
        let event = Counted::by(evidence);
        self.take_if(event, at)
    }
}

impl Loan<Repaying> {
    /// An instalment was not paid in time.
    ///
    /// # Errors
    /// [`Refused`] before its day and the period of grace are over.
    pub fn fall_behind(self, at: &Stamp) -> Result<Transition<Loan<Late>>, Refused<Self>> {
        self.take(event::FellBehind {}, at)
    }
}

impl Loan<Late> {
    /// All that has fallen due is paid.
    ///
    /// # Errors
    /// [`Refused`] while something is not.
    pub fn catch_up(self, at: &Stamp) -> Result<Transition<Loan<Repaying>>, Refused<Self>> {
        self.take(event::CaughtUp {}, at)
    }
}

impl<S: Owing> Loan<S>
where
    Self: Value<Any = AnyLoan>,
{
    /// Opens a payin by which the borrower repays so much, in minor units. From a wallet it is paid in the same breath.
    ///
    /// # Errors
    /// [`Refused`] when one is under way, or the amount is not above zero, of another currency, or more than is owed
    /// ([`Owed::payoff`](super::Owed::payoff)).
    pub fn repay(self, amount: Money, by: Method, at: &Stamp) -> Result<Transition<AnyLoan>, Refused<Self>>
    where
        Self: Takes<event::RepaymentOpened, Next = Self>,
    {
        let payer = self.facts().terms.borrower.clone();
        self.pay(payer, amount, by, at, |payin| event::RepaymentOpened { payin, amount })
    }

    /// The repayment is there: needs the confirmed payin, whose money goes on into a distribution in the same unit. It counts
    /// as paid at this time, or when it was opened, if another host's clock was ahead then.
    ///
    /// # Errors
    /// [`Refused`] when the payin is another's, or of another amount.
    pub fn collect(self, payin: &Payin<payin::Confirmed>, at: &Stamp) -> Result<Transition<Self>, Refused<Self>> {
        payin.collect(self, at, |loan| {
            let paid = Paid::by(payin);
            match loan.facts().owes().and_then(|debt| debt.allot(paid.amount, loan.counts_at(at))) {
                Ok(allotment) => loan.take(event::Collected { paid, allotment }, at),
                Err(reason) => Err(Refused { value: loan, reason }),
            }
        })
    }

    /// No money comes of the payin under way.
    ///
    /// # Errors
    /// [`Refused`] when the payin is another's.
    pub fn drop_payin(self, payin: Lost<'_>, at: &Stamp) -> Result<Transition<Self>, Refused<Self>> {
        self.take(PayinClosed { payin: payin.payin() }, at)
    }

    /// Everything is paid.
    ///
    /// # Errors
    /// [`Refused`] while something is owed.
    pub fn settle(self, at: &Stamp) -> Result<Transition<Loan<Repaid>>, Refused<Self>> {
        self.take(event::Settled {}, at)
    }

    fn pay<E>(
        self,
        payer: PartyId,
        amount: Money,
        method: Method,
        at: &Stamp,
        event: impl FnOnce(PayinId) -> E,
    ) -> Result<Transition<AnyLoan>, Refused<Self>>
    where
        Self: Takes<E, Next = Self>,
        E: Recorded<AnyLoan>,
    {
        let (about, facts) = (self.id().subject(), self.facts());
        let payin = PayinId::derived(about, self.head.seq() + 1, 0, at.at);
        let (gateway, expires) = (facts.terms.gateway.clone(), Some(facts.terms.policy.payment.after(at.at)));
        let (capture, authentication) = (Capture::Now, Authentication::ByGateway);
        let terms = payin::Terms { about, payer, amount, method, capture, gateway, expires, authentication };
        match payin::open(payin, terms, at) {
            Ok(Opened::Waits(opened)) => Ok(self.take(event(payin), at)?.and(opened).widen()),
            Ok(Opened::Paid(confirmed)) => {
                let opened = self.take(event(payin), at)?;
                let paid = opened.then(|loan| loan.collect(confirmed.value(), &Stamp::gateway(at.at)));
                Ok(paid.expect("a payin opened for this loan pays exactly what was allowed").after(confirmed).widen())
            }
            Err(reason) => Err(Refused { value: self, reason }),
        }
    }
}

impl<S: Scheduled> Loan<S>
where
    Self: Value<Any = AnyLoan>,
{
    /// The borrower will not pay: nothing more accrues, and all of it is due.
    ///
    /// # Errors
    /// [`Refused`] when somebody else than the platform asks.
    pub fn declare_default(self, at: &Stamp) -> Result<Transition<Loan<Defaulted>>, Refused<Self>> {
        self.take(event::DefaultDeclared {}, at)
    }
}

impl Loan<Defaulted> {
    /// Opens a payin by which the platform pays in what it recovered otherwise, in minor units.
    ///
    /// # Errors
    /// [`Refused`] as [`repay`](Self::repay).
    pub fn recover(self, amount: Money, by: Method, at: &Stamp) -> Result<Transition<AnyLoan>, Refused<Self>> {
        let payer = self.facts().terms.platform.clone();
        self.pay(payer, amount, by, at, |payin| event::RecoveryOpened { payin, amount })
    }

    /// Nothing more will come: what is still owed is lost.
    ///
    /// # Errors
    /// [`Refused`] when somebody else than the platform asks.
    pub fn write_off(self, at: &Stamp) -> Result<Transition<Loan<WrittenOff>>, Refused<Self>> {
        let event = self.facts().owes().and_then(|debt| Ok(debt.owed(at.at)?)).map(|lost| event::WroteOff { lost });
        self.take_if(event, at)
    }
}

impl<S> Loan<S> {
    pub(super) fn may_open(&self, amount: Money, at: &Stamp) -> Result<(), Reason> {
        let facts = self.facts();
        facts.till.is_free()?;
        facts.owes()?.allot(amount, at.at).map(drop)
    }
}
