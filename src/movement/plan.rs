//! What a movement moves: from whom to whom, and how.

use super::{
    course::{Course, Outside, Payer},
    leg::{Leg, Legs},
};
use crate::{
    gateway::BankAccount,
    id::Subject,
    ledger::GatewayName,
    lifecycle::Reason,
    money::{Currency, Money, split},
    order::Payee,
    party::PartyId,
    payment::{Destination, Method},
    text::Name,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// What a movement moves, and under which frame. Made by one constructor for each movement; checked before money moves.
///
/// ```
/// use escrowed::{movement::{Frame, Plan}, money::Share, order::Payee, payment::{Destination, Method}};
///
/// let until = "2026-05-14T12:00:00Z".parse()?;
/// let frame = Frame::new("The gig".parse()?, until, "shop".parse()?, "sandbox".parse()?);
/// let payee = |party: &str, share| Payee { party: party.parse().unwrap(), share, to: Destination::Wallet };
/// let payees = vec![payee("singer", Share::Percent("50%".parse()?)), payee("drummer", Share::Rest), payee("bassist", Share::Rest)];
/// let plan = Plan::one_to_many(frame, "anna".parse()?, Method::Card, "100.01 EUR".parse()?, payees);
///
/// // One order of anna's, then one for each payee: to the last cent.
/// let amounts: Vec<_> = plan.amounts()?.iter().map(ToString::to_string).collect();
/// assert_eq!(amounts, ["100.01 EUR", "50.01 EUR", "25.00 EUR", "25.00 EUR"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    frame: Frame,
    course: Course,
}

/// What every plan says, whatever moves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Frame {
    /// What it is for, in a few words. Each of its orders bears it.
    pub name: Name,
    /// Until when everything must be paid (UTC): before, not at that time or later. Otherwise all of it is undone.
    pub until: Timestamp,
    /// The marketplace's own party.
    pub platform: PartyId,
    /// Through which gateway the payments go.
    pub gateway: GatewayName,
    /// How often the payment of each order may be tried: once, unless said. A try that is called off or runs out of time counts,
    /// too. When none is left, the movement is undone.
    #[serde(default = "once")]
    pub payin_intents: u32,
    /// How many orders one write opens, settles or undoes: 100, unless said; from 1 to 1000.
    #[serde(default = "hundred")]
    pub batch: u16,
}

/// How many orders a movement may have.
const ORDERS: std::ops::RangeInclusive<u64> = 2..=2_000;

const fn once() -> u32 {
    1
}

const fn hundred() -> u16 {
    100
}

impl Frame {
    /// A frame by the defaults.
    #[must_use]
    pub fn new(name: Name, until: Timestamp, platform: PartyId, gateway: GatewayName) -> Self {
        Self { name, until, platform, gateway, payin_intents: once(), batch: hundred() }
    }
}

impl Plan {
    /// From the payer's card or bank into the payee's wallet.
    #[must_use]
    pub const fn payin_to_wallet(frame: Frame, payer: PartyId, by: Outside, payee: PartyId, amount: Money) -> Self {
        Self { frame, course: Course::PayinToWallet { payer, by, payee, amount } }
    }

    /// From the payer's wallet to the payee's bank account.
    #[must_use]
    pub const fn payin_from_wallet(
        frame: Frame,
        payer: PartyId,
        payee: PartyId,
        bankaccount_id: BankAccount,
        amount: Money,
    ) -> Self {
        Self { frame, course: Course::PayinFromWallet { payer, payee, bankaccount_id, amount } }
    }

    /// From somebody's card or bank into their own wallet.
    #[must_use]
    pub const fn top_up(frame: Frame, payer: PartyId, by: Outside, amount: Money) -> Self {
        Self { frame, course: Course::TopUp { payer, by, amount } }
    }

    /// From wallet to wallet: settles at once, no gateway.
    #[must_use]
    pub const fn wallet_to_wallet(frame: Frame, payer: PartyId, payee: PartyId, amount: Money) -> Self {
        Self { frame, course: Course::WalletToWallet { payer, payee, amount } }
    }

    /// From one payer to one payee, any way.
    #[must_use]
    pub const fn one_to_one(
        frame: Frame,
        payer: PartyId,
        by: Method,
        payee: PartyId,
        to: Destination,
        amount: Money,
    ) -> Self {
        Self { frame, course: Course::OneToOne { payer, by, payee, to, amount } }
    }

    /// From one payer to several payees, who share the amount.
    #[must_use]
    pub const fn one_to_many(frame: Frame, payer: PartyId, by: Method, amount: Money, payees: Vec<Payee>) -> Self {
        Self { frame, course: Course::OneToMany { payer, by, amount, payees } }
    }

    /// From several payers, each by an act of their own, into one payee's wallet.
    #[must_use]
    pub const fn many_to_one(frame: Frame, payers: Vec<Payer>, payee: PartyId) -> Self {
        Self { frame, course: Course::ManyToOne { payers, payee } }
    }

    /// From several payers, each by an act of their own, to several payees, who share the sum.
    #[must_use]
    pub const fn many_to_many(frame: Frame, payers: Vec<Payer>, payees: Vec<Payee>) -> Self {
        Self { frame, course: Course::ManyToMany { payers, payees } }
    }

    /// The frame.
    #[must_use]
    pub const fn frame(&self) -> &Frame {
        &self.frame
    }

    /// What moves.
    #[must_use]
    pub const fn course(&self) -> &Course {
        &self.course
    }

    /// What each of its orders is about, in their order, in minor units. First come those that are paid from outside the
    /// movement; where several are paid by it, one for each of these follows.
    ///
    /// # Errors
    /// [`Reason`] when the shares do not add up, or are of another currency.
    pub fn amounts(&self) -> Result<Vec<Money>, Reason> {
        Ok(self.legs()?.all().map(|leg| leg.amount).collect())
    }

    /// Whether money may move by it: sums, currencies, parties, and the frame. Looked at when it is opened, too.
    ///
    /// # Errors
    /// [`Reason::Split`] when shares do not add up, [`Reason::Money`] for another currency or nothing to move,
    /// [`Reason::SameParty`] for somebody on both sides, [`Reason::NamedTwice`], [`Reason::NobodysName`], [`Reason::Missing`] without anybody on a
    /// side, [`Reason::OutOfRange`] for a number in the frame or of orders that is too small or too big.
    pub fn check(&self) -> Result<(), Reason> {
        Reason::within("the number of payin intents", self.frame.payin_intents.into(), 1..=u32::MAX.into())?;
        Reason::batch_of(self.frame.batch)?;
        let (payers, payees) = self.sides();
        if payers.is_empty() || payees.is_empty() {
            return Err(Reason::Missing { what: "somebody who pays and somebody who is paid" });
        }
        Reason::within("the number of orders", (payers.len() + payees.len()) as u64, ORDERS)?;
        named_once(&payers)?;
        named_once(&payees)?;
        // The wallet of a movement, which bears its id, is that movement's alone.
        if let Some(id) = payers.iter().chain(&payees).find(|party| Subject::is_named(party.as_str())) {
            return Err(Reason::NobodysName((*id).clone()));
        }
        let top_up = matches!(self.course, Course::TopUp { .. });
        let both: std::collections::BTreeSet<_> = payers.into_iter().collect();
        if !top_up && payees.iter().any(|payee| both.contains(payee)) {
            return Err(Reason::SameParty);
        }
        for leg in self.legs()?.all() {
            leg.amount.require_positive()?;
        }
        Ok(())
    }

    // Who pays, who is paid.
    fn sides(&self) -> (Vec<&PartyId>, Vec<&PartyId>) {
        match &self.course {
            Course::PayinToWallet { payer, payee, .. }
            | Course::PayinFromWallet { payer, payee, .. }
            | Course::WalletToWallet { payer, payee, .. }
            | Course::OneToOne { payer, payee, .. } => (vec![payer], vec![payee]),
            Course::TopUp { payer, .. } => (vec![payer], vec![payer]),
            Course::OneToMany { payer, payees, .. } => (vec![payer], parties(payees)),
            Course::ManyToOne { payers, payee } => (payers.iter().map(|one| &one.party).collect(), vec![payee]),
            Course::ManyToMany { payers, payees } => (payers.iter().map(|one| &one.party).collect(), parties(payees)),
        }
    }

    // Of a plan without payers, which nobody can open, any.
    pub(super) fn currency(&self) -> Currency {
        match &self.course {
            Course::PayinToWallet { amount, .. }
            | Course::PayinFromWallet { amount, .. }
            | Course::TopUp { amount, .. }
            | Course::WalletToWallet { amount, .. }
            | Course::OneToOne { amount, .. }
            | Course::OneToMany { amount, .. } => amount.currency(),
            Course::ManyToOne { payers, .. } | Course::ManyToMany { payers, .. } => {
                payers.first().map_or(Currency::EUR, |payer| payer.amount.currency())
            }
        }
    }

    /// Everybody it concerns.
    pub(super) fn parties(&self) -> Vec<PartyId> {
        let (payers, payees) = self.sides();
        payers.into_iter().chain(payees).cloned().collect()
    }

    /// The only one who pays, if there is only one.
    pub(super) fn only_payer(&self) -> Option<&PartyId> {
        match self.sides().0.as_slice() {
            [payer] => Some(payer),
            [] | [_, _, ..] => None,
        }
    }

    /// What each of its orders moves.
    pub(super) fn legs(&self) -> Result<Legs, Reason> {
        let wallet = || Destination::Wallet;
        let one = |payer: &PartyId, by: &Method, payee: Option<&PartyId>, to, amount| {
            let (payer, payee, by) = (Some(payer.clone()), payee.cloned(), Some(by.clone()));
            vec![Leg { payer, payee, amount, by, to }]
        };
        Ok(match &self.course {
            Course::PayinToWallet { payer, by, payee, amount } => {
                Legs::direct(one(payer, &by.clone().into(), Some(payee), wallet(), *amount))
            }
            Course::PayinFromWallet { payer, payee, bankaccount_id, amount } => {
                let to = Destination::Account { bankaccount_id: bankaccount_id.clone() };
                Legs::direct(one(payer, &Method::Wallet, Some(payee), to, *amount))
            }
            Course::TopUp { payer, by, amount } => {
                Legs::direct(one(payer, &by.clone().into(), Some(payer), wallet(), *amount))
            }
            Course::WalletToWallet { payer, payee, amount } => {
                Legs::direct(one(payer, &Method::Wallet, Some(payee), wallet(), *amount))
            }
            Course::OneToOne { payer, by, payee, to, amount } => {
                Legs::direct(one(payer, by, Some(payee), to.clone(), *amount))
            }
            Course::OneToMany { payer, by, amount, payees } => {
                Legs { first: one(payer, by, None, wallet(), *amount), last: shared(*amount, payees)? }
            }
            Course::ManyToOne { payers, payee } => {
                sum(payers)?;
                Legs::direct(payers.iter().map(|payer| payer.leg(Some(payee))).collect())
            }
            Course::ManyToMany { payers, payees } => Legs {
                last: shared(sum(payers)?, payees)?,
                first: payers.iter().map(|payer| payer.leg(None)).collect(),
            },
        })
    }
}

impl Payer {
    fn leg(&self, payee: Option<&PartyId>) -> Leg {
        let (payer, payee) = (Some(self.party.clone()), payee.cloned());
        Leg { payer, payee, amount: self.amount, by: None, to: Destination::Wallet }
    }
}

fn parties(payees: &[Payee]) -> Vec<&PartyId> {
    payees.iter().map(|payee| &payee.party).collect()
}

fn named_once(parties: &[&PartyId]) -> Result<(), Reason> {
    let mut sorted = parties.to_vec();
    sorted.sort_unstable();
    match sorted.windows(2).find(|two| two[0] == two[1]) {
        Some(two) => Err(Reason::NamedTwice(two[0].clone())),
        None => Ok(()),
    }
}

fn sum(payers: &[Payer]) -> Result<Money, Reason> {
    let Some(first) = payers.first() else { return Err(Reason::Missing { what: "somebody who pays" }) };
    // One who owes less than nothing must not make up for another.
    payers.iter().try_for_each(|payer| payer.amount.require_positive().map(drop))?;
    Ok(Money::sum(payers.iter().map(|payer| payer.amount), first.amount.currency())?)
}

// One order for each payee, paid from the movement's own wallet.
fn shared(amount: Money, payees: &[Payee]) -> Result<Vec<Leg>, Reason> {
    amount.require_positive()?;
    let shares: Vec<_> = payees.iter().map(|payee| payee.share).collect();
    let amounts = split(amount, &shares)?;
    let leg = |(payee, amount): (&Payee, Money)| Leg {
        payer: None,
        payee: Some(payee.party.clone()),
        amount,
        by: Some(Method::Wallet),
        to: payee.to.clone(),
    };
    Ok(payees.iter().zip(amounts).map(leg).collect())
}
