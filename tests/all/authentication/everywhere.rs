//! Whatever opens a payin, whoever asks says what it needs.

use super::*;
use crate::harness::on_each_store;
use escrowed::{
    campaign::{self, AnyCampaign, Campaign},
    deal::{Side, Sides},
    escrow::EscrowError,
    face_to_face::{self, FaceToFace},
    gateway::Instruction,
    id::Id,
    lifecycle::Reason,
    movement::{Frame, Plan},
    payment::{Agreement, Destination},
    pledge::Offer,
    sca::{Authentication, Liability},
    store::Outbox,
    transaction::{self, Person, Pricing, Transaction},
};
use std::time::Duration;

fn toms() -> Caller {
    user("anna").needing(Needs::Challenge, party("tom"))
}

/// That nobody is led to another payee than the one who is paid.
fn is_another_payee<T: std::fmt::Debug, E: std::fmt::Debug>(refused: Result<T, EscrowError<E>>) {
    let Err(EscrowError::Refused(reason)) = refused else { panic!("{refused:?}") };
    assert_eq!(reason, Reason::WrongPayee { expected: party("sam"), found: party("tom") });
}

/// That the one payin of something asked for a challenge, told the gateway, and made the payer's bank liable.
async fn is_challenged<S: Store, L: Agreement>(shop: &Shop<S>, id: Id<L>) {
    let payin = shop.payins(id).await.remove(0).id();
    assert!(matches!(created(shop, payin).await.facts().authentication, Authentication::Challenge(_)));
    let call = shop.begin().await.call(&charge(payin)).await.unwrap().expect("its charge");
    let Instruction::Charge { authentication, .. } = call.instruction else { panic!() };
    assert_eq!(authentication.binding().map(|binding| &binding.payee), Some(&party("sam")));
    shop.send().await;
    assert_eq!(confirmed(shop, payin).await.liability(), Liability::Issuer);
    shop.audit().await;
    shop.audit_calls().await;
}

async fn pays<S: Store, L: Agreement>(shop: &Shop<S>, id: Id<L>, command: L::Command<'_>) {
    let mut unit = shop.begin().await;
    shop.escrow.act(&mut unit, id, command, anna(Needs::Challenge)).await.unwrap();
    shop.commit(unit).await;
}

async fn tries<S: Store, L: Agreement>(shop: &Shop<S>, id: Id<L>, command: L::Command<'_>) {
    let mut unit = shop.begin().await;
    is_another_payee(shop.escrow.act(&mut unit, id, command, toms()).await);
}

on_each_store! {
    async fn a_deal_face_to_face(shop) {
        let (sides, gateway) = (Sides::opened_by(party("sam"), Side::Seller), "sandbox".parse().unwrap());
        let terms = face_to_face::Terms::new(sides, euro("20.00"), party("shop"), gateway);
        let mut unit = shop.begin().await;
        let code = terms.join_code.clone();
        let id = shop.escrow.open(&mut unit, FaceToFace::open, terms, user("sam")).await.unwrap().id();
        shop.commit(unit).await;
        shop.act(id, face_to_face::Command::Join { code: &code }, user("anna")).await;
        tries(&shop, id, face_to_face::Command::Pay { by: Method::Card }).await;
        pays(&shop, id, face_to_face::Command::Pay { by: Method::Card }).await;
        is_challenged(&shop, id).await;
    }

    async fn a_transaction(shop) {
        let (person, pricing) = (Person::user(party("sam")), Pricing::of(euro("20.00")));
        let (gateway, client) = ("sandbox".parse().unwrap(), party("shop"));
        let terms = transaction::Terms::new(Side::Seller, person, pricing, "socks".parse().unwrap(), client, gateway);
        let mut unit = shop.begin().await;
        let id = shop.escrow.open(&mut unit, Transaction::open, terms, user("sam")).await.unwrap().id();
        shop.commit(unit).await;
        shop.act(id, transaction::Command::Join {}, user("anna")).await;
        tries(&shop, id, transaction::Command::OpenPayin { by: Method::Card }).await;
        pays(&shop, id, transaction::Command::OpenPayin { by: Method::Card }).await;
        is_challenged(&shop, id).await;
    }

    async fn a_movement(shop) {
        let (until, gateway) = (shop.now().plus(Duration::from_secs(86_400)), "sandbox".parse().unwrap());
        let frame = Frame::new("A collection".parse().unwrap(), until, party("shop"), gateway);
        let plan = |by| {
            let (payer, payee) = (party("anna"), party("sam"));
            Plan::one_to_one(frame.clone(), payer, by, payee, Destination::Wallet, euro("20.00"))
        };
        let mut unit = shop.begin().await;
        is_another_payee(shop.escrow.move_money(&mut unit, plan(Method::Card), toms()).await);
        drop(unit);
        let mut unit = shop.begin().await;
        let moved = shop.escrow.move_money(&mut unit, plan(Method::Card), anna(Needs::Challenge)).await.unwrap();
        shop.commit(unit).await;
        let order = shop.load(moved.order_of(&party("anna")).unwrap()).await;
        is_challenged(&shop, order.id()).await;
        assert_eq!(shop.load(moved.id()).await.status(), escrowed::movement::Status::Done);

        shop.fill_wallet("anna", euro("20.00")).await;
        let mut unit = shop.begin().await;
        let refused = shop.escrow.move_money(&mut unit, plan(Method::Wallet), anna(Needs::Challenge)).await;
        assert!(matches!(refused, Err(EscrowError::Refused(Reason::NotThisWay { .. }))), "{refused:?}");
    }

    async fn a_pledge(shop) {
        let (until, gateway) = (shop.now().plus(Duration::from_secs(86_400)), "sandbox".parse().unwrap());
        let terms = campaign::Terms::new(
            "A record".parse().unwrap(), euro("100.00"), until, party("sam"), party("shop"), gateway,
        );
        let mut unit = shop.begin().await;
        let id = shop.escrow.open(&mut unit, Campaign::open, terms, user("sam")).await.unwrap().id();
        shop.commit(unit).await;
        let offer = || Offer { backer: party("anna"), amount: euro("20.00") };
        let mut unit = shop.begin().await;
        is_another_payee(shop.escrow.pledge::<AnyCampaign, _>(&mut unit, id, offer(), Method::Card, toms()).await);
        drop(unit);
        let mut unit = shop.begin().await;
        let pledge = shop.escrow
            .pledge::<AnyCampaign, _>(&mut unit, id, offer(), Method::Card, anna(Needs::Challenge)).await.unwrap().id();
        shop.commit(unit).await;
        is_challenged(&shop, pledge).await;
    }
}
