//! Each movement, from its plan to the money at the payees'.

use super::*;
use crate::harness::on_each_store;

on_each_store! {
    async fn a_payin_to_a_wallet(shop) {
        let plan = Plan::payin_to_wallet(frame(), party("anna"), Outside::Card, party("sam"), euro("80.00"));
        let run = Run::of(&shop, plan, user("anna")).await;
        assert_eq!(run.stands().await, [Stands::Open]);
        shop.send().await;
        assert_eq!(run.path().await, "PLANNED COLLECTING COMMITTED DONE");
        assert_eq!((run.wallet("sam").await, run.outside().await), ("80.00 EUR".into(), "80.00 EUR".into()));
        assert!(run.is_over().await);
    }

    async fn a_payin_from_a_wallet(shop) {
        shop.fill_wallet("anna", euro("80.00")).await;
        let bankaccount_id = "ba_sam".parse().unwrap();
        let plan = Plan::payin_from_wallet(frame(), party("anna"), party("sam"), bankaccount_id, euro("30.00"));
        let run = Run::of(&shop, plan, user("anna")).await;
        // Paid and committed at once; the bank takes its time.
        assert_eq!((run.status().await, run.stands().await), (Status::Committed, vec![Stands::Going]));
        shop.send().await;
        assert_eq!((run.wallet("anna").await, run.outside().await), ("50.00 EUR".into(), "50.00 EUR".into()));
        assert!(run.is_over().await);
    }

    async fn a_top_up(shop) {
        let run = Run::of(&shop, top_up(), user("anna")).await;
        shop.send().await;
        assert_eq!((run.wallet("anna").await, run.outside().await), ("50.00 EUR".into(), "50.00 EUR".into()));
        let order = shop.order(run.order_of("anna").await).await;
        assert_eq!(order.facts().terms().buyer.as_ref(), Some(&order.facts().terms().seller));
        assert!(run.is_over().await);
    }

    async fn wallet_to_wallet_settles_at_once(shop) {
        shop.fill_wallet("anna", euro("80.00")).await;
        let plan = Plan::wallet_to_wallet(frame(), party("anna"), party("sam"), euro("30.00"));
        let calls = shop.gateway().calls().len();
        let run = Run::of(&shop, plan, user("anna")).await;
        assert_eq!(run.status().await, Status::Done);
        assert_eq!((run.wallet("anna").await, run.wallet("sam").await), ("50.00 EUR".into(), "30.00 EUR".into()));
        shop.send().await;
        assert_eq!(shop.gateway().calls().len(), calls, "no gateway is asked");
        assert!(run.is_over().await);
    }

    async fn one_to_one_any_way(shop) {
        shop.fill_wallet("anna", euro("10.00")).await;
        for by in [Method::Card, wire("anna"), Method::Wallet] {
            for to in [Destination::Wallet, bank("ba_sam")] {
                let plan = Plan::one_to_one(frame(), party("anna"), by.clone(), party("sam"), to, euro("5.00"));
                let run = Run::of(&shop, plan, user("anna")).await;
                shop.send().await;
                assert!(run.is_over().await, "{by:?}");
            }
        }
        // Two from outside and one from the wallet into the wallet; as many to the bank.
        assert_eq!(shop.balance("wallet:sam").await, euro("15.00"));
        assert_eq!(shop.balance("wallet:anna").await, euro("0.00"));
    }

    async fn one_to_many(shop) {
        let run = Run::of(&shop, super::one_to_many(Method::Card), user("anna")).await;
        assert_eq!(run.stands().await, [Stands::Open, Stands::Planned, Stands::Planned, Stands::Planned]);
        shop.send().await;
        assert_eq!(run.path().await, "PLANNED COLLECTING COMMITTED DONE");
        assert_eq!((run.wallet("tess").await, run.wallet("una").await), ("20.01 EUR".into(), "20.00 EUR".into()));
        assert_eq!(run.outside().await, "40.01 EUR", "€60 went to sam's bank");
        assert!(run.is_over().await);
    }

    async fn one_to_many_between_wallets_settles_at_once(shop) {
        shop.fill_wallet("anna", euro("100.00")).await;
        let third = |name: &str| payee(name, Share::Rest, Destination::Wallet);
        let payees = vec![third("sam"), third("tess"), third("una")];
        let plan = Plan::one_to_many(frame(), party("anna"), Method::Wallet, euro("100.00"), payees);
        let run = Run::of(&shop, plan, user("anna")).await;
        assert_eq!(run.status().await, Status::Done);
        let wallets = [run.wallet("sam").await, run.wallet("tess").await, run.wallet("una").await];
        assert_eq!(wallets, ["33.34 EUR", "33.33 EUR", "33.33 EUR"]);
        assert_eq!(run.wallet("anna").await, "0.00 EUR");
        assert!(run.is_over().await);
    }

    async fn many_to_one(shop) {
        shop.fill_wallet("cleo", euro("50.00")).await;
        // The payee asks for it.
        let run = Run::of(&shop, super::many_to_one(), user("sam")).await;
        run.pay("anna", Method::Card).await;
        run.pay("ben", wire("ben")).await;
        shop.send().await;
        assert_eq!(run.stands().await, [Stands::Paid, Stands::Paid, Stands::Open]);
        assert_eq!((run.status().await, run.wallet("sam").await), (Status::Collecting, "0.00 EUR".into()));
        assert_eq!(run.now().await.facts().paid(), euro("70.00"));
        // The last one pays: everything happens with it.
        run.pay("cleo", Method::Wallet).await;
        assert_eq!((run.status().await, run.wallet("sam").await), (Status::Done, "120.00 EUR".into()));
        assert_eq!(run.now().await.facts().released(), euro("120.00"));
        assert!(run.is_over().await);
    }

    async fn many_to_many(shop) {
        let run = Run::of(&shop, super::many_to_many(), ops()).await;
        for name in ["anna", "ben", "cleo"] {
            run.pay(name, Method::Card).await;
        }
        shop.send().await;
        assert_eq!((run.wallet("tess").await, run.wallet("una").await), ("30.00 EUR".into(), "30.00 EUR".into()));
        assert_eq!(run.outside().await, "60.00 EUR", "€60 went to sam's bank");
        assert!(run.is_over().await);
    }

    async fn a_request_moves_money_once(shop) {
        shop.fill_wallet("anna", euro("80.00")).await;
        let plan = |amount| Plan::wallet_to_wallet(frame(), party("anna"), party("sam"), euro(amount));
        let who = || user("anna").under("anna-1".parse().unwrap());
        let first = try_move(&shop, plan("30.00"), who()).await.unwrap();
        let again = shop.escrow.move_money(&mut shop.begin().await, plan("30.00"), who()).await.unwrap();
        assert_eq!(first.id(), again.id());
        let other = try_move(&shop, plan("31.00"), who()).await;
        assert!(matches!(other, Err(EscrowError::OtherRequest { .. })), "{other:?}");
        assert_eq!(shop.balance("wallet:sam").await, euro("30.00"));
        shop.audit().await;
    }

    async fn a_movement_and_its_orders_are_found_by_those_it_concerns(shop) {
        let run = Run::of(&shop, super::one_to_many(Method::Card), user("anna")).await;
        shop.send().await;
        let found = shop.find(&escrowed::store::Query::About(run.id.subject())).await;
        let orders: Vec<_> = run.now().await.orders().map(|place| place.order.subject()).collect();
        assert_eq!(found.len(), orders.len());
        assert!(orders.iter().all(|order| found.contains(order)));
        for name in ["anna", "sam", "tess", "una"] {
            let theirs = shop.find(&escrowed::store::Query::Party(party(name))).await;
            assert!(theirs.contains(&run.id.subject()), "{name}");
        }
    }
}
