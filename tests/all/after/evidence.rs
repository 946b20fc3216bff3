//! Evidence of what happens after the end, for the tests that try every command.

use super::{charged, tell};
use crate::harness::{Shop, bank, euro, ops, party};
use escrowed::{
    id::{Id, Subject},
    lifecycle::Transition,
    memory::Memory,
    money::Money,
    party::Stamp,
    payment::{
        Agreement, AnyChargeback, AnyPayout, Chargeback, ChargebackId, PayinId, Payout, PayoutId,
        chargeback::{self, Part, Share},
        payout,
    },
    store::Query,
    time::Timestamp,
};

/// A payout of this order or deal that came back from the bank. It was never saved.
pub(crate) fn came_back(about: Subject, at: Timestamp) -> Transition<Payout<payout::Returned>> {
    let (amount, gateway) = (euro("1.00"), Stamp::gateway(at));
    let terms = payout::Terms {
        about,
        payee: party("sam"),
        amount,
        to: bank("ba_closed"),
        gateway: "sandbox".parse().unwrap(),
        again: None,
    };
    let opened = payout::open(PayoutId::generate(at), terms, &Stamp::new(ops(), at)).unwrap();
    let confirmed = opened.then(|payout| match payout {
        AnyPayout::Created(payout) => Ok(payout.confirm(amount, &gateway).unwrap()),
        other => unreachable!("{other:?}"),
    });
    let why = "account closed".parse().unwrap();
    confirmed.unwrap().then(|payout| payout.come_back(amount, why, &gateway)).unwrap()
}

/// Chargebacks of an order or deal: of a part of what it holds, of all of it, and one that was won. None was saved.
pub(crate) struct Taken {
    part: Transition<Chargeback<chargeback::Open>>,
    all: Transition<Chargeback<chargeback::Open>>,
    won: Transition<Chargeback<chargeback::Won>>,
}

impl Taken {
    /// Its own where it has one that is not decided, else some.
    pub(crate) async fn of<L: Agreement>(shop: &Shop<Memory>, id: Id<L>) -> Self {
        let (at, held) = (shop.now(), shop.load(id).await.head().held());
        let (part, all) = (Money::from_minor(held.minor().min(1), held.currency()), held);
        let mut won = chargeback(id.subject(), part, at).then(win).unwrap();
        for found in shop.find(&Query::About(id.subject())).await {
            let Ok(chargeback) = ChargebackId::try_from(found) else { continue };
            if let AnyChargeback::Open(open) = shop.load(chargeback).await {
                won = win(open).unwrap();
            }
        }
        Self { part: chargeback(id.subject(), part, at), all: chargeback(id.subject(), all, at), won }
    }

    pub(crate) fn part(&self) -> &Chargeback<chargeback::Open> {
        self.part.value()
    }

    pub(crate) fn all(&self) -> &Chargeback<chargeback::Open> {
        self.all.value()
    }

    pub(crate) fn won(&self) -> &Chargeback<chargeback::Won> {
        self.won.value()
    }
}

type Won = Result<Transition<Chargeback<chargeback::Won>>, escrowed::lifecycle::Refused<Chargeback<chargeback::Open>>>;

// Of these, escrow alone bears something, or one wallet.
fn win(open: Chargeback<chargeback::Open>) -> Won {
    let at = Stamp::gateway(crate::harness::START.parse().unwrap());
    let shares = open.facts().shares.iter().filter(|share| share.of == Part::Amount);
    let back = shares.map(|share| chargeback::Back {
        party: share.party.clone(),
        owed: Money::zero(share.owed.currency()),
        debt: None,
        wallet: share.wallet,
        written_off: Money::zero(share.owed.currency()),
    });
    let back = back.collect();
    open.win(back, &at)
}

fn chargeback(about: Subject, held: Money, at: Timestamp) -> Transition<Chargeback<chargeback::Open>> {
    let zero = Money::zero(held.currency());
    let amount = if held.is_zero() { Money::from_minor(1, held.currency()) } else { held };
    let share = Share { party: party("anna"), of: Part::Amount, wallet: amount, owed: zero, debt: None };
    let terms = chargeback::Terms {
        about,
        payin: PayinId::generate(at),
        payer: party("anna"),
        platform: party("shop"),
        reference: "dp_1".parse().unwrap(),
        reason: "fraudulent".parse().unwrap(),
        amount,
        fee: zero,
        held,
        refunds: Vec::new(),
        shares: if held.is_zero() { vec![share] } else { Vec::new() },
        gateway: "sandbox".parse().unwrap(),
    };
    chargeback::open(ChargebackId::generate(at), terms, &Stamp::gateway(at)).unwrap()
}

/// All that it holds was charged back: open, or lost for good.
pub(crate) async fn nothing_there<L: Agreement>(shop: &Shop<Memory>, id: Id<L>, lost: bool) {
    for payin in shop.payins(id).await {
        let (reference, amount) = (payin.id().to_string(), payin.facts().amount);
        let dispute = charged(shop, payin.id(), &reference, amount, euro("0.00"));
        tell(shop, &dispute).await;
        if lost {
            tell(shop, &super::decided(shop, &dispute, false)).await;
        }
    }
}
