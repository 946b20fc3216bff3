//! Whom a seller may name as a payee, and where to: who is named bears chargebacks, and is whom the host's policy is asked
//! about.

use crate::harness::{Problem, Shop, bank, euro, on_each_store, ops, party, terms, user};
use escrowed::{
    escrow::EscrowError,
    lifecycle::{Flaw, Reason, replay},
    money::Share,
    movement::MovementId,
    order::{Account, AnyOrder, Command, OrderId, Payee, PayoutPlan, Status, Terms},
    party::{Actor, PartyId},
    payment::Destination,
    store::{Store, UnitOfWork},
};

const WALLET: Destination = Destination::Wallet;

fn payee(name: &str, to: Destination) -> Payee {
    Payee { party: party(name), share: Share::Rest, to }
}

/// Half of it to this payee, half to sam's wallet.
fn half(name: &str, to: Destination) -> PayoutPlan {
    PayoutPlan::among([payee(name, to), payee("sam", WALLET)])
}

/// The name of a movement's own wallet.
fn movements<S: Store>(shop: &Shop<S>) -> PartyId {
    MovementId::generate(shop.now()).to_string().parse().unwrap()
}

async fn accept<S: Store>(shop: &Shop<S>, id: OrderId, plan: PayoutPlan) -> Result<AnyOrder, Problem<S>> {
    shop.try_act(id, Command::Accept { payout: Some(plan) }, user("sam")).await
}

/// In `ACCEPTED`.
async fn accepted<S: Store>(shop: &Shop<S>) -> OrderId {
    let id = shop.paid(terms()).await;
    shop.act(id, Command::Accept { payout: None }, user("sam")).await;
    id
}

async fn set<S: Store>(shop: &Shop<S>, id: OrderId, plan: PayoutPlan, by: Actor) -> Result<AnyOrder, Problem<S>> {
    shop.try_act(id, Command::SetPayout { plan }, by).await
}

async fn opened<S: Store>(shop: &Shop<S>, terms: Terms, by: Actor) -> Result<OrderId, Problem<S>> {
    let mut unit = shop.begin().await;
    let id = shop.escrow.open_order(&mut unit, terms, by).await?.id();
    shop.commit(unit).await;
    Ok(id)
}

fn with(plan: PayoutPlan) -> Terms {
    Terms { buyer: Some(party("anna")), payout: Some(plan), ..terms() }
}

fn reason<T: std::fmt::Debug, E: std::fmt::Debug>(refused: Result<T, EscrowError<E>>) -> Reason {
    match refused {
        Err(EscrowError::Refused(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

on_each_store! {
    async fn a_seller_names_no_bank_account_for_another(shop) {
        let vera = || PayoutPlan::to(party("vera"), bank("ba_sam"));
        let wanted = Reason::OthersAccount(party("vera"));
        let id = shop.paid(terms()).await;
        assert_eq!(reason(accept(&shop, id, vera()).await), wanted);
        assert_eq!(reason(accept(&shop, id, half("vera", bank("ba_sam"))).await), wanted);
        let AnyOrder::Published(order) = shop.order(id).await else { panic!() };
        let refused = order.accept_with(vera(), &shop.escrow.stamp(user("sam"))).unwrap_err();
        assert_eq!((refused.reason, refused.value.status()), (wanted.clone(), Status::Published));

        let id = accepted(&shop).await;
        assert_eq!(reason(set(&shop, id, vera(), user("sam")).await), wanted);
        // The platform has looked at whose account it is.
        set(&shop, id, vera(), ops()).await.unwrap();
        shop.act(id, Command::Validate {}, ops()).await;
        shop.send().await;
        assert_eq!(shop.status(id).await, Status::Released);
        shop.audit().await;
        shop.verify().await;
    }

    async fn a_seller_shares_with_others_wallets_and_has_an_account_of_its_own(shop) {
        let id = shop.paid(terms()).await;
        let plan = PayoutPlan::among([payee("tom", WALLET), payee("sam", bank("ba_sam")), payee("anna", WALLET)]);
        accept(&shop, id, plan).await.unwrap();
        shop.act(id, Command::Validate {}, ops()).await;
        shop.send().await;
        assert_eq!(shop.status(id).await, Status::Released);
        assert_eq!((shop.balance("wallet:tom").await, shop.balance("wallet:anna").await), (euro("30.00"), euro("30.00")));
    }

    async fn the_platforms_own_share_is_the_platforms_to_give(shop) {
        let wanted = Reason::PlatformsShare(party("shop"));
        let id = shop.paid(terms()).await;
        assert_eq!(reason(accept(&shop, id, half("shop", WALLET)).await), wanted);
        let id = accepted(&shop).await;
        assert_eq!(reason(set(&shop, id, half("shop", WALLET), user("sam")).await), wanted);
        set(&shop, id, half("shop", WALLET), ops()).await.unwrap();
        assert_eq!(shop.act(id, Command::Validate {}, ops()).await.status(), Status::Released);
        assert_eq!(shop.balance("wallet:shop").await, euro("55.00"));
    }

    async fn what_bears_the_id_of_something_is_nobodys_name(shop) {
        let name = movements(&shop);
        let wanted = Reason::NobodysName(name.clone());
        for to in [WALLET, bank("ba_sam")] {
            let plan = || PayoutPlan::to(name.clone(), to.clone());
            let id = shop.paid(terms()).await;
            assert_eq!(reason(accept(&shop, id, plan()).await), wanted);
            let id = accepted(&shop).await;
            for by in [user("sam"), ops()] {
                assert_eq!(reason(set(&shop, id, plan(), by).await), wanted);
            }
            for by in [user("sam"), user("anna"), ops()] {
                assert_eq!(reason(opened(&shop, with(plan()), by).await), wanted);
            }
            let account = Account::new(party("shop"), "sandbox".parse().unwrap()).paying_wallets(plan().payees().to_vec());
            let terms = account.terms("A bicycle".parse().unwrap(), euro("100.00"), party("sam"));
            assert_eq!(reason(opened(&shop, terms, ops()).await), wanted);
        }
        assert!(shop.find(&escrowed::store::Query::status("order".parse().unwrap(), "DRAFT")).await.is_empty());
    }

    async fn who_opens_an_order_names_payees_as_who_accepts_it(shop) {
        for who in ["sam", "anna"] {
            let vera = opened(&shop, with(half("vera", bank("ba_sam"))), user(who)).await;
            assert_eq!(reason(vera), Reason::OthersAccount(party("vera")));
            let shops = opened(&shop, with(half("shop", WALLET)), user(who)).await;
            assert_eq!(reason(shops), Reason::PlatformsShare(party("shop")));
            opened(&shop, with(half("vera", WALLET)), user(who)).await.unwrap();
        }
        // A buyer names no account for the seller, who might accept without another look, nor one of its own.
        let sams = || PayoutPlan::to(party("sam"), bank("ba_anna"));
        assert_eq!(reason(opened(&shop, with(sams()), user("anna")).await), Reason::OthersAccount(party("sam")));
        let own = opened(&shop, with(half("anna", bank("ba_anna"))), user("anna")).await;
        assert_eq!(reason(own), Reason::OthersAccount(party("anna")));
        opened(&shop, with(sams()), user("sam")).await.unwrap();
        opened(&shop, with(half("vera", bank("ba_vera"))), ops()).await.unwrap();
    }

    async fn an_accounts_defaults_hold_whoever_opens_and_accepts(shop) {
        let others = [payee("trees", bank("ba_trees")), payee("shop", WALLET)];
        let account = Account::new(party("shop"), "sandbox".parse().unwrap()).paying_wallets(others);
        let terms = || {
            let terms = account.terms("A bicycle".parse().unwrap(), euro("90.00"), party("sam"));
            Terms { buyer: Some(party("anna")), ..terms }
        };
        for own in [None, Some(PayoutPlan::among([payee("trees", bank("ba_trees")), payee("sam", bank("ba_sam"))]))] {
            let id = opened(&shop, terms(), user("sam")).await.unwrap();
            shop.act(id, Command::IdentifyBuyer { buyer: party("anna") }, user("anna")).await;
            shop.act(id, Command::Pay { by: escrowed::payment::Method::Card }, user("anna")).await;
            shop.send().await;
            // The account has named the trees' bank account, and no other.
            let elsewhere = accept(&shop, id, half("trees", bank("ba_sam"))).await;
            assert_eq!(reason(elsewhere), Reason::OthersAccount(party("trees")));
            shop.act(id, Command::Accept { payout: own }, user("sam")).await;
            shop.act(id, Command::Validate {}, ops()).await;
            shop.send().await;
            assert_eq!(shop.status(id).await, Status::Released);
        }
        shop.audit().await;
        shop.verify().await;
    }

    async fn no_log_says_that_a_seller_named_them(shop) {
        let id = accepted(&shop).await;
        set(&shop, id, half("vera", bank("ba_sam")), ops()).await.unwrap();
        let given = opened(&shop, with(half("shop", WALLET)), ops()).await.unwrap();
        for (id, event) in [(id, "set_payout"), (given, "open")] {
            let mut log = shop.begin().await.log(id.subject()).await.unwrap().expect("its log");
            let named = log.records.iter_mut().find(|record| record.name == event).expect("they were named");
            named.stamp.by = user("sam");
            let corrupt = replay::<AnyOrder>(&log).unwrap_err();
            let found = matches!(corrupt.flaw, Flaw::Illegal(Reason::OthersAccount(_) | Reason::PlatformsShare(_)));
            assert!(found, "{corrupt}");
        }
    }
}
