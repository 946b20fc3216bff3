//! What can be done with a payin, status by status.

use super::{
    Action, AnyPayin, Authorized, Cancelled, Confirmed, Created, Denied, Disputes, Method, Payin, PayinId,
    RefundConfirmed, Taken, Terms, event,
    state::{Chargeable, Over, Secured},
};
use crate::{
    gateway::{Outcome, Verb},
    id::Subject,
    lifecycle::{Reason, Refused, Takes, Transition, Value, note},
    money::Money,
    party::Stamp,
    payment::{
        Refund, RefundId,
        chargeback::{self, Chargeback},
    },
    sca::{Assurance, Response},
    text::{Link, Prose},
    time::Timestamp,
};

/// A payin as it is after its opening.
#[derive(Debug)]
pub enum Opened {
    /// The payer or the gateway has to do something.
    Waits(Transition<Payin<Created>>),
    /// A wallet paid: the money is there and handed over, to be counted in the same unit.
    Paid(Transition<Payin<Confirmed>>),
}

/// Opens a payin by whichever method its terms name. From a wallet it is confirmed and handed over to what it pays for in
/// the same breath, which has to count it in the same unit.
///
/// # Errors
/// [`Reason`] when the terms are refused.
pub fn open(id: PayinId, terms: Terms, at: &Stamp) -> Result<Opened, Reason> {
    let about = terms.about;
    match terms.method {
        Method::Card | Method::BankWire { .. } => {
            Payin::open(id, terms, at).map(Opened::Waits).map_err(|refused| refused.reason)
        }
        Method::Wallet => {
            let paid = Payin::open_from_wallet(id, terms, at).map_err(|refused| refused.reason)?;
            let handed = paid.then(|payin| payin.hand_over(about, &Stamp::gateway(at.at)));
            handed.map(Opened::Paid).map_err(|refused| refused.reason)
        }
    }
}

impl Payin<Created> {
    /// Opens a payin and asks the gateway for the money. From a wallet it is confirmed in the same breath by
    /// [`open_from_wallet`](Self::open_from_wallet).
    ///
    /// # Errors
    /// [`Refused`] when the amount is not above zero or cannot be reserved that way, or the terms claim an exemption: that comes by
    /// [`open_needing`](Self::open_needing), with its evidence.
    pub fn open(id: PayinId, terms: Terms, at: &Stamp) -> Result<Transition<Self>, Refused<Terms>> {
        if terms.authentication.exemption().is_some() {
            let reason =
                Reason::NotThisWay { instead: "an exemption is claimed with its evidence: see `open_needing`" };
            return Err(Refused { value: terms, reason });
        }
        Self::opened(id, terms, at)
    }

    /// Opens a payin of type `WALLET`, which debits the payer's wallet at once.
    ///
    /// # Errors
    /// [`Refused`] when the terms name another method, or somebody else's wallet would be debited.
    pub fn open_from_wallet(
        id: PayinId,
        terms: Terms,
        at: &Stamp,
    ) -> Result<Transition<Payin<Confirmed>>, Refused<Terms>> {
        let (amount, again) = (terms.amount, terms.clone());
        let opened = Self::opened(id, terms, at)?;
        opened
            .then(|payin| payin.confirm(amount, &Stamp::gateway(at.at)))
            .map_err(|refused| Refused { value: again, reason: refused.reason })
    }

    /// The gateway reserved the amount, to be captured or let go later. `moved` in minor units.
    ///
    /// # Errors
    /// [`Refused`] when another amount was reserved, or the payin was to be taken at once.
    pub fn authorize(self, moved: Money, at: &Stamp) -> Result<Transition<Payin<Authorized>>, Refused<Self>> {
        self.take(event::Authorized { moved }, at)
    }

    /// The gateway waits for the payer, at this page if there is one.
    ///
    /// # Errors
    /// [`Refused`] when a wallet pays, or somebody else than a gateway says so.
    pub fn await_payer(self, direct_link: Option<Link>, at: &Stamp) -> Result<Transition<Self>, Refused<Self>> {
        self.take(event::PayerAwaited { direct_link }, at)
    }

    /// The gateway has a challenge for the payer, at this page. The clock calls the payin off when it ends (UTC).
    ///
    /// # Errors
    /// [`Refused`] when a wallet pays, or somebody else than a gateway says so.
    pub fn challenge(
        self,
        direct_link: Link,
        until: Option<Timestamp>,
        at: &Stamp,
    ) -> Result<Transition<Self>, Refused<Self>> {
        self.take(event::Challenged { direct_link, until }, at)
    }
}

impl<S: Chargeable> Payin<S>
where
    Self: Value<Any = AnyPayin>,
{
    /// The gateway says whether the payer was authenticated, and who is liable; in the same breath it settles the charge.
    ///
    /// # Errors
    /// [`Refused`] when it has said so before, or no charge is to be answered.
    pub fn assure(self, assurance: Assurance, at: &Stamp) -> Result<Transition<Self>, Refused<Self>> {
        self.take(event::Assured { assurance }, at)
    }
}

impl<S: Secured> Payin<S>
where
    Self: Value<Any = AnyPayin>,
{
    /// The payer is back from the challenge's page. That says nothing of the money, whatever the page said: only the gateway's
    /// report does.
    ///
    /// # Errors
    /// [`Refused`] with [`Forged`](crate::sca::Forged) when the response is about another payin, amount or payee, does not bring
    /// the code that the gateway was given, or was used before.
    pub fn come_back(self, response: Response, at: &Stamp) -> Result<Transition<Self>, Refused<Self>> {
        let (payin, terms) = (self.id().subject(), self.facts());
        let bound = terms.authentication.binding();
        match bound.map(|binding| binding.check(payin, terms.amount, &response)) {
            Some(Err(forged)) => Err(Refused { value: self, reason: forged.into() }),
            Some(Ok(())) | None => self.take(event::CameBack {}, at),
        }
    }
}

impl Payin<Authorized> {
    /// Asks the gateway for the reserved money.
    ///
    /// # Errors
    /// [`Refused`] when it was asked before.
    pub fn capture(self, at: &Stamp) -> Result<Transition<Self>, Refused<Self>> {
        self.take(event::CaptureAsked {}, at)
    }

    /// The gateway captured another amount than was asked. Nothing is booked: the platform asks the gateway, and may call the
    /// payin off. `moved` in minor units.
    ///
    /// # Errors
    /// [`Refused`] when nothing is being captured, it is what was asked or was noted before, or it is not above zero or of
    /// another currency.
    pub fn note_capture(self, moved: Money, at: &Stamp) -> Result<Transition<Self>, Refused<Self>> {
        self.take(event::OtherCaptured { moved }, at)
    }

    // The command's form.
    pub(super) fn cancel_as_told(self, at: &Stamp) -> Result<Transition<Payin<Cancelled>>, Refused<Self>> {
        let captured = self.state.captured;
        let cancelled = self.cancel(at)?;
        let Some(moved) = captured else { return Ok(cancelled) };
        let back = cancelled.then(|payin| payin.bounce(moved, &Stamp::gateway(at.at)));
        Ok(back.expect("what may be noted as captured may go back"))
    }
}

impl Payin<Created> {
    // The command's form.
    pub(super) fn cancel_as_told(self, at: &Stamp) -> Result<Transition<Payin<Cancelled>>, Refused<Self>> {
        self.cancel(at)
    }
}

impl<S> Payin<S>
where
    Self: Takes<event::Confirmed, Next = Payin<Confirmed>> + Value<Any = AnyPayin>,
{
    /// The money is there. `moved` in minor units.
    ///
    /// # Errors
    /// [`Refused`] when another amount moved than was asked, or what was reserved was not asked for yet.
    pub fn confirm(self, moved: Money, at: &Stamp) -> Result<Transition<Payin<Confirmed>>, Refused<Self>> {
        self.take(event::Confirmed { moved }, at)
    }
}

impl<S> Payin<S>
where
    Self: Takes<event::Denied, Next = Payin<Denied>> + Value<Any = AnyPayin>,
{
    /// The gateway declined.
    ///
    /// # Errors
    /// [`Refused`] when somebody else than a gateway says so.
    pub fn deny(self, reason: Prose, at: &Stamp) -> Result<Transition<Payin<Denied>>, Refused<Self>> {
        self.take(event::Denied { reason }, at)
    }
}

impl<S> Payin<S>
where
    Self: Takes<event::Cancelled, Next = Payin<Cancelled>> + Value<Any = AnyPayin>,
{
    /// Calls it off. A reservation is let go. Money that arrives all the same goes back by itself: see [`bounce`](Self::bounce),
    /// by which goes back what was captured, where that is another amount than was asked. The command does both.
    ///
    /// # Errors
    /// [`Refused`] when its capture is under way, unless the platform asks and another amount was captured, or the clock
    /// comes early.
    pub fn cancel(self, at: &Stamp) -> Result<Transition<Payin<Cancelled>>, Refused<Self>> {
        self.take(event::Cancelled {}, at)
    }
}

impl<S> Payin<S> {
    // The id of a refund that the next event opens.
    fn next_refund(&self, at: &Stamp) -> RefundId {
        RefundId::derived(self.id().subject(), self.head.seq() + 1, 0, at.at)
    }
}

impl<S: Taken> Payin<S>
where
    Self: Value<Any = AnyPayin>,
{
    /// The card network took some of its money back.
    ///
    /// # Errors
    /// [`Refused`] when the chargeback is another's, was counted before, or takes more than was paid, or the money has not come.
    pub fn charge_back(
        self,
        chargeback: &Chargeback<chargeback::Open>,
        at: &Stamp,
    ) -> Result<Transition<Self>, Refused<Self>> {
        let terms = chargeback.facts();
        if let Err(reason) = self.own(terms.payin) {
            return Err(Refused { value: self, reason });
        }
        self.take(event::ChargedBack { chargeback: chargeback.id(), amount: terms.amount }, at)
    }

    /// The card network returned what it had taken.
    ///
    /// # Errors
    /// [`Refused`] when the chargeback is another's, or came back before.
    pub fn win_back(
        self,
        chargeback: &Chargeback<chargeback::Won>,
        at: &Stamp,
    ) -> Result<Transition<Self>, Refused<Self>> {
        if let Err(reason) = self.own(chargeback.facts().payin) {
            return Err(Refused { value: self, reason });
        }
        self.take(event::WonBack { chargeback: chargeback.id() }, at)
    }

    fn own(&self, found: PayinId) -> Result<(), Reason> {
        let expected = self.id();
        if found == expected {
            return Ok(());
        }
        Err(Reason::WrongSubject { expected: expected.subject(), found: found.subject() })
    }
}

impl Payin<Confirmed> {
    /// What it paid for takes its money. Called by that lifecycle's own step, which counts it.
    ///
    /// # Errors
    /// [`Refused`] when it was opened for something else, or its money is gone already.
    pub(crate) fn hand_over(self, to: Subject, at: &Stamp) -> Result<Transition<Self>, Refused<Self>> {
        self.take(event::HandedOver { to }, at)
    }

    /// What it paid for takes its money: `step`, which counts it, with what has to be written in front of it. Nothing has
    /// to where a wallet paid, in the same breath as the opening.
    ///
    /// # Errors
    /// [`Refused`] when it was opened for something else, its money is gone already, or the step is refused.
    pub fn collect<V, N>(
        &self,
        by: V,
        at: &Stamp,
        step: impl FnOnce(V) -> Result<Transition<N>, Refused<V>>,
    ) -> Result<Transition<N>, Refused<V>>
    where
        V: Value,
        N: Value,
    {
        let to = by.head().id().subject();
        if self.state.handed_to == Some(to) {
            return step(by);
        }
        match note(self, event::HandedOver { to }, at) {
            Ok(handed) => Ok(step(by)?.after_all(vec![handed])),
            Err(reason) => Err(Refused { value: by, reason }),
        }
    }

    /// Nobody waits for its money any more: opens a refund of all of it.
    ///
    /// # Errors
    /// [`Refused`] when its money was taken already.
    pub fn give_back(self, at: &Stamp) -> Result<Transition<Self>, Refused<Self>> {
        let refund = self.next_refund(at);
        self.take(event::GivenBack { refund }, at)
    }

    /// Counts a confirmed refund. Refunded once all of it is.
    ///
    /// # Errors
    /// [`Refused`] when the refund is of another payin, was counted before, or would exceed what was paid.
    pub fn refund(self, refund: &Refund<RefundConfirmed>, at: &Stamp) -> Result<Transition<AnyPayin>, Refused<Self>> {
        let (payin, amount) = (refund.facts().payin, refund.facts().amount);
        self.take(event::RefundCounted { refund: refund.id(), payin, amount }, at)
    }
}

impl<S: Over + Chargeable> Payin<S>
where
    Self: Value<Any = AnyPayin>,
{
    /// The gateway answered a call after the end, and no money comes of it.
    ///
    /// # Errors
    /// [`Refused`] when no such call is open, or money does come of it: see [`bounce`](Self::bounce) and
    /// [`let_go`](Self::let_go).
    pub fn note_answer(self, verb: Verb, outcome: Outcome, at: &Stamp) -> Result<Transition<Self>, Refused<Self>> {
        self.take(event::Answered { verb, outcome }, at)
    }

    /// An amount was reserved after the end. It is let go. `moved` in minor units.
    ///
    /// # Errors
    /// [`Refused`] when that happened before, or it was no reservation that was asked for.
    pub fn let_go(self, moved: Money, at: &Stamp) -> Result<Transition<Self>, Refused<Self>> {
        self.take(event::LetGo { moved }, at)
    }

    /// Money arrived after the end, as much as was asked or another amount. It goes straight into a refund. `moved` in minor
    /// units.
    ///
    /// # Errors
    /// [`Refused`] when that happened before, or it is not above zero or of another currency.
    pub fn bounce(self, moved: Money, at: &Stamp) -> Result<Transition<Self>, Refused<Self>> {
        let refund = self.next_refund(at);
        self.take(event::Bounced { moved, refund }, at)
    }
}

impl AnyPayin {
    /// What of it was charged back; none while its money has not come.
    #[must_use]
    pub fn disputes(&self) -> Option<&Disputes> {
        self.come().map(Taken::disputes)
    }

    /// What has come of it, in minor units; none while nothing has. What comes after it was denied or called off may be
    /// another amount than was asked.
    #[must_use]
    pub fn came(&self) -> Option<Money> {
        self.come().and_then(|state| state.came(self.facts().amount))
    }

    /// What took its money; none when it went back by itself, or has not come.
    #[must_use]
    pub fn handed_to(&self) -> Option<Subject> {
        self.come().and_then(Taken::handed_to)
    }

    fn come(&self) -> Option<&dyn Taken> {
        let state: &dyn Taken = match self {
            Self::Created(_) | Self::Authorized(_) => return None,
            Self::Confirmed(payin) => &payin.state,
            Self::Refunded(payin) => &payin.state,
            Self::Denied(payin) => &payin.state,
            Self::Cancelled(payin) => &payin.state,
        };
        Some(state).filter(|state| state.came(self.facts().amount).is_some())
    }

    // What the table cannot say about an action being possible now.
    pub(super) fn ready(&self, action: Action, at: &Stamp) -> Result<(), Reason> {
        match self {
            Self::Created(payin) => payin.ready(action),
            Self::Authorized(payin) => payin.ready(action, at),
            Self::Confirmed(payin) => payin.ready(action),
            Self::Denied(payin) => payin.ready(action),
            Self::Cancelled(payin) => payin.ready(action),
            Self::Refunded(_) => Ok(()),
        }
    }
}
