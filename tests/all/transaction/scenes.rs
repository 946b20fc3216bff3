//! Transactions in every status, and what their own facts forbid there although the table allows it.

use super::{DAY, Deal, anna, award, complain, decline, judy, opened_by, sam, terms};
use crate::harness::{Shop, bank, party};
use escrowed::{
    deal::Side,
    gateway::Verb,
    memory::Memory,
    payment::{AnyPayin, AnyPayout, AnyRefund, Method, Payin, Payout, Refund, payin, payout, refund},
    store::Store,
    transaction::{Action, AnyTransaction, Command, Person, Status, Terms, TransactionId},
};

impl<'s, S: Store> Deal<'s, S> {
    /// A transaction in that status, by the shortest way there is.
    pub(super) async fn in_status(shop: &'s Shop<S>, status: Status) -> Self {
        let deal = match status {
            Status::Created => Self::opened(shop, terms()).await,
            Status::Joined => Self::joined(shop, terms()).await,
            Status::Paid => Self::paid(shop, terms()).await,
            Status::PaymentAccepted => Self::accepted(shop, terms()).await,
            Status::Tracked => Self::tracked(shop, terms()).await,
            Status::Delivered => Self::delivered(shop, terms()).await,
            Status::BuyerHandoverConfirmed => Self::handed_over(shop, Side::Buyer).await,
            Status::SellerHandoverConfirmed => Self::handed_over(shop, Side::Seller).await,
            Status::ComplaintSubmitted => Self::complained(shop, terms()).await,
            Status::ComplaintPeriodEnded => Self::leaving(shop).await,
            Status::Cancelled | Status::Refunded => {
                let deal = Self::paid(shop, terms()).await;
                deal.act(sam(), Command::Cancel {}).await;
                deal
            }
            Status::FundsReleased => Self::leaving(shop).await,
        };
        if matches!(status, Status::Refunded | Status::FundsReleased) {
            shop.send().await;
        }
        deal.expect(status).await
    }
}

/// A transaction in a shop of its own, so that no other one's calls move it on.
pub(super) struct Scene {
    pub(super) says: &'static str,
    pub(super) shop: Shop<Memory>,
    pub(super) id: TransactionId,
    pub(super) creator: Side,
    /// Anybody but the creator may turn out to be the other side.
    pub(super) other_unknown: bool,
    /// The clock's time has come.
    pub(super) due: bool,
    /// Not now, and `may` knows it.
    pub(super) barred: Vec<Action>,
    /// Nothing exists that could prove it.
    pub(super) unproven: Vec<Action>,
}

impl Scene {
    pub(super) fn deal(&self) -> Deal<'_, Memory> {
        Deal { shop: &self.shop, id: self.id }
    }

    async fn new(says: &'static str, status: Status) -> Self {
        let shop = Shop::memory();
        let id = Deal::in_status(&shop, status).await.id;
        Self::at(says, shop, id)
    }

    async fn opened(says: &'static str, terms: Terms) -> Self {
        let (shop, creator) = (Shop::memory(), terms.creator);
        let other_unknown = terms.buyer.is_none() || terms.seller.is_none();
        let id = Deal::opened(&shop, terms).await.id;
        Self { creator, other_unknown, ..Self::at(says, shop, id) }
    }

    // Paid from a wallet; and accepted, handed over and complained of as far as that status.
    async fn from_wallet(says: &'static str, status: Status) -> Self {
        let shop = Shop::memory();
        shop.fill_wallet("anna", crate::harness::euro("115.00")).await;
        let deal = Deal::joined(&shop, terms()).await;
        deal.act(anna(), Command::OpenPayin { by: Method::Wallet }).await;
        let steps = [(sam(), Command::AcceptPayment {}), (sam(), Command::ConfirmHandover {}), (anna(), complain())];
        for (by, command) in steps {
            if deal.status().await != status {
                deal.act(by, command).await;
            }
        }
        let id = deal.expect(status).await.id;
        Self::at(says, shop, id)
    }

    fn at(says: &'static str, shop: Shop<Memory>, id: TransactionId) -> Self {
        let (creator, other_unknown, due) = (Side::Seller, false, false);
        Self { says, shop, id, creator, other_unknown, due, barred: Vec::new(), unproven: Vec::new() }
    }

    fn barred(mut self, actions: &[Action]) -> Self {
        self.barred.extend(actions);
        self
    }

    fn unproven(mut self, actions: &[Action]) -> Self {
        self.unproven.extend(actions);
        self
    }

    fn due(mut self) -> Self {
        self.shop.escrow.clock().advance(4 * DAY);
        self.due = true;
        self
    }

    async fn then(self, by: escrowed::party::Actor, command: Command<'_>) -> Self {
        self.deal().act(by, command).await;
        self
    }

    // What follows by itself is left undone: a step is saved alone, as the kernel allows.
    async fn alone(self, by: escrowed::party::Actor, command: Command<'_>) -> Self {
        let taken = self.deal().now().await.handle(command, &self.shop.escrow.stamp(by)).unwrap();
        let mut unit = self.shop.begin().await;
        taken.save(&mut unit).await.unwrap();
        self.shop.commit(unit).await;
        self
    }

    async fn declined(self, verb: Verb) -> Self {
        self.shop.gateway().script(verb, [decline()]);
        self.shop.send().await;
        self
    }
}

async fn before_payment() -> Vec<Scene> {
    use Action::{DropPayin, OpenPayin, Pay};
    let for_anna = Terms { buyer: Some(Person::guest(party("anna"))), ..terms() };
    let both = Terms { seller: Some(Person::user(party("sam"))), ..opened_by(Side::Buyer) };
    vec![
        Scene::opened("for anybody to buy", terms()).await,
        Scene::opened("for anna to buy", for_anna).await,
        Scene::opened("for anybody to sell", opened_by(Side::Buyer)).await,
        Scene::opened("for sam to sell", both).await,
        Scene::new("no payin yet", Status::Joined).await.barred(&[Pay, DropPayin]),
        Scene::new("payin under way", Status::Joined).await.then(anna(), super::card()).await.barred(&[OpenPayin]),
    ]
}

async fn with_funds() -> Vec<Scene> {
    use Action::{Complain, Count, ExtendTracking, Refund, SettleComplaint};
    let mut scenes = vec![
        Scene::new("paid", Status::Paid).await,
        Scene::new("accepted", Status::PaymentAccepted).await,
        Scene::new("tracking missed", Status::PaymentAccepted).await.due().barred(&[ExtendTracking]),
        Scene::new("on its way", Status::Tracked).await,
        Scene::new("no award yet", Status::ComplaintSubmitted).await.barred(&[SettleComplaint, Refund, Count]),
    ];
    for status in [Status::Delivered, Status::BuyerHandoverConfirmed, Status::SellerHandoverConfirmed] {
        scenes.push(Scene::new("period runs", status).await);
        scenes.push(Scene::new("period over", status).await.due().barred(&[Complain]));
    }
    scenes
}

/// All that it held was charged back: undecided, and for good.
async fn charged_back() -> Vec<Scene> {
    use Action::{Award as Decide, ChargeBack, ChargeBackAll, Close, Count, Refund, Regain, SettleComplaint};
    let mut scenes = Vec::new();
    for (lost, barred) in [(false, Close), (true, Regain)] {
        let scene = Scene::new("charged back", Status::Tracked).await;
        crate::after::nothing_there(&scene.shop, scene.id, lost).await;
        scenes.push(scene.barred(&[ChargeBack, ChargeBackAll, Decide, SettleComplaint, Refund, Count, barred]));
    }
    scenes
}

async fn leaving() -> Vec<Scene> {
    use Action::{Award as Decide, Count, Refund, Release, SettleComplaint};
    let shared = || award("15.00", "100.00");
    let all_back = || award("115.00", "0.00");
    let cancel = || Command::Cancel {};
    let ended = Status::ComplaintPeriodEnded;
    vec![
        Scene::new("award on its way", Status::ComplaintSubmitted).await.then(judy(), shared()).await.barred(&[
            Decide,
            SettleComplaint,
            Refund,
        ]),
        Scene::new("award's refund denied", Status::ComplaintSubmitted)
            .await
            .then(judy(), shared())
            .await
            .declined(Verb::Refund)
            .await
            .barred(&[Decide, SettleComplaint, Refund]),
        Scene::from_wallet("award arrived", Status::ComplaintSubmitted)
            .await
            .alone(judy(), shared())
            .await
            .barred(&[Decide, Refund])
            .unproven(&[Count]),
        Scene::from_wallet("award to the buyer arrived", Status::ComplaintSubmitted)
            .await
            .alone(judy(), all_back())
            .await
            .barred(&[Decide, SettleComplaint])
            .unproven(&[Count]),
        Scene::new("payout on its way", ended).await.barred(&[Release]),
        Scene::new("payout denied", ended).await.declined(Verb::Payout).await.barred(&[Release]),
        Scene::from_wallet("payout arrived", Status::SellerHandoverConfirmed)
            .await
            .alone(anna(), Command::EndComplaintPeriod {})
            .await
            .unproven(&[Count]),
        Scene::new("nothing was paid", Status::Joined).await.then(anna(), cancel()).await.barred(&[Refund, Count]),
        Scene::from_wallet("refund arrived", Status::Paid).await.alone(anna(), cancel()).await.unproven(&[Count]),
        Scene::new("refund on its way", Status::Cancelled).await.barred(&[Refund]),
        Scene::new("refund denied", Status::Cancelled).await.declined(Verb::Refund).await.barred(&[Refund]),
        Scene::new("refunded", Status::Refunded).await,
        Scene::new("released", Status::FundsReleased).await,
    ]
}

pub(super) async fn all() -> Vec<Scene> {
    let mut scenes = before_payment().await;
    scenes.extend(with_funds().await);
    scenes.extend(leaving().await);
    for scene in &mut scenes {
        scene.barred.extend([Action::Regain, Action::Close]);
        if scene.deal().now().await.held().is_zero() {
            scene.barred.extend([Action::ChargeBack, Action::ChargeBackAll]);
        }
    }
    scenes.extend(charged_back().await);
    scenes
}

/// What a transaction's payments can prove. Each piece was saved in a unit that was then thrown away.
#[derive(Default)]
pub(super) struct Proof {
    pub(super) paid: Option<Payin<payin::Confirmed>>,
    pub(super) unpaid: Option<Payin<payin::Denied>>,
    pub(super) payout: Option<Payout<payout::Confirmed>>,
    pub(super) payout_replaced: Option<Payout<payout::Denied>>,
    pub(super) refund: Option<Refund<refund::Confirmed>>,
    pub(super) refund_replaced: Option<Refund<refund::Denied>>,
    came_back: Option<escrowed::lifecycle::Transition<Payout<payout::Returned>>>,
    taken: Option<crate::after::Taken>,
}

impl Proof {
    /// Chargebacks of what it holds.
    pub(super) fn taken(&self) -> &crate::after::Taken {
        self.taken.as_ref().expect("they were made with all others")
    }

    /// A payout of its own that came back from the bank.
    pub(super) fn came_back(&self) -> &Payout<payout::Returned> {
        self.came_back.as_ref().expect("it was made with all others").value()
    }

    pub(super) async fn of(shop: &Shop<Memory>, id: TransactionId) -> Self {
        let (at, ops) = (shop.escrow.stamp(escrowed::party::Actor::Gateway), shop.escrow.stamp(crate::harness::ops()));
        let came_back = Some(crate::after::came_back(id.subject(), shop.now()));
        let taken = Some(crate::after::Taken::of(shop, id).await);
        let mut proof = Self { came_back, taken, ..Self::default() };
        for id in shop.payins(id).await.iter().map(AnyPayin::id) {
            let AnyPayin::Created(payin) = shop.load(id).await else { continue };
            let amount = payin.facts().amount;
            proof.paid = Some(thrown_away(shop, payin.confirm(amount, &at).unwrap()).await);
            let AnyPayin::Created(payin) = shop.load(id).await else { unreachable!() };
            proof.unpaid = Some(thrown_away(shop, payin.deny("no".parse().unwrap(), &at).unwrap()).await);
        }
        for payout in shop.payouts(id).await {
            match payout {
                AnyPayout::Created(payout) => {
                    let amount = payout.facts().amount;
                    proof.payout = Some(thrown_away(shop, payout.confirm(amount, &at).unwrap()).await);
                }
                AnyPayout::Denied(payout) => {
                    let replaced = payout.replace(bank("ba_other"), &ops).unwrap();
                    proof.payout_replaced = Some(thrown_away(shop, replaced).await);
                }
                AnyPayout::Confirmed(payout) => proof.payout = Some(payout),
                AnyPayout::Held(_) | AnyPayout::Cancelled(_) | AnyPayout::Returned(_) => {}
            }
        }
        for refund in shop.refunds(id).await {
            match refund {
                AnyRefund::Created(refund) => {
                    let amount = refund.facts().amount;
                    proof.refund = Some(thrown_away(shop, refund.confirm(amount, &at).unwrap()).await);
                }
                AnyRefund::Denied(refund) => {
                    let route = escrowed::payment::Route::Account("ba_other".parse().unwrap());
                    proof.refund_replaced = Some(thrown_away(shop, refund.replace(route, &ops).unwrap()).await);
                }
                AnyRefund::Confirmed(refund) => proof.refund = Some(refund),
                AnyRefund::Cancelled(_) | AnyRefund::Returned(_) | AnyRefund::Replaced(_) => {}
            }
        }
        proof
    }

    /// One piece of each kind, of a transaction that no scene is about.
    pub(super) async fn of_others() -> Self {
        let shop = Shop::memory();
        let joined = Deal::joined(&shop, terms()).await;
        joined.act(anna(), super::card()).await;
        let Self { paid, unpaid, .. } = Self::of(&shop, joined.id).await;
        let disputed = Deal::complained(&shop, Terms { payout: Some(bank("ba_sam")), ..terms() }).await;
        disputed.act(judy(), award("15.00", "100.00")).await;
        let Self { payout, refund, .. } = Self::of(&shop, disputed.id).await;
        assert!(matches!(disputed.now().await, AnyTransaction::ComplaintSubmitted(_)));
        Self { paid, unpaid, payout, refund, ..Self::default() }
    }
}

// Saves a step in a unit that is never committed.
async fn thrown_away<T: escrowed::lifecycle::Value>(
    shop: &Shop<Memory>,
    step: escrowed::lifecycle::Transition<T>,
) -> T {
    let mut unit = shop.begin().await;
    step.save(&mut unit).await.unwrap()
}
