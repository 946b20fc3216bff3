//! What the table cannot say: the conditions of an action that depend on a payin's own facts.

use super::{
    Action, Authorized, Confirmed, Created, Method, Payin, Status, Taken,
    state::{Chargeable, Over, Secured},
};
use crate::{
    gateway::{Capture, Outcome, Verb},
    id::Subject,
    lifecycle::Reason,
    money::Money,
    party::{Actor, PartyId, Role, Stamp},
    sca::Forged,
};

/// Whether an actor may spend from a wallet: its owner, or the platform. The wallet of something that has an id, such as a
/// movement, is nobody's who happens to bear that name.
pub(super) fn may_spend(owner: &PartyId, by: &Actor) -> bool {
    match by {
        Actor::Party(who) => who == owner && !Subject::is_named(owner.as_str()),
        Actor::Office { .. } | Actor::Clock | Actor::Gateway => by.is_platform(),
    }
}

const WALLET: &str = "a wallet pays at once: no gateway says anything of it";

fn missing(what: &'static str) -> Result<(), Reason> {
    Err(Reason::Missing { what })
}

impl<S: Secured> Payin<S> {
    // Whether the payer may still come back from a challenge's page.
    pub(super) fn may_come_back(&self) -> Result<(), Reason> {
        if self.facts().authentication.binding().is_none() {
            missing("a payin that asked for a challenge or an exemption")
        } else if self.state.sca().came_back {
            Err(Forged::Replayed.into())
        } else {
            Ok(())
        }
    }
}

impl<S: Chargeable> Payin<S> {
    // Whether the gateway has yet to say how the payer was authenticated.
    pub(super) fn may_be_assured(&self) -> Result<(), Reason> {
        if self.facts().method == Method::Wallet || !self.state.charging() {
            missing("a charge that a gateway has to answer")
        } else if self.state.sca().assurance.is_some() {
            Err(Reason::Already { what: "saying how the payer was authenticated" })
        } else {
            Ok(())
        }
    }
}

impl Payin<Created> {
    pub(super) fn ready(&self, action: Action) -> Result<(), Reason> {
        match action {
            Action::Authorize => self.reserves(),
            Action::Confirm => self.taken_at_once(),
            Action::AwaitPayer | Action::Challenge | Action::Deny => self.awaits_gateway(),
            Action::ComeBack => self.may_come_back(),
            Action::Assure => self.may_be_assured(),
            Action::Cancel
            | Action::Refund
            | Action::Capture
            | Action::NoteCapture
            | Action::NoteAnswer
            | Action::HandOver
            | Action::GiveBack
            | Action::LetGo
            | Action::Bounce
            | Action::ChargeBack
            | Action::WinBack => Ok(()),
        }
    }

    /// Whether the amount is only reserved at first, to be captured later.
    #[must_use]
    pub const fn is_reserved_first(&self) -> bool {
        matches!(self.facts().capture, Capture::Later)
    }

    pub(super) fn reserves(&self) -> Result<(), Reason> {
        match self.facts().capture {
            Capture::Later => Ok(()),
            Capture::Now => missing("a payin that is captured later"),
        }
    }

    pub(super) fn taken_at_once(&self) -> Result<(), Reason> {
        match self.facts().capture {
            Capture::Now => Ok(()),
            Capture::Later => missing("the capture of what was reserved"),
        }
    }

    pub(super) fn awaits_gateway(&self) -> Result<(), Reason> {
        match self.facts().method {
            Method::Card | Method::BankWire { .. } => Ok(()),
            Method::Wallet => Err(Reason::NotThisWay { instead: WALLET }),
        }
    }
}

impl Payin<Authorized> {
    pub(super) fn ready(&self, action: Action, at: &Stamp) -> Result<(), Reason> {
        match action {
            Action::Confirm | Action::Deny | Action::NoteCapture => self.capturing(),
            Action::Capture => self.not_capturing(),
            Action::Cancel => self.may_be_called_off(&at.by),
            Action::ComeBack => self.may_come_back(),
            Action::Authorize
            | Action::Refund
            | Action::AwaitPayer
            | Action::Challenge
            | Action::Assure
            | Action::NoteAnswer
            | Action::HandOver
            | Action::GiveBack
            | Action::LetGo
            | Action::Bounce
            | Action::ChargeBack
            | Action::WinBack => Ok(()),
        }
    }

    pub(super) fn capturing(&self) -> Result<(), Reason> {
        if self.state.capturing { Ok(()) } else { missing("the capture of what was reserved") }
    }

    pub(super) fn not_capturing(&self) -> Result<(), Reason> {
        if self.state.capturing { Err(Reason::Underway(self.id().subject())) } else { Ok(()) }
    }

    // What is being captured is waited for; whoever knows that another amount was captured than was asked ends it.
    pub(super) fn may_be_called_off(&self, by: &Actor) -> Result<(), Reason> {
        if self.state.captured.is_none() {
            return self.not_capturing();
        }
        match by {
            Actor::Office { .. } => Ok(()),
            Actor::Party(_) | Actor::Clock | Actor::Gateway => Err(Reason::WrongActor {
                action: Action::Cancel.name(),
                status: Status::Authorized.name(),
                by: by.clone(),
                roles: vec![Role::PLATFORM.name],
            }),
        }
    }
}

impl Payin<Confirmed> {
    pub(super) fn ready(&self, action: Action) -> Result<(), Reason> {
        match action {
            Action::HandOver | Action::GiveBack if self.held().is_zero() => {
                Err(Reason::Already { what: "taking its money" })
            }
            Action::ComeBack => self.may_come_back(),
            Action::HandOver
            | Action::GiveBack
            | Action::Authorize
            | Action::Confirm
            | Action::Deny
            | Action::Cancel
            | Action::Refund
            | Action::AwaitPayer
            | Action::Challenge
            | Action::Assure
            | Action::Capture
            | Action::NoteCapture
            | Action::NoteAnswer
            | Action::LetGo
            | Action::Bounce
            | Action::ChargeBack
            | Action::WinBack => Ok(()),
        }
    }
}

impl<S: Taken> Payin<S> {
    // A card network takes back nothing that did not come.
    pub(super) fn came(&self) -> Result<Money, Reason> {
        self.state.came(self.facts().amount).ok_or(Reason::Missing { what: "the payin's money" })
    }
}

impl<S: Over + Chargeable> Payin<S> {
    pub(super) fn ready(&self, action: Action) -> Result<(), Reason> {
        match action {
            Action::LetGo => self.came_late(Capture::Later),
            Action::Bounce => self.came_late(Capture::Now),
            Action::ComeBack => self.may_come_back(),
            Action::Assure => self.may_be_assured(),
            Action::ChargeBack | Action::WinBack => self.came().map(drop),
            Action::Authorize
            | Action::Confirm
            | Action::Deny
            | Action::Cancel
            | Action::Refund
            | Action::AwaitPayer
            | Action::Challenge
            | Action::Capture
            | Action::NoteCapture
            | Action::NoteAnswer
            | Action::HandOver
            | Action::GiveBack => Ok(()),
        }
    }

    // Whether an answer that brings no money is one that may still come.
    pub(super) fn expects(&self, verb: Verb, outcome: &Outcome) -> Result<(), Reason> {
        let after = self.state.after();
        match (verb, outcome) {
            (Verb::Void, _) if after.voiding() => Ok(()),
            (
                Verb::Charge | Verb::Capture,
                Outcome::Declined { .. } | Outcome::Pending { .. } | Outcome::Challenged { .. },
            ) if verb == after.asked => Ok(()),
            (Verb::Charge | Verb::Capture | Verb::Void | Verb::Payout | Verb::Refund, _) => {
                missing("a call that is open and brings no money")
            }
        }
    }

    /// Whether what may still come is a reservation only, which is let go, not money, which goes back.
    #[must_use]
    pub fn only_reserved(&self) -> bool {
        self.facts().capture == Capture::Later && self.state.after().asked == Verb::Charge
    }

    // Whether what may still come late, once, is a reservation (captured later) or money (taken now).
    pub(super) fn came_late(&self, wanted: Capture) -> Result<(), Reason> {
        let after = self.state.after();
        let awaited = if self.only_reserved() { Capture::Later } else { Capture::Now };
        if self.facts().method == Method::Wallet {
            Err(Reason::NotThisWay { instead: WALLET })
        } else if after.bounced.is_some() {
            Err(Reason::Already { what: "returning what came late" })
        } else if wanted != awaited {
            let instead = match awaited {
                Capture::Later => "an amount was only to be reserved: `let_go` of it",
                Capture::Now => "money was taken, not reserved: `bounce` it",
            };
            Err(Reason::NotThisWay { instead })
        } else {
            Ok(())
        }
    }
}
