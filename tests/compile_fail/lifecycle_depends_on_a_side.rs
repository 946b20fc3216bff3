// Only the guest can take the deposit back, and may never do so.
use escrowed::ledger::{Account, Purpose};
use escrowed::lifecycle::{Effects, Facts, Opening, Reason, Refused, Takes, Transition};
use escrowed::money::Money;
use escrowed::party::{PartyId, Role, Stamp};
use serde::{Deserialize, Serialize};

const GUEST: Role = Role::party("guest");

escrowed::lifecycle! {
    /// A deposit.
    pub lifecycle Deposit, AnyDeposit as "deposit" with ids "dep" {
        version 1;
        facts Asked;
        opening Asked;
        initial Open;
        statuses {
            /// The guest is asked for it.
            Open = "OPEN", Nothing;
            /// It is there.
            Held = "HELD", Funds;
            /// The guest has it again.
            Returned = "RETURNED", Nothing;
        }
        edges {
            leave => Leave records Left {
                Open -> Held by GUEST, Collect, Own;
            }
            give_back => GiveBack records GivenBack {
                Held -> Returned by GUEST, Release, Own;
            }
        }
        notes {}
        commands Command;
    }
}

#[derive(Debug, Default)]
pub struct Open;
#[derive(Debug)]
pub struct Held;
#[derive(Debug)]
pub struct Returned;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Asked {
    guest: PartyId,
    amount: Money,
}
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Left;
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GivenBack;

impl Facts for Asked {
    fn plays(&self, role: Role, who: &PartyId) -> bool {
        role == GUEST && *who == self.guest
    }
    fn parties(&self) -> Vec<PartyId> {
        vec![self.guest.clone()]
    }
}

impl Opening<AnyDeposit> for Asked {
    fn check(&self, _: &mut Effects<'_>) -> Result<(), Reason> {
        Ok(())
    }
    fn held(&self) -> Money {
        Money::zero(self.amount.currency())
    }
    fn facts(self, _: &Stamp) -> Asked {
        self
    }
}

impl Takes<Left> for Deposit<Open> {
    type Next = Deposit<Held>;
    fn check(&self, _: &Left, step: &mut Effects<'_>) -> Result<(), Reason> {
        step.receive(Account::Wallet(self.facts().guest.clone()), self.facts().amount, Purpose::Payin)
    }
    fn make(self, _: Left, _: &Stamp) -> Deposit<Held> {
        self.enter(Held)
    }
}

impl Takes<GivenBack> for Deposit<Held> {
    type Next = Deposit<Returned>;
    fn check(&self, _: &GivenBack, step: &mut Effects<'_>) -> Result<(), Reason> {
        step.pay(Account::Wallet(self.facts().guest.clone()), self.held(), Purpose::GiveBack)
    }
    fn make(self, _: GivenBack, _: &Stamp) -> Deposit<Returned> {
        self.enter(Returned)
    }
}

impl Deposit<Open> {
    pub fn leave(self, at: &Stamp) -> Result<Transition<Deposit<Held>>, Refused<Self>> {
        self.take(Left, at)
    }
}

impl Deposit<Held> {
    pub fn give_back(self, at: &Stamp) -> Result<Transition<Deposit<Returned>>, Refused<Self>> {
        self.take(GivenBack, at)
    }
}

impl AnyDeposit {
    fn ready(&self, _: Action, _: &Stamp) -> Result<(), Reason> {
        Ok(())
    }
}

fn main() {}
