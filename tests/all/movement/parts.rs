//! Nobody acts on a movement's order past the movement.

use super::*;
use crate::harness::on_each_store;
use escrowed::{
    lifecycle::Value as _,
    order::{Action, Amendment, Blocking, Part, PayoutPlan, Terms},
    party::Stamp,
    payment::{payin, payout},
};

fn commands() -> [order::Command<'static>; 8] {
    [
        order::Command::Accept { payout: None },
        order::Command::Accept { payout: Some(PayoutPlan::to(party("sam"), Destination::Wallet)) },
        order::Command::Reject {},
        order::Command::Cancel {},
        order::Command::Block { why: Blocking::Operator("looks odd".parse().unwrap()) },
        order::Command::RefundPart { amount: euro("1.00") },
        order::Command::Amend { changes: Amendment::default() },
        order::Command::Validate {},
    ]
}

on_each_store! {
    async fn nobody_acts_on_a_part_past_its_movement(shop) {
        let run = Run::of(&shop, many_to_one(), user("sam")).await;
        run.pay("anna", Method::Card).await;
        shop.send().await;
        // Paid, and still to be paid.
        for id in [run.order_of("anna").await, run.order_of("ben").await] {
            for command in commands() {
                let (action, order) = (command.action(), shop.order(id).await);
                let roles: Vec<_> = order::TABLE.ways(order.position(), action as usize).flat_map(|edge| edge.by).collect();
                let by = if roles.is_empty() || roles.iter().any(|role| role.name == "platform") { ops() } else { user("sam") };
                let refused = reason(shop.try_act(id, command, by).await);
                let expected = Reason::PartOf(run.id.subject());
                assert!(refused == expected || (roles.is_empty() && matches!(refused, Reason::WrongStatus { .. })), "{action}: {refused}");
                assert_eq!(format!("{order:?}"), format!("{:?}", shop.order(id).await));
            }
        }
        run.pay("ben", Method::Card).await;
        run.pay("cleo", Method::Card).await;
        shop.send().await;
        assert!(run.is_over().await);
    }

    async fn typed_methods_are_refused_alike(shop) {
        let run = Run::of(&shop, many_to_one(), user("sam")).await;
        run.pay("anna", Method::Card).await;
        shop.send().await;
        let (id, at) = (run.order_of("anna").await, |by: Actor| shop.escrow.stamp(by));
        let published = async || match shop.order(id).await {
            order::AnyOrder::Published(order) => order,
            other => panic!("{other:?}"),
        };
        let part_of = Reason::PartOf(run.id.subject());
        assert_eq!(published().await.accept(&at(user("sam"))).unwrap_err().reason, part_of);
        assert_eq!(published().await.reject(&at(user("sam"))).unwrap_err().reason, part_of);
        assert_eq!(published().await.cancel(&at(user("anna"))).unwrap_err().reason, part_of);
        assert_eq!(published().await.block("x".parse().unwrap(), &at(ops())).unwrap_err().reason, part_of);
        assert_eq!(published().await.refund_part(euro("1.00"), &at(ops())).unwrap_err().reason, part_of);
        assert_eq!(published().await.amend(Amendment::default(), &at(ops())).unwrap_err().reason, part_of);
        for by in [user("anna"), user("sam"), ops()] {
            assert!(matches!(published().await.settle(&at(by.clone())).unwrap_err().reason, Reason::WrongActor { .. }));
            assert!(matches!(published().await.undo(&at(by)).unwrap_err().reason, Reason::WrongActor { .. }));
        }
    }

    async fn an_order_that_stands_alone_is_not_settled_or_undone(shop) {
        let id = shop.paid(crate::harness::terms()).await;
        for command in [order::Command::Settle {}, order::Command::Undo {}] {
            let action = command.action();
            let refused = reason(shop.try_act(id, command, Actor::Gateway).await);
            assert!(matches!(refused, Reason::Missing { .. }), "{action}: {refused}");
        }
    }

    async fn only_a_movement_opens_a_part(shop) {
        let run = Run::of(&shop, many_to_one(), user("sam")).await;
        let mut terms: Terms = crate::harness::terms();
        terms.part = Some(Part { of: run.id.subject(), nth: 0, to: Destination::Wallet });
        for by in [user("anna"), user("sam"), ops(), Actor::Clock] {
            let opened = shop.escrow.open_order(&mut shop.begin().await, terms.clone(), by).await;
            assert!(matches!(opened, Err(EscrowError::Refused(Reason::NotThisWay { .. }))), "{opened:?}");
        }
        // Not even somebody who pretends that it happens by itself: the movement knows its own.
        let forged = shop.escrow.open_order(&mut shop.begin().await, terms, Actor::Gateway).await.unwrap().widen();
        let own = Stamp::gateway(shop.now());
        let counted = run.now().await.handle(Command::Count { orders: escrowed::movement::Orders(&[forged]) }, &own);
        assert!(matches!(counted.unwrap_err().reason, Reason::WrongSubject { .. } | Reason::WrongStatus { .. }));
    }

    async fn buyer_and_seller_are_the_same_in_a_top_up_only(shop) {
        let mut terms = crate::harness::terms();
        terms.buyer = Some(party("sam"));
        let opened = shop.escrow.open_order(&mut shop.begin().await, terms, ops()).await;
        assert!(matches!(opened, Err(EscrowError::Refused(Reason::SameParty))), "{opened:?}");
    }

    async fn nobody_pays_with_somebody_elses_wallet(shop) {
        shop.fill_wallet("anna", euro("80.00")).await;
        let plan = || Plan::wallet_to_wallet(frame(), party("anna"), party("sam"), euro("30.00"));
        // The payee is part of it, and may open it, but not pay it.
        assert!(matches!(reason(try_move(&shop, plan(), user("sam")).await), Reason::WrongActor { .. }));
        assert!(matches!(reason(try_move(&shop, plan(), user("eve")).await), Reason::NotForOthers { .. }));
        assert_eq!(shop.balance("wallet:anna").await, euro("80.00"));
        let run = Run::of(&shop, many_to_one(), user("sam")).await;
        let annas = run.order_of("anna").await;
        for thief in [user("sam"), user("ben")] {
            let stolen = shop.try_act(annas, order::Command::Pay { by: Method::Wallet }, thief).await;
            assert!(matches!(reason(stolen), Reason::WrongActor { .. }));
        }
        // The platform answers for what it does.
        assert_eq!(try_move(&shop, plan(), ops()).await.unwrap().status(), Status::Done);
    }

    async fn the_movements_own_wallet_is_nobodys(shop) {
        // Of a hundred payees, one write pays one: the rest waits in the movement's own wallet.
        let one_by_one = Frame { batch: 1, ..frame() };
        shop.fill_wallet("anna", euro("100.01")).await;
        let plan = Plan::one_to_many(one_by_one, party("anna"), Method::Wallet, euro("100.01"), three_payees());
        let run = Run::of(&shop, plan, user("anna")).await;
        while run.common().await.is_zero() {
            let mut unit = shop.begin().await;
            shop.escrow.resume(&mut unit, run.id).await.unwrap();
            shop.commit(unit).await;
        }
        let thief = Actor::Party(wallet(run.id));
        let loot = Plan::wallet_to_wallet(frame(), wallet(run.id), party("eve"), euro("1.00"));
        let stolen = try_move(&shop, loot, thief).await;
        assert!(matches!(stolen, Err(EscrowError::Refused(_))), "{stolen:?}");
        run.clock().await;
        shop.send().await;
        assert!(run.is_over().await);
    }

    async fn after_the_point_of_no_return_a_payout_is_neither_called_off_nor_given_back(shop) {
        let run = Run::of(&shop, one_to_many(Method::Card), user("anna")).await;
        shop.escrow.send(&worker(), 1).await.unwrap();
        assert_eq!(run.status().await, Status::Committed);
        let sams = run.now().await.orders().nth(1).unwrap().order;
        let payout = shop.payouts(sams).await.remove(0).id();
        for command in [payout::Command::Cancel {}, payout::Command::GiveBack {}] {
            let done = shop.escrow.act_on_payout(&mut shop.begin().await, payout, command, ops()).await;
            assert!(matches!(reason(done), Reason::WrongStatus { .. }));
        }
        let charge = shop.payin(run.order_of("anna").await).await.id();
        let cancel = payin::Command::Cancel {};
        let done = shop.escrow.act_on_payin(&mut shop.begin().await, charge, cancel, ops()).await;
        assert!(matches!(reason(done), Reason::WrongStatus { .. }));
        shop.send().await;
        assert!(run.is_over().await);
    }

    async fn a_payer_cannot_call_its_order_off_but_who_opened_it_can_call_all_of_it_off(shop) {
        let run = Run::of(&shop, many_to_one(), user("sam")).await;
        let id = run.order_of("anna").await;
        let order = shop.order(id).await;
        assert!(order.may(Action::Cancel, &shop.escrow.stamp(user("anna"))).is_err());
        let offered: Vec<_> = order.actions(&shop.escrow.stamp(user("anna"))).collect();
        assert_eq!(offered, [Action::Pay]);
        let offered: Vec<_> = run.now().await.actions(&shop.escrow.stamp(user("sam"))).collect();
        assert_eq!(offered, [escrowed::movement::Action::Undo]);
    }
}
