//! Deals in every status, and what their payments can prove.

use super::{DAY, Deal, anna, card, judy, opened_by, sam, terms, with_policy};
use crate::harness::{Shop, bank, euro, ops};
use escrowed::{
    deal::{Award, Period, Side},
    face_to_face::{Action, Command, FaceToFaceId, JoinCode, Policy, Terms},
    gateway::Verb,
    lifecycle::{Transition, Value},
    memory::Memory,
    party::{Actor, Role},
    payment::{AnyPayin, AnyPayout, AnyRefund, Destination, Payin, Payout, Refund, payin, payout, refund},
};

/// A deal in a shop of its own, and what its own facts forbid there although the table allows it.
pub(super) struct Scene {
    pub(super) says: &'static str,
    pub(super) shop: Shop<Memory>,
    pub(super) id: FaceToFaceId,
    pub(super) creator: Side,
    /// Nobody has joined: anybody but the creator may be the other side.
    pub(super) alone: bool,
    /// The clock's deadline has passed.
    pub(super) due: bool,
    /// Not now, and `may` knows it.
    pub(super) barred: Vec<Action>,
    /// Nothing exists that could prove it.
    pub(super) unproven: Vec<Action>,
}

/// What a deal's payments can prove. Each piece was saved in a unit that was then thrown away.
#[derive(Default)]
pub(super) struct Proof {
    pub(super) paid: Option<Payin<payin::Confirmed>>,
    pub(super) unpaid: Option<Payin<payin::Denied>>,
    pub(super) arrived: Option<Payout<payout::Confirmed>>,
    pub(super) replaced: Option<Payout<payout::Denied>>,
    pub(super) returned: Option<Refund<refund::Confirmed>>,
    came_back: Option<Transition<Payout<payout::Returned>>>,
    taken: Option<crate::after::Taken>,
}

impl Scene {
    fn new(says: &'static str, shop: Shop<Memory>, id: FaceToFaceId) -> Self {
        let (barred, unproven) = (Vec::new(), Vec::new());
        Self { says, shop, id, creator: Side::Seller, alone: false, due: false, barred, unproven }
    }

    fn barred(mut self, actions: &[Action]) -> Self {
        self.barred.extend(actions);
        self
    }

    fn unproven(mut self, actions: &[Action]) -> Self {
        self.unproven.extend(actions);
        self
    }

    fn after(mut self, days: u32) -> Self {
        self.shop.escrow.clock().advance(DAY * days);
        self.due = true;
        self
    }

    async fn then(self, by: Actor, command: Command<'_>) -> Self {
        self.shop.act(self.id, command, by).await;
        self
    }

    /// Whether an actor plays a role, as everybody knows it.
    pub(super) fn plays(&self, actor: &Actor, role: Role) -> bool {
        let side = match actor {
            actor if *actor == anna() => Some(Side::Buyer),
            actor if *actor == sam() => Some(Side::Seller),
            _ => None,
        };
        let known = side.filter(|side| !self.alone || *side == self.creator);
        match actor {
            Actor::Party(_) => match role {
                Role::BUYER => known == Some(Side::Buyer),
                Role::SELLER => known == Some(Side::Seller),
                Role::CREATOR => side == Some(self.creator),
                Role::OTHER => side != Some(self.creator) && (self.alone || side.is_some()),
                _ => false,
            },
            Actor::Office { role: office, .. } => office.as_str() == role.name,
            Actor::Clock => role == Role::CLOCK,
            Actor::Gateway => role == Role::GATEWAY,
        }
    }
}

macro_rules! scene {
    ($says:literal, $stage:ident, $terms:expr) => {{
        let shop = Shop::memory();
        let id = Deal::$stage(&shop, $terms).await.id;
        Scene::new($says, shop, id)
    }};
}

fn to_bank() -> Terms {
    Terms { payout: Some(bank("ba_sam")), ..terms() }
}

async fn before_joining() -> Vec<Scene> {
    use Action::{Join, Miss, Reject};
    let closed = [Join, Reject, Miss];
    let one_try = Policy { join_attempts: 1, ..Policy::default() };
    let one_day = Policy { join: Some(Period::days(1)), ..Policy::default() };
    let wrong = JoinCode::generate();
    let by_sam = scene!("opened by the seller", opened, terms());
    let by_anna = scene!("opened by the buyer", opened, opened_by(Side::Buyer));
    let tried =
        scene!("no tries left", opened, with_policy(one_try)).then(anna(), Command::Join { code: &wrong }).await;
    let late = scene!("too late to join", opened, with_policy(one_day)).after(1);
    vec![
        Scene { alone: true, ..by_sam },
        Scene { alone: true, creator: Side::Buyer, ..by_anna },
        Scene { alone: true, ..tried.barred(&closed) },
        Scene { alone: true, due: false, ..late.barred(&closed) },
    ]
}

async fn until_paid() -> Vec<Scene> {
    use Action::{AcceptDeposit, DropPayin, Pay, PayDeposit, PayRemainder, SkipRemainder};
    let review = Command::Review { under_review: true };
    vec![
        scene!("no payin yet", joined, terms()).barred(&[PayDeposit, DropPayin]),
        scene!("payin under way", joined, terms()).then(anna(), card()).await.barred(&[Pay]),
        scene!("deposit paid", deposited, terms()),
        scene!("deposit under review", deposited, terms()).then(ops(), review).await.barred(&[AcceptDeposit]),
        scene!("accepted", accepted, terms()),
        scene!("no payin yet", priced, terms()).barred(&[PayRemainder, DropPayin]),
        scene!("payin under way", priced, terms()).then(anna(), card()).await.barred(&[Pay, SkipRemainder]),
    ]
}

async fn handing_over() -> Vec<Scene> {
    use Action::{Complain, Escalate, Extend, Release, Waive};
    let confirm = || Command::ConfirmHandover {};
    let waive = || Command::Waive {};
    let closed = [Complain, Extend, Waive];
    vec![
        scene!("paid", paid, terms()).barred(&[Escalate]),
        scene!("paid, handover overdue", paid, terms()).after(30),
        scene!("skipped", skipped, terms()).barred(&[Escalate]),
        scene!("skipped, handover overdue", skipped, terms()).after(30),
        scene!("buyer confirmed", paid, terms()).then(anna(), confirm()).await,
        scene!("buyer confirmed, period over", paid, terms()).then(anna(), confirm()).await.after(1).barred(&closed),
        scene!("seller confirmed", handed_over, terms()).barred(&[Release]),
        scene!("seller confirmed, period over", handed_over, terms()).after(1).barred(&closed),
        scene!("to a bank, period over", handed_over, to_bank()).after(1).barred(&closed).barred(&[Release]),
        scene!("waived", handed_over, terms()).then(anna(), waive()).await.barred(&closed),
    ]
}

async fn leaving() -> Vec<Scene> {
    use Action::{Award as Decide, Count, RefundDeposit, Release, SettleComplaint};
    let award = |buyer, seller| Command::Award { award: Award { buyer: euro(buyer), seller: euro(seller) } };
    let end = || Command::EndComplaintPeriod {};
    let denied = scene!("payout denied", handed_over, to_bank());
    denied.shop.gateway().script(Verb::Payout, [super::decline()]);
    let denied = denied.then(anna(), end()).await;
    denied.shop.send().await;
    vec![
        scene!("refund on its way", deposited, terms()).then(sam(), Command::Cancel {}).await.barred(&[RefundDeposit]),
        scene!("payout on its way", handed_over, to_bank()).then(anna(), end()).await.barred(&[Release]),
        denied.barred(&[Release]),
        scene!("no award yet", complained, terms()).barred(&[SettleComplaint, Count]),
        scene!("awarded", complained, to_bank())
            .then(judy(), award("100.00", "80.00"))
            .await
            .barred(&[Decide, SettleComplaint]),
    ]
}

async fn ended() -> Vec<Scene> {
    let rejected = scene!("rejected", opened, terms());
    let code = rejected.shop.load(rejected.id).await.facts().terms().join_code.clone();
    let refunded = scene!("refunded", deposited, terms()).then(sam(), Command::Cancel {}).await;
    refunded.shop.send().await;
    vec![
        Scene { alone: true, ..rejected.then(anna(), Command::Reject { code: &code }).await },
        scene!("cancelled", joined, terms()).then(anna(), Command::Cancel {}).await,
        refunded,
        scene!("released", handed_over, terms()).then(anna(), Command::EndComplaintPeriod {}).await,
    ]
}

/// What cannot be reached without the step that a gateway's report takes by itself: all that is left is one step.
async fn about_to_end() -> Vec<Scene> {
    use Action::Count;
    let by_hand = async |scene: Scene, command: Command<'_>, by: Actor| {
        // Saved as it is, without what follows by itself.
        let at = scene.shop.escrow.stamp(by);
        let deal: escrowed::face_to_face::AnyFaceToFace = scene.shop.load(scene.id).await;
        let mut unit = scene.shop.begin().await;
        deal.handle(command, &at).unwrap().save(&mut unit).await.unwrap();
        scene.shop.commit(unit).await;
        scene
    };
    let all_to_sam = Command::Award { award: Award { buyer: euro("0.00"), seller: euro("180.00") } };
    let ended = by_hand(scene!("paid out", handed_over, terms()), Command::EndComplaintPeriod {}, anna()).await;
    let awarded = by_hand(scene!("award paid out", complained, terms()), all_to_sam, judy()).await;
    let shop = Shop::memory();
    shop.fill_wallet("anna", euro("50.00")).await;
    let id = Deal::joined(&shop, terms()).await.id;
    let pay = Command::Pay { by: escrowed::payment::Method::Wallet };
    let refunded = Scene::new("deposit is back", shop, id).then(anna(), pay).await;
    let refunded = by_hand(refunded, Command::Cancel {}, sam()).await;
    vec![ended.unproven(&[Count]), awarded.unproven(&[Count]).barred(&[Action::Award]), refunded.unproven(&[Count])]
}

pub(super) async fn all() -> Vec<Scene> {
    let mut scenes = before_joining().await;
    scenes.extend(until_paid().await);
    scenes.extend(handing_over().await);
    scenes.extend(leaving().await);
    scenes.extend(about_to_end().await);
    scenes.extend(ended().await);
    for scene in &mut scenes {
        scene.barred.extend([Action::Regain, Action::Close]);
        if scene.shop.load(scene.id).await.held().is_zero() {
            scene.barred.extend([Action::ChargeBack, Action::ChargeBackAll]);
        }
    }
    scenes.extend(charged_back().await);
    scenes
}

/// All that it held was charged back: undecided, and for good.
async fn charged_back() -> Vec<Scene> {
    use Action::{Award as Decide, ChargeBack, ChargeBackAll, Close, Count, Regain, SettleComplaint};
    let mut scenes = Vec::new();
    for (lost, barred) in [(false, Close), (true, Regain)] {
        let scene = scene!("charged back", accepted, terms());
        crate::after::nothing_there(&scene.shop, scene.id, lost).await;
        scenes.push(scene.barred(&[ChargeBack, ChargeBackAll, Decide, SettleComplaint, Count, barred]));
    }
    scenes
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

    pub(super) async fn of(shop: &Shop<Memory>, id: FaceToFaceId) -> Self {
        let (at, ops) = (shop.escrow.stamp(Actor::Gateway), shop.escrow.stamp(ops()));
        let came_back = Some(crate::after::came_back(id.subject(), shop.now()));
        let taken = Some(crate::after::Taken::of(shop, id).await);
        let mut proof = Self { came_back, taken, ..Self::default() };
        for payin in shop.payins(id).await.iter().map(AnyPayin::id) {
            let load = || async {
                let AnyPayin::Created(payin) = shop.load(payin).await else { return None };
                Some(payin)
            };
            let Some(payin) = load().await else { continue };
            let amount = payin.facts().amount;
            proof.paid = Some(thrown_away(shop, payin.confirm(amount, &at).unwrap()).await);
            let denied = load().await.unwrap().deny("no".parse().unwrap(), &at).unwrap();
            proof.unpaid = Some(thrown_away(shop, denied).await);
        }
        for payout in shop.payouts(id).await {
            match payout {
                AnyPayout::Created(payout) => {
                    let amount = payout.facts().amount;
                    proof.arrived = Some(thrown_away(shop, payout.confirm(amount, &at).unwrap()).await);
                }
                AnyPayout::Denied(payout) => {
                    let replaced = payout.replace(Destination::Wallet, &ops).unwrap();
                    proof.replaced = Some(thrown_away(shop, replaced).await);
                }
                AnyPayout::Held(_) | AnyPayout::Confirmed(_) | AnyPayout::Cancelled(_) | AnyPayout::Returned(_) => {}
            }
        }
        for refund in shop.refunds(id).await {
            let AnyRefund::Created(refund) = refund else { continue };
            let amount = refund.facts().amount;
            proof.returned = Some(thrown_away(shop, refund.confirm(amount, &at).unwrap()).await);
        }
        proof
    }
}

// Saves a step in a unit that is never committed.
async fn thrown_away<T: Value>(shop: &Shop<Memory>, step: Transition<T>) -> T {
    let mut unit = shop.begin().await;
    step.save(&mut unit).await.unwrap()
}
